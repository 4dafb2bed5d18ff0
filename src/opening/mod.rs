//! Opening a connection, as client or server: name lookup, TCP, proxy, TLS and the opening handshake (RFC 6455 section
//! 4), as steps with one deadline. The result is a link.

mod answering;
mod early;
mod greeting;
mod proxied;
mod proxy;
mod rest;
mod streaming;

use crate::codes::*;
use crate::endpoint::{Endpoint, Info};
use crate::error::Failure;
use crate::heap::Discarded;
use crate::link::{End, Link, Outbox, Parts, PendingClose, Waiting, Wrote};
use crate::net::{Destination, Dial, LEAST_READ, Names, Reader, Services, Step, Stream, tls_failure};
use crate::protocol::{Asked, ClientHandshake, DeflateParams, OfferedChannel, Refused, RequestSpec, Role, Tunnel};
use crate::session::{Session, Terms};
use crate::status::{Cause, Phase, Text};
use crate::trace::{Fact, Trace};
use crate::work::{Cx, LONG_GAP};
use answering::Answering;
use greeting::Greeter;
pub use proxied::Via;
use proxied::{Route, note};
pub(crate) use proxy::MAX_TEXT;
pub use proxy::{Goal, Proxy, ProxyKind, ProxySetting};
pub use rest::Rest;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for the rest of a refusal's body, once its status is known.
const BODY_TIME: Duration = Duration::from_millis(250);
/// Maximum bytes of one read: more than a usual opening handshake has, and as much as TLS needs.
const READ_BYTES: usize = LEAST_READ + (1 << 10);

/// Parameters for opening a client, kept for reopening it.
#[derive(Clone)]
pub struct Recipe {
    /// Address of the server.
    pub to: Destination,
    /// The proxy to connect through.
    pub via: Option<Box<Via>>,
    /// The request of the opening handshake.
    pub request: RequestSpec,
    /// The session to ask for.
    pub session: Option<Terms>,
    /// Timeout for all steps together; `None`: unlimited.
    pub timeout: Option<Duration>,
    /// The host may send messages before OPEN; they are queued.
    pub queue_before_open: bool,
}

impl Recipe {
    /// The session to ask for on the first link.
    pub fn new_session(&self, endpoint: &Endpoint) -> Option<Box<Session>> {
        Session::ask(self.session?, endpoint.received())
    }
}

/// A connection before OPEN.
pub struct Opening {
    at: At,
    /// The transport, once there is one.
    stream: Option<Stream>,
    /// Bytes of the opening handshake to be written.
    output: Outbox,
    /// Bytes received after the opening handshake; on a server, after the request.
    received: Vec<u8>,
    /// Messages that the host sent before OPEN, in order.
    early: Waiting,
    queue_before_open: bool,
    /// The session to ask for or to resume, until the link has it.
    session: Option<Box<Session>>,
    /// A close that waits until the session is resumed.
    pending_close: Option<Box<PendingClose>>,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// Set once the opening has failed. It ends when the answer has been sent.
    ending: Option<Ending>,
    /// Why writing failed. Bytes that have arrived are still read before the end.
    write_failure: Option<Failure>,
    /// The last write stopped because the budget was exhausted; the transport may take more.
    writes_on: bool,
    /// A short read does not mean that the socket is empty: see `Link::reads_on`.
    reads_on: bool,
}

enum At {
    /// A client that looks up the server's name, because its proxy takes addresses.
    LookingUp(Box<(Names, Route)>),
    /// A client that is opening its transport.
    Dialing(Box<(Dial, Route)>),
    /// A client that asks its proxy for a tunnel.
    Asking(Box<(Tunnel, Route)>),
    /// A client that sends its request and waits for the answer.
    Requesting { handshake: ClientHandshake, channel: Option<bool>, trace: Option<Arc<Trace>> },
    /// A client between two of these, within one call.
    Moving,
    /// A server that waits for a request, or for its owner's decision on one.
    Answering(Answering),
    /// A client between two tries.
    Resting(Box<Rest>),
    /// A link that agrees on a session.
    Greeting(Box<Greeter>),
}

struct Ending {
    failure: Failure,
    /// When the end times out; restarts whenever bytes are sent.
    deadline: Option<Instant>,
    /// Position in the outgoing stream up to which bytes had been sent at the last progress.
    left: u64,
}

/// Progress of an opening.
pub enum Progress {
    /// It continues.
    Pending {
        /// The budget was exhausted before all bytes had been read.
        more: bool,
    },
    /// It has reached OPEN.
    Opened(Box<Opened>),
    /// It has failed.
    Failed(Failure),
    /// Its link has ended.
    Ended(Box<End>),
}

/// Result of an opening.
pub struct Opened {
    /// The link.
    pub link: Link,
    /// Messages that the host sent before OPEN.
    pub early: Waiting,
    /// Number of messages behind which OPEN is reported; `None`: those that have arrived.
    pub place: Option<u64>,
    /// The link resumes a session, in which this number of messages is sent again.
    pub resumed: Option<u64>,
    /// Why a client has no session although it asked for one, and whether it opens anew nevertheless.
    pub without: Option<(&'static str, bool)>,
}

/// The control channel after the opening handshake.
pub(crate) enum Channel {
    /// It was not asked for, or is not offered.
    None,
    /// We are the server and announce it. `resumes`: the client came for a session that it has.
    Announced { offered: OfferedChannel, resumes: bool },
    /// We are the client and expect the announcement by this deadline. `beats`: for the application heartbeat.
    Expected { beats: bool, deadline: Option<Instant> },
}

impl Discarded for Opening {
    fn empty(&mut self, keep: &mut usize) {
        self.early.empty(keep);
        self.session.empty(keep);
    }
}

impl Opening {
    /// Client: connects to a server. `session`: the one to ask for or to resume.
    pub fn dial(services: &Services, recipe: Recipe, session: Option<Box<Session>>, now: Instant) -> Opening {
        let Recipe { to, via, mut request, session: _, timeout, queue_before_open } = recipe;
        name_node(&mut request, session.as_deref());
        let at = match via {
            None => {
                let route = Route::direct(request, to.trace.clone());
                At::Dialing(Box::new((Dial::start(services, to, now), route)))
            }
            Some(via) => {
                // Only for a proxy that takes addresses.
                let names = (via.proxy.kind == ProxyKind::Socks5).then(|| services.look_up(&to.host));
                let proxy = via.to.clone();
                let route = Route::proxied(*via, to, request);
                match names {
                    Some(names) => At::LookingUp(Box::new((names, route))),
                    None => At::Dialing(Box::new((Dial::start(services, proxy, now), route))),
                }
            }
        };
        Opening { session, ..Opening::new(at, timeout, queue_before_open, now) }
    }

    /// Client: on an open transport.
    pub fn request_on(
        endpoint: &mut Endpoint,
        stream: Stream,
        spec: &RequestSpec,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Opening {
        let (at, request) = start_request(spec, None);
        let mut opening = Opening::new(at, timeout, queue_before_open, now);
        opening.output.push_bytes(&request);
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
            session: None,
            pending_close: None,
            timeout,
            deadline: timeout.map(|timeout| now + timeout),
            ending: None,
            write_failure: None,
            writes_on: false,
            reads_on: false,
        }
    }

    /// Continues the opening as far as possible without blocking.
    pub fn pump(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Progress {
        if self.rest().is_some() {
            return Progress::Pending { more: false };
        }
        if matches!(self.at, At::Greeting(_)) {
            // Its owner polls the link: see `greeting_link`.
            return Progress::Pending { more: false };
        }
        if let At::LookingUp(looking_up) = &mut self.at {
            match looking_up.0.result() {
                None => return Progress::Pending { more: false },
                Some(Err(failure)) => return Progress::Failed(failure),
                Some(Ok(addresses)) => {
                    looking_up.1.set_addresses(&addresses, cx.now);
                    self.dial_proxy(cx);
                }
            }
        }
        if let At::Dialing(dialing) = &mut self.at {
            match dialing.0.step(cx.services, cx.now) {
                Step::Pending => return Progress::Pending { more: false },
                Step::Failed(failure) => return Progress::Failed(dialing.1.failed_dial(failure)),
                Step::Done(stream) => {
                    let At::Dialing(dialing) = std::mem::replace(&mut self.at, At::Moving) else {
                        return Progress::Pending { more: false };
                    };
                    let route = dialing.1;
                    self.output = Outbox::default();
                    match route.ask(cx.now) {
                        Some((tunnel, request)) => {
                            self.at = At::Asking(Box::new((tunnel, route)));
                            self.output.push_bytes(&request);
                            stream.set_no_delay(true);
                            self.stream = Some(stream);
                        }
                        None => self.send_request(endpoint, stream, &route, cx.now),
                    }
                }
            }
        }
        self.write(endpoint, cx);
        let progress = match self.go_on(endpoint, cx) {
            Progress::Pending { .. } => self.read(endpoint, cx),
            progress => progress,
        };
        let Progress::Pending { more } = progress else { return progress };
        if matches!(self.at, At::Greeting(_)) {
            return Progress::Pending { more };
        }
        if !(self.writes_on && cx.budget.is_spent()) {
            self.write(endpoint, cx);
        }
        self.finish(endpoint, cx, more)
    }

    /// The phase that the opening has reached.
    pub fn phase(&self) -> Phase {
        match &self.at {
            At::LookingUp(_) => Phase::Dns,
            At::Dialing(dialing) => dialing.1.phase_of_dial(dialing.0.phase()),
            At::Asking(_) => Phase::Proxy,
            At::Requesting { .. } | At::Answering(_) | At::Moving => Phase::Http,
            At::Resting(rest) => rest.failure.phase,
            At::Greeting(_) => Phase::Websocket,
        }
    }

    /// The dial in progress, for waiting on its sockets.
    pub fn dialing(&self) -> Option<&Dial> {
        match &self.at {
            At::Dialing(dialing) => Some(&dialing.0),
            _ => None,
        }
    }

    /// Whether the name of the server has been looked up, and a poll would go on.
    pub fn has_names(&self) -> bool {
        matches!(&self.at, At::LookingUp(looking_up) if looking_up.0.result().is_some())
    }

    /// Whether it has failed and only the answer is still to be sent.
    pub fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Whether a poll would read from the socket.
    pub fn wants_input(&self, endpoint: &Endpoint) -> bool {
        if let At::Greeting(greeter) = &self.at {
            return greeter.link.wants_input(endpoint);
        }
        self.awaits_bytes()
    }

    /// As `wants_input`, for bytes of the opening handshake.
    fn awaits_bytes(&self) -> bool {
        self.ending.is_none() && !matches!(&self.at, At::Answering(answering) if answering.is_busy(self.received.len()))
    }

    /// Whether a poll can write more, or read the next request, without a readiness event.
    pub fn can_send_on(&self) -> bool {
        match &self.at {
            At::Greeting(greeter) => greeter.link.can_send_on(),
            At::Answering(answering) if answering.is_answered() && self.output.bytes() == 0 => true,
            _ => self.writes_on,
        }
    }

    /// Whether writing failed.
    pub fn has_failed(&self) -> bool {
        match &self.at {
            At::Greeting(greeter) => greeter.link.has_failed(),
            _ => self.write_failure.is_some(),
        }
    }

    /// Bytes of the handshake that have not been sent.
    pub fn queued_bytes(&self) -> usize {
        match &self.at {
            At::Greeting(greeter) => greeter.link.queued_bytes(),
            _ => self.output.bytes(),
        }
    }

    /// Heap bytes of data received after the opening handshake.
    pub fn unfinished_bytes(&self) -> usize {
        let more = match &self.at {
            At::Answering(answering) => answering.heap_bytes(),
            At::Greeting(greeter) => greeter.link.unfinished_bytes(),
            _ => 0,
        };
        self.received.capacity() + more
    }

    /// The stream, for registering it with the readiness queue.
    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        match &mut self.at {
            At::Greeting(greeter) => greeter.link.stream_mut(),
            _ => self.stream.as_mut(),
        }
    }

    /// Takes the stream, for the caller to close.
    pub fn take_out_stream(&mut self) -> Option<Stream> {
        match &mut self.at {
            At::Greeting(greeter) => greeter.link.take_stream(),
            _ => self.stream.take(),
        }
    }

    /// From now on reading continues until the socket has no more bytes: a short read does not end it.
    pub fn read_on(&mut self) {
        self.reads_on = true;
        if let At::Greeting(greeter) = &mut self.at {
            greeter.link.read_on();
        }
        if let Some(stream) = &mut self.stream {
            stream.read_on();
        }
    }

    /// Moves the deadlines by the length of a gap between polls.
    pub fn shift(&mut self, endpoint: &Endpoint, gap: Duration) {
        if let At::Greeting(greeter) = &mut self.at {
            greeter.link.shift(endpoint, gap);
        }
        self.shift_session(gap);
        self.deadline = self.deadline.map(|deadline| deadline + gap);
        if let At::Resting(rest) = &mut self.at {
            rest.shift(gap);
        }
        if let Some(ending) = &mut self.ending {
            ending.deadline = ending.deadline.map(|deadline| deadline + gap);
        }
    }

    /// When the end or the response in progress times out; `None`: never, or none is in progress.
    pub fn close_deadline(&self) -> Option<Instant> {
        match &self.ending {
            Some(ending) => ending.deadline,
            None => match &self.at {
                At::Greeting(greeter) => greeter.link.close_deadline(),
                At::Answering(answering) if answering.is_responding() => self.deadline,
                _ => None,
            },
        }
    }

    /// Ends an opening that has timed out. `read_all`: all received bytes have been read. Returns when to check next.
    pub fn check_timers(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        read_all: bool,
    ) -> Result<Option<Instant>, Box<End>> {
        let broken = |failure| Box::new(End::broken(failure));
        let of_session = if read_all { self.check_session(cx.now).map_err(broken)? } else { None };
        let next = match &self.at {
            At::Greeting(_) => self.check_greeting(endpoint, cx, read_all)?,
            _ => self.check_deadline(endpoint, cx, read_all).map_err(broken)?,
        };
        Ok(next.into_iter().chain(of_session).min())
    }

    fn check_deadline(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        read_all: bool,
    ) -> Result<Option<Instant>, Failure> {
        if let Some(ending) = &self.ending {
            let Some(deadline) = ending.deadline else { return Ok(None) };
            let over = cx.now >= if read_all { deadline } else { deadline + LONG_GAP };
            return if over { Err(ending.failure.clone()) } else { Ok(Some(deadline).filter(|_| read_all)) };
        }
        if let Some(rest) = self.rest() {
            return Ok(rest.until);
        }
        let Some(deadline) = self.deadline.filter(|_| read_all) else { return Ok(None) };
        if cx.now < deadline {
            return Ok(Some(deadline));
        }
        let ms = self.timeout.unwrap_or_default().as_millis();
        let phase = self.phase();
        let permission = match &self.at {
            At::Dialing(dialing) => {
                dialing.0.note_silent(cx.now);
                dialing.0.silent_permission()
            }
            _ => None,
        };
        let what = match (&mut self.at, phase) {
            (At::Answering(_), _) => return self.answer_too_late(endpoint, cx, ms),
            (At::Requesting { handshake, .. }, _) => {
                if let Some(refused) = handshake.give_up() {
                    return Err(keep_refusal(&mut endpoint.info, *refused));
                }
                "the server did not answer the opening handshake: it may not be a WebSocket server"
            }
            (At::Asking(asking), _) => {
                if let Some(refused) = asking.0.give_up() {
                    return Err(keep_refusal(&mut endpoint.info, *refused));
                }
                "the proxy did not answer: it may wait for the server, or be another kind of proxy"
            }
            (_, Phase::Dns) => "the name lookup took too long: check the network and the name server",
            (_, Phase::Tcp) => {
                permission.unwrap_or("the server did not accept the TCP connection: check address, port and firewall")
            }
            _ => "the TLS handshake was not finished: the server may not speak TLS on this port",
        };
        let failure = Failure::new(phase, Cause::ConnectTimeout, format!("{what} (connect timeout of {ms} ms)"));
        Err(match &self.at {
            At::Dialing(dialing) => dialing.1.failed_dial(failure),
            _ => failure,
        })
    }

    /// Gives up the stream: shuts it down gracefully if everything was sent, otherwise has the worker close it.
    pub fn give_up(mut self: Box<Self>, cx: &Cx<'_>) {
        if let At::Greeting(greeter) = &mut self.at
            && let Some(stream) = greeter.link.take_stream()
        {
            cx.services.reap(stream);
        }
        match self.stream.take() {
            Some(stream) if self.output.bytes() == 0 && self.write_failure.is_none() => cx.services.reap(stream),
            Some(stream) => cx.services.close(vec![stream]),
            None => {}
        }
        cx.discard(self.early.bytes(), self);
    }

    fn take_stream(&mut self, endpoint: &mut Endpoint, stream: Stream) {
        let info = &mut endpoint.info;
        info.set_addresses(stream.local_addr(), stream.peer_addr());
        info.set_text(Text::Tls, stream.describe_tls().unwrap_or_default());
        stream.set_no_delay(endpoint.options.is_on(WS_OPT_NO_DELAY));
        self.stream = Some(stream);
    }

    /// Writes queued bytes, for half of the remaining budget.
    pub fn write(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if let At::Greeting(greeter) = &mut self.at {
            return greeter.link.write(endpoint, cx);
        }
        self.writes_on = false;
        let Some(stream) = &mut self.stream else { return };
        if self.write_failure.is_some() || self.output.bytes() == 0 {
            return;
        }
        let before = self.output.written();
        let mut half = cx.budget.half();
        let result = self.output.write_to(stream, u64::MAX, || half.is_spent());
        endpoint.counters.wire_out += self.output.written() - before;
        match result {
            Ok(wrote) => self.writes_on = matches!(wrote, Wrote::Later),
            Err(error) => {
                self.write_failure =
                    Some(Failure::of_io(self.phase(), Cause::Reset, "the connection was lost while writing", &error))
            }
        }
    }

    /// Reads until OPEN, until no more bytes are available, or until the budget is exhausted.
    fn read(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Progress {
        let mut first = true;
        while self.awaits_bytes() {
            // The first pass ignores the budget, so that every poll makes progress.
            if !std::mem::take(&mut first) && cx.budget.is_spent() {
                return Progress::Pending { more: true };
            }
            let Some(stream) = &mut self.stream else { break };
            let (space, _) = cx.arena.space(READ_BYTES);
            let count = match stream.read(space) {
                Ok(0) if matches!(&self.at, At::Answering(answering) if answering.stays_half_open()) => {
                    return self.end_input();
                }
                Ok(0) => return Progress::Failed(self.eof(endpoint)),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.broken(),
                Err(error) => return Progress::Failed(self.read_failed(&error)),
            };
            let last = stream.has_read_all(count < space.len()) && !self.reads_on;
            // Copied, as the arena is borrowed from `cx`; the bytes are few and read once.
            let bytes = space[..count].to_vec();
            endpoint.counters.wire_in += count as u64;
            let progress = self.take(endpoint, cx, &bytes);
            if !matches!(progress, Progress::Pending { .. }) {
                return progress;
            }
            if last && self.awaits_bytes() {
                return self.broken();
            }
        }
        Progress::Pending { more: false }
    }

    /// Handles received bytes of the handshake.
    fn take(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        match &mut self.at {
            At::LookingUp(_) | At::Dialing(_) | At::Resting(_) | At::Moving | At::Greeting(_) => {}
            At::Asking(asking) => match asking.0.receive(bytes) {
                Ok(Asked::More(output)) => {
                    self.output.push_bytes(&output);
                    if asking.0.is_refused() {
                        self.expect_body(cx.now);
                    }
                }
                Ok(Asked::Open(_)) if self.output.bytes() > 0 => {
                    let why = "the proxy answered before it was asked: another kind of server has this port";
                    return Progress::Failed(Failure::new(Phase::Proxy, Cause::ProxyInvalid, why));
                }
                Ok(Asked::Open(used)) => return self.enter_tunnel(endpoint, cx, &bytes[used..]),
                Err(refused) => return self.refused_by_proxy(endpoint, cx, *refused),
            },
            At::Requesting { handshake, channel, trace } => match handshake.receive(bytes) {
                Ok(None) if handshake.is_refused() => self.expect_body(cx.now),
                Ok(None) => {}
                Ok(Some((used, response))) => {
                    let info = &mut endpoint.info;
                    info.http_status = response.status;
                    info.headers = response.headers;
                    info.set_text(Text::Subprotocol, response.subprotocol.unwrap_or_default());
                    let deadline = self.timeout.map(|timeout| cx.now + timeout);
                    let expected = channel.map_or(Channel::None, |beats| Channel::Expected { beats, deadline });
                    self.received = bytes[used..].to_vec();
                    return self.opened(endpoint, cx.now, Role::Client, response.deflate, expected);
                }
                Err(mut refused) => {
                    let foreign = std::mem::take(&mut refused.foreign);
                    if !foreign.is_empty() {
                        note(trace.as_deref(), cx.now, || Fact::Foreign(foreign));
                    }
                    let failure = keep_refusal(&mut endpoint.info, *refused);
                    self.end_after_output(endpoint, cx.now, failure);
                }
            },
            At::Answering(_) => return self.take_request(endpoint, cx, bytes),
        }
        Progress::Pending { more: false }
    }

    /// The transport leads to the server: sends the request.
    fn send_request(&mut self, endpoint: &mut Endpoint, stream: Stream, route: &Route, now: Instant) {
        note(route.trace.as_deref(), now, || Fact::Requested);
        let (at, request) = start_request(&route.request, route.trace.clone());
        self.at = at;
        self.output.push_bytes(&request);
        self.take_stream(endpoint, stream);
        if route.hides_tls {
            endpoint.info.set_text(Text::Tls, "");
        }
    }

    /// Connects to the proxy, for the current address of the server.
    fn dial_proxy(&mut self, cx: &Cx<'_>) {
        let route = match std::mem::replace(&mut self.at, At::Moving) {
            At::LookingUp(looking_up) => looking_up.1,
            At::Asking(asking) => asking.1,
            at => return self.at = at,
        };
        if let Some(proxy) = route.proxy() {
            self.at = At::Dialing(Box::new((Dial::start(cx.services, proxy, cx.now), route)));
        }
    }

    /// The tunnel is open. `bytes` came behind the proxy's answer, and are the server's.
    fn enter_tunnel(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let At::Asking(asking) = std::mem::replace(&mut self.at, At::Moving) else {
            return Progress::Pending { more: false };
        };
        let Some(stream) = self.stream.take() else { return Progress::Pending { more: false } };
        let mut route = asking.1;
        if let Some((to, tls)) = route.enter(cx.now) {
            let dial = Dial::secure(cx.services, to, tls, stream, bytes.to_vec());
            self.at = At::Dialing(Box::new((dial, route)));
            return Progress::Pending { more: false };
        }
        self.send_request(endpoint, stream, &route, cx.now);
        if bytes.is_empty() { Progress::Pending { more: false } } else { self.take(endpoint, cx, bytes) }
    }

    /// Tries the next address of the server if there is one: the proxy may lack IPv6, or the server may not listen on
    /// all of its addresses.
    fn refused_by_proxy(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, refused: Refused) -> Progress {
        if let At::Asking(asking) = &mut self.at
            && refused.failure.cause == Cause::ProxyRefused
            && asking.1.try_next(cx.now)
        {
            if let Some(stream) = self.stream.take() {
                cx.services.close(vec![stream]);
            }
            self.dial_proxy(cx);
            return Progress::Pending { more: false };
        }
        Progress::Failed(keep_refusal(&mut endpoint.info, refused))
    }

    /// The answer is a refusal: waits a short time for its body.
    fn expect_body(&mut self, now: Instant) {
        // The earlier deadline applies.
        let at = now + BODY_TIME;
        self.deadline = Some(self.deadline.map_or(at, |deadline| deadline.min(at)));
    }

    fn opened(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        role: Role,
        deflate: Option<DeflateParams>,
        channel: Channel,
    ) -> Progress {
        let Some(stream) = self.stream.take() else { return Progress::Pending { more: false } };
        if let Some(params) = &deflate {
            endpoint.info.set_text(Text::Extensions, params.to_string());
        }
        let parts = Parts {
            role,
            stream,
            outbox: std::mem::take(&mut self.output),
            received: std::mem::take(&mut self.received),
            deflate: deflate.map(|params| (params, endpoint.options.deflate_level)),
            reads_on: self.reads_on,
        };
        let mut link = Link::new(parts, now);
        match channel {
            Channel::None => {}
            Channel::Announced { offered, resumes } => {
                let OfferedChannel { heartbeat, session, node } = offered;
                if link.announce(heartbeat, session, &node) && session {
                    self.begin_greeting(endpoint, link, resumes);
                    return Progress::Pending { more: false };
                }
            }
            Channel::Expected { beats, deadline } => {
                let session = self.session.take();
                let greets = session.is_some();
                if let Some(session) = session {
                    link.set_session(session);
                }
                link.expect_announcement(beats, deadline);
                if greets {
                    self.begin_greeting(endpoint, link, false);
                    return Progress::Pending { more: false };
                }
            }
        }
        let early = std::mem::take(&mut self.early);
        Progress::Opened(Box::new(Opened { link, early, place: None, resumed: None, without: None }))
    }

    /// Ends the opening once queued output (a refusal) has been sent.
    fn end_after_output(&mut self, endpoint: &Endpoint, now: Instant, failure: Failure) {
        let deadline = endpoint.close_deadline(now);
        self.ending = Some(Ending { failure, deadline, left: self.output.left() });
    }

    /// Ends the opening if it has failed and its output has been sent.
    fn finish(&mut self, endpoint: &Endpoint, cx: &Cx<'_>, more: bool) -> Progress {
        let Some(ending) = &mut self.ending else { return Progress::Pending { more } };
        if self.output.bytes() == 0 || self.write_failure.is_some() {
            return Progress::Failed(ending.failure.clone());
        }
        if self.output.left() > ending.left {
            *ending = Ending {
                deadline: endpoint.close_deadline(cx.now),
                left: self.output.left(),
                failure: std::mem::take(&mut ending.failure),
            };
        }
        Progress::Pending { more }
    }

    /// Ends the opening if writing has failed, as no more bytes have arrived.
    fn broken(&mut self) -> Progress {
        self.write_failure.take().map_or(Progress::Pending { more: false }, Progress::Failed)
    }

    fn eof(&mut self, endpoint: &mut Endpoint) -> Failure {
        match &mut self.at {
            At::Requesting { handshake, .. } => {
                let refused = handshake.receive_eof();
                keep_refusal(&mut endpoint.info, *refused)
            }
            At::Asking(asking) => {
                let refused = asking.0.receive_eof();
                keep_refusal(&mut endpoint.info, *refused)
            }
            _ => {
                Failure::new(Phase::Http, Cause::PeerGone, "the peer ended the transport during the opening handshake")
            }
        }
    }

    fn read_failed(&mut self, error: &std::io::Error) -> Failure {
        // A TLS alert is a better explanation than the write that failed because of it.
        let reader = if matches!(self.at, At::Answering(_)) { Reader::Server } else { Reader::Client };
        let failure = tls_failure(error, reader).or_else(|| self.write_failure.take()).unwrap_or_else(|| {
            Failure::of_io(self.phase(), Cause::Reset, "the connection was lost while reading", error)
        });
        match &self.at {
            At::Asking(asking) => asking.1.failed_dial(failure),
            _ => failure,
        }
    }
}

/// Has the request name the node that has the session which is resumed.
fn name_node(request: &mut RequestSpec, session: Option<&Session>) {
    if let (Some(channel), Some(session)) = (&mut request.channel, session) {
        channel.node = session.node().map(str::to_owned);
    }
}

fn start_request(spec: &RequestSpec, trace: Option<Arc<Trace>>) -> (At, Vec<u8>) {
    let (handshake, request) = ClientHandshake::start(spec);
    let channel = spec.channel.as_ref().map(|channel| channel.heartbeat);
    (At::Requesting { handshake, channel, trace }, request)
}

/// Stores the refusal of a server or proxy: status, headers and body.
fn keep_refusal(info: &mut Info, refused: Refused) -> Failure {
    info.http_status = refused.status;
    info.headers = refused.headers;
    info.set_text(Text::Body, String::from_utf8_lossy(&refused.body));
    refused.failure
}
