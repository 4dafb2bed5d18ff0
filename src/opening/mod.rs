//! From nothing to OPEN, at either end: name, TCP, TLS and the opening handshake (RFC 6455 section 4), as steps with one
//! deadline. Its result is a link.

use crate::codes::*;
use crate::endpoint::{Endpoint, Info};
use crate::error::Failure;
use crate::heap::{self, Discarded};
use crate::link::{Outbox, Outgoing, Parts, Sent, Waiting, Wrote};
use crate::net::{Destination, Dial, LEAST_READ, Reader, Services, Step, Stream, tls_failure};
use crate::protocol::{Accept, Agreement, ClientHandshake, DeflateParams, Refusal, Refused, Request, RequestSpec, Role, ServerHandshake};
use crate::status::{Cause, Phase, Text};
use crate::work::{Cx, LONG_GAP};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the rest of a refusal's body is awaited: the status is known by then.
const BODY_TIME: Duration = Duration::from_millis(250);
/// Read at once: more than an opening handshake has, and as much as TLS needs.
const READ_BYTES: usize = LEAST_READ + (1 << 10);

/// How a client is opened, and opened again.
#[derive(Clone)]
pub struct Recipe {
    /// Where the server is.
    pub to: Destination,
    /// The request of the opening handshake.
    pub request: RequestSpec,
    /// For all steps together; `None`: as long as it takes.
    pub timeout: Option<Duration>,
    /// Messages may be put before OPEN.
    pub queue_before_open: bool,
}

/// A connection before OPEN.
pub struct Opening {
    at: At,
    /// The transport, once there is one.
    stream: Option<Stream>,
    /// Bytes of the opening handshake to be written.
    output: Outbox,
    /// Bytes that came behind the request, until the server has decided on it.
    received: Vec<u8>,
    /// Messages that were put before OPEN, in order.
    early: Waiting,
    queue_before_open: bool,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// Set once it has failed: it ends when the answer has left.
    ending: Option<Ending>,
    /// Why writing failed. What had arrived is read before the end.
    write_failure: Option<Failure>,
    /// Writing ended with the budget while the transport took more.
    writes_on: bool,
    /// A short read is not the last one: see `Link::read_on`.
    reads_on: bool,
}

enum At {
    /// A client on its way to an open transport.
    Dialing(Box<(Dial, RequestSpec)>),
    /// A client whose request leaves and whose answer is awaited.
    Requesting { handshake: ClientHandshake, heartbeat: bool },
    /// A server that awaits the request. Without `accept` its owner decides on `request`.
    Answering { handshake: ServerHandshake, accept: Option<Arc<Accept>>, request: Option<Box<Request>> },
}

struct Ending {
    failure: Failure,
    /// Moved on by `close_timeout_ms` whenever bytes leave.
    deadline: Option<Instant>,
    /// Position in the outgoing stream up to which bytes had left.
    left: u64,
}

/// How far an opening has come.
pub enum Progress {
    /// It goes on.
    Pending {
        /// The budget ended before all that had come was read.
        more: bool,
    },
    /// OPEN.
    Opened(Box<Opened>),
    /// It has ended.
    Failed(Failure),
}

/// What an opening has come to.
pub struct Opened {
    /// What the link is made of.
    pub parts: Parts,
    /// The application heartbeat, as the handshake has it.
    pub heartbeat: AppHeartbeat,
}

/// What the opening handshake says of the application heartbeat.
pub enum AppHeartbeat {
    /// It was not asked for.
    None,
    /// This end is the server and announces it.
    Announced,
    /// This end is a client and expects the announcement, until then.
    Expected(Option<Instant>),
}

impl Discarded for Opening {
    fn empty(&mut self, keep: &mut usize) {
        self.early.empty(keep);
    }
}

/// Accepts a request, or says with what it is refused.
pub fn admit(request: &Request, accept: &Accept) -> Result<Agreement, Refusal> {
    accept.answer(request)
}

impl Opening {
    /// A client that sets out for a server.
    pub fn dial(services: &Services, recipe: Recipe, now: Instant) -> Opening {
        let Recipe { to, request, timeout, queue_before_open } = recipe;
        Opening::new(At::Dialing(Box::new((Dial::start(services, to, now), request))), timeout, queue_before_open, now)
    }

    /// A client's end of a transport that is open.
    pub fn request_on(
        endpoint: &mut Endpoint,
        stream: Stream,
        spec: &RequestSpec,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Opening {
        let (at, request) = start_request(spec);
        let mut opening = Opening::new(at, timeout, queue_before_open, now);
        opening.output.push_bytes(&request);
        opening.take_stream(endpoint, stream);
        opening
    }

    /// A server's end of a transport that is open. With `accept` it answers by itself; else its owner decides.
    pub fn answer_on(
        endpoint: &mut Endpoint,
        stream: Stream,
        accept: Option<Arc<Accept>>,
        max_header_bytes: usize,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Opening {
        let at = At::Answering { handshake: ServerHandshake::new(max_header_bytes), accept, request: None };
        let mut opening = Opening::new(at, timeout, queue_before_open, now);
        opening.take_stream(endpoint, stream);
        opening
    }

    fn new(at: At, timeout: Option<Duration>, queue_before_open: bool, now: Instant) -> Opening {
        Opening {
            at,
            stream: None,
            output: Outbox::default(),
            received: Vec::new(),
            early: Waiting::default(),
            queue_before_open,
            timeout,
            deadline: timeout.map(|timeout| now + timeout),
            ending: None,
            write_failure: None,
            writes_on: false,
            reads_on: false,
        }
    }

    /// Goes on as far as it can without waiting.
    pub fn pump(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Progress {
        if let At::Dialing(dialing) = &mut self.at {
            match dialing.0.step(cx.services, cx.now) {
                Step::Pending => return Progress::Pending { more: false },
                Step::Failed(failure) => return Progress::Failed(failure),
                Step::Done(stream) => {
                    let (at, request) = start_request(&dialing.1);
                    self.at = at;
                    self.output.push_bytes(&request);
                    self.take_stream(endpoint, stream);
                }
            }
        }
        self.write(endpoint, cx);
        let progress = self.read(endpoint, cx);
        let Progress::Pending { more } = progress else { return progress };
        if !(self.writes_on && cx.budget.look()) {
            self.write(endpoint, cx);
        }
        self.finish(endpoint, cx, more)
    }

    /// Answers the request that `request` has shown.
    pub fn decide(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, answer: Result<Agreement, Refusal>) -> Progress {
        let At::Answering { request, .. } = &mut self.at else { return Progress::Pending { more: false } };
        let Some(request) = request.take() else { return Progress::Pending { more: false } };
        let info = &mut endpoint.info;
        info.set_target(&request.path, &request.query);
        info.headers = request.headers;
        let Agreement { answer, subprotocol, deflate, heartbeat } = match answer {
            Ok(agreement) => agreement,
            Err(refusal) => {
                self.refuse(endpoint, cx.now, &refusal);
                return Progress::Pending { more: false };
            }
        };
        info.http_status = 101;
        info.set_text(Text::Subprotocol, subprotocol.unwrap_or_default());
        self.output.push_bytes(&answer);
        let announced = if let Some(query) = heartbeat {
            info.set_text(Text::Query, query);
            AppHeartbeat::Announced
        } else {
            AppHeartbeat::None
        };
        self.opened(endpoint, Role::Server, deflate, announced)
    }

    /// Refuses a client before it has asked.
    pub fn turn_away(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, refusal: &Refusal) -> Progress {
        self.refuse(endpoint, cx.now, refusal);
        self.write(endpoint, cx);
        self.finish(endpoint, cx, false)
    }

    /// The request on which the owner of a server's end has to decide.
    pub fn request(&self) -> Option<&Request> {
        match &self.at {
            At::Answering { request, .. } => request.as_deref(),
            _ => None,
        }
    }

    /// Puts a message that waits for OPEN.
    pub fn put(&mut self, endpoint: &mut Endpoint, text: bool, payload: &[u8]) -> Sent {
        if !self.queue_before_open || self.ending.is_some() {
            return Sent::NotOpen;
        }
        let (waits, bytes) = (self.early.len(), self.early.bytes() + payload.len());
        let options = &endpoint.options;
        if waits > 0 && (waits as u64 >= options.limit(WS_OPT_OUTBOUND_PACKETS) || bytes as u64 > options.limit(WS_OPT_OUTBOUND_BYTES)) {
            endpoint.owe_writable(payload.len());
            return Sent::Full;
        }
        let Some(copy) = heap::copy(payload) else { return Sent::NoMemory };
        self.early.push(Outgoing::Early { text, payload: copy });
        endpoint.count_sent(payload.len());
        Sent::Taken
    }

    /// Messages that wait for OPEN, and their bytes.
    pub fn early(&self) -> (usize, usize) {
        (self.early.len(), self.early.bytes())
    }

    /// How far it has come.
    pub fn phase(&self) -> Phase {
        match &self.at {
            At::Dialing(dialing) => dialing.0.phase(),
            _ => Phase::Http,
        }
    }

    /// The dial under way, to wait for its sockets.
    pub fn dialing(&self) -> Option<&Dial> {
        match &self.at {
            At::Dialing(dialing) => Some(&dialing.0),
            _ => None,
        }
    }

    /// Whether it has failed, and only the answer has to leave.
    pub fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Whether a poll would read what comes.
    pub fn wants_input(&self) -> bool {
        self.ending.is_none() && self.request().is_none()
    }

    /// Whether writing can go on without an event of the system's.
    pub fn can_send_on(&self) -> bool {
        self.writes_on
    }

    /// Whether writing failed.
    pub fn has_failed(&self) -> bool {
        self.write_failure.is_some()
    }

    /// Bytes of the handshake that have not left.
    pub fn queued_bytes(&self) -> usize {
        self.output.bytes()
    }

    /// Bytes that came behind the request.
    pub fn unfinished_bytes(&self) -> usize {
        self.received.capacity()
    }

    /// The stream, to register it for readiness.
    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        self.stream.as_mut()
    }

    /// The stream, to be given up elsewhere.
    pub fn take_out_stream(&mut self) -> Option<Stream> {
        self.stream.take()
    }

    /// From here on a short read is not the last.
    pub fn read_on(&mut self) {
        self.reads_on = true;
        if let Some(stream) = &mut self.stream {
            stream.read_on();
        }
    }

    /// Moves the deadlines by a gap in polling.
    pub fn shift(&mut self, gap: Duration) {
        self.deadline = self.deadline.map(|deadline| deadline + gap);
        if let Some(ending) = &mut self.ending {
            ending.deadline = ending.deadline.map(|deadline| deadline + gap);
        }
    }

    /// When an end under way is over at the latest.
    pub fn close_deadline(&self) -> Option<Instant> {
        self.ending.as_ref()?.deadline
    }

    /// Ends an opening that takes too long. `read_all`: what had come was read. Returns when to check next.
    pub fn check_timers(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, read_all: bool) -> Result<Option<Instant>, Failure> {
        if let Some(ending) = &self.ending {
            let Some(deadline) = ending.deadline else { return Ok(None) };
            let over = cx.now >= if read_all { deadline } else { deadline + LONG_GAP };
            return if over { Err(ending.failure.clone()) } else { Ok(Some(deadline).filter(|_| read_all)) };
        }
        let Some(deadline) = self.deadline.filter(|_| read_all) else { return Ok(None) };
        if cx.now < deadline {
            return Ok(Some(deadline));
        }
        let ms = self.timeout.unwrap_or_default().as_millis();
        let phase = self.phase();
        let what = match (&mut self.at, phase) {
            (At::Answering { .. }, _) => {
                let sentence = format!("the client did not finish its opening handshake within {ms} ms");
                let refusal = Refusal::new(408, Cause::HandshakeTimeout, sentence);
                return match self.turn_away(endpoint, cx, &refusal) {
                    Progress::Failed(failure) => Err(failure),
                    _ => Ok(self.close_deadline()),
                };
            }
            (At::Requesting { handshake, .. }, _) => {
                if let Some(refused) = handshake.give_up() {
                    return Err(keep_refusal(&mut endpoint.info, *refused));
                }
                "the server did not answer the opening handshake: it may not be a WebSocket server"
            }
            (_, Phase::Dns) => "the name lookup took too long: check the network and the name server",
            (_, Phase::Tcp) => "the server did not accept the TCP connection: check address, port and firewall",
            _ => "the TLS handshake was not finished: the server may not speak TLS on this port",
        };
        Err(Failure::new(phase, Cause::ConnectTimeout, format!("{what} (connect timeout of {ms} ms)")))
    }

    /// Gives up the stream: all that had to leave has left, or it is closed elsewhere.
    pub fn give_up(mut self: Box<Self>, cx: &Cx<'_>) {
        match self.stream.take() {
            Some(stream) if self.output.bytes() == 0 && self.write_failure.is_none() => cx.services.reap(stream),
            Some(stream) => cx.services.close(vec![stream]),
            None => {}
        }
        cx.discard(self.early.bytes(), self);
    }

    fn take_stream(&mut self, endpoint: &mut Endpoint, stream: Stream) {
        let info = &mut endpoint.info;
        info.local = stream.local_addr().into();
        info.remote = stream.peer_addr().into();
        info.set_text(Text::Tls, stream.describe_tls().unwrap_or_default());
        stream.set_no_delay(endpoint.options.is_on(WS_OPT_NO_DELAY));
        self.stream = Some(stream);
    }

    /// Writes what waits, for half of what is left of the budget.
    pub fn write(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        self.writes_on = false;
        let Some(stream) = &mut self.stream else { return };
        if self.write_failure.is_some() || self.output.bytes() == 0 {
            return;
        }
        let before = self.output.written();
        let mut half = cx.budget.half();
        let result = self.output.write_to(stream, || half.look());
        endpoint.counters.wire_out += self.output.written() - before;
        match result {
            Ok(wrote) => self.writes_on = matches!(wrote, Wrote::Later),
            Err(error) => self.write_failure = Some(Failure::of_io(Phase::Http, Cause::Reset, "the connection was lost while writing", &error)),
        }
    }

    /// Reads until OPEN, the end of what is there, or that of the budget.
    fn read(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Progress {
        let mut first = true;
        while self.wants_input() {
            // Even a poll whose time is over moves something on.
            if !std::mem::take(&mut first) && cx.budget.look() {
                return Progress::Pending { more: true };
            }
            let Some(stream) = &mut self.stream else { break };
            let (space, _) = cx.arena.space(READ_BYTES);
            let count = match stream.read(space) {
                Ok(0) => return Progress::Failed(self.eof(endpoint)),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.broken(),
                Err(error) => return Progress::Failed(self.read_failed(&error)),
            };
            let last = stream.has_read_all(count < space.len()) && !self.reads_on;
            // The handshake keeps its own copy; the bytes are few and read once.
            let bytes = space[..count].to_vec();
            endpoint.counters.wire_in += count as u64;
            let progress = self.take(endpoint, cx, &bytes);
            if !matches!(progress, Progress::Pending { .. }) {
                return progress;
            }
            if last && self.wants_input() {
                return self.broken();
            }
        }
        Progress::Pending { more: false }
    }

    /// Takes bytes of the handshake.
    fn take(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        match &mut self.at {
            At::Dialing(_) => {}
            At::Requesting { handshake, heartbeat } => match handshake.receive(bytes) {
                Ok(None) if handshake.is_refused() => {
                    // The earliest of these times stays.
                    let at = cx.now + BODY_TIME;
                    self.deadline = Some(self.deadline.map_or(at, |deadline| deadline.min(at)));
                }
                Ok(None) => {}
                Ok(Some((used, response))) => {
                    let info = &mut endpoint.info;
                    info.http_status = response.status;
                    info.headers = response.headers;
                    info.set_text(Text::Subprotocol, response.subprotocol.unwrap_or_default());
                    let expected = if *heartbeat { AppHeartbeat::Expected(self.timeout.map(|timeout| cx.now + timeout)) } else { AppHeartbeat::None };
                    self.received = bytes[used..].to_vec();
                    return self.opened(endpoint, Role::Client, response.deflate, expected);
                }
                Err(refused) => {
                    let failure = keep_refusal(&mut endpoint.info, *refused);
                    self.end_after_output(endpoint, cx.now, failure);
                }
            },
            At::Answering { handshake, accept, request } => match handshake.receive(bytes) {
                Ok(None) => {}
                Ok(Some((used, received))) => {
                    let answer = accept.as_ref().map(|accept| admit(&received, accept));
                    *request = Some(Box::new(received));
                    self.received = bytes[used..].to_vec();
                    if let Some(answer) = answer {
                        return self.decide(endpoint, cx, answer);
                    }
                }
                Err(refusal) => self.refuse(endpoint, cx.now, &refusal),
            },
        }
        Progress::Pending { more: false }
    }

    fn opened(&mut self, endpoint: &mut Endpoint, role: Role, deflate: Option<DeflateParams>, heartbeat: AppHeartbeat) -> Progress {
        let Some(stream) = self.stream.take() else { return Progress::Pending { more: false } };
        if let Some(params) = &deflate {
            endpoint.info.set_text(Text::Extensions, params.to_string());
        }
        let parts = Parts {
            role,
            stream,
            outbox: std::mem::take(&mut self.output),
            received: std::mem::take(&mut self.received),
            early: std::mem::take(&mut self.early),
            deflate: deflate.map(|params| (params, endpoint.options.deflate_level)),
            reads_on: self.reads_on,
        };
        Progress::Opened(Box::new(Opened { parts, heartbeat }))
    }

    fn refuse(&mut self, endpoint: &mut Endpoint, now: Instant, refusal: &Refusal) {
        endpoint.info.http_status = refusal.status;
        self.output.push_bytes(&refusal.to_bytes());
        self.end_after_output(endpoint, now, Failure::new(Phase::Http, refusal.cause, refusal.sentence.clone()));
    }

    /// Lets a refusal leave before the end.
    fn end_after_output(&mut self, endpoint: &Endpoint, now: Instant, failure: Failure) {
        let deadline = close_deadline(endpoint, now);
        self.ending = Some(Ending { failure, deadline, left: self.output.left() });
    }

    /// Ends it where it has failed and all that had to leave has left.
    fn finish(&mut self, endpoint: &Endpoint, cx: &Cx<'_>, more: bool) -> Progress {
        let Some(ending) = &mut self.ending else { return Progress::Pending { more } };
        if self.output.bytes() == 0 || self.write_failure.is_some() {
            return Progress::Failed(ending.failure.clone());
        }
        if self.output.left() > ending.left {
            *ending = Ending { deadline: close_deadline(endpoint, cx.now), left: self.output.left(), failure: std::mem::take(&mut ending.failure) };
        }
        Progress::Pending { more }
    }

    /// Nothing more has come: what failed before ends it now.
    fn broken(&mut self) -> Progress {
        self.write_failure.take().map_or(Progress::Pending { more: false }, Progress::Failed)
    }

    fn eof(&mut self, endpoint: &mut Endpoint) -> Failure {
        match &mut self.at {
            At::Requesting { handshake, .. } => {
                let refused = handshake.receive_eof();
                keep_refusal(&mut endpoint.info, *refused)
            }
            _ => Failure::new(Phase::Http, Cause::PeerGone, "the peer ended the transport during the opening handshake"),
        }
    }

    fn read_failed(&mut self, error: &std::io::Error) -> Failure {
        // An alert of TLS says more than the write that failed because of it.
        let reader = if matches!(self.at, At::Answering { .. }) { Reader::Server } else { Reader::Client };
        tls_failure(error, reader)
            .or_else(|| self.write_failure.take())
            .unwrap_or_else(|| Failure::of_io(self.phase(), Cause::Reset, "the connection was lost while reading", error))
    }
}

fn start_request(spec: &RequestSpec) -> (At, Vec<u8>) {
    let (handshake, request) = ClientHandshake::start(spec);
    (At::Requesting { handshake, heartbeat: spec.heartbeat }, request)
}

fn close_deadline(endpoint: &Endpoint, now: Instant) -> Option<Instant> {
    endpoint.options.time(WS_OPT_CLOSE_TIMEOUT_MS).map(|time| now + time)
}

/// Keeps what the server said instead of agreeing.
fn keep_refusal(info: &mut Info, refused: Refused) -> Failure {
    info.http_status = refused.status;
    info.headers = refused.headers;
    info.set_text(Text::Body, String::from_utf8_lossy(&refused.body));
    refused.failure
}
