//! The hosts and origins that a server allows, as the headers Host (RFC 9110 section 7.2) and Origin (RFC 6454) name
//! them.

use super::headers::trimmed;
use super::{Headers, Refusal};
use crate::status::Cause;
use std::net::Ipv6Addr;

/// Maximum number of items in a list.
const MAX_ITEMS: usize = 256;

/// Which requests a server allows by their headers Host and Origin.
#[derive(Default)]
pub struct Allowed {
    /// `None`: any host.
    pub hosts: Option<HostList>,
    /// `None`: any origin.
    pub origins: Option<OriginList>,
}

impl Allowed {
    /// Refuses a request for another host, or from a page of another origin. Requests without Origin come from programs
    /// that are no browsers; a browser sends one. A host without a port has `default_port`, that of the server's scheme.
    pub fn check(&self, headers: &Headers, default_port: u16) -> Result<(), Refusal> {
        let host = || trimmed(headers.get("host", 0).unwrap_or(""));
        if self.hosts.as_ref().is_some_and(|hosts| !hosts.contain(host(), default_port)) {
            return Err(Refusal::new(421, Cause::HttpStatus, "this server is not the host that the request names"));
        }
        let is_allowed = |origins: &OriginList| match headers.count("origin") {
            0 => true,
            1 => headers.get("origin", 0).is_some_and(|origin| origins.contain(origin)),
            _ => false,
        };
        if !self.origins.as_ref().is_none_or(is_allowed) {
            return Err(Refusal::new(403, Cause::HttpStatus, "pages of this origin may not connect to this server"));
        }
        Ok(())
    }
}

/// A list of hosts.
#[derive(Debug, PartialEq, Eq)]
pub struct HostList(Vec<HostPattern>);

impl HostList {
    /// Parses "game.example, *.example.org, 192.0.2.1:9080, [::1]". `Err` describes the defect.
    pub fn parse(list: &str) -> Result<HostList, String> {
        let malformed =
            |number| format!("item {number} is no host, such as game.example, *.game.example or 192.0.2.1:9080");
        parse_list(list, |item, number| HostPattern::parse(item).ok_or_else(|| malformed(number))).map(HostList)
    }

    fn contain(&self, host: &str, default_port: u16) -> bool {
        let Some((name, port)) = split_host(host) else { return false };
        self.0.iter().any(|pattern| pattern.matches(&name, port.or(Some(default_port))))
    }
}

/// A list of origins.
#[derive(Debug, PartialEq, Eq)]
pub struct OriginList(Vec<OriginPattern>);

#[derive(Debug, PartialEq, Eq)]
enum OriginPattern {
    /// "null": a page without an origin, such as a file.
    Null,
    Of {
        scheme: String,
        host: HostPattern,
    },
}

impl OriginList {
    /// Parses "https://game.example, https://*.example.org, http://localhost:8000, null". `Err` describes the defect.
    pub fn parse(list: &str) -> Result<OriginList, String> {
        let malformed = |number| {
            format!("item {number} is no origin: write scheme and host without a path, such as https://game.example")
        };
        parse_list(list, |item, number| OriginPattern::parse(item).ok_or_else(|| malformed(number))).map(OriginList)
    }

    fn contain(&self, origin: &str) -> bool {
        let origin = trimmed(origin);
        let parts = split_origin(origin);
        self.0.iter().any(|pattern| match (pattern, &parts) {
            (OriginPattern::Null, _) => origin == "null",
            (OriginPattern::Of { scheme, host }, Some((of, name, port))) => scheme == of && host.matches(name, *port),
            (OriginPattern::Of { .. }, None) => false,
        })
    }
}

impl OriginPattern {
    fn parse(item: &str) -> Option<OriginPattern> {
        if item == "null" {
            return Some(OriginPattern::Null);
        }
        let (scheme, host) = item.split_once("://")?;
        let scheme = checked_scheme(scheme)?;
        let mut host = HostPattern::parse(host)?;
        host.port = Port::Is(match host.port {
            Port::Any => default_port(&scheme),
            Port::Is(port) => port,
        });
        Some(OriginPattern::Of { scheme, host })
    }
}

/// A host, or all below a domain, with or without a port.
#[derive(Debug, PartialEq, Eq)]
struct HostPattern {
    /// In lower case, without the "*" of a domain.
    name: String,
    /// The hosts below the domain `name`, which begins with a dot.
    is_domain: bool,
    port: Port,
}

#[derive(Debug, PartialEq, Eq)]
enum Port {
    Any,
    /// `None`: the default one of a scheme that has none here.
    Is(Option<u16>),
}

impl HostPattern {
    fn parse(item: &str) -> Option<HostPattern> {
        let is_domain = item.starts_with("*.");
        let (name, port) = split_host(if is_domain { &item[1..] } else { item })?;
        let plain = if is_domain { &name[1..] } else { &name };
        if plain.is_empty() || plain.starts_with('.') || name.contains('*') {
            return None;
        }
        Some(HostPattern { name, is_domain, port: port.map_or(Port::Any, |port| Port::Is(Some(port))) })
    }

    /// Whether it matches a name in lower case.
    fn matches(&self, name: &str, port: Option<u16>) -> bool {
        let is_there = match self.is_domain {
            true => name.len() > self.name.len() && name.ends_with(&self.name),
            false => name == self.name,
        };
        is_there && (self.port == Port::Any || self.port == Port::Is(port))
    }
}

fn parse_list<T>(list: &str, parse: impl Fn(&str, usize) -> Result<T, String>) -> Result<Vec<T>, String> {
    let items: Vec<&str> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.is_empty() || items.len() > MAX_ITEMS {
        return Err(format!("it has {} items: give 1 to {MAX_ITEMS}, separated by commas", items.len()));
    }
    let checked = |(index, item): (usize, &str)| match item.is_ascii() {
        true => parse(item, index + 1),
        false => Err(format!("item {} is not ASCII: write it as xn--…, as browsers send it", index + 1)),
    };
    items.into_iter().enumerate().map(checked).collect()
}

/// A host in lower case, without the dot of the root, and its port; an IPv6 address in its shortest form. `None`: it is
/// not one.
fn split_host(text: &str) -> Option<(String, Option<u16>)> {
    let end = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
    let (name, port) = text.split_at(end);
    let port = match port.strip_prefix(':') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        // "host:" has the default port (RFC 3986 section 3.2.3).
        Some("") => None,
        None if port.is_empty() => None,
        _ => return None,
    };
    if let Some(address) = name.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{address}]"), port));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_valid = !name.is_empty()
        && name.is_ascii()
        && !name.chars().any(|char| char.is_whitespace() || char.is_control() || "/\\@?#%,\"<>".contains(char));
    is_valid.then(|| (name.to_ascii_lowercase(), port))
}

/// Scheme and host of an origin in lower case, and its port. `None`: it is not one.
fn split_origin(origin: &str) -> Option<(String, String, Option<u16>)> {
    let (scheme, host) = origin.split_once("://")?;
    let scheme = checked_scheme(scheme)?;
    let (name, port) = split_host(host)?;
    let port = port.or_else(|| default_port(&scheme));
    Some((scheme, name, port))
}

/// A scheme in lower case (RFC 3986 section 3.1).
fn checked_scheme(scheme: &str) -> Option<String> {
    let is_valid = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_valid.then(|| scheme.to_ascii_lowercase())
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_allowed_by_name_and_port() {
        let hosts = HostList::parse(
            "game.example, *.many.example,192.0.2.1:9080, [2001:DB8:0:0::1] ,LOCALHOST, on.example:80, [::2]:80",
        )
        .unwrap();
        for host in [
            "game.example",
            "GAME.example.",
            "game.example:9080",
            "game.example:",
            "a.many.example",
            "a.b.many.example:1",
            "192.0.2.1:9080",
            "[2001:db8::1]:80",
            "[2001:db8::1]",
            "[2001:0db8:0:0:0:0:0.0.0.1]",
            "localhost:65535",
            "on.example:80",
            "on.example",
            "on.example:",
            "[0::2]",
        ] {
            assert!(hosts.contain(host, 80), "{host}");
        }
        for host in [
            "",
            "example",
            "xgame.example",
            "game.example.evil",
            "many.example",
            ".many.example",
            "evilmany.example",
            "192.0.2.1",
            "192.0.2.1:80",
            "[2001:db8::2]",
            "2001:db8::1",
            "[2001:db8::1",
            "localhost:65536",
            "localhost:80:80",
            "localhost:+80",
            "user@localhost",
            "localhost/x",
            "local host",
            "game.example\u{a0}",
            "\u{2003}game.example",
            "a.\u{e4}.many.example",
            "on.example:443",
            "[::2]:443",
            "[localhost]",
        ] {
            assert!(!hosts.contain(host, 80), "{host}");
        }
        // With TLS.
        let hosts = HostList::parse("game.example:443").unwrap();
        assert!(hosts.contain("game.example", 443) && !hosts.contain("game.example:80", 443));
        assert!(!hosts.contain("game.example", 80) && hosts.contain("game.example:443", 80));
    }

    #[test]
    fn origins_are_allowed_by_scheme_host_and_port() {
        let origins = OriginList::parse(
            "https://game.example, https://*.itch.example, HTTP://localhost:8000, app://game, http://[0:0::1]",
        )
        .unwrap();
        for origin in [
            "https://game.example",
            "https://GAME.example:443",
            "https://html.itch.example",
            "http://localhost:8000",
            "app://game",
            " https://game.example\t",
            "http://[::1]:80",
        ] {
            assert!(origins.contain(origin), "{origin}");
        }
        for origin in [
            "http://game.example",
            "https://game.example:444",
            "https://game.example.evil",
            "https://evil/https://game.example",
            "https://itch.example",
            "https://evilitch.example",
            "http://localhost",
            "http://localhost:8001",
            "app://game:80",
            "null",
            "",
            "game.example",
            "https://game.example\u{a0}",
            "\u{2003}https://game.example",
            "https://game.example\u{85}",
        ] {
            assert!(!origins.contain(origin), "{origin}");
        }
        let null = OriginList::parse("null").unwrap();
        assert!(null.contain("null") && !null.contain("https://null") && !null.contain(""));
    }

    #[test]
    fn defects_of_a_list_are_described() {
        for list in ["", " , ", "*", "*.", "*.*.example", "a b", "host/", "user@host", "[::1", "host:99999", "ho*st"] {
            assert!(HostList::parse(list).is_err(), "{list}");
        }
        for list in ["", "game.example", "https://", "https://game.example/", "://x", "1x://y", "https://*"] {
            assert!(OriginList::parse(list).is_err(), "{list}");
        }
        assert!(HostList::parse("a, b c").unwrap_err().starts_with("item 2 is"));
        for why in [
            HostList::parse("a, g\u{e4}me.example").unwrap_err(),
            OriginList::parse("null, https://g\u{e4}me.example").unwrap_err(),
        ] {
            assert!(why.starts_with("item 2 is not ASCII: write it as xn--"), "{why}");
        }
        assert!(HostList::parse(&vec!["a"; MAX_ITEMS + 1].join(",")).unwrap_err().starts_with("it has 257 items"));
        assert!(HostList::parse(&vec!["a"; MAX_ITEMS].join(",")).is_ok());
    }

    #[test]
    fn a_request_is_refused_by_its_host_first() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            Headers::from_map(
                &pairs
                    .iter()
                    .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
                    .collect(),
            )
        };
        let allowed = Allowed {
            hosts: HostList::parse("game.example").ok(),
            origins: OriginList::parse("https://game.example").ok(),
        };
        let status = |pairs: &[_]| allowed.check(&headers(pairs), 80).map_err(|refusal| refusal.status);
        assert_eq!(status(&[("host", "game.example")]), Ok(()));
        assert_eq!(status(&[("host", "game.example"), ("origin", "https://game.example")]), Ok(()));
        assert_eq!(status(&[("host", "game.example"), ("origin", "https://evil.example")]), Err(403));
        assert_eq!(status(&[("host", "evil.example"), ("origin", "https://evil.example")]), Err(421));
        let twice = [("origin", "https://game.example"), ("origin", "https://game.example")];
        assert_eq!(status(&[&[("host", "game.example")][..], &twice].concat()), Err(403));
        assert_eq!(status(&[]), Err(421));
        assert_eq!(Allowed::default().check(&headers(&[("origin", "https://evil.example")]), 80), Ok(()));
    }
}
