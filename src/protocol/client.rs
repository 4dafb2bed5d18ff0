//! The client's side of the opening handshake (RFC 6455 section 4.1).

use super::head::{AnswerHead, AnswerReader, Unreadable};
use super::headers::trimmed;
use super::refused::{PendingRefusal, Refused};
use super::{DeflateParams, DeflateSettings, Headers, accept_answer, ask_in, offer};
use crate::error::Failure;
use crate::names::MAX_HEADER_BYTES;
use crate::names::said::{GET_BODY, GET_HEADER};
use crate::status::{Cause, Phase};
use std::fmt;
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use url::Url;

/// The contents of the request.
#[derive(Clone)]
pub struct RequestSpec {
    /// Value of the Host header: with the port if it is not the scheme's default, and with brackets for IPv6.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// Extra headers; a Host among them replaces ours.
    pub headers: Vec<(String, String)>,
    /// Subprotocols to offer, in order of preference.
    pub subprotocols: Vec<String>,
    /// permessage-deflate to offer, if enabled.
    pub deflate: Option<DeflateSettings>,
    /// Maximum bytes of the response header.
    pub max_header_bytes: usize,
    /// The control channel to ask for.
    pub channel: Option<AskedChannel>,
}

/// What a client asks for with the control channel.
#[derive(Clone, Default)]
pub struct AskedChannel {
    /// The application heartbeat.
    pub heartbeat: bool,
    /// The node that has the session to resume; `None`: there is none.
    pub node: Option<String>,
}

/// A response that accepts the connection.
pub struct Response {
    /// HTTP status: 101.
    pub status: u16,
    /// Headers of the response.
    pub headers: Headers,
    /// The agreed subprotocol.
    pub subprotocol: Option<String>,
    /// permessage-deflate, if it was agreed on.
    pub deflate: Option<DeflateParams>,
}

/// Omits the subprotocol, which some games use for a token.
impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// Omits the body, which may repeat the request.
impl fmt::Debug for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Refused")
            .field("failure", &self.failure)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// Parses the response, received in pieces of any size.
pub struct ClientHandshake {
    key: String,
    /// Parts of the request that a server may repeat, and that no error text may show.
    secrets: Vec<u8>,
    subprotocols: Vec<String>,
    deflate: Option<DeflateSettings>,
    max_header_bytes: usize,
    answer: AnswerReader,
    /// The response is a refusal, whose body is being received.
    refusal: PendingRefusal,
}

impl ClientHandshake {
    /// Creates the request.
    pub fn start(spec: &RequestSpec) -> (ClientHandshake, Vec<u8>) {
        let key = generate_key();
        let own_host = spec.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = own_host.map_or(&spec.host, |(_, value)| value);
        let asking = spec.channel.as_ref().map(|channel| ask_in(&spec.target, channel.node.as_deref()));
        let target = asking.as_ref().unwrap_or(&spec.target);
        let mut request =
            format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
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
            secrets: secrets(spec),
            subprotocols: spec.subprotocols.clone(),
            deflate: spec.deflate,
            max_header_bytes: spec.max_header_bytes,
            answer: AnswerReader::new(spec.max_header_bytes),
            refusal: PendingRefusal::default(),
        };
        (handshake, request.into_bytes())
    }

    /// Receives bytes. `Some`: how many of them belong to the response; frames follow. `None`: all were taken and more
    /// are needed.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(usize, Response)>, Box<Refused>> {
        if self.refusal.is_some() {
            return self.refusal.receive(bytes).map(|()| None);
        }
        let (used, AnswerHead { minor, status, headers }) = match self.answer.receive(bytes) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(None),
            Err(Unreadable::NotHttp(bytes)) => return Err(not_http(&bytes, &self.secrets)),
            Err(Unreadable::TooBig) => return Err(self.too_big()),
            Err(Unreadable::Invalid(error)) => {
                return Err(Refused::without_answer(invalid(&format!(
                    "the server's answer is not valid HTTP: {error}; is it a WebSocket server?"
                ))));
            }
        };
        if status != 101 {
            let failure = Failure::new(Phase::Http, Cause::HttpStatus, self.status_message(status, &headers));
            return self.refusal.begin(Refused::answered(failure, status, headers), &bytes[used..]).map(|()| None);
        }
        if minor == 0 {
            let why = "the server answered 101 in HTTP/1.0, which cannot change the protocol: a proxy in between may speak only HTTP/1.0 \
                            (nginx: proxy_http_version 1.1)";
            return Err(Refused::answered(invalid(why), status, headers));
        }
        match self.verify(&headers) {
            Ok((subprotocol, deflate)) => Ok(Some((used, Response { status: 101, headers, subprotocol, deflate }))),
            Err(failure) => Err(Refused::answered(failure, 101, headers)),
        }
    }

    /// Handles the end of the transport.
    pub fn receive_eof(&mut self) -> Box<Refused> {
        self.give_up().unwrap_or_else(|| {
            let what = if self.answer.is_empty() { "without an answer" } else { "in the middle of its answer" };
            let why = format!(
                "the server ended the connection {what} to the opening handshake: is it a WebSocket server, and ws:// or wss:// as it expects?"
            );
            Refused::without_answer(Failure::new(Phase::Http, Cause::PeerGone, why))
        })
    }

    /// Whether the response is a refusal whose body is incomplete.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// Stops waiting. Returns a refusal with the received part of its body.
    pub fn give_up(&mut self) -> Option<Box<Refused>> {
        self.refusal.give_up()
    }

    /// Checks the response by the numbered list at the end of section 4.1.
    fn verify(&self, headers: &Headers) -> Result<(Option<String>, Option<DeflateParams>), Failure> {
        // Item 2 requires the whole value to match, while one token of Connection is enough.
        let is_websocket =
            headers.get("upgrade", 0).is_some_and(|value| trimmed(value).eq_ignore_ascii_case("websocket"));
        if headers.count("upgrade") != 1 || !is_websocket {
            return Err(invalid("the server's answer must have one \"Upgrade: websocket\""));
        }
        if !headers.has_token("connection", "upgrade") {
            return Err(invalid("the server's answer has no \"Connection: Upgrade\""));
        }
        let accept = derive_accept_key(self.key.as_bytes());
        if headers.count("sec-websocket-accept") != 1
            || headers.get("sec-websocket-accept", 0).map(trimmed) != Some(accept.as_str())
        {
            return Err(invalid(
                "the server's answer has a wrong Sec-WebSocket-Accept: a cache or proxy may stand in between",
            ));
        }
        let deflate = match &self.deflate {
            Some(settings) => accept_answer(settings, headers).map_err(|why| invalid(&why))?,
            None if headers.list("sec-websocket-extensions").next().is_some() => {
                return Err(invalid("the server chose an extension that was not offered"));
            }
            None => None,
        };
        let mut chosen = headers.list("sec-websocket-protocol");
        let first = chosen.next();
        // Without names: some programs offer a token as a subprotocol.
        let subprotocol = |why: &str| Failure::new(Phase::Http, Cause::Subprotocol, why);
        match first {
            None if self.subprotocols.is_empty() => Ok((None, deflate)),
            None => Err(subprotocol(
                "the server chose none of the subprotocols that were offered: it may know none of them",
            )),
            Some(_) if chosen.next().is_some() => Err(subprotocol("the server chose more than one subprotocol")),
            Some(name) if self.subprotocols.iter().any(|offered| offered == name) => {
                Ok((Some(name.to_owned()), deflate))
            }
            Some(_) => Err(subprotocol(&format!(
                "the server chose a subprotocol that was not offered: {GET_HEADER} returns its Sec-WebSocket-Protocol"
            ))),
        }
    }

    fn status_message(&self, number: u16, headers: &Headers) -> String {
        let name = reason_of(number);
        let hint = match number {
            300..=399 => match headers.get("location", 0).and_then(shown_location) {
                Some(place) => format!("it points to {place}: connect there"),
                None => "it points elsewhere".to_owned(),
            },
            400 if self.subprotocols.is_empty() => {
                format!("it did not understand the request, or wants a subprotocol: its body ({GET_BODY}) may say why")
            }
            400 => format!(
                "it did not understand the request, or knows none of the subprotocols offered: its body ({GET_BODY}) may say why"
            ),
            401 | 407 => "it requires authentication: check the credentials".to_owned(),
            403 => "it does not allow this: check credentials and Origin".to_owned(),
            404 => "nothing is served at this path: check the URL".to_owned(),
            426 => "a proxy in between may have dropped the Upgrade header (nginx: proxy_http_version 1.1, Upgrade and Connection headers), \
                    or the server wants another version"
                .to_owned(),
            429 | 503 => "it is full or overloaded: try again later".to_owned(),
            500..=599 => "it, or what stands behind it, has failed".to_owned(),
            _ => "it may not be a WebSocket server".to_owned(),
        };
        format!("the server answered {number}{name} instead of 101: {hint}")
    }

    fn too_big(&self) -> Box<Refused> {
        let why =
            format!("the header of the server's answer is longer than {MAX_HEADER_BYTES} ({})", self.max_header_bytes);
        Refused::without_answer(Failure::new(Phase::Http, Cause::HttpTooBig, why))
    }
}

/// The name of a status after a space, or nothing.
pub(super) fn reason_of(status: u16) -> String {
    let status = http::StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).map(|name| format!(" {name}")).unwrap_or_default()
}

/// Refuses another protocol. The text shows its first bytes, up to any that repeat a secret: an echo server sends the
/// request itself.
fn not_http(bytes: &[u8], secrets: &[u8]) -> Box<Refused> {
    let repeats = |at: &usize| {
        bytes
            .get(*at..at + REPEATED_BYTES)
            .is_some_and(|part| secrets.windows(REPEATED_BYTES).any(|secret| secret == part))
    };
    let most = bytes.len().min(SHOWN_BYTES);
    let end = (0..most).find(repeats).unwrap_or(most);
    let shown = bytes[..end].escape_ascii();
    let failure = invalid(&format!(
        "the server's answer is not HTTP/1.1, it begins with \"{shown}\": another kind of server has this port"
    ));
    Box::new(Refused { foreign: bytes[..end].to_vec(), ..*Refused::without_answer(failure) })
}

/// The query, with a few bytes before its question mark, the values of the program's headers, and the subprotocols.
fn secrets(spec: &RequestSpec) -> Vec<u8> {
    let query = spec.target.find('?').map(|mark| format!("GET {}", spec.target).split_off(mark + 5 - REPEATED_BYTES));
    let values = spec.headers.iter().map(|(_, value)| value.as_str());
    values
        .chain(spec.subprotocols.iter().map(String::as_str))
        .chain(query.as_deref())
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes()
}

/// The target of a redirect: scheme, host and path. User name, password and query are left out, as they may be secrets.
pub fn shown_location(location: &str) -> Option<String> {
    let cut = |text: &str| text.chars().take(SHOWN_LOCATION).collect::<String>();
    if let Ok(url) = Url::parse(location) {
        let scheme = match url.scheme() {
            "http" | "ws" => "ws",
            "https" | "wss" => "wss",
            _ => return None,
        };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        return Some(format!("{scheme}://{}{port}{}", cut(url.host_str()?), cut(url.path())));
    }
    // Relative to the request, whose scheme and host the program knows.
    let url = Url::parse("ws://same.invalid/").and_then(|base| base.join(location)).ok()?;
    match url.host_str()? {
        "same.invalid" => Some(format!("{} on the same server", cut(url.path()))),
        host => Some(format!(
            "{}{}{} with the same scheme",
            cut(host),
            url.port().map(|port| format!(":{port}")).unwrap_or_default(),
            cut(url.path())
        )),
    }
}

/// Number of bytes in common with a secret from which on they are taken for a part of it.
const REPEATED_BYTES: usize = 4;
/// Maximum bytes shown of a response that is not HTTP.
const SHOWN_BYTES: usize = 32;
/// Maximum characters shown of a redirect's host, and of its path.
const SHOWN_LOCATION: usize = 256;

fn invalid(why: &str) -> Failure {
    Failure::new(Phase::Http, Cause::HttpInvalid, why)
}
