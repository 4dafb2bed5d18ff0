//! The address of a client behind proxies, from the headers that they add: `Forwarded` (RFC 7239) or
//! `X-Forwarded-For`.

use super::Headers;
use super::head::is_token_byte;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The header that is read. Only one is, because a proxy passes on the one that it does not set, as the client wrote
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// `Forwarded`.
    Forwarded,
    /// `X-Forwarded-For`.
    XForwardedFor,
}

impl Forwarding {
    /// Name of the header.
    pub fn header(self) -> &'static str {
        match self {
            Forwarding::Forwarded => "Forwarded",
            Forwarding::XForwardedFor => "X-Forwarded-For",
        }
    }

    /// The address of the client, as the proxies that `trusts` accepts report it. `None`: they do not say.
    ///
    /// Each proxy appends the address that connected to it. So the right-most address that is not trusted is the
    /// client's, and what stands before it is the client's own invention. If all are trusted, it is the first one. An
    /// entry that is no address ends the search at the entry after it.
    pub fn client(
        self,
        headers: &Headers,
        trusts: impl Fn(IpAddr) -> bool,
    ) -> Result<Option<SocketAddr>, &'static str> {
        let mut found = None;
        for entry in self.entries(headers)?.into_iter().rev() {
            let Some(address) = entry else { break };
            found = Some(address);
            if !trusts(address.ip()) {
                break;
            }
        }
        Ok(found)
    }

    /// The entries of all headers, first the one that is farthest from us.
    fn entries(self, headers: &Headers) -> Result<Vec<Option<SocketAddr>>, &'static str> {
        match self {
            Forwarding::XForwardedFor => Ok(headers.list(self.header()).map(node).collect()),
            Forwarding::Forwarded => {
                let mut entries = Vec::new();
                for value in headers.all(self.header()) {
                    elements(value, &mut entries).ok_or("its Forwarded header is malformed (RFC 7239 section 4)")?;
                }
                Ok(entries)
            }
        }
    }
}

/// The nodes of the elements of a `Forwarded` header; `None`: it is malformed. A quotation mark that a client has left
/// open would hide what a proxy appends, so such a header is refused whole.
fn elements(value: &str, nodes: &mut Vec<Option<SocketAddr>>) -> Option<()> {
    let mut rest = value.trim_start_matches(BLANK);
    while !rest.is_empty() {
        // Pairs that are separated by semicolons, up to a comma.
        let (mut of_element, mut has_pair) = (None, false);
        loop {
            if let Some((name, text, behind)) = pair(rest)? {
                if name.eq_ignore_ascii_case("for") && of_element.replace(node(&text)).is_some() {
                    return None;
                }
                has_pair = true;
                rest = behind.trim_start_matches(BLANK);
            }
            match rest.strip_prefix(';') {
                Some(behind) => rest = behind.trim_start_matches(BLANK),
                None => break,
            }
        }
        // An element without a node has no address; an empty one is ignored (RFC 9110 section 5.6.1.2).
        if has_pair {
            nodes.push(of_element.flatten());
        }
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind.trim_start_matches(BLANK),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(())
}

const BLANK: [char; 2] = [' ', '\t'];

/// The name and value at the start of a text, and the rest; `Some(None)`: it begins with no name.
#[allow(clippy::option_option)]
fn pair(text: &str) -> Option<Option<(&str, String, &str)>> {
    let end = text.bytes().position(|byte| !is_token_byte(byte)).unwrap_or(text.len());
    if end == 0 {
        return Some(None);
    }
    let (name, rest) = text.split_at(end);
    let rest = rest.strip_prefix('=')?;
    let Some(quoted) = rest.strip_prefix('"') else {
        // Also the colons and brackets of an address, which should be quoted.
        let is_part = |byte: u8| is_token_byte(byte) || b":[]".contains(&byte);
        let end = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let (value, rest) = rest.split_at(end);
        return (end > 0).then(|| Some((name, value.to_owned(), rest)));
    };
    let (mut value, mut chars) = (String::new(), quoted.char_indices());
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some(Some((name, value, &quoted[at + 1..]))),
            '\\' => value.push(chars.next()?.1),
            char => value.push(char),
        }
    }
    None
}

/// The address in a node, "203.0.113.7", "203.0.113.7:80", "[2001:db8::7]:80" or "2001:db8::7". A port that is missing
/// or hidden is 0. `None`: "unknown", a hidden name such as "_a", or no address.
fn node(text: &str) -> Option<SocketAddr> {
    let hidden = |port: &str| port.starts_with('_');
    let port = |text: &str| match text.strip_prefix(':') {
        None => text.is_empty().then_some(0),
        Some(port) if hidden(port) => Some(0),
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten(),
    };
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, behind) = bracketed.split_once(']')?;
        return Some(SocketAddr::new(address.parse::<Ipv6Addr>().ok()?.into(), port(behind)?));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, 0));
    }
    let (address, behind) = text.split_at(text.find(':')?);
    Some(SocketAddr::new(IpAddr::V4(address.parse().ok()?), port(behind)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        Headers::from_pairs(lines.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    /// Trusts 10.0.0.0/8 and fd00::/8.
    fn trusts(ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) => ip.octets()[0] == 10,
            IpAddr::V6(ip) => ip.octets()[0] == 0xFD,
        }
    }

    fn of(by: Forwarding, values: &[&str]) -> Result<String, &'static str> {
        let lines: Vec<_> = values.iter().map(|value| (by.header(), *value)).collect();
        let client = by.client(&headers(&lines), trusts)?;
        Ok(client.map_or("none".to_owned(), |address| address.to_string()))
    }

    #[test]
    fn the_right_most_address_that_is_not_trusted_is_the_clients() {
        for (values, client) in [
            (&[][..], "none"),
            (&[""], "none"),
            (&["203.0.113.7"], "203.0.113.7:0"),
            (&["203.0.113.7:4711"], "203.0.113.7:4711"),
            (&["2001:db8::7"], "[2001:db8::7]:0"),
            (&["[2001:db8::7]:4711"], "[2001:db8::7]:4711"),
            (&["[2001:db8::7]"], "[2001:db8::7]:0"),
            (&["198.51.100.1, 203.0.113.7"], "203.0.113.7:0"),
            (&["198.51.100.1,203.0.113.7,10.0.0.5, fd00::5"], "203.0.113.7:0"),
            (&["198.51.100.1", "203.0.113.7", "10.0.0.5"], "203.0.113.7:0"),
            (&["198.51.100.1, 203.0.113.7", ""], "203.0.113.7:0"),
            (&["10.0.0.9, 10.0.0.5"], "10.0.0.9:0"),
            (&["unknown"], "none"),
            (&["203.0.113.7, unknown, 10.0.0.5"], "10.0.0.5:0"),
            (&["203.0.113.7, unknown"], "none"),
            (&["\"203.0.113.7\""], "none"),
            (&["203.0.113.7:x"], "none"),
            (&["203.0.113.7:65536"], "none"),
            (&["203.0.113.7:"], "none"),
            (&["[2001:db8::7"], "none"),
            (&["garbage\u{1F600}, 203.0.113.7"], "203.0.113.7:0"),
        ] {
            assert_eq!(of(Forwarding::XForwardedFor, values), Ok(client.to_owned()), "{values:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (values, client) in [
            (&[][..], "none"),
            (&[""], "none"),
            (&["for=192.0.2.60"], "192.0.2.60:0"),
            (&["For=\"192.0.2.43:47011\""], "192.0.2.43:47011"),
            (&["for=192.0.2.43:47011"], "192.0.2.43:47011"),
            (&["for=\"[2001:db8:cafe::17]:4711\""], "[2001:db8:cafe::17]:4711"),
            (&["for=\"[2001:db8:cafe::17]:_obf\""], "[2001:db8:cafe::17]:0"),
            (&["for=\"\\[2001\\:db8::7]\""], "[2001:db8::7]:0"),
            (&["for=192.0.2.43;proto=http;by=203.0.113.43"], "192.0.2.43:0"),
            (&["proto=http ; by=203.0.113.43 ;for=192.0.2.43"], "192.0.2.43:0"),
            (&["for=192.0.2.43, for=198.51.100.17"], "198.51.100.17:0"),
            (&["for=192.0.2.43", "for=198.51.100.17,for=10.1.2.3"], "198.51.100.17:0"),
            (&["for=192.0.2.43;host=\"a;b, for=1.1.1.1\""], "192.0.2.43:0"),
            (&[",, for=192.0.2.43 ,;,"], "192.0.2.43:0"),
            (&["for=192.0.2.43, by=10.0.0.1"], "none"),
            (&["for=192.0.2.43, proto=https, for=10.0.0.1"], "10.0.0.1:0"),
            (&["for=unknown"], "none"),
            (&["for=_hidden, for=_SEVKISEK"], "none"),
            (&["for=192.0.2.43, for=_hidden, for=10.0.0.1"], "10.0.0.1:0"),
            (&["for=\"\""], "none"),
        ] {
            assert_eq!(of(Forwarding::Forwarded, values), Ok(client.to_owned()), "{values:?}");
        }
    }

    #[test]
    fn a_malformed_forwarded_header_is_refused_whole() {
        for bad in [
            "for",
            "for=",
            "=192.0.2.43",
            "for =192.0.2.43",
            "for= 192.0.2.43",
            "for=192.0.2.43 proto=http",
            "for=192.0.2.43;for=198.51.100.1",
            "for=\"192.0.2.43",
            "for=\"192.0.2.43\\",
            "for=\"192.0.2.43\"x",
            "for=192.0.2.43;\u{e9}=1",
            // What a client sends, and what its proxy appends.
            "for=\", for=198.51.100.17",
            "for=\", for=\"[2001:db8::1]\"",
            "x=\", for=198.51.100.17;host=\"game.example\"",
        ] {
            assert!(of(Forwarding::Forwarded, &[bad]).is_err(), "{bad}");
            assert!(of(Forwarding::Forwarded, &[bad, "for=198.51.100.17"]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_header_cut_at_any_position_is_no_other_client() {
        let whole = "for=192.0.2.60;proto=https, for=\"[2001:db8::17]:47011\";by=\"_a\", for=10.0.0.1;host=\"a,b\"";
        for end in 0..=whole.len() {
            let found = of(Forwarding::Forwarded, &[&whole[..end]]);
            let known = ["none", "192.0.2.60:0", "[2001:db8::17]:47011", "10.0.0.1:0"];
            // A cut address can be another one: the proxy's own words are never cut.
            let cut = end < "for=192.0.2.60".len() || whole[..end].ends_with("10.0.0.");
            assert!(cut || found.is_err() || known.contains(&found.as_deref().unwrap()), "{end}: {found:?}");
        }
    }

    #[test]
    fn only_the_header_that_was_chosen_is_read() {
        let both =
            headers(&[("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=192.0.2.2"), ("X-Real-IP", "1.1.1.1")]);
        let of = |by: Forwarding| by.client(&both, trusts).unwrap().unwrap().to_string();
        assert_eq!(of(Forwarding::XForwardedFor), "192.0.2.1:0");
        assert_eq!(of(Forwarding::Forwarded), "192.0.2.2:0");
    }
}
