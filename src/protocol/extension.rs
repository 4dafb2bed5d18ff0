//! Negotiation of permessage-deflate (RFC 7692 sections 5 and 7.1).

use super::Headers;
use super::headers::trimmed;

const NAME: &str = "permessage-deflate";
/// Minimum window bits of our compressor: it cannot use a window of 8 bits (256 bytes), which a decompressor can.
pub const MIN_OWN_BITS: u8 = 9;
/// Maximum window bits (32 KiB), which apply if nothing else was negotiated.
pub const MAX_BITS: u8 = 15;

/// The parameters that the program requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeflateSettings {
    /// The server's compressor drops its context after each message.
    pub server_no_takeover: bool,
    /// The client's compressor drops its context after each message.
    pub client_no_takeover: bool,
    /// Window bits of the server's compressor, 9 to 15.
    pub server_bits: u8,
    /// Window bits of the client's compressor, 9 to 15.
    pub client_bits: u8,
}

/// The negotiated parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeflateParams {
    /// The server's compressor drops its context after each message.
    pub server_no_takeover: bool,
    /// The client's compressor drops its context after each message.
    pub client_no_takeover: bool,
    /// Window bits of the server's compressor, 8 to 15.
    pub server_bits: u8,
    /// Window bits of the client's compressor, 8 to 15.
    pub client_bits: u8,
}

impl std::fmt::Display for DeflateParams {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(NAME)?;
        for (holds, name) in [
            (self.server_no_takeover, "server_no_context_takeover"),
            (self.client_no_takeover, "client_no_context_takeover"),
        ] {
            if holds {
                write!(formatter, "; {name}")?;
            }
        }
        for (bits, name) in [(self.server_bits, "server_max_window_bits"), (self.client_bits, "client_max_window_bits")]
        {
            if bits < MAX_BITS {
                write!(formatter, "; {name}={bits}")?;
            }
        }
        Ok(())
    }
}

/// The client's offer: a single one, which lets the server limit our window (section 7.1.2.2).
pub fn offer(settings: &DeflateSettings) -> String {
    let wanted = DeflateParams {
        server_no_takeover: settings.server_no_takeover,
        client_no_takeover: settings.client_no_takeover,
        server_bits: settings.server_bits,
        client_bits: settings.client_bits,
    };
    let any = if settings.client_bits == MAX_BITS { "; client_max_window_bits" } else { "" };
    format!("{wanted}{any}")
}

/// Checks a server's response against the client's offer. `Err` describes the mismatch.
pub fn accept_answer(settings: &DeflateSettings, headers: &Headers) -> Result<Option<DeflateParams>, String> {
    let mut chosen = elements(headers);
    let Some(first) = chosen.next() else { return Ok(None) };
    if chosen.next().is_some() {
        return Err("the server chose more than one extension".to_owned());
    }
    let answer =
        Element::parse(&first).ok_or("the server chose an extension that was not offered, or with wrong parameters")?;
    if answer.client_bits == Some(None) {
        return Err("the server's client_max_window_bits has no value".to_owned());
    }
    if settings.server_no_takeover && !answer.server_no_takeover {
        return Err(
            "the server keeps its compression context although server_no_context_takeover was asked for".to_owned()
        );
    }
    let server_bits = answer.server_bits.unwrap_or(MAX_BITS);
    if server_bits > settings.server_bits {
        return Err("the server takes a larger compression window than server_max_window_bits asks for".to_owned());
    }
    let client_bits = answer.client_bits.flatten();
    if client_bits.is_some_and(|bits| bits > settings.client_bits) {
        return Err("the server's client_max_window_bits is larger than the offered one".to_owned());
    }
    Ok(Some(DeflateParams {
        server_no_takeover: answer.server_no_takeover,
        client_no_takeover: settings.client_no_takeover || answer.client_no_takeover,
        server_bits,
        client_bits: client_bits.unwrap_or(settings.client_bits),
    }))
}

/// Chooses the first of a client's offers that the server can accept. Returns the parameters and the response. Other
/// offers are declined (section 7.1).
pub fn choose_offer(settings: &DeflateSettings, headers: &Headers) -> Option<(DeflateParams, String)> {
    let offered = elements(headers).find_map(|element| Element::parse(&element))?;
    let server_bits = offered.server_bits.unwrap_or(MAX_BITS).min(settings.server_bits);
    // Only a client that sent the parameter may be limited (section 7.1.2.2).
    let client_bits = match offered.client_bits {
        Some(most) => most.unwrap_or(MAX_BITS).min(settings.client_bits),
        None => MAX_BITS,
    };
    let params = DeflateParams {
        server_no_takeover: offered.server_no_takeover || settings.server_no_takeover,
        client_no_takeover: offered.client_no_takeover || settings.client_no_takeover,
        server_bits,
        client_bits,
    };
    // A client that requested a window must get a response to that, even if it is the largest.
    let heard =
        if offered.server_bits.is_some() && server_bits == MAX_BITS { "; server_max_window_bits=15" } else { "" };
    Some((params, format!("{params}{heard}")))
}

/// One extension in the header, with its parameters.
#[derive(Default)]
struct Element {
    server_no_takeover: bool,
    client_no_takeover: bool,
    server_bits: Option<u8>,
    /// `Some(None)`: present without a value.
    client_bits: Option<Option<u8>>,
}

impl Element {
    /// `None`: another extension, or parameters that are unknown, repeated or out of range.
    fn parse(text: &str) -> Option<Element> {
        let mut parts = split(text, ';').into_iter();
        if parts.next()? != NAME {
            return None;
        }
        let mut element = Element::default();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (trimmed(name), Some(unquoted(trimmed(value)))),
                None => (part.as_str(), None),
            };
            match (name, value) {
                ("server_no_context_takeover", None) if !element.server_no_takeover => {
                    element.server_no_takeover = true
                }
                ("client_no_context_takeover", None) if !element.client_no_takeover => {
                    element.client_no_takeover = true
                }
                ("server_max_window_bits", Some(value)) if element.server_bits.is_none() => {
                    element.server_bits = Some(bits(value)?)
                }
                ("client_max_window_bits", None) if element.client_bits.is_none() => element.client_bits = Some(None),
                ("client_max_window_bits", Some(value)) if element.client_bits.is_none() => {
                    element.client_bits = Some(Some(bits(value)?))
                }
                _ => return None,
            }
        }
        Some(element)
    }
}

/// Parses a decimal integer from 8 to 15 without leading zeros (section 7.1.2).
fn bits(value: &str) -> Option<u8> {
    let number: u8 = value.parse().ok()?;
    ((8..=MAX_BITS).contains(&number) && number.to_string() == value).then_some(number)
}

fn elements(headers: &Headers) -> impl Iterator<Item = String> {
    headers.all("sec-websocket-extensions").flat_map(|value| split(value, ',')).filter(|element| !element.is_empty())
}

/// Splits at separators outside quoted strings (RFC 6455 section 9.1).
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for char in text.chars() {
        quoted ^= char == '"';
        match parts.last_mut() {
            Some(part) if quoted || char != separator => part.push(char),
            _ => parts.push(String::new()),
        }
    }
    parts.into_iter().map(|part| trimmed(&part).to_owned()).collect()
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: DeflateSettings =
        DeflateSettings { server_no_takeover: false, client_no_takeover: false, server_bits: 15, client_bits: 15 };

    fn header(value: &str) -> Headers {
        let mut map = http::HeaderMap::new();
        map.insert("sec-websocket-extensions", value.parse().unwrap());
        Headers::from_map(&map)
    }

    fn answer_to(settings: DeflateSettings, offers: &str) -> Option<String> {
        choose_offer(&settings, &header(offers)).map(|(_, answer)| answer)
    }

    #[test]
    fn a_server_answers_the_examples_of_section_7_1_3() {
        assert_eq!(answer_to(PLAIN, "permessage-deflate").unwrap(), "permessage-deflate");
        let two = "permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits";
        assert_eq!(answer_to(PLAIN, two).unwrap(), "permessage-deflate; server_max_window_bits=10");
        assert_eq!(
            answer_to(PLAIN, "permessage-deflate; server_max_window_bits=15").unwrap(),
            "permessage-deflate; server_max_window_bits=15"
        );
        assert_eq!(
            answer_to(PLAIN, "permessage-deflate; server_max_window_bits=\"10\"").unwrap(),
            "permessage-deflate; server_max_window_bits=10"
        );
    }

    #[test]
    fn a_server_declines_malformed_offers_and_takes_the_next() {
        for bad in [
            "permessage-deflate; unknown",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=08",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; client_max_window_bits=1o",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=10; client_max_window_bits=10",
            "permessage-foo; quoted=\"permessage-deflate, a; b\"",
            "x-webkit-deflate-frame",
            "permessage-bzip2, permessage-deflates",
        ] {
            assert_eq!(answer_to(PLAIN, bad), None, "{bad}");
            assert_eq!(answer_to(PLAIN, &format!("{bad}, permessage-deflate")).unwrap(), "permessage-deflate", "{bad}");
        }
    }

    #[test]
    fn a_server_limits_the_client_window_only_if_offered() {
        let small = DeflateSettings { client_bits: 10, client_no_takeover: true, ..PLAIN };
        let tight = "permessage-deflate; client_no_context_takeover; client_max_window_bits=10";
        assert_eq!(answer_to(small, "permessage-deflate; client_max_window_bits").unwrap(), tight);
        assert_eq!(answer_to(small, "permessage-deflate; client_max_window_bits=12").unwrap(), tight);
        assert_eq!(answer_to(small, "permessage-deflate").unwrap(), "permessage-deflate; client_no_context_takeover");
        let (params, _) = choose_offer(&small, &header("permessage-deflate; client_max_window_bits=9")).unwrap();
        assert_eq!(params.client_bits, 9);
    }

    #[test]
    fn a_client_offers_its_configured_parameters() {
        assert_eq!(offer(&PLAIN), "permessage-deflate; client_max_window_bits");
        let all =
            DeflateSettings { server_no_takeover: true, client_no_takeover: true, server_bits: 10, client_bits: 11 };
        let text = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11";
        assert_eq!(offer(&all), text);
    }

    #[test]
    fn a_client_accepts_only_an_answer_within_its_offer() {
        let asked =
            DeflateSettings { server_no_takeover: true, client_no_takeover: false, server_bits: 12, client_bits: 12 };
        let good =
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=8";
        let params = accept_answer(&asked, &header(good)).unwrap().unwrap();
        assert_eq!((params.server_bits, params.client_bits, params.client_no_takeover), (10, 8, false));
        for (client_no_takeover, answer, expected) in
            [(false, "", false), (true, "", true), (false, "; client_no_context_takeover", true)]
        {
            let asked = DeflateSettings { client_no_takeover, ..PLAIN };
            let params = accept_answer(&asked, &header(&format!("permessage-deflate{answer}"))).unwrap().unwrap();
            assert_eq!((params.client_no_takeover, params.server_no_takeover), (expected, false), "{answer}");
        }
        for bad in [
            "permessage-deflate",
            "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=12",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=13",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits=13",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=12, permessage-deflate",
            "permessage-foo",
        ] {
            assert!(accept_answer(&asked, &header(bad)).is_err(), "{bad}");
        }
        assert_eq!(accept_answer(&asked, &Headers::default()), Ok(None));
    }
}
