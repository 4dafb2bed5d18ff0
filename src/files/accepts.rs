//! Which codings a client accepts (RFC 9110 section 12.5.3).

use super::kind::Coding;
use crate::protocol::{Headers, trimmed};

/// A preference from 0 (not acceptable) to 1000.
type Quality = u16;

/// Whether a client accepts a coding, as one that sends no Accept-Encoding does.
pub fn accepts(headers: &Headers, coding: Coding) -> bool {
    headers.count("accept-encoding") == 0 || quality(headers, names(coding)).unwrap_or(0) > 0
}

/// The codings that a client asks for and prefers to none, best first.
pub fn preferred(headers: &Headers) -> impl Iterator<Item = Coding> {
    // Who does not name it takes it if there is nothing else.
    let plain = quality_of(headers, "identity").unwrap_or(0);
    let mut codings =
        [Coding::Brotli, Coding::Gzip].map(|coding| (quality(headers, names(coding)).unwrap_or(0), coding));
    // Brotli is the smaller one.
    codings.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    codings.into_iter().filter(move |(quality, _)| *quality > 0 && *quality >= plain).map(|(_, coding)| coding)
}

fn names(coding: Coding) -> [&'static str; 2] {
    match coding {
        Coding::Brotli => ["br", "br"],
        // Section 8.4.1.3.
        Coding::Gzip => ["gzip", "x-gzip"],
    }
}

/// The quality of a coding by its names, or else by "*".
fn quality(headers: &Headers, names: [&str; 2]) -> Option<Quality> {
    names.into_iter().chain(["*"]).find_map(|name| quality_of(headers, name))
}

fn quality_of(headers: &Headers, name: &str) -> Option<Quality> {
    headers.list("accept-encoding").find_map(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        trimmed(coding).eq_ignore_ascii_case(name).then(|| read_weight(weight))
    })
}

/// Reads ";q=0.5". What cannot be read counts as 0, so that nothing is sent that the client may not understand.
fn read_weight(text: &str) -> Quality {
    let text = trimmed(text);
    if text.is_empty() {
        return 1_000;
    }
    let Some((name, value)) = text.split_once('=') else { return 0 };
    let (whole, fraction) = trimmed(value).split_once('.').unwrap_or((trimmed(value), ""));
    if !trimmed(name).eq_ignore_ascii_case("q")
        || fraction.len() > 3
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return 0;
    }
    match whole {
        "1" if fraction.bytes().all(|byte| byte == b'0') => 1_000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: Option<&str>) -> Headers {
        Headers::from_pairs(value.into_iter().map(|value| ("Accept-Encoding", value.as_bytes())))
    }

    #[test]
    fn codings_come_in_the_order_of_the_clients_preference() {
        for (value, expected) in [
            (None, ""),
            (Some(""), ""),
            (Some("gzip, deflate, br, zstd"), "br gzip"),
            (Some("gzip"), "gzip"),
            (Some("x-gzip"), "gzip"),
            (Some("GZIP ; Q=0.5, BR;q=0.4"), "gzip br"),
            (Some("br;q=0, gzip"), "gzip"),
            (Some("br;q=0.000, gzip;q=0.001"), "gzip"),
            (Some("*"), "br gzip"),
            (Some("*;q=0.1, br;q=0"), "gzip"),
            (Some("*;q=0, gzip;q=1.000"), "gzip"),
            (Some("identity"), ""),
            (Some("identity;q=1, gzip;q=0.5, br;q=1"), "br"),
            (Some("identity;q=0, gzip;q=0.1"), "gzip"),
            (Some("br;q=1.5, gzip;q=2"), ""),
            (Some("br;q=0.1234, gzip;q=.5"), ""),
            (Some("br;level=4, gzip;q="), ""),
            (Some("brotli, gz"), ""),
        ] {
            let found: Vec<_> = preferred(&headers(value)).map(Coding::name).collect();
            assert_eq!(found.join(" "), expected, "{value:?}");
        }
    }

    #[test]
    fn a_client_that_says_nothing_accepts_everything() {
        assert!(accepts(&headers(None), Coding::Brotli) && accepts(&headers(None), Coding::Gzip));
        assert!(accepts(&headers(Some("gzip")), Coding::Gzip) && !accepts(&headers(Some("gzip")), Coding::Brotli));
        assert!(!accepts(&headers(Some("")), Coding::Gzip) && !accepts(&headers(Some("*;q=0")), Coding::Gzip));
    }
}
