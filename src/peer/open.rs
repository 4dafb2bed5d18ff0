//! The way to OPEN: dialing and the opening handshake (RFC 6455 section 4), at either end.

use super::outgoing::{Outgoing, Waiting};
use super::{Compression, Cx, Options, Peer, Sent};
use crate::codes::*;
use crate::error::Failure;
use crate::heap;
use crate::heap::Discarded;
use crate::journal;
use crate::net::{Destination, Dial, Services, Step, Stream};
use crate::protocol::{Accept, Agreement, ClientHandshake, DeflateParams, Refusal, Refused, Request, RequestSpec, Role, ServerHandshake};
use crate::status::{Cause, EventKind, Level, Phase, Text};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the rest of a refusal's body is awaited: the status is known by then.
const BODY_TIME: Duration = Duration::from_millis(250);

/// How far a connection has come.
pub(super) enum Stage {
    /// Towards an open transport.
    Dialing(Box<Opening>),
    /// The request leaves and the answer is awaited.
    Requesting(Box<Opening>),
    /// The request is awaited.
    Answering(Box<Opening>),
    /// Frames flow.
    Open,
    /// Over.
    Ended,
}

impl Discarded for Stage {
    fn empty(&mut self, keep: &mut usize) {
        if let Stage::Dialing(opening) | Stage::Requesting(opening) | Stage::Answering(opening) = self {
            opening.early.empty(keep);
        }
    }
}

/// What is needed only until OPEN.
pub struct Opening {
    deadline: Option<Instant>,
    timeout: Duration,
    dial: Option<Dial>,
    spec: Option<RequestSpec>,
    client: Option<ClientHandshake>,
    server: Option<ServerHandshake>,
    accept: Option<Arc<Accept>>,
    /// A server decides on it.
    request: Option<Box<Request>>,
    /// Put before OPEN, with WS_QUEUE_BEFORE_OPEN.
    early: Waiting,
    queue_before_open: bool,
}

impl Opening {
    fn new(now: Instant, timeout: Option<Duration>, queue_before_open: bool) -> Opening {
        Opening {
            deadline: timeout.map(|timeout| now + timeout),
            timeout: timeout.unwrap_or_default(),
            dial: None,
            spec: None,
            client: None,
            server: None,
            accept: None,
            request: None,
            early: Waiting::default(),
            queue_before_open,
        }
    }
}

/// What a refused or failed request is answered with, or that it may go on. A server gives its own.
pub fn admit(request: &Request, accept: &Accept) -> Result<Agreement, Refusal> {
    accept.answer(request)
}

impl Peer {
    /// A client on its way to a destination.
    pub fn dial(
        services: &Services,
        to: Destination,
        spec: RequestSpec,
        options: Arc<Options>,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Peer {
        let mut opening = Opening::new(now, timeout, queue_before_open);
        opening.dial = Some(Dial::start(services, to, now));
        opening.spec = Some(spec);
        Peer::new(Role::Client, options, Stage::Dialing(Box::new(opening)), None, now)
    }

    /// A client's end on a transport that is there.
    pub fn request_on(
        stream: Stream,
        spec: &RequestSpec,
        options: Arc<Options>,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Peer {
        let opening = Box::new(Opening::new(now, timeout, queue_before_open));
        let mut peer = Peer::new(Role::Client, options, Stage::Requesting(opening), None, now);
        peer.start_request(stream, spec);
        peer
    }

    /// A server's end on a transport that is there. With `accept` it answers by itself; else the server decides.
    pub fn answer_on(
        stream: Stream,
        accept: Option<Arc<Accept>>,
        max_header_bytes: usize,
        options: Arc<Options>,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Peer {
        let mut opening = Opening::new(now, timeout, queue_before_open);
        opening.server = Some(ServerHandshake::new(max_header_bytes));
        opening.accept = accept;
        let mut peer = Peer::new(Role::Server, options, Stage::Answering(Box::new(opening)), None, now);
        peer.take_stream(stream);
        peer
    }

    /// The request that the server has to decide on.
    pub fn request(&self) -> Option<&Request> {
        match &self.stage {
            Stage::Answering(opening) => opening.request.as_deref(),
            _ => None,
        }
    }

    /// Answers the request.
    pub fn decide(&mut self, cx: &mut Cx<'_>, answer: Result<Agreement, Refusal>) {
        let Stage::Answering(opening) = &mut self.stage else { return };
        let Some(request) = opening.request.take() else { return };
        self.info.set_target(&request.path, &request.query);
        self.info.headers = request.headers;
        match answer {
            Ok(Agreement { answer, subprotocol, deflate, heartbeat }) => {
                self.info.http_status = 101;
                self.info.set_text(Text::Subprotocol, subprotocol.unwrap_or_default());
                self.outbox.push_bytes(&answer);
                self.agree(deflate);
                if let Some(query) = heartbeat {
                    self.info.set_text(Text::Query, query);
                    self.announce_pulse();
                }
                self.open(cx);
            }
            Err(refusal) => self.refuse(cx, &refusal),
        }
    }

    /// Puts a message that waits for OPEN; false when that is not asked for or there is no room.
    pub(super) fn queue_early(&mut self, text: bool, payload: &[u8]) -> Option<Sent> {
        let limits = (self.options.limit(WS_OPT_OUTBOUND_PACKETS), self.options.limit(WS_OPT_OUTBOUND_BYTES));
        let (Stage::Dialing(opening) | Stage::Requesting(opening) | Stage::Answering(opening)) = &mut self.stage else { return None };
        if !opening.queue_before_open {
            return None;
        }
        let waits = opening.early.len();
        let full = waits > 0 && (waits as u64 >= limits.0 || (opening.early.bytes() + payload.len()) as u64 > limits.1);
        if full {
            return Some(Sent::Full);
        }
        let Some(copy) = heap::copy(payload) else { return Some(Sent::NoMemory) };
        opening.early.push(Outgoing::Early { text, payload: copy });
        Some(Sent::Taken)
    }

    /// Messages that waited for an OPEN that did not come.
    pub(super) fn unopened_messages(&self) -> usize {
        match &self.stage {
            Stage::Dialing(opening) | Stage::Requesting(opening) | Stage::Answering(opening) => opening.early.len(),
            _ => 0,
        }
    }

    /// Messages that wait for OPEN, and their bytes.
    pub fn early(&self) -> (usize, usize) {
        match &self.stage {
            Stage::Dialing(opening) | Stage::Requesting(opening) | Stage::Answering(opening) => (opening.early.len(), opening.early.bytes()),
            _ => (0, 0),
        }
    }

    /// Goes on dialing.
    pub(super) fn step_opening(&mut self, cx: &mut Cx<'_>) {
        let Stage::Dialing(opening) = &mut self.stage else { return };
        let Some(dial) = &mut opening.dial else { return };
        match dial.step(cx.services, cx.now) {
            Step::Pending => {}
            Step::Failed(failure) => self.end(cx, failure, false),
            Step::Done(stream) => {
                opening.dial = None;
                let spec = opening.spec.take();
                let Stage::Dialing(opening) = std::mem::replace(&mut self.stage, Stage::Ended) else { return };
                self.stage = Stage::Requesting(opening);
                if let Some(spec) = spec {
                    self.start_request(stream, &spec);
                }
            }
        }
    }

    /// The opening handshake's bytes: how many of them it took, and whether frames may follow.
    pub(super) fn take_handshake(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> usize {
        match &mut self.stage {
            Stage::Requesting(opening) => {
                let Some(client) = &mut opening.client else { return bytes.len() };
                match client.receive(bytes) {
                    Ok(None) if client.is_refused() => {
                        // The earliest of these times stays.
                        let at = cx.now + BODY_TIME;
                        opening.deadline = Some(opening.deadline.map_or(at, |deadline| deadline.min(at)));
                        bytes.len()
                    }
                    Ok(None) => bytes.len(),
                    Ok(Some((used, response))) => {
                        self.info.http_status = response.status;
                        self.info.headers = response.headers;
                        self.info.set_text(Text::Subprotocol, response.subprotocol.unwrap_or_default());
                        self.agree(response.deflate);
                        self.open(cx);
                        used
                    }
                    Err(refused) => {
                        let failure = self.refused(*refused);
                        self.end_after_output(cx, failure);
                        bytes.len()
                    }
                }
            }
            Stage::Answering(opening) => {
                let Some(server) = &mut opening.server else { return bytes.len() };
                match server.receive(bytes) {
                    Ok(None) => bytes.len(),
                    Ok(Some((used, request))) => {
                        let answer = opening.accept.as_ref().map(|accept| admit(&request, accept));
                        opening.request = Some(Box::new(request));
                        if let Some(answer) = answer {
                            self.decide(cx, answer);
                        }
                        used
                    }
                    Err(refusal) => {
                        self.refuse(cx, &refusal);
                        bytes.len()
                    }
                }
            }
            _ => 0,
        }
    }

    /// The transport ended before OPEN.
    pub(super) fn handshake_eof(&mut self, cx: &mut Cx<'_>) {
        match &mut self.stage {
            Stage::Requesting(opening) if opening.client.is_some() => {
                if let Some(client) = &mut opening.client {
                    let refused = client.receive_eof();
                    let failure = self.refused(*refused);
                    self.end(cx, failure, false);
                }
            }
            _ => {
                let sentence = "the peer ended the transport during the opening handshake";
                self.end(cx, Failure::new(Phase::Http, Cause::PeerGone, sentence), false);
            }
        }
    }

    /// Whether a server has to decide before more is read.
    pub(super) fn awaits_decision(&self) -> bool {
        matches!(&self.stage, Stage::Answering(opening) if opening.request.is_some())
    }

    /// WS_PHASE_* of now.
    pub fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Dialing(opening) => opening.dial.as_ref().map_or(Phase::Tcp, Dial::phase),
            Stage::Requesting(_) | Stage::Answering(_) => Phase::Http,
            Stage::Open | Stage::Ended => Phase::Websocket,
        }
    }

    /// The dial under way, to wait for its sockets.
    pub fn dialing(&self) -> Option<&Dial> {
        match &self.stage {
            Stage::Dialing(opening) => opening.dial.as_ref(),
            _ => None,
        }
    }

    /// Ends an opening that takes too long. When to look again.
    pub(super) fn judge_opening(&mut self, cx: &mut Cx<'_>) -> Option<Instant> {
        let phase = self.phase();
        let (Stage::Dialing(opening) | Stage::Requesting(opening) | Stage::Answering(opening)) = &mut self.stage else { return None };
        if self.closing.is_some() {
            return None;
        }
        let deadline = opening.deadline?;
        if cx.now < deadline {
            return Some(deadline);
        }
        let ms = opening.timeout.as_millis();
        if matches!(self.stage, Stage::Answering(_)) {
            let sentence = format!("the client did not finish its opening handshake within {ms} ms");
            let refusal = Refusal::new(408, Cause::HandshakeTimeout, sentence);
            self.turn_away(cx, &refusal);
            return None;
        }
        if let Stage::Requesting(opening) = &mut self.stage
            && let Some(refused) = opening.client.as_mut().and_then(ClientHandshake::give_up)
        {
            let failure = self.refused(*refused);
            self.end(cx, failure, false);
            return None;
        }
        let what = match phase {
            Phase::Dns => "the name lookup took too long: check the network and the name server",
            Phase::Tcp => "the server did not accept the TCP connection: check address, port and firewall",
            Phase::Tls => "the TLS handshake was not finished: the server may not speak TLS on this port",
            _ => "the server did not answer the opening handshake: it may not be a WebSocket server",
        };
        self.end(cx, Failure::new(phase, Cause::ConnectTimeout, format!("{what} (connect timeout of {ms} ms)")), false);
        None
    }

    /// Moves the deadline by a gap in polling.
    pub(super) fn shift_opening(&mut self, gap: Duration) {
        if let Stage::Dialing(opening) | Stage::Requesting(opening) | Stage::Answering(opening) = &mut self.stage {
            opening.deadline = opening.deadline.map(|deadline| deadline + gap);
        }
    }

    fn start_request(&mut self, stream: Stream, spec: &RequestSpec) {
        let (handshake, request) = ClientHandshake::start(spec);
        if let Stage::Requesting(opening) = &mut self.stage {
            opening.client = Some(handshake);
        }
        if spec.heartbeat {
            self.ask_for_pulse();
        }
        self.outbox.push_bytes(&request);
        self.take_stream(stream);
    }

    fn take_stream(&mut self, stream: Stream) {
        self.info.local = stream.local_addr().into();
        self.info.remote = stream.peer_addr().into();
        self.info.set_text(Text::Tls, stream.describe_tls().unwrap_or_default());
        stream.set_no_delay(self.options.is_on(WS_OPT_NO_DELAY));
        self.stream = Some(stream);
    }

    /// From here on RSV1 means a compressed message, if that was agreed on.
    fn agree(&mut self, deflate: Option<DeflateParams>) {
        let Some(params) = deflate else { return };
        self.info.set_text(Text::Extensions, params.to_string());
        self.decoder.rsv1_allowed = true;
        self.compression = Some(Box::new(Compression::new(self.role, &params, self.options.deflate_level)));
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Open);
        self.beat = super::Beat::new(cx.now);
        self.mark(cx, if self.of_server { EventKind::Connected } else { EventKind::Open });
        journal::note(Level::Info, || format!("{} is open", self.info.shown_url()));
        if let Stage::Dialing(opening) | Stage::Requesting(opening) | Stage::Answering(opening) = stage {
            if self.role == Role::Client {
                self.await_pulse(opening.deadline.map(|_| cx.now + opening.timeout));
            }
            self.waiting = Some(Box::new(opening.early)).filter(|early| early.len() > 0);
        }
    }

    /// Keeps what the server said instead of agreeing.
    fn refused(&mut self, refused: Refused) -> Failure {
        self.info.http_status = refused.status;
        self.info.headers = refused.headers;
        self.info.set_text(Text::Body, String::from_utf8_lossy(&refused.body));
        refused.failure
    }

    /// Refuses a client before it has asked.
    pub fn turn_away(&mut self, cx: &mut Cx<'_>, refusal: &Refusal) {
        self.refuse(cx, refusal);
        self.write(cx);
        self.finish_close(cx);
    }

    fn refuse(&mut self, cx: &mut Cx<'_>, refusal: &Refusal) {
        self.info.http_status = refusal.status;
        self.outbox.push_bytes(&refusal.to_bytes());
        self.end_after_output(cx, Failure::new(Phase::Http, refusal.cause, refusal.sentence.clone()));
    }
}
