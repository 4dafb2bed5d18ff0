//! The client's side of an HTTP proxy: CONNECT (RFC 9110 section 9.3.6) with Basic authentication (RFC 7617).

use super::Headers;
use super::client::reason_of;
use super::head::{AnswerHead, AnswerReader, Unreadable};
use super::place::{Login, Place};
use super::refused::{PendingRefusal, Refused};
use crate::names::said::GET_BODY;
use crate::names::{MAX_HEADER_BYTES, PROXY};
use crate::status::Cause;
use data_encoding::BASE64;

/// Maximum number of authentication schemes that an error text lists.
const SHOWN_SCHEMES: usize = 4;

/// Parses the answer to a CONNECT, received in pieces of any size.
pub struct Connect {
    /// Host and port of the server.
    to: String,
    has_login: bool,
    max_header_bytes: usize,
    answer: AnswerReader,
    /// The answer is a refusal, whose body is being received.
    refusal: PendingRefusal,
}

impl Connect {
    /// Creates the request.
    pub fn start(to: &Place, login: Option<&Login>, max_header_bytes: usize) -> (Connect, Vec<u8>) {
        let to = to.authority();
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
        if let Some(Login { user, password }) = login {
            let pair = BASE64.encode(&[user, b":".as_slice(), password].concat());
            request += &format!("Proxy-Authorization: Basic {pair}\r\n");
        }
        request += "\r\n";
        let answer = AnswerReader::new(max_header_bytes);
        let connect =
            Connect { to, has_login: login.is_some(), max_header_bytes, answer, refusal: PendingRefusal::default() };
        (connect, request.into_bytes())
    }

    /// Receives bytes. `Some`: how many of them belong to the answer; what follows is the server's.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<usize>, Box<Refused>> {
        if self.refusal.is_some() {
            return self.refusal.receive(bytes).map(|()| None);
        }
        let (used, AnswerHead { status, headers, .. }) = match self.answer.receive(bytes) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(None),
            Err(Unreadable::NotHttp(bytes)) => return Err(not_http(&bytes)),
            Err(Unreadable::TooBig) => {
                let why = format!(
                    "the header of the proxy's answer is longer than {MAX_HEADER_BYTES} ({})",
                    self.max_header_bytes
                );
                return Err(Refused::by_proxy(Cause::HttpTooBig, why));
            }
            Err(Unreadable::Invalid(error)) => {
                let why = format!("the proxy's answer is not valid HTTP: {error}; is it an HTTP proxy?");
                return Err(Refused::by_proxy(Cause::ProxyInvalid, why));
            }
        };
        // Such an answer has no body, whatever its headers say (section 9.3.6).
        if matches!(status, 200..=299) {
            return Ok(Some(used));
        }
        let refusal = match status {
            // Tinyproxy answers a wrong password with 401.
            401 | 407 => self.not_allowed(status, &headers),
            _ => self.not_connected(status),
        };
        self.refusal.begin(Box::new(Refused { status, headers, ..*refusal }), &bytes[used..]).map(|()| None)
    }

    /// Whether the answer is a refusal whose body is incomplete.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// Whether no byte of the answer has been received.
    pub fn is_unanswered(&self) -> bool {
        self.answer.is_empty()
    }

    /// Stops waiting. Returns a refusal with the received part of its body.
    pub fn give_up(&mut self) -> Option<Box<Refused>> {
        self.refusal.give_up()
    }

    fn not_allowed(&self, status: u16, headers: &Headers) -> Box<Refused> {
        let schemes: Vec<&str> = headers
            .all("proxy-authenticate")
            .filter_map(|value| value.split([' ', ',']).next())
            .filter(|scheme| !scheme.is_empty() && scheme.len() <= 16)
            .filter(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
            .take(SHOWN_SCHEMES)
            .collect();
        let has_basic = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
        let why = if !schemes.is_empty() && !has_basic {
            format!(
                "the proxy answered {status}: it asks for authentication by {}, and wspeer knows Basic only",
                schemes.join(", ")
            )
        } else if self.has_login {
            format!("the proxy answered {status}: it refused the user name and password of {PROXY}")
        } else {
            format!(
                "the proxy answered {status}: it requires a user name and password; set {PROXY} to http://user:password@host:port"
            )
        };
        Refused::by_proxy(Cause::ProxyAuth, why)
    }

    fn not_connected(&self, status: u16) -> Box<Refused> {
        let hint = match status {
            403 => "it does not allow this host or port",
            400 | 404 | 405 | 501 => "it may be a web server instead of a proxy, or does not know CONNECT",
            429 | 503 => "it is overloaded, or cannot reach the server: try again later",
            500..=599 => "it cannot reach the server: check host and port of the URL",
            _ => &format!("its body ({GET_BODY}) may say why"),
        };
        let name = reason_of(status);
        let why = format!("the proxy did not connect to {}, it answered {status}{name}: {hint}", self.to);
        Refused::by_proxy(Cause::ProxyRefused, why)
    }
}

/// The answer is of another protocol. The text shows none of it: it may repeat the request, which has a password.
fn not_http(bytes: &[u8]) -> Box<Refused> {
    let hint = match bytes.first() {
        Some(5) => "it may be a SOCKS proxy: write socks5:// or socks5h://",
        Some(0x15 | 0x16) => "it may expect TLS: write https://",
        _ => "another kind of server has this port",
    };
    Refused::by_proxy(Cause::ProxyInvalid, format!("the proxy's answer is not HTTP: {hint} (in {PROXY})"))
}
