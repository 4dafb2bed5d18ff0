//! The proxy of a client: its URL, and which one the environment names, by the rules of curl. No I/O.

use crate::names::PROXY;
use crate::net::{interface, prefix};
use crate::protocol::Login;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use url::{Host, Url};

/// Maximum bytes of a user name, of a password, and of a name that a SOCKS proxy resolves (RFC 1928, RFC 1929).
pub(crate) const MAX_TEXT: usize = 255;
/// Maximum bytes of a proxy's URL.
const MAX_URL: usize = 8 << 10;
/// Default ports, those of curl.
const PORT: u16 = 1080;
const TLS_PORT: u16 = 443;

/// ws_config.proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxySetting {
    /// No proxy.
    #[default]
    None,
    /// "env": what the environment says.
    Env,
    /// A URL.
    Fixed(Box<Proxy>),
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// How it is asked.
    pub kind: ProxyKind,
    /// A name, an IPv4 address, or an IPv6 address without brackets, with the index of its interface if it has one.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name and password.
    pub login: Option<Login>,
}

/// How a proxy is asked for a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP CONNECT.
    Http,
    /// HTTP CONNECT over TLS.
    Https,
    /// SOCKS 5, with an address of the server.
    Socks5,
    /// SOCKS 5, with the name of the server.
    Socks5h,
}

/// Scheme, host and port. User name and password are secrets.
impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Https => "https",
            ProxyKind::Socks5 => "socks5",
            ProxyKind::Socks5h => "socks5h",
        };
        if self.host.contains(':') {
            write!(formatter, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// Reads a variable of the environment.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The server that a client connects to.
#[derive(Clone, Copy)]
pub struct Goal<'a> {
    /// wss://
    pub is_secure: bool,
    /// Host of the URL.
    pub host: &'a Host<&'a str>,
    /// Port of the URL, or its default.
    pub port: u16,
}

impl ProxySetting {
    /// Reads ws_config.proxy. `Err` says what is wrong, without any part of the text.
    pub fn parse(text: &str) -> Result<ProxySetting, String> {
        match text {
            "" => Ok(ProxySetting::None),
            "env" => Ok(ProxySetting::Env),
            url => Proxy::parse(url)
                .map(|proxy| ProxySetting::Fixed(Box::new(proxy)))
                .map_err(|why| format!("{PROXY} is not the URL of a proxy: {why}")),
        }
    }

    /// The proxy for one server. `Err`: the environment names one that cannot be used.
    pub fn choose(self, goal: Goal<'_>, variable: Variable<'_>) -> Result<Option<Box<Proxy>>, String> {
        match self {
            ProxySetting::None => Ok(None),
            ProxySetting::Fixed(proxy) => Ok(Some(proxy)),
            ProxySetting::Env => from_environment(goal, variable).map(|proxy| proxy.map(Box::new)),
        }
    }
}

impl Proxy {
    /// Parses a URL; without a scheme it is that of an HTTP proxy. A path behind host and port is ignored, as by curl.
    fn parse(url: &str) -> Result<Proxy, String> {
        const WRITE: &str = "write http://host:port, https://host:port, socks5://host:port or socks5h://host:port";
        if url.len() > MAX_URL {
            return Err(format!("it is longer than {MAX_URL} bytes"));
        }
        if url.chars().any(|char| char.is_whitespace() || char.is_control()) {
            return Err("it has a space or a control character in it".to_owned());
        }
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "https" => ProxyKind::Https,
            "socks5" => ProxyKind::Socks5,
            "socks5h" => ProxyKind::Socks5h,
            "socks" | "socks4" | "socks4a" => {
                return Err(
                    "SOCKS 4 is not supported: write socks5:// or socks5h://, if the proxy speaks it".to_owned()
                );
            }
            _ => return Err(format!("its scheme is not known; {WRITE}")),
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(parse_login(login)?), place),
            None => (None, authority),
        };
        let default = if kind == ProxyKind::Https { TLS_PORT } else { PORT };
        let (host, port) = split_port(place);
        let port = match port {
            None | Some("") => default,
            Some(digits) => match digits.parse::<u16>() {
                Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => port,
                _ => return Err("its port is not a number from 1 to 65535".to_owned()),
            },
        };
        if host.is_empty() {
            return Err(format!("it has no host; {WRITE}"));
        }
        Ok(Proxy { kind, host: parse_host(host)?, port, login })
    }
}

/// Splits "host:port". An IPv6 address has brackets.
fn split_port(place: &str) -> (&str, Option<&str>) {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    }
}

/// The host as a name lookup takes it.
fn parse_host(host: &str) -> Result<String, String> {
    let zoned = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).and_then(|inner| inner.split_once('%'));
    if let Some((address, zone)) = zoned {
        // RFC 6874 writes "%25", many tools "%".
        let zone = zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone);
        let zone = percent_decode_str(zone).decode_utf8_lossy();
        let number = address.parse().ok().and_then(|address: Ipv6Addr| interface(address, &zone));
        return number.map(|number| format!("{address}%{number}")).ok_or_else(|| {
            "this machine has no interface of the name behind the %, or the address is not a link-local one".to_owned()
        });
    }
    let url = Url::parse(&format!("http://{host}/")).map_err(|error| error.to_string())?;
    match url.host() {
        Some(Host::Domain(name)) => Ok(name.to_owned()),
        Some(Host::Ipv4(address)) => Ok(address.to_string()),
        Some(Host::Ipv6(address)) => Ok(address.to_string()),
        None => Err("it has no host".to_owned()),
    }
}

fn parse_login(text: &str) -> Result<Login, String> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let plain = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let login = Login { user: plain(user), password: plain(password) };
    if login.user.len() > MAX_TEXT || login.password.len() > MAX_TEXT {
        return Err(format!("its user name or password is longer than {MAX_TEXT} bytes"));
    }
    if login.user.contains(&b':') {
        return Err("its user name has a colon in it, which Basic authentication cannot send".to_owned());
    }
    Ok(login)
}

/// The proxy that the environment names for a server. An empty variable is one that is not set.
fn from_environment(goal: Goal<'_>, variable: Variable<'_>) -> Result<Option<Proxy>, String> {
    let first_set = |names: &[&'static str]| {
        names.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()).map(|value| (*name, value)))
    };
    if is_loopback(goal.host) {
        return Ok(None);
    }
    if let Some((_, list)) = first_set(&["no_proxy", "NO_PROXY"])
        && is_excepted(goal, &list)
    {
        return Ok(None);
    }
    // HTTP_PROXY is not read: a web server sets it for CGI programs from the header Proxy of any request.
    let names: &[&'static str] = if goal.is_secure {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    match first_set(names) {
        None => Ok(None),
        Some((name, url)) => Proxy::parse(&url).map(Some).map_err(|why| {
            format!("{PROXY} is \"env\", and {name} in the environment is not the URL of a proxy: {why}")
        }),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
    }
}

/// Whether no_proxy excepts a server. Commas or blanks separate its entries.
fn is_excepted(goal: Goal<'_>, list: &str) -> bool {
    // Only alone, as for curl.
    list == "*" || list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| matches(goal, entry))
}

/// Whether an entry of no_proxy stands for a server: a domain with all its subdomains, an address, or a network, each
/// also with a port.
fn matches(goal: Goal<'_>, entry: &str) -> bool {
    // An IPv6 address without brackets has more colons than one, and no port.
    let is_bare_ipv6 = !entry.starts_with('[') && entry.matches(':').count() > 1;
    let (entry, port) = if is_bare_ipv6 { (entry, None) } else { split_port(entry) };
    if port.is_some_and(|port| port.parse() != Ok(goal.port)) {
        return false;
    }
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    match goal.host {
        Host::Domain(name) => {
            let (name, entry) = (name.strip_suffix('.').unwrap_or(name), entry.strip_suffix('.').unwrap_or(entry));
            let entry = entry.strip_prefix('.').unwrap_or(entry);
            let Some(start) = name.len().checked_sub(entry.len()) else { return false };
            !entry.is_empty()
                && name.is_char_boundary(start)
                && name[start..].eq_ignore_ascii_case(entry)
                && (start == 0 || name.as_bytes()[start - 1] == b'.')
        }
        Host::Ipv4(address) => in_network(IpAddr::V4(*address), bare),
        Host::Ipv6(address) => in_network(IpAddr::V6(*address), bare),
    }
}

/// Whether an address is that of "address", or in the network "address/bits". 0 bits mean all, as for curl.
fn in_network(address: IpAddr, entry: &str) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => match bits.parse::<u32>() {
            Ok(bits) => (network, bits),
            Err(_) => return false,
        },
        None => (entry, 0),
    };
    let Ok(network) = network.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = if bits == 0 { most } else { bits };
    network.is_ipv4() == address.is_ipv4() && bits <= most && prefix(address, bits) == prefix(network, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str) -> Result<Proxy, String> {
        Proxy::parse(url)
    }

    fn chosen(url: &str, variables: &[(&str, &str)]) -> String {
        let url = Url::parse(url).unwrap();
        let host = url.host().unwrap();
        let goal =
            Goal { is_secure: url.scheme() == "wss", host: &host, port: url.port_or_known_default().unwrap_or(0) };
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        match ProxySetting::Env.choose(goal, &variable) {
            Ok(Some(proxy)) => proxy.to_string(),
            Ok(None) => "none".to_owned(),
            Err(why) => why,
        }
    }

    #[test]
    fn each_form_of_a_url_is_understood() {
        for (url, expected) in [
            ("http://p.example:3128", "http://p.example:3128"),
            ("HTTP://P.Example:3128/", "http://p.example:3128"),
            ("p.example:3128", "http://p.example:3128"),
            ("p.example", "http://p.example:1080"),
            ("http://p.example:", "http://p.example:1080"),
            ("http://p.example:80/path?query#x", "http://p.example:80"),
            ("https://p.example", "https://p.example:443"),
            ("https://10.1.2.3:8443", "https://10.1.2.3:8443"),
            ("socks5://[2001:db8::1]:9050", "socks5://[2001:db8::1]:9050"),
            ("socks5h://user:pw@p.example", "socks5h://p.example:1080"),
            ("http://bücher.example:1", "http://xn--bcher-kva.example:1"),
        ] {
            assert_eq!(proxy(url).map(|proxy| proxy.to_string()), Ok(expected.to_owned()), "{url}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_and_never_shown() {
        let login = |url| proxy(url).unwrap().login.unwrap();
        assert_eq!(login("http://u%40x:p%3aw%2F@h:1"), Login { user: b"u@x".to_vec(), password: b"p:w/".to_vec() });
        assert_eq!(login("http://u:a@b:c@h:1"), Login { user: b"u".to_vec(), password: b"a@b:c".to_vec() });
        assert_eq!(login("socks5://u@h"), Login { user: b"u".to_vec(), password: Vec::new() });
        assert_eq!(proxy("http://h:1").unwrap().login, None);
        let proxy = proxy("http://Alice:Secret@h:1").unwrap();
        for shown in [format!("{proxy}"), format!("{proxy:?}")] {
            assert!(!shown.contains("Alice") && !shown.contains("Secret"), "{shown}");
        }
    }

    #[test]
    fn a_wrong_url_is_refused_without_showing_it() {
        let long = format!("socks5://{}:x@h", "u".repeat(256));
        for (url, why) in [
            ("ftp://topsecret@h:1", "scheme is not known; write http://"),
            ("sock5://h:1", "scheme is not known"),
            ("socks4://h:1", "SOCKS 4 is not supported"),
            ("http://", "no host"),
            ("http://topsecret@:1", "no host"),
            ("http://h:0", "port is not a number"),
            ("http://h:65536", "port is not a number"),
            ("http://h:topsecret", "port is not a number"),
            ("http://h:+80", "port is not a number"),
            ("http://a b:1", "a space"),
            ("http://h:1\r\nX: y", "control character"),
            ("http://[::1", "IPv6"),
            ("http://[fe80::1%25nothing0]:1", "no interface"),
            ("http://a%3ab:topsecret@h:1", "colon"),
            (&long, "longer than 255"),
            (&"h".repeat(MAX_URL + 1), "longer than 8192"),
        ] {
            let message = ProxySetting::parse(url).unwrap_err();
            assert!(message.contains(why) && message.starts_with("proxy is not the URL"), "{message}");
            assert!(!message.contains("topsecret"), "{message}");
        }
        assert_eq!(ProxySetting::parse(""), Ok(ProxySetting::None));
        assert_eq!(ProxySetting::parse("env"), Ok(ProxySetting::Env));
    }

    #[test]
    fn the_scheme_decides_which_variable_is_read() {
        let all = [
            ("http_proxy", "http://a:1"),
            ("https_proxy", "http://b:2"),
            ("HTTPS_PROXY", "http://c:3"),
            ("all_proxy", "socks5://d:4"),
            ("ALL_PROXY", "socks5://e:5"),
        ];
        for (url, from, expected) in [
            ("ws://x.example/", 0, "http://a:1"),
            ("ws://x.example/", 1, "socks5://d:4"),
            ("wss://x.example/", 0, "http://b:2"),
            ("wss://x.example/", 2, "http://c:3"),
            ("wss://x.example/", 3, "socks5://d:4"),
            ("wss://x.example/", 4, "socks5://e:5"),
            ("wss://x.example/", 5, "none"),
        ] {
            assert_eq!(chosen(url, &all[from..]), expected, "{url} {from}");
        }
        // Any client of a CGI program can set it.
        assert_eq!(chosen("ws://x.example/", &[("HTTP_PROXY", "http://a:1")]), "none");
        assert_eq!(chosen("ws://x.example/", &[("http_proxy", ""), ("ALL_PROXY", "http://a:1")]), "http://a:1");
        let wrong = chosen("ws://x.example/", &[("http_proxy", "ftp://topsecret:1")]);
        assert!(wrong.contains("http_proxy in the environment") && !wrong.contains("topsecret"), "{wrong}");
    }

    #[test]
    fn loopback_is_never_proxied_by_the_environment() {
        for host in ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"] {
            assert_eq!(chosen(&format!("ws://{host}:9/"), &[("http_proxy", "http://a:1")]), "none", "{host}");
        }
        for host in ["localhost.example", "128.0.0.1", "[::2]"] {
            assert_eq!(chosen(&format!("ws://{host}:9/"), &[("http_proxy", "http://a:1")]), "http://a:1", "{host}");
        }
    }

    #[test]
    fn no_proxy_excepts_domains_addresses_networks_and_ports() {
        for (host, list, is_excepted) in [
            ("a.example", "*", true),
            ("a.example", "*,b", false),
            ("a.example", "a.example", true),
            ("a.example", "A.Example", true),
            ("a.example", ".a.example", true),
            ("x.a.example", "a.example", true),
            ("x.a.example", ".a.example", true),
            ("xa.example", "a.example", false),
            ("a.example", "x.a.example", false),
            ("a.example.", "a.example", true),
            ("a.example", "a.example.", true),
            ("a.example", "b.example, a.example", true),
            ("a.example", "b.example a.example", true),
            ("a.example", ",,", false),
            ("a.example", ".", false),
            ("a.example", "*.example", false),
            ("a.example", "a.example:9", true),
            ("a.example", "a.example:8", false),
            ("x.a.example", ".a.example:9", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.3:9", true),
            ("10.1.2.3", "10.1.2.3:8", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.1.2.0/31", false),
            ("10.1.2.3", "10.1.2.2/31", true),
            ("10.1.2.3", "10.1.2.3/32", true),
            ("10.1.2.3", "10.1.2.3/33", false),
            ("10.1.2.3", "10.0.0.0/x", false),
            ("10.1.2.3", "1.2.3", false),
            ("[2001:db8::1]", "2001:db8::1", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("[2001:db8::1]", "[2001:db8::1]:9", true),
            ("[2001:db8::1]", "[2001:db8::1]:8", false),
            ("[2001:db8::1]", "2001:db8:0:0::1", true),
            ("[2001:db8::1]", "2001:db8::/32", true),
            ("[2001:db8::1]", "2001:db9::/32", false),
            ("[2001:db8::1]", "2001:db9::/31", true),
            ("[2001:db8::1]", "2001:db8::/129", false),
            ("[2001:db8::1]", "10.0.0.0/8", false),
        ] {
            let result = chosen(&format!("ws://{host}:9/"), &[("http_proxy", "http://p:1"), ("NO_PROXY", list)]);
            assert_eq!(result == "none", is_excepted, "{host} {list}");
        }
        let both = [("http_proxy", "http://p:1"), ("no_proxy", "a.example"), ("NO_PROXY", "b.example")];
        assert_eq!(chosen("ws://a.example/", &both), "none");
        assert_eq!(chosen("ws://b.example/", &both), "http://p:1", "the lower case comes first");
        // The default port of the URL is a port like any other.
        assert_eq!(chosen("wss://a.example/", &[("https_proxy", "http://p:1"), ("no_proxy", "a.example:443")]), "none");
    }
}
