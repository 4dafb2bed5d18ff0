//! The client's side of the opening handshake (RFC 6455 section 4.1).

use super::body::Body;
use super::{DeflateParams, DeflateSettings, Headers, accept_answer, ask_in, offer};
use crate::codes::*;
use crate::error::Failure;
use tungstenite::handshake::client::{Response as HttpResponse, generate_key};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;

/// What the request asks for.
pub struct RequestSpec {
    /// The Host header: with the port when it is not the scheme's, with brackets for IPv6.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// Extra headers; a Host among them replaces ours.
    pub headers: Vec<(String, String)>,
    /// Offered, in order of preference.
    pub subprotocols: Vec<String>,
    /// Offered, if it is wanted.
    pub deflate: Option<DeflateSettings>,
    /// The longest answer.
    pub max_header_bytes: usize,
    /// Whether the application heartbeat is asked for.
    pub heartbeat: bool,
}

/// The server's agreement.
#[derive(Debug)]
pub struct Response {
    /// 101.
    pub status: u16,
    /// Of the answer.
    pub headers: Headers,
    /// The agreed one.
    pub subprotocol: Option<String>,
    /// permessage-deflate, if it was agreed on.
    pub deflate: Option<DeflateParams>,
}

/// The server did not agree.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub failure: Failure,
    /// Of the answer, or 0.
    pub status: u16,
    /// Of the answer.
    pub headers: Headers,
    /// Its start, at most 1 KiB.
    pub body: Vec<u8>,
}

/// Waits for the answer, over any cutting of it into pieces.
pub struct ClientHandshake {
    key: String,
    subprotocols: Vec<String>,
    deflate: Option<DeflateSettings>,
    max_header_bytes: usize,
    received: Vec<u8>,
    /// Where in it the answer begins: behind those that only announce it.
    start: usize,
    /// The answer is no agreement; its body is being read.
    refusal: Option<(Box<Refused>, Body)>,
}

impl ClientHandshake {
    /// Makes the request.
    pub fn start(spec: &RequestSpec) -> (ClientHandshake, Vec<u8>) {
        let key = generate_key();
        let own_host = spec.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = own_host.map_or(&spec.host, |(_, value)| value);
        let target = if spec.heartbeat { &ask_in(&spec.target) } else { &spec.target };
        let mut request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
        request += &format!("Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n");
        if !spec.subprotocols.is_empty() {
            request += &format!("Sec-WebSocket-Protocol: {}\r\n", spec.subprotocols.join(", "));
        }
        if let Some(settings) = &spec.deflate {
            request += &format!("Sec-WebSocket-Extensions: {}\r\n", offer(settings));
        }
        for (name, value) in spec.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        let handshake = ClientHandshake {
            key,
            subprotocols: spec.subprotocols.clone(),
            deflate: spec.deflate,
            max_header_bytes: spec.max_header_bytes,
            received: Vec::new(),
            start: 0,
            refusal: None,
        };
        (handshake, request.into_bytes())
    }

    /// Takes bytes of the answer. `Some`: how many of these belong to it, what follows being frames. `None`: all were taken and more is needed.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(usize, Response)>, Box<Refused>> {
        if self.refusal.is_some() {
            return self.receive_body(bytes).map(|()| None);
        }
        let before = self.received.len();
        self.received.extend_from_slice(bytes);
        let (used, response) = loop {
            let end = find_blank_line(&self.received[self.start..], before.saturating_sub(self.start)).map(|end| self.start + end);
            if end.unwrap_or(self.received.len()) > self.max_header_bytes {
                return Err(self.too_big());
            }
            let Some(end) = end else { return Ok(None) };
            let response = match HttpResponse::try_parse(&self.received[self.start..end]) {
                Ok(Some((_, response))) => response,
                Ok(None) => return Err(refused(invalid("the server's answer is not valid HTTP"))),
                Err(error) => return Err(refused(invalid(&format!("the server's answer is not valid HTTP: {error}; is it a WebSocket server?")))),
            };
            // RFC 9110 section 15.2: the final answer is yet to come.
            if !response.status().is_informational() || response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
                break (end - before.min(end), response);
            }
            self.start = end;
        };
        let status = response.status();
        let headers = Headers::from_map(response.headers());
        self.received = Vec::new();
        if status.as_u16() != 101 {
            let failure = Failure::new(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, status_sentence(status, &headers));
            let body = Body::announced(status.as_u16(), &headers);
            self.refusal = Some((Box::new(Refused { failure, status: status.as_u16(), headers, body: Vec::new() }), body));
            return self.receive_body(&bytes[used..]).map(|()| None);
        }
        match self.verify(&headers) {
            Ok((subprotocol, deflate)) => Ok(Some((used, Response { status: 101, headers, subprotocol, deflate }))),
            Err(failure) => Err(Box::new(Refused { failure, status: 101, headers, body: Vec::new() })),
        }
    }

    /// The transport ended.
    pub fn receive_eof(&mut self) -> Box<Refused> {
        self.give_up().unwrap_or_else(|| {
            let what = if self.received.is_empty() { "without an answer" } else { "in the middle of its answer" };
            let sentence = format!(
                "the server ended the connection {what} to the opening handshake: is it a WebSocket server, and ws:// or wss:// as it expects?"
            );
            refused(Failure::new(WS_PHASE_HTTP, WS_CAUSE_PEER_GONE, sentence))
        })
    }

    /// Nothing more is awaited: a refusal, with what came of its body.
    pub fn give_up(&mut self) -> Option<Box<Refused>> {
        let (mut refused, body) = self.refusal.take()?;
        refused.body = body.into_bytes();
        Some(refused)
    }

    fn receive_body(&mut self, bytes: &[u8]) -> Result<(), Box<Refused>> {
        let whole = self.refusal.as_mut().is_some_and(|(_, body)| body.receive(bytes));
        if whole { self.give_up().map_or(Ok(()), Err) } else { Ok(()) }
    }

    /// Section 4.1, the numbered list at its end.
    fn verify(&self, headers: &Headers) -> Result<(Option<String>, Option<DeflateParams>), Failure> {
        if !headers.has_token("upgrade", "websocket") {
            return Err(invalid("the server's answer has no \"Upgrade: websocket\""));
        }
        if !headers.has_token("connection", "upgrade") {
            return Err(invalid("the server's answer has no \"Connection: Upgrade\""));
        }
        let accept = derive_accept_key(self.key.as_bytes());
        if headers.count("sec-websocket-accept") != 1 || headers.get("sec-websocket-accept", 0).map(str::trim) != Some(accept.as_str()) {
            return Err(invalid("the server's answer has a wrong Sec-WebSocket-Accept: a cache or proxy may stand in between"));
        }
        let deflate = match &self.deflate {
            Some(settings) => accept_answer(settings, headers).map_err(|sentence| invalid(&sentence))?,
            None if headers.list("sec-websocket-extensions").next().is_some() => {
                return Err(invalid("the server chose an extension that was not offered"));
            }
            None => None,
        };
        let mut chosen = headers.list("sec-websocket-protocol");
        let first = chosen.next();
        let subprotocol = |sentence: String| Failure::new(WS_PHASE_HTTP, WS_CAUSE_SUBPROTOCOL, sentence);
        match first {
            None if self.subprotocols.is_empty() => Ok((None, deflate)),
            None => Err(subprotocol(format!("the server chose none of the subprotocols {}", self.subprotocols.join(", ")))),
            Some(_) if chosen.next().is_some() => Err(subprotocol("the server chose more than one subprotocol".to_owned())),
            Some(name) if self.subprotocols.iter().any(|offered| offered == name) => Ok((Some(name.to_owned()), deflate)),
            Some(name) => Err(subprotocol(format!("the server chose the subprotocol {name:?}, which was not offered"))),
        }
    }

    fn too_big(&self) -> Box<Refused> {
        let sentence = format!("the header of the server's answer is longer than max_header_bytes ({})", self.max_header_bytes);
        refused(Failure::new(WS_PHASE_HTTP, WS_CAUSE_HTTP_TOO_BIG, sentence))
    }
}

/// Where the header ends, behind its blank line; the bytes before `from` were searched before.
pub(super) fn find_blank_line(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(3);
    bytes[start..].windows(4).position(|window| window == b"\r\n\r\n").map(|index| start + index + 4)
}

fn status_sentence(status: http::StatusCode, headers: &Headers) -> String {
    let number = status.as_u16();
    let name = status.canonical_reason().unwrap_or("");
    let hint = match number {
        300..=399 => match headers.get("location", 0) {
            Some(place) => format!("it points to {place}: connect there"),
            None => "it points elsewhere".to_owned(),
        },
        400 => "it did not understand the request: check path, headers and subprotocols".to_owned(),
        401 | 407 => "it wants to know who you are: check the credentials".to_owned(),
        403 => "it does not allow this: check credentials and Origin".to_owned(),
        404 => "it has nothing at this path: check the URL".to_owned(),
        426 => "it wants another protocol version".to_owned(),
        429 | 503 => "it has no room now: try again later".to_owned(),
        500..=599 => "it, or what stands behind it, has failed".to_owned(),
        _ => "it may not be a WebSocket server".to_owned(),
    };
    format!("the server answered {number} {name} instead of 101: {hint}")
}

fn invalid(sentence: &str) -> Failure {
    Failure::new(WS_PHASE_HTTP, WS_CAUSE_HTTP_INVALID, sentence)
}

fn refused(failure: Failure) -> Box<Refused> {
    Box::new(Refused { failure, status: 0, headers: Headers::default(), body: Vec::new() })
}
