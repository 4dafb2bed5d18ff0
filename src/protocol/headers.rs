//! HTTP headers, and checks of those that a program adds.

use super::head::is_token_byte;
use std::collections::HashSet;
use std::fmt;

/// Headers in the order received, in one allocation: a server keeps those of every client.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Lines of "name:value". Neither part contains a line break. In place of a name of `COMMON` and its colon there is
    /// one control character.
    lines: Box<str>,
}

/// Names that are stored as one character, because most requests or responses have them. Their case is not kept.
const COMMON: [&str; 18] = [
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-websocket-accept",
    "origin",
    "user-agent",
    "cookie",
    "cache-control",
    "pragma",
    "accept-encoding",
    "accept-language",
    "content-type",
    "content-length",
    "date",
];
/// The control character for the first name of `COMMON`. Those from here on do not break lines, and no name has them.
const FIRST_COMMON: u8 = 14;

impl Headers {
    /// From parsed headers. Bytes that are not UTF-8 are replaced.
    pub fn from_map(map: &http::HeaderMap) -> Headers {
        Headers::from_pairs(map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
    }

    /// From names and values without line breaks. Bytes that are not UTF-8 are replaced.
    pub(crate) fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a [u8])>) -> Headers {
        let mut lines = String::new();
        for (name, value) in pairs {
            match COMMON.iter().position(|common| common.eq_ignore_ascii_case(name)) {
                Some(index) => lines.push(char::from(FIRST_COMMON + index as u8)),
                None => lines.extend([name, ":"]),
            }
            lines += &String::from_utf8_lossy(value);
            lines.push('\n');
        }
        Headers { lines: lines.into_boxed_str() }
    }

    /// The value of the `index`th header of this name, ignoring case.
    pub fn get(&self, name: &str, index: usize) -> Option<&str> {
        self.all(name).nth(index)
    }

    /// Number of headers of this name, ignoring case.
    pub fn count(&self, name: &str) -> usize {
        self.all(name).count()
    }

    /// Whether the comma-separated lists in all headers of this name contain the token, ignoring case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|item| item.eq_ignore_ascii_case(token))
    }

    /// The items of the comma-separated lists in all headers of this name.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.all(name).flat_map(|value| value.split(',')).map(trimmed).filter(|item| !item.is_empty())
    }

    /// The values of all headers of this name, ignoring case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values, in the order received.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.split_terminator('\n').filter_map(|line| {
            let code = line.bytes().next().and_then(|byte| byte.checked_sub(FIRST_COMMON));
            match code.and_then(|index| COMMON.get(usize::from(index))) {
                Some(name) => Some((*name, &line[1..])),
                None => line.split_once(':'),
            }
        })
    }
}

/// Shows names only: a value may be a secret.
impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.pairs().map(|(name, _)| name)).finish()
    }
}

/// A part of a value without the blanks around it (RFC 9110 section 5.6.3): no other characters are blank.
pub(crate) fn trimmed(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// Headers that are reserved for the opening handshake.
const OWNED: [&str; 2] = ["upgrade", "connection"];

/// Parses "Name: value" and refuses anything that could break out of its line. `Err` describes the defect.
pub fn check_header(line: &str) -> Result<(String, String), String> {
    let Some((name, value)) = line.split_once(':') else {
        return Err("a header has no colon: write \"Name: value\"".to_owned());
    };
    if !is_token(name) {
        return Err("a header's name has a character that names cannot have".to_owned());
    }
    let value = trimmed(value);
    if value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0) || (byte < 0x20 && byte != b'\t') || byte == 0x7F) {
        return Err(format!("the value of header {name} has a line break or control character in it"));
    }
    let lower = name.to_ascii_lowercase();
    if OWNED.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
        return Err(format!("header {name} belongs to the opening handshake; subprotocols have a field of their own"));
    }
    if matches!(lower.as_str(), "content-length" | "transfer-encoding") {
        return Err(format!("header {name} would announce a body, and the opening handshake has none"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Parses a comma-separated list of subprotocols, each once. RFC 6455 section 4.1 says tokens, but other programs use
/// names such as "graphql:ws" and "v1/json", which no header can misread. `Err` describes the defect.
pub fn check_subprotocols(list: &str) -> Result<Vec<String>, String> {
    let items: Vec<String> = list.split(',').map(|item| item.trim().to_owned()).collect();
    if let Some(bad) = items.iter().find(|item| !is_subprotocol(item)) {
        let place = items.iter().position(|item| item == bad).map_or(1, |index| index + 1);
        return Err(format!(
            "subprotocol {place} of the list is not a token: use letters, digits and . - _ / : = only"
        ));
    }
    if items.iter().collect::<HashSet<_>>().len() < items.len() {
        return Err("a subprotocol is named twice".to_owned());
    }
    Ok(items)
}

/// Whether a text may name a subprotocol: visible ASCII characters without a comma, which ends it in a list, and
/// quotation marks.
fn is_subprotocol(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b",\"\\".contains(&byte))
}

/// Whether a text is a token (RFC 7230 section 3.2.6).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_injection_is_refused() {
        for bad in [
            "X: a\r\nY: b",
            "X: a\nb",
            "X: a\rb",
            "X: \0",
            "X\r\n: a",
            ": a",
            "X a: b",
            "no colon",
            "Upgrade: x",
            "connection: x",
            "Sec-WebSocket-Key: x",
        ] {
            assert!(check_header(bad).is_err(), "{bad:?}");
        }
        assert_eq!(check_header("Cookie:  a=b; c=d "), Ok(("Cookie".to_owned(), "a=b; c=d".to_owned())));
    }

    #[test]
    fn common_names_are_found_like_others() {
        let pairs = [("Host", "a:1"), ("X-Host", "b"), ("DATE", ""), ("x", "c\u{e}:d"), ("date", "e"), ("x", "")];
        let headers = Headers::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_bytes())));
        for name in ["host", "HOST"] {
            assert_eq!((headers.get(name, 0), headers.count(name)), (Some("a:1"), 1));
        }
        assert_eq!(headers.all("Date").collect::<Vec<_>>(), ["", "e"]);
        assert_eq!(headers.all("X").collect::<Vec<_>>(), ["c\u{e}:d", ""]);
        let list = Headers::from_pairs([("connection", "a,\tb ,\u{2003}c,d\u{a0}".as_bytes())].into_iter());
        assert_eq!(list.list("connection").collect::<Vec<_>>(), ["a", "b", "\u{2003}c", "d\u{a0}"]);
        assert_eq!(headers.get("x-host", 0), Some("b"));
        assert_eq!(format!("{headers:?}"), r#"["host", "X-Host", "date", "x", "date", "x"]"#);
        // The last name has the last character below a space.
        assert_eq!(FIRST_COMMON as usize + COMMON.len(), 0x20);
    }

    #[test]
    fn subprotocols_must_be_distinct_tokens() {
        assert_eq!(check_subprotocols("chat.v2, chat.v1").unwrap(), ["chat.v2", "chat.v1"]);
        for bad in ["", "a,,b", "a b", "a,a", "é"] {
            assert!(check_subprotocols(bad).is_err(), "{bad:?}");
        }
    }
}
