//! What a diagnosis shows of texts that may hold secrets. A user pastes its sentences into a bug report.

use super::secrets::{Secrets, is_token};
use crate::protocol::{Headers, shown_location};

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
/// Maximum characters of a place that a redirect points to.
const MAX_PLACE: usize = 256;
/// Maximum bytes of a Location that is read.
const MAX_LOCATION: usize = 8 << 10;
/// Names of other headers of an answer that are shown whatever is secret, without their values.
const KNOWN: [&str; 5] = ["location", "www-authenticate", "proxy-authenticate", "sec-websocket-protocol", "set-cookie"];
/// What stands before and after a text of the far side in the error message of a client.
const QUOTED: [(&str, &str); 3] = [
    ("it points to ", ": connect there"),
    ("it begins with \"", "\": another "),
    ("authentication by ", ", and wspeer "),
];

impl Secrets {
    /// A text of the peer as it is shown: short, without control characters, and without secrets.
    pub fn cover(&self, text: &str) -> String {
        self.cover_long(text, MAX_SHOWN)
    }

    /// `cover` for at most so many characters. What is cut off is not compared.
    fn cover_long(&self, text: &str, max: usize) -> String {
        let (shown, is_cut) = cut(text, max);
        if self.are_in(shown) { hidden(text) } else { plain_of(shown, is_cut) }
    }

    /// The error message of a client, whose texts of the far side are covered.
    pub fn cover_message(&self, message: &str) -> String {
        for (before, after) in QUOTED {
            let Some((start, rest)) = message.split_once(before) else { continue };
            let Some((text, end)) = rest.rsplit_once(after) else { continue };
            return format!("{start}{before}{}{after}{end}", self.cover_long(text, MAX_PLACE));
        }
        message.to_owned()
    }

    /// A subprotocol that the server chose.
    pub fn cover_subprotocol(&self, name: &str) -> String {
        if is_token(name) { hidden(name) } else { self.cover(name) }
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
            "location" if value.len() > MAX_LOCATION => hidden(value),
            "location" => shown_location(value).map_or_else(|| hidden(value), |place| self.cover(&place)),
            "www-authenticate" | "proxy-authenticate" => self.cover(scheme(value)),
            "sec-websocket-protocol" => self.cover_subprotocol(value),
            name if SHOWN.contains(&name) => self.cover(value),
            _ => hidden(value),
        };
        let is_known = SHOWN.contains(&lower.as_str()) || KNOWN.contains(&lower.as_str());
        let name = if is_known { plain(name) } else { self.cover(name) };
        format!("{name}: {value}")
    }
}

/// The scheme of an authentication.
pub fn scheme(value: &str) -> &str {
    value.split([' ', ',']).next().unwrap_or("")
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
    let (shown, is_cut) = cut(text, MAX_SHOWN);
    plain_of(shown, is_cut)
}

fn plain_of(text: &str, is_cut: bool) -> String {
    let mut shown: String = text.chars().map(|char| if is_special(char) { ' ' } else { char }).collect();
    if is_cut {
        shown.push('…');
    }
    shown
}

/// Control characters, and those that break lines or change the direction of writing.
fn is_special(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The first `max` characters of a text, and whether there are more.
fn cut(text: &str, max: usize) -> (&str, bool) {
    text.char_indices().nth(max).map_or((text, false), |(end, _)| (&text[..end], true))
}

fn hidden(text: &str) -> String {
    format!("({} bytes, not shown)", text.len())
}

#[cfg(test)]
mod tests {
    use super::super::secrets::Hidden;
    use super::*;
    use crate::protocol::{Login, RequestSpec};

    fn secrets(target: &str, headers: &[(&str, &str)]) -> Secrets {
        let request = RequestSpec {
            host: "h".to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            subprotocols: Vec::new(),
            deflate: None,
            max_header_bytes: 1_000,
            channel: None,
        };
        let login = Login { user: b"proxyuser".to_vec(), password: b"proxypassword".to_vec() };
        Secrets::of(&request, &Hidden { logins: vec![login], fragment: String::new() })
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
    fn texts_in_error_messages_and_names_of_headers_are_covered() {
        let secrets = secrets("/?token=topsecret", &[]);
        for (message, expected) in [
            (
                "the server answered 302 Found instead of 101: it points to wss://b/topsecret: connect there",
                "the server answered 302 Found instead of 101: it points to (17 bytes, not shown): connect there",
            ),
            ("x: it points to wss://b/lobby: connect there", "x: it points to wss://b/lobby: connect there"),
            (
                "it begins with \"topsecret\\r\": another kind of server has this port",
                "it begins with \"(11 bytes, not shown)\": another kind of server has this port",
            ),
            (
                "it asks for authentication by proxypass, and wspeer knows Basic only",
                "it asks for authentication by (9 bytes, not shown), and wspeer knows Basic only",
            ),
            ("topsecret of our own", "topsecret of our own"),
        ] {
            assert_eq!(secrets.cover_message(message), expected);
        }
        assert_eq!(shown(&secrets, &[("x-topsecret", "x")]), "(11 bytes, not shown): (1 bytes, not shown)");
        assert_eq!(secrets.cover_subprotocol("topsecret"), "(9 bytes, not shown)");
    }

    #[test]
    fn no_character_breaks_a_line_or_turns_it_around() {
        let secrets = secrets("/", &[]);
        assert_eq!(secrets.cover("a\u{202E}b\u{2028}c\u{2029}d\u{2066}e\u{200F}f\rg\u{85}h"), "a b c d e f g h");
        assert_eq!(secrets.cover("Grüße, 世界"), "Grüße, 世界");
    }

    #[test]
    fn a_thousand_headers_make_one_short_text() {
        let names: Vec<String> = (0..1_000).map(|index| format!("x-{index}")).collect();
        let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "value")).collect();
        let text = shown(&secrets("/", &[]), &headers);
        assert!(text.ends_with("; 976 more") && text.len() < 1_000, "{text}");
    }
}
