//! HTTP responses of a server: refusals of the library, and whole responses to plain requests.

use super::Method;
use crate::status::Cause;

/// A refused request, and the HTTP response to it. The connection ends after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// WS_CAUSE_*.
    pub cause: Cause,
    /// Body of the response.
    pub message: String,
    /// With 503: seconds after which to try again.
    pub retry_s: u32,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, cause: Cause, message: impl Into<String>) -> Refusal {
        Refusal { status, cause, message: message.into(), retry_s: RETRY_S }
    }

    /// The same, to be tried again after so many seconds (RFC 9110 section 10.2.3).
    pub fn retry_after(self, retry_s: u32) -> Refusal {
        Refusal { retry_s, ..self }
    }

    /// A request that is not valid HTTP, or not a valid opening handshake.
    pub(super) fn invalid(why: &str) -> Refusal {
        Refusal::new(400, Cause::HttpInvalid, why)
    }

    /// A request that does not ask for a WebSocket.
    pub(super) fn upgrade(why: &str) -> Refusal {
        Refusal::new(426, Cause::HttpInvalid, why)
    }

    /// Encodes the HTTP response.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_for(Method::Get)
    }

    /// Encodes the HTTP response to a request with this method.
    pub fn to_bytes_for(&self, method: Method) -> Vec<u8> {
        let mut headers = Vec::new();
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        match self.status {
            405 => add("Allow", "GET"),
            503 => add("Retry-After", &self.retry_s.to_string()),
            _ => {}
        }
        add("Content-Type", PLAIN_TEXT);
        let body = format!("{}\n", self.message).into_bytes();
        Reply { status: self.status, headers, body }.to_bytes(method, false)
    }
}

/// Retry-After of a server that is busy.
const RETRY_S: u32 = 5;

/// An HTTP response to a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Status, 200 to 599.
    pub status: u16,
    /// Headers that `check_header` has accepted: without those of the framing and of the connection.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Encodes the response.
    pub fn to_bytes(&self, method: Method, keep_alive: bool) -> Vec<u8> {
        let (head, body) = self.parts(method, keep_alive);
        [&head, body].concat()
    }

    /// Head and body as they are sent. `method`: that of the request. `keep_alive`: the connection goes on after it. A
    /// body without a Content-Type is plain text.
    pub fn parts(&self, method: Method, keep_alive: bool) -> (Vec<u8>, &[u8]) {
        let typed = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = (!self.body.is_empty() && !typed).then_some(PLAIN_TEXT);
        let head = self.head(self.body.len() as u64, keep_alive, content_type);
        (head, if has_body(method, self.status) { &self.body } else { &[] })
    }

    /// Encodes the head of a response whose body of `length` bytes is elsewhere. The body is sent only if `has_body`.
    pub fn head(&self, length: u64, keep_alive: bool, content_type: Option<&str>) -> Vec<u8> {
        let Reply { status, headers, .. } = self;
        let name = http::StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        let connection = match (*status, keep_alive) {
            // The header Upgrade must be named in Connection too (RFC 9110 section 15.5.22).
            (426, false) => "Connection: Upgrade, close\r\n",
            (426, true) => "Connection: Upgrade\r\n",
            (_, false) => "Connection: close\r\n",
            (_, true) => "",
        };
        let upgrade = if *status == 426 { "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" } else { "" };
        let mut head = format!(
            "HTTP/1.1 {status} {}\r\n{connection}{upgrade}",
            name.unwrap_or(if *status < 400 { "Unknown" } else { "Refused" })
        );
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if let Some(content_type) = content_type {
            head.extend(["Content-Type: ", content_type, "\r\n"]);
        }
        match status {
            // These have neither a body nor its length (RFC 9110 sections 8.6 and 15.4.5).
            204 | 304 => {}
            205 => head += "Content-Length: 0\r\n",
            _ => head += &format!("Content-Length: {length}\r\n"),
        }
        head += "\r\n";
        head.into_bytes()
    }
}

/// Whether the response to a request has a body (RFC 9112 section 6.3).
pub fn has_body(method: Method, status: u16) -> bool {
    method != Method::Head && !matches!(status, 204 | 205 | 304)
}

/// Content-Type of texts.
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
