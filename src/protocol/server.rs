//! The server's side of the opening handshake (RFC 6455 section 4.2).

use super::client::find_blank_line;
use super::{DeflateParams, DeflateSettings, Headers, choose_offer, without_question};
use crate::codes::*;
use data_encoding::BASE64;
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::Request as HttpRequest;

/// A valid request.
#[derive(Debug)]
pub struct Request {
    /// Path and query.
    pub target: String,
    /// Before the question mark.
    pub path: String,
    /// Behind it.
    pub query: String,
    /// All of them.
    pub headers: Headers,
    /// Sec-WebSocket-Key.
    pub key: String,
    /// What the client offers, in its order.
    pub subprotocols: Vec<String>,
}

/// A request that is not agreed to, and the HTTP answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// WS_CAUSE_*.
    pub cause: i32,
    /// Body of the answer.
    pub sentence: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, cause: i32, sentence: impl Into<String>) -> Refusal {
        Refusal { status, cause, sentence: sentence.into() }
    }

    /// The HTTP answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let name = http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused");
        let extra = match self.status {
            405 => "Allow: GET\r\n",
            426 => "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            503 => "Retry-After: 5\r\n",
            _ => "",
        };
        // 426 has to name Upgrade in Connection too (RFC 7231 section 6.5.15).
        let connection = if self.status == 426 { "Upgrade, close" } else { "close" };
        let body = format!("{}\n", self.sentence);
        let head = format!("HTTP/1.1 {} {name}\r\nConnection: {connection}\r\n{extra}Content-Type: text/plain; charset=utf-8\r\n", self.status);
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }
}

/// Waits for the request, over any cutting of it into pieces.
pub struct ServerHandshake {
    received: Vec<u8>,
    max_header_bytes: usize,
}

impl ServerHandshake {
    /// Of requests up to that length.
    pub fn new(max_header_bytes: usize) -> ServerHandshake {
        ServerHandshake { received: Vec::new(), max_header_bytes }
    }

    /// Takes bytes of the request. `Some`: how many of these belong to it. `None`: all were taken and more is needed.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(usize, Request)>, Refusal> {
        let before = self.received.len();
        self.received.extend_from_slice(bytes);
        let end = find_blank_line(&self.received, before);
        if end.unwrap_or(self.received.len()) > self.max_header_bytes {
            return Err(Refusal::new(431, WS_CAUSE_HTTP_TOO_BIG, format!("the header of the request is over {} bytes", self.max_header_bytes)));
        }
        // What does not begin like a request is answered at once, so that TLS on a plain port does not wait for a time-out.
        if !self.received.iter().take(8).all(|byte| matches!(byte, b'A'..=b'Z' | b' ' | b'/' | b'\r' | b'\n' | b'a'..=b'z' | b'*' | b'?' | b'%' | b':' | b'-' | b'.' | b'_' | b'0'..=b'9')) {
            return Err(invalid("this is not HTTP; a ws:// port was asked in another protocol, such as TLS"));
        }
        let Some(end) = end else { return Ok(None) };
        let parsed = match HttpRequest::try_parse(&self.received[..end]) {
            Ok(Some((_, request))) => request,
            Ok(None) => return Err(invalid("the request is not valid HTTP")),
            Err(error) => return Err(unparsed(&error, &self.received[..end])),
        };
        self.received = Vec::new();
        check(&parsed).map(|request| Some((end - before.min(end), request)))
    }
}

/// How a server answers valid requests.
#[derive(Debug, Default)]
pub struct Accept {
    /// The only path, if one is set.
    pub path: Option<String>,
    /// Those the server knows.
    pub subprotocols: Vec<String>,
    /// Extra headers of the answer.
    pub headers: Vec<(String, String)>,
    /// permessage-deflate, where a client offers it.
    pub deflate: Option<DeflateSettings>,
    /// The application heartbeat, where a client asks for it.
    pub heartbeat: bool,
}

/// What a server agrees to.
#[derive(Debug)]
pub struct Agreement {
    /// The HTTP answer.
    pub answer: Vec<u8>,
    /// The chosen one.
    pub subprotocol: Option<String>,
    /// permessage-deflate, if the client offered it and it is wanted.
    pub deflate: Option<DeflateParams>,
    /// The query without the question for the application heartbeat, if the client asked and it is wanted.
    pub heartbeat: Option<String>,
}

impl Accept {
    /// Agreement or a refusal.
    pub fn answer(&self, request: &Request) -> Result<Agreement, Refusal> {
        if self.path.as_ref().is_some_and(|path| *path != request.path) {
            return Err(Refusal::new(404, WS_CAUSE_HTTP_STATUS, "there is no WebSocket at this path"));
        }
        let common = request.subprotocols.iter().find(|offered| self.subprotocols.contains(offered));
        if common.is_none() && !self.subprotocols.is_empty() {
            let known = self.subprotocols.join(", ");
            return Err(Refusal::new(
                400,
                WS_CAUSE_SUBPROTOCOL,
                format!("the client offers none of the subprotocols that this server knows: {known}"),
            ));
        }
        let accept = derive_accept_key(request.key.as_bytes());
        let mut answer =
            format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n");
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
        Ok(Agreement { answer: answer.into_bytes(), subprotocol: common.cloned(), deflate: chosen.map(|(params, _)| params), heartbeat })
    }
}

/// Section 4.2.1.
fn check(request: &HttpRequest) -> Result<Request, Refusal> {
    if request.method() != http::Method::GET {
        return Err(Refusal::new(405, WS_CAUSE_HTTP_INVALID, "a WebSocket is opened with GET"));
    }
    let headers = Headers::from_map(request.headers());
    if headers.count("host") != 1 {
        return Err(invalid("the request must have one Host header"));
    }
    if !headers.has_token("upgrade", "websocket") || !headers.has_token("connection", "upgrade") {
        return Err(upgrade("this is a WebSocket server: ask with \"Upgrade: websocket\" and \"Connection: Upgrade\""));
    }
    if headers.get("sec-websocket-version", 0).map(str::trim) != Some("13") {
        return Err(upgrade("only version 13 of the WebSocket protocol is spoken here"));
    }
    let key = headers.get("sec-websocket-key", 0).unwrap_or("").trim().to_owned();
    if headers.count("sec-websocket-key") != 1 || BASE64.decode(key.as_bytes()).map(|bytes| bytes.len()) != Ok(16) {
        return Err(invalid("the request must have one Sec-WebSocket-Key of 16 bytes in base64"));
    }
    let has_length = headers.get("content-length", 0).is_some_and(|length| length.trim() != "0");
    if has_length || headers.count("transfer-encoding") > 0 {
        return Err(invalid("a request to open a WebSocket has no body"));
    }
    let uri = request.uri();
    // RFC 9112, 3.2: the other forms are for proxies, for CONNECT and for OPTIONS.
    if !uri.path().starts_with('/') && uri.scheme().is_none() {
        return Err(invalid("the target of the request must begin with a slash"));
    }
    let path = if uri.path().is_empty() { "/" } else { uri.path() };
    let query = uri.query().unwrap_or("");
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let subprotocols = headers.list("sec-websocket-protocol").map(str::to_owned).collect();
    Ok(Request { target, path: path.to_owned(), query: query.to_owned(), headers, key, subprotocols })
}

fn unparsed(error: &tungstenite::Error, bytes: &[u8]) -> Refusal {
    use tungstenite::error::{Error, ProtocolError};
    match error {
        Error::Capacity(_) => Refusal::new(431, WS_CAUSE_HTTP_TOO_BIG, "the request has too many headers"),
        Error::Protocol(ProtocolError::WrongHttpMethod) => Refusal::new(405, WS_CAUSE_HTTP_INVALID, "a WebSocket is opened with GET"),
        // What httparse says of more headers than there is room for.
        _ if bytes.windows(2).filter(|pair| pair == b"\r\n").count() > 124 => {
            Refusal::new(431, WS_CAUSE_HTTP_TOO_BIG, "the request has too many headers")
        }
        error => invalid(&format!("the request is not valid HTTP/1.1: {error}")),
    }
}

fn invalid(sentence: &str) -> Refusal {
    Refusal::new(400, WS_CAUSE_HTTP_INVALID, sentence)
}

fn upgrade(sentence: &str) -> Refusal {
    Refusal::new(426, WS_CAUSE_HTTP_INVALID, sentence)
}
