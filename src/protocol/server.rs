//! The server's side of the opening handshake (RFC 6455 section 4.2), and the plain requests that may come instead.

use super::head::{RequestHead, empty_lines, find_end, is_token_byte};
use super::request::{ASK_FOR_WEBSOCKET, OPEN_WITH_GET, asks_for_websocket, check_opening, check_plain};
use super::{
    DeflateParams, DeflateSettings, Method, Question, Refusal, Request, WebSocketRequest, choose_offer, read_question,
};
use crate::heap;
use crate::status::Cause;
use std::fmt;
use std::sync::Arc;
use tungstenite::handshake::derive_accept_key;

/// Response to a client that waits before it sends its body (RFC 9110 section 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Parses requests, received in pieces of any size, one after the other.
pub struct ServerHandshake {
    /// The head of the request, as far as it has been received.
    received: Vec<u8>,
    max_header_bytes: usize,
    /// Maximum bytes of the body of a plain request. `None`: only requests to open a WebSocket are accepted.
    max_body_bytes: Option<usize>,
    /// A plain request whose body is being received.
    unfinished: Option<Box<Unfinished>>,
}

/// A request without the end of its body.
struct Unfinished {
    request: Request,
    /// Length of the body.
    len: usize,
    /// The client waits for `CONTINUE`.
    expects_continue: bool,
}

impl ServerHandshake {
    /// Accepts requests with headers of up to `max_header_bytes`.
    pub fn new(max_header_bytes: usize) -> ServerHandshake {
        ServerHandshake { received: Vec::new(), max_header_bytes, max_body_bytes: None, unfinished: None }
    }

    /// Accepts plain requests too, with bodies of up to `max_body_bytes`.
    pub fn with_plain(self, max_body_bytes: usize) -> ServerHandshake {
        ServerHandshake { max_body_bytes: Some(max_body_bytes), ..self }
    }

    /// Receives bytes. `Some`: how many of them belong to the request. `None`: all were taken and more are needed.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(usize, Request)>, Refusal> {
        if self.unfinished.is_some() {
            return self.receive_body(0, bytes);
        }
        let before = self.received.len();
        self.received.extend_from_slice(bytes);
        let start = empty_lines(&self.received);
        // Another protocol is refused at once: its client may wait for a response before it sends more.
        let within = &self.received[start.min(self.max_header_bytes)..self.received.len().min(self.max_header_bytes)];
        if let Some(why) = not_a_request(within, before.saturating_sub(start)) {
            return Err(Refusal::invalid(why));
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
        let used = end - before.min(end);
        let (request, body) = match self.max_body_bytes {
            Some(max_body_bytes) if !asks_for_websocket(&parsed.headers) => check_plain(parsed, max_body_bytes)?,
            _ => return check_opening(parsed).map(|request| Some((used, request))),
        };
        if body.len == 0 {
            return Ok(Some((used, request)));
        }
        // A client that has begun to send the body does not wait.
        let expects_continue = body.expects_continue && used == bytes.len();
        self.unfinished = Some(Box::new(Unfinished { request, len: body.len, expects_continue }));
        self.receive_body(used, bytes)
    }

    /// Whether the client waits for `CONTINUE`. True once.
    pub fn takes_continue(&mut self) -> bool {
        self.unfinished.as_mut().is_some_and(|unfinished| std::mem::take(&mut unfinished.expects_continue))
    }

    /// Whether nothing of a request has been received.
    pub fn is_idle(&self) -> bool {
        self.unfinished.is_none() && empty_lines(&self.received) == self.received.len()
    }

    /// Heap bytes of an incomplete request.
    pub fn heap_bytes(&self) -> usize {
        self.received.capacity() + self.unfinished.as_ref().map_or(0, |unfinished| unfinished.request.body.capacity())
    }

    /// Receives the bytes of the body, which begin at `start`.
    fn receive_body(&mut self, start: usize, bytes: &[u8]) -> Result<Option<(usize, Request)>, Refusal> {
        let Some(mut unfinished) = self.unfinished.take() else { return Ok(None) };
        let body = &mut unfinished.request.body;
        let missing = unfinished.len - body.len();
        let end = bytes.len().min(start + missing);
        // Grows with what has arrived, not with what was announced.
        if !heap::append(body, &bytes[start..end]) {
            return Err(Refusal::new(503, Cause::Resources, "the server has no memory for the body; try again later"));
        }
        if body.len() == unfinished.len {
            return Ok(Some((end, unfinished.request)));
        }
        self.unfinished = Some(unfinished);
        Ok(None)
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
    /// The control channel, for clients that ask for it.
    pub channel: Option<OfferedChannel>,
}

/// What a server offers with the control channel.
#[derive(Clone, Debug)]
pub struct OfferedChannel {
    /// The application heartbeat.
    pub heartbeat: bool,
    /// Sessions.
    pub session: bool,
    /// Name of the server's node.
    pub node: Arc<str>,
}

/// An accepted request.
pub struct Agreement {
    /// The HTTP response.
    pub answer: Vec<u8>,
    /// The chosen subprotocol.
    pub subprotocol: Option<String>,
    /// permessage-deflate, if the client offered it and it is enabled.
    pub deflate: Option<DeflateParams>,
    /// The client's question for the control channel and what it is offered, if it is offered any.
    pub channel: Option<(Question, OfferedChannel)>,
}

impl Agreement {
    /// Whether the client may begin a session.
    pub fn may_begin_session(&self) -> bool {
        self.channel.as_ref().is_some_and(|(_, offered)| offered.session)
    }
}

/// Omits the response, whose headers may contain secrets.
impl fmt::Debug for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Agreement").field("deflate", &self.deflate).finish_non_exhaustive()
    }
}

impl Accept {
    /// Accepts or refuses a request. A plain one is refused.
    pub fn answer(&self, request: &Request) -> Result<Agreement, Refusal> {
        let Some(opening) = &request.opening else { return Err(not_asked_for(request.method)) };
        let chosen = self.check(request, opening)?;
        Ok(self.agree(request, opening, chosen, &[]))
    }

    /// Checks the path of a request, and chooses a subprotocol.
    pub fn check<'a>(&self, request: &Request, opening: &'a WebSocketRequest) -> Result<Option<&'a str>, Refusal> {
        if self.path.as_ref().is_some_and(|path| *path != request.path) {
            return Err(Refusal::new(404, Cause::HttpStatus, "there is no WebSocket at this path"));
        }
        let common = opening.subprotocols.iter().find(|offered| self.subprotocols.contains(offered));
        if common.is_none() && !self.subprotocols.is_empty() {
            let known = self.subprotocols.join(", ");
            return Err(Refusal::new(
                400,
                Cause::Subprotocol,
                format!("the client offers none of the subprotocols that this server knows: {known}"),
            ));
        }
        Ok(common.map(String::as_str))
    }

    /// Accepts a request, with this subprotocol and these headers besides its own.
    pub fn agree(
        &self,
        request: &Request,
        opening: &WebSocketRequest,
        subprotocol: Option<&str>,
        headers: &[(String, String)],
    ) -> Agreement {
        let accept = derive_accept_key(opening.key.as_bytes());
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
        );
        if let Some(subprotocol) = subprotocol {
            answer += &format!("Sec-WebSocket-Protocol: {subprotocol}\r\n");
        }
        let chosen = self.deflate.as_ref().and_then(|settings| choose_offer(settings, &request.headers));
        if let Some((_, extension)) = &chosen {
            answer += &format!("Sec-WebSocket-Extensions: {extension}\r\n");
        }
        for (name, value) in self.headers.iter().chain(headers) {
            answer += &format!("{name}: {value}\r\n");
        }
        answer += "\r\n";
        let offered = self.channel.as_ref();
        let channel = offered.and_then(|offered| Some((read_question(&request.query)?, offered.clone())));
        Agreement {
            answer: answer.into_bytes(),
            subprotocol: subprotocol.map(str::to_owned),
            deflate: chosen.map(|(params, _)| params),
            channel,
        }
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

/// What a server that serves no plain requests answers to one.
pub fn not_asked_for(method: Method) -> Refusal {
    match method {
        Method::Get => Refusal::upgrade(ASK_FOR_WEBSOCKET),
        _ => Refusal::new(405, Cause::HttpInvalid, OPEN_WITH_GET),
    }
}

fn unparsed(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::new(431, Cause::HttpTooBig, "the request has too many headers"),
        error => Refusal::invalid(&format!("the request is not valid HTTP/1.1: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            channel: None,
        };
        let (mut client, sent) = ClientHandshake::start(&spec);
        let Ok(Some((_, request))) = ServerHandshake::new(1_000).receive(&sent) else { panic!("the request is valid") };
        assert!(
            request.opening.as_ref().is_some_and(|opening| opening.subprotocols == ["marked"])
                && request.query == "marked"
        );
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
