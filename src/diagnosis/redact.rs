//! What a diagnosis shows of texts that may hold secrets. A user pastes its sentences into a bug report.

use crate::protocol::{Headers, RequestSpec, shown_location};

/// Headers of an answer whose values are shown.
const SHOWN: [&str; 15] = [
    "server",
    "via",
    "date",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "retry-after",
    "allow",
    "age",
    "x-cache",
    "sec-websocket-accept",
    "sec-websocket-version",
    "sec-websocket-extensions",
];
/// Maximum headers in one sentence.
const MAX_HEADERS: usize = 24;
/// Maximum characters of a value or name from the peer.
const MAX_SHOWN: usize = 80;
/// Number of bytes in common with a secret from which on a text is not shown.
const REPEATED_BYTES: usize = 6;

/// Parts of the request that the peer may repeat.
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The values of the query and of the program's headers, and what else is secret.
    pub fn of(request: &RequestSpec, others: Vec<String>) -> Secrets {
        let public = |name: &str| ["host", "origin", "user-agent"].iter().any(|one| one.eq_ignore_ascii_case(name));
        let query = request.target.split_once('?').map_or("", |(_, query)| query).split('&');
        let query = query.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        let values = request.headers.iter().filter(|(name, _)| !public(name)).map(|(_, value)| credentials(value));
        let texts = query.chain(values).map(str::to_owned).chain(others);
        Secrets(texts.filter(|secret| secret.len() >= 3).collect())
    }

    /// Whether a text has a part of a secret in it.
    fn are_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.0.iter().any(|secret| {
            let secret = secret.as_bytes();
            let len = secret.len().min(REPEATED_BYTES);
            secret.windows(len).any(|part| text.windows(len).any(|other| other == part))
        })
    }

    /// A text of the peer as it is shown: short, without control characters, and without secrets.
    pub fn cover(&self, text: &str) -> String {
        if self.are_in(text) { hidden(text) } else { plain(text) }
    }

    /// The headers of an answer, most of them without their values.
    pub fn shown_headers(&self, headers: &Headers) -> String {
        let count = headers.pairs().count();
        let mut shown: Vec<String> =
            headers.pairs().take(MAX_HEADERS).map(|(name, value)| self.shown_header(name, value.trim())).collect();
        if count > MAX_HEADERS {
            shown.push(format!("{} more", count - MAX_HEADERS));
        }
        shown.join("; ")
    }

    fn shown_header(&self, name: &str, value: &str) -> String {
        let lower = name.to_ascii_lowercase();
        let value = match lower.as_str() {
            "location" => shown_location(value).map_or_else(|| hidden(value), |place| self.cover(&place)),
            "www-authenticate" | "proxy-authenticate" => self.cover(scheme(value)),
            "sec-websocket-protocol" => shown_subprotocol(value),
            name if SHOWN.contains(&name) => self.cover(value),
            _ => hidden(value),
        };
        format!("{}: {value}", plain(name))
    }
}

/// The scheme of an authentication.
pub fn scheme(value: &str) -> &str {
    value.split([' ', ',']).next().unwrap_or("")
}

/// A subprotocol, unless it looks like a token: some programs offer one in place of a name.
pub fn shown_subprotocol(name: &str) -> String {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if name.len() <= 24 && digits <= 4 { plain(name) } else { hidden(name) }
}

/// The target of a request without its query.
pub fn shown_target(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{}?({} bytes, not shown)", plain(path), query.len()),
        None => plain(target),
    }
}

/// A short text without control characters.
pub fn plain(text: &str) -> String {
    let mut shown: String =
        text.chars().take(MAX_SHOWN).map(|char| if char.is_control() { ' ' } else { char }).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn hidden(text: &str) -> String {
    format!("({} bytes, not shown)", text.len())
}

/// The part of a header's value that is a secret: without the scheme of an authentication.
fn credentials(value: &str) -> &str {
    const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "token"];
    match value.split_once(' ') {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => rest.trim(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(target: &str, headers: &[(&str, &str)]) -> Secrets {
        let request = RequestSpec {
            host: "h".to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            subprotocols: Vec::new(),
            deflate: None,
            max_header_bytes: 1_000,
            heartbeat: false,
        };
        Secrets::of(&request, vec!["proxypassword".to_owned()])
    }

    fn shown(secrets: &Secrets, headers: &[(&str, &str)]) -> String {
        let mut map = http::HeaderMap::new();
        for (name, value) in headers {
            map.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        secrets.shown_headers(&Headers::from_map(&map))
    }

    #[test]
    fn only_values_of_known_headers_are_shown() {
        let secrets = secrets("/", &[]);
        for (name, value, expected) in [
            ("server", "nginx/1.22", "server: nginx/1.22"),
            ("set-cookie", "id=topsecret", "set-cookie: (12 bytes, not shown)"),
            ("x-token", "topsecret", "x-token: (9 bytes, not shown)"),
            ("www-authenticate", "Bearer realm=\"topsecret\"", "www-authenticate: Bearer"),
            ("location", "https://u:p@b.example/x?topsecret", "location: wss://b.example/x"),
            ("location", "mailto:topsecret@b.example", "location: (26 bytes, not shown)"),
            ("sec-websocket-protocol", "chat.v2", "sec-websocket-protocol: chat.v2"),
            ("sec-websocket-protocol", "a1b2c3d4e5f6", "sec-websocket-protocol: (12 bytes, not shown)"),
        ] {
            assert_eq!(shown(&secrets, &[(name, value)]), expected);
        }
        assert!(shown(&secrets, &[("server", &"x".repeat(500))]).chars().count() < 100);
    }

    #[test]
    fn a_peer_that_repeats_the_request_reveals_nothing() {
        let secrets = secrets("/room?token=topsecret", &[("Authorization", "Bearer eyJhbGciOi"), ("X-Key", "abc")]);
        for value in ["you said topsec", "eyJhbGci", "the key abc", "token=topsecret", "proxypass"] {
            assert!(secrets.cover(value).contains("not shown"), "{value}");
        }
        assert_eq!(secrets.cover("Bearer and nginx"), "Bearer and nginx");
        assert_eq!(shown(&secrets, &[("server", "topsecret")]), "server: (9 bytes, not shown)");
        assert_eq!(shown_target("/room?token=topsecret"), "/room?(15 bytes, not shown)");
    }

    #[test]
    fn a_thousand_headers_make_one_short_text() {
        let names: Vec<String> = (0..1_000).map(|index| format!("x-{index}")).collect();
        let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "value")).collect();
        let text = shown(&secrets("/", &[]), &headers);
        assert!(text.ends_with("; 976 more") && text.len() < 1_000, "{text}");
    }
}
