//! The server's side of the opening handshake (RFC 6455 section 4.2).

use super::head::{RequestHead, empty_lines, find_end, is_token_byte};
use super::{DeflateParams, DeflateSettings, Headers, choose_offer, without_question};
use crate::status::Cause;
use data_encoding::BASE64;
use std::fmt;
use tungstenite::handshake::derive_accept_key;

/// A valid request.
pub struct Request {
    /// Path and query.
    pub target: String,
    /// The target up to the question mark.
    pub path: String,
    /// The target after the question mark.
    pub query: String,
    /// All headers.
    pub headers: Headers,
    /// Sec-WebSocket-Key.
    pub key: String,
    /// The subprotocols that the client offers, in its order.
    pub subprotocols: Vec<String>,
}

/// Omits what may be a secret: the query, header values and subprotocols.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("path", &self.path)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// A refused request, and the HTTP response to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// WS_CAUSE_*.
    pub cause: Cause,
    /// Body of the response.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, cause: Cause, message: impl Into<String>) -> Refusal {
        Refusal { status, cause, message: message.into() }
    }

    /// Encodes the HTTP response.
    pub fn to_bytes(&self) -> Vec<u8> {
        let name = http::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Refused");
        let extra = match self.status {
            405 => "Allow: GET\r\n",
            426 => "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            503 => "Retry-After: 5\r\n",
            _ => "",
        };
        // A response with 426 must list Upgrade in Connection too (RFC 7231 section 6.5.15).
        let connection = if self.status == 426 { "Upgrade, close" } else { "close" };
        let body = format!("{}\n", self.message);
        let head = format!(
            "HTTP/1.1 {} {name}\r\nConnection: {connection}\r\n{extra}Content-Type: text/plain; charset=utf-8\r\n",
            self.status
        );
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }
}

/// Parses the request, received in pieces of any size.
pub struct ServerHandshake {
    received: Vec<u8>,
    max_header_bytes: usize,
}

impl ServerHandshake {
    /// Accepts requests with headers of up to `max_header_bytes`.
    pub fn new(max_header_bytes: usize) -> ServerHandshake {
        ServerHandshake { received: Vec::new(), max_header_bytes }
    }

    /// Receives bytes. `Some`: how many of them belong to the request. `None`: all were taken and more are needed.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(usize, Request)>, Refusal> {
        let before = self.received.len();
        self.received.extend_from_slice(bytes);
        let start = empty_lines(&self.received);
        // Another protocol is refused at once: its client may wait for a response before it sends more.
        let within = &self.received[start.min(self.max_header_bytes)..self.received.len().min(self.max_header_bytes)];
        if let Some(why) = not_a_request(within, before.saturating_sub(start)) {
            return Err(invalid(why));
        }
        let end = find_end(&self.received[start..], before.saturating_sub(start)).map(|end| start + end);
        if end.unwrap_or(self.received.len()) > self.max_header_bytes {
            return Err(Refusal::new(
                431,
                Cause::HttpTooBig,
                format!("the header of the request is over {} bytes", self.max_header_bytes),
            ));
        }
        let Some(end) = end else { return Ok(None) };
        let parsed = RequestHead::parse(&self.received[start..end]).map_err(unparsed)?;
        self.received = Vec::new();
        check(parsed).map(|request| Some((end - before.min(end), request)))
    }
}

/// How a server responds to valid requests.
#[derive(Default)]
pub struct Accept {
    /// The only accepted path, if one is set.
    pub path: Option<String>,
    /// Subprotocols that the server supports.
    pub subprotocols: Vec<String>,
    /// Extra headers of the response.
    pub headers: Vec<(String, String)>,
    /// permessage-deflate, for clients that offer it.
    pub deflate: Option<DeflateSettings>,
    /// The application heartbeat, for clients that request it.
    pub heartbeat: bool,
}

/// An accepted request.
pub struct Agreement {
    /// The HTTP response.
    pub answer: Vec<u8>,
    /// The chosen subprotocol.
    pub subprotocol: Option<String>,
    /// permessage-deflate, if the client offered it and it is enabled.
    pub deflate: Option<DeflateParams>,
    /// The query without the request for the application heartbeat, if the client sent that and the heartbeat is
    /// enabled.
    pub heartbeat: Option<String>,
}

/// Omits the response, whose headers may contain secrets.
impl fmt::Debug for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Agreement").field("deflate", &self.deflate).finish_non_exhaustive()
    }
}

impl Accept {
    /// Accepts or refuses a request.
    pub fn answer(&self, request: &Request) -> Result<Agreement, Refusal> {
        if self.path.as_ref().is_some_and(|path| *path != request.path) {
            return Err(Refusal::new(404, Cause::HttpStatus, "there is no WebSocket at this path"));
        }
        let common = request.subprotocols.iter().find(|offered| self.subprotocols.contains(offered));
        if common.is_none() && !self.subprotocols.is_empty() {
            let known = self.subprotocols.join(", ");
            return Err(Refusal::new(
                400,
                Cause::Subprotocol,
                format!("the client offers none of the subprotocols that this server knows: {known}"),
            ));
        }
        let accept = derive_accept_key(request.key.as_bytes());
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
        );
        if let Some(subprotocol) = common {
            answer += &format!("Sec-WebSocket-Protocol: {subprotocol}\r\n");
        }
        let chosen = self.deflate.as_ref().and_then(|settings| choose_offer(settings, &request.headers));
        if let Some((_, extension)) = &chosen {
            answer += &format!("Sec-WebSocket-Extensions: {extension}\r\n");
        }
        for (name, value) in &self.headers {
            answer += &format!("{name}: {value}\r\n");
        }
        answer += "\r\n";
        let heartbeat = self.heartbeat.then(|| without_question(&request.query)).flatten();
        Ok(Agreement {
            answer: answer.into_bytes(),
            subprotocol: common.cloned(),
            deflate: chosen.map(|(params, _)| params),
            heartbeat,
        })
    }
}

/// Why bytes cannot begin an HTTP/1 request, or `None`. The first `from` bytes were checked before. A target may
/// contain any byte that is not a control character: browsers and games send more than RFC 3986 allows.
fn not_a_request(bytes: &[u8], from: usize) -> Option<&'static str> {
    let (judged, new) = bytes.split_at(from.min(bytes.len()));
    if judged.contains(&b'\n') {
        return None;
    }
    if bytes.starts_with(HTTP_2) {
        return Some("it is HTTP/2, and this server speaks HTTP/1.1");
    }
    let is_control = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\r' | b'\t')) || *byte == 0x7F;
    let end = new.iter().position(|byte| *byte == b'\n').map(|end| from + end);
    let line = &bytes[..end.unwrap_or(bytes.len())];
    let method = line[..line.len().min(LONGEST_METHOD)].split(|byte| *byte == b' ').next().unwrap_or_default();
    let no_method = !method.iter().all(|byte| is_token_byte(*byte)) || (method.is_empty() && !line.is_empty());
    let no_version = end.is_some() && !line.windows(6).any(|window| window == b" HTTP/");
    (no_method || no_version || line[judged.len()..].iter().any(is_control))
        .then_some("this is not HTTP; a ws:// port was asked in another protocol, such as TLS")
}

/// Number of bytes of a method that are checked.
const LONGEST_METHOD: usize = 64;
/// Start of the preface of a client that speaks HTTP/2 without negotiation (RFC 9113 section 3.4).
const HTTP_2: &[u8] = b"PRI * HTTP/2";

/// Checks a request by section 4.2.1.
fn check(request: RequestHead) -> Result<Request, Refusal> {
    let RequestHead { method, target, minor, headers } = request;
    if method != "GET" {
        return Err(Refusal::new(405, Cause::HttpInvalid, "a WebSocket is opened with GET"));
    }
    if minor == 0 {
        return Err(invalid(
            "a WebSocket is opened in HTTP/1.1, and the request is in HTTP/1.0: a proxy in between may speak only that",
        ));
    }
    if headers.count("host") != 1 || !headers.get("host", 0).is_some_and(is_host) {
        return Err(invalid("the request must have one Host header, with a host and at most a port"));
    }
    for (name, why) in [
        ("content-length", "the request has several Content-Length headers"),
        ("sec-websocket-version", "the request has several Sec-WebSocket-Version headers"),
        ("sec-websocket-key", "the request has several Sec-WebSocket-Key headers"),
    ] {
        if headers.count(name) > 1 {
            return Err(invalid(why));
        }
    }
    // Otherwise a body would be read as frames, or as a request by an intermediary.
    if headers.get("content-length", 0).is_some_and(|length| length.trim() != "0")
        || headers.count("transfer-encoding") > 0
    {
        return Err(invalid("a request to open a WebSocket has no body"));
    }
    if !headers.has_token("upgrade", "websocket") || !headers.has_token("connection", "upgrade") {
        return Err(upgrade("this is a WebSocket server: ask with \"Upgrade: websocket\" and \"Connection: Upgrade\""));
    }
    if headers.get("sec-websocket-version", 0).map(str::trim) != Some("13") {
        return Err(upgrade("only version 13 of the WebSocket protocol is spoken here"));
    }
    let key = headers.get("sec-websocket-key", 0).unwrap_or("").trim().to_owned();
    if BASE64.decode(key.as_bytes()).map(|bytes| bytes.len()) != Ok(16) {
        return Err(invalid("the request must have one Sec-WebSocket-Key of 16 bytes in base64"));
    }
    let Some((path, query)) = split_target(&target) else {
        return Err(invalid("the target of the request must begin with a slash"));
    };
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let subprotocols = headers.list("sec-websocket-protocol").map(str::to_owned).collect();
    Ok(Request { target, path: path.to_owned(), query: query.to_owned(), headers, key, subprotocols })
}

/// Splits a target in origin form or absolute form (RFC 9112 section 3.2) into path and query. The other forms are for
/// proxies, CONNECT and OPTIONS. A fragment, which is not allowed here, is dropped.
fn split_target(target: &str) -> Option<(&str, &str)> {
    let target = target.split('#').next().unwrap_or(target);
    let origin = if target.starts_with('/') {
        target
    } else {
        let (scheme, rest) = target.split_once("://")?;
        let authority = rest.find(['/', '?']).unwrap_or(rest.len());
        if authority == 0
            || scheme.is_empty()
            || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return None;
        }
        &rest[authority..]
    };
    let (path, query) = origin.split_once('?').unwrap_or((origin, ""));
    Some((if path.is_empty() { "/" } else { path }, query))
}

/// Whether a Host header is acceptable: it becomes a part of the URL and of the log.
fn is_host(value: &str) -> bool {
    !value.trim().chars().any(|char| char.is_whitespace() || char.is_control() || "@/\\?#\"<>,".contains(char))
}

fn unparsed(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::new(431, Cause::HttpTooBig, "the request has too many headers"),
        error => invalid(&format!("the request is not valid HTTP/1.1: {error}")),
    }
}

fn invalid(why: &str) -> Refusal {
    Refusal::new(400, Cause::HttpInvalid, why)
}

fn upgrade(why: &str) -> Refusal {
    Refusal::new(426, Cause::HttpInvalid, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_into_path_and_query() {
        for (target, expected) in [
            ("/", Some(("/", ""))),
            ("/a/b?c=d?e#f", Some(("/a/b", "c=d?e"))),
            ("/?", Some(("/", ""))),
            ("ws://host", Some(("/", ""))),
            ("ws://host?a", Some(("/", "a"))),
            ("http+x-1.0://host:80/a?b", Some(("/a", "b"))),
            ("://host/a", None),
            ("ws:///a", None),
            ("ws://?a", None),
            ("w_s://host/a", None),
            ("*", None),
            ("host:80", None),
        ] {
            assert_eq!(split_target(target), expected, "{target}");
        }
    }
    use crate::protocol::{ClientHandshake, RequestSpec};

    #[test]
    fn debug_output_contains_no_secrets() {
        let spec = RequestSpec {
            host: "h".to_owned(),
            target: "/game?marked".to_owned(),
            headers: vec![("Cookie".to_owned(), "marked".to_owned())],
            subprotocols: vec!["marked".to_owned()],
            deflate: None,
            max_header_bytes: 1_000,
            heartbeat: false,
        };
        let (mut client, sent) = ClientHandshake::start(&spec);
        let Ok(Some((_, request))) = ServerHandshake::new(1_000).receive(&sent) else { panic!("the request is valid") };
        assert!(request.subprotocols == ["marked"] && request.query == "marked");
        let accept =
            Accept { subprotocols: spec.subprotocols.clone(), headers: spec.headers.clone(), ..Accept::default() };
        let Ok(agreement) = accept.answer(&request) else { panic!("it is agreed to") };
        let response = client.receive(&agreement.answer);
        let refused =
            ClientHandshake::start(&spec).0.receive(b"HTTP/1.1 401 No\r\nX: marked\r\nContent-Length: 6\r\n\r\nmarked");
        assert!(response.is_ok() && refused.is_err());
        let told = format!("{request:?} {agreement:?} {response:?} {refused:?}");
        assert!(told.contains("/game") && told.to_lowercase().contains("cookie") && !told.contains("marked"), "{told}");
    }
}
