//! One WebSocket connection: CONNECTING, OPEN, CLOSING, CLOSED (RFC 6455). It has an endpoint, which persists, and an
//! opening or a link until it has ended; then it can be opened again.

use crate::endpoint::{Counters, Endpoint, Item, Mark, Message, Options};
use crate::error::Failure;
use crate::heap::Discarded;
use crate::journal;
use crate::link::{Compression, End, Link, Payload, Sent, SharedMessage};
use crate::net::{Dial, Services, Stream};
use crate::opening::{AppHeartbeat, Opened, Opening, Progress, Recipe};
use crate::protocol::{Accept, Agreement, Refusal, Request, RequestSpec};
use crate::status::{Cause, EventKind, Level, Phase, State, Text};
use crate::work::{Arena, Chunk, Cx, MUCH};
use parking_lot::Mutex;
use std::borrow::BorrowMut;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A WebSocket connection.
pub struct Connection {
    /// The part that the host sees.
    pub endpoint: Endpoint,
    stage: Stage,
    changed: Changed,
}

/// The stage of a connection. The link is not boxed and the tag is a separate byte, as every message accesses both.
#[allow(clippy::large_enum_variant)]
#[repr(u8)]
enum Stage {
    Opening(Box<Opening>),
    Open(Link),
    Ended,
}

/// Changes of a connection since the last `take_changed`.
#[derive(Default, Clone, Copy)]
pub struct Changed {
    /// It has opened.
    pub opened: bool,
    /// Its closing handshake has begun, or its refusal is being sent.
    pub closing: bool,
    /// It has ended.
    pub ended: bool,
}

impl Discarded for Connection {
    fn empty(&mut self, keep: &mut usize) {
        self.endpoint.empty(keep);
        match &mut self.stage {
            Stage::Opening(opening) => opening.empty(keep),
            Stage::Open(link) => link.empty(keep),
            Stage::Ended => {}
        }
    }
}

/// Opening.
impl Connection {
    /// Client: connects to a server.
    pub fn dial(services: &Services, recipe: Recipe, options: Arc<Options>, now: Instant) -> Connection {
        Connection::new(Endpoint::new(options), Opening::dial(services, recipe, now))
    }

    /// Client: on an open transport.
    pub fn request_on(
        stream: Stream,
        spec: &RequestSpec,
        options: Arc<Options>,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Connection {
        let mut endpoint = Endpoint::new(options);
        let opening = Opening::request_on(&mut endpoint, stream, spec, timeout, queue_before_open, now);
        Connection::new(endpoint, opening)
    }

    /// Server: on an open transport. With `accept` it answers the request itself; otherwise its owner calls `decide`.
    pub fn answer_on(
        stream: Stream,
        accept: Option<Arc<Accept>>,
        max_header_bytes: usize,
        options: Arc<Options>,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Connection {
        let mut endpoint = Endpoint::new(options);
        let opening =
            Opening::answer_on(&mut endpoint, stream, accept, max_header_bytes, timeout, queue_before_open, now);
        Connection::new(endpoint, opening)
    }

    fn new(endpoint: Endpoint, opening: Opening) -> Connection {
        Connection { endpoint, stage: Stage::Opening(Box::new(opening)), changed: Changed::default() }
    }

    /// Reopens a connection that has ended. Handle, options, counters and queued items are kept. False: it has not
    /// ended.
    pub fn dial_again(&mut self, services: &Services, recipe: Recipe, now: Instant) -> bool {
        if !matches!(self.stage, Stage::Ended) {
            return false;
        }
        self.endpoint.begin_again();
        self.stage = Stage::Opening(Box::new(Opening::dial(services, recipe, now)));
        true
    }

    /// The request that the server has to accept or refuse.
    pub fn request(&self) -> Option<&Request> {
        match &self.stage {
            Stage::Opening(opening) => opening.request(),
            _ => None,
        }
    }

    /// Answers that request.
    pub fn decide(&mut self, cx: &mut Cx<'_>, answer: Result<Agreement, Refusal>) {
        if let Stage::Opening(opening) = &mut self.stage {
            let progress = opening.decide(&mut self.endpoint, cx, answer);
            self.advance(cx, progress);
        }
    }

    /// Refuses a client before its request has arrived.
    pub fn turn_away(&mut self, cx: &mut Cx<'_>, refusal: &Refusal) {
        if let Stage::Opening(opening) = &mut self.stage {
            let progress = opening.turn_away(&mut self.endpoint, cx, refusal);
            self.advance(cx, progress);
        }
    }

    /// The dial in progress, for waiting on its sockets.
    pub fn dialing(&self) -> Option<&Dial> {
        match &self.stage {
            Stage::Opening(opening) => opening.dialing(),
            _ => None,
        }
    }

    /// Applies the progress of an opening. True: the budget was exhausted before all bytes had been read.
    fn advance(&mut self, cx: &mut Cx<'_>, progress: Progress) -> bool {
        match progress {
            Progress::Pending { more } => {
                self.changed.closing |= matches!(&self.stage, Stage::Opening(opening) if opening.is_ending());
                return more;
            }
            Progress::Opened(opened) => self.open(cx, *opened),
            Progress::Failed(failure) => self.end(cx, failed(failure)),
        }
        false
    }

    fn open(&mut self, cx: &mut Cx<'_>, opened: Opened) {
        let mut link = Link::new(opened.parts, cx.now);
        match opened.heartbeat {
            AppHeartbeat::None => {}
            AppHeartbeat::Announced => link.announce_heartbeat(),
            AppHeartbeat::Expected(deadline) => link.expect_announcement(deadline),
        }
        self.stage = Stage::Open(link);
        self.changed.opened = true;
        self.endpoint.report(cx, if self.endpoint.of_server { EventKind::Connected } else { EventKind::Open });
        journal::note(Level::Info, || format!("{} is open", self.endpoint.info.shown_url()));
    }
}

/// Polling.
impl Connection {
    /// One round: continues opening, writes, reads and answers. True: there may be more to read, and the budget or the
    /// round was exhausted.
    pub fn pump(&mut self, cx: &mut Cx<'_>) -> bool {
        if let Stage::Opening(opening) = &mut self.stage {
            let progress = opening.pump(&mut self.endpoint, cx);
            let more = self.advance(cx, progress);
            if more || !matches!(self.stage, Stage::Open(_)) {
                return more;
            }
        }
        let Stage::Open(link) = &mut self.stage else { return false };
        let more = link.pump(&mut self.endpoint, cx);
        self.take_changes(cx);
        more
    }

    /// Checks the timers. Called after `pump`, so that bytes that have arrived count. `read_all`: there is no more to
    /// read; otherwise only a long overdue close is checked. Returns when to check next.
    #[inline]
    pub fn check_timers(&mut self, cx: &mut Cx<'_>, read_all: bool) -> Option<Instant> {
        match &mut self.stage {
            Stage::Opening(opening) => match opening.check_timers(&mut self.endpoint, cx, read_all) {
                Ok(next) => next,
                Err(failure) => {
                    self.end(cx, failed(failure));
                    None
                }
            },
            Stage::Open(link) => {
                let next = if read_all {
                    link.check_timers(&mut self.endpoint, cx)
                } else {
                    link.check_overdue_close(&mut self.endpoint, cx);
                    None
                };
                self.take_changes(cx);
                next
            }
            Stage::Ended => None,
        }
    }

    /// Takes the changes since the last call.
    pub fn take_changed(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    /// Moves every deadline by the length of a gap between polls.
    pub fn shift(&mut self, gap: Duration) {
        match &mut self.stage {
            Stage::Opening(opening) => opening.shift(gap),
            Stage::Open(link) => link.shift(&self.endpoint, gap),
            Stage::Ended => {}
        }
    }

    /// Takes the stream, for the caller to close.
    pub fn take_out_stream(&mut self) -> Option<Stream> {
        match &mut self.stage {
            Stage::Opening(opening) => opening.take_out_stream(),
            Stage::Open(link) => link.take_stream(),
            Stage::Ended => None,
        }
    }

    /// The stream, for registering it with the readiness queue.
    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        match &mut self.stage {
            Stage::Opening(opening) => opening.stream_mut(),
            Stage::Open(link) => link.stream_mut(),
            Stage::Ended => None,
        }
    }

    /// From now on reading continues until the socket has no more bytes: a short read does not end it.
    pub fn read_on(&mut self) {
        match &mut self.stage {
            Stage::Opening(opening) => opening.read_on(),
            Stage::Open(link) => link.read_on(),
            Stage::Ended => {}
        }
    }

    /// Frees memory that an idle connection does not need.
    pub fn shrink(&mut self) {
        self.endpoint.inbox.shrink();
        if let Stage::Open(link) = &mut self.stage {
            link.shrink();
        }
    }

    /// Applies the changes of the link.
    #[inline]
    fn take_changes(&mut self, cx: &mut Cx<'_>) {
        if matches!(&self.stage, Stage::Open(link) if link.has_changes()) {
            self.take_changes_of_link(cx);
        }
    }

    #[cold]
    fn take_changes_of_link(&mut self, cx: &mut Cx<'_>) {
        let Stage::Open(link) = &mut self.stage else { return };
        let Some(changes) = link.take_changes() else { return };
        self.changed.closing |= changes.closing;
        if let Some(request) = changes.close_request {
            self.endpoint.request_close(cx, request.0, &request.1);
        }
        if let Some(end) = changes.end {
            self.end(cx, *end);
        }
    }
}

/// Closing.
impl Connection {
    /// Starts the closing handshake after the accepted messages, as the host requested; -1 drops the connection at
    /// once. Does nothing when closed or closing.
    pub fn close(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str) {
        self.close_because(cx, code, reason, None);
    }

    /// As `close`, for a host that wants nothing more from the peer: drops all queued and later items but the last
    /// event.
    pub fn disconnect(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str) {
        self.endpoint.inbox.silence();
        self.endpoint.drop_refused(cx);
        self.close(cx, code, reason);
    }

    /// As `close`, for a reason of the library, which the last event reports.
    pub fn close_because(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str, failure: Option<Failure>) {
        match &mut self.stage {
            Stage::Opening(opening) if code == -1 || !opening.is_ending() => {
                let sentence = if code == -1 {
                    "the host dropped the connection"
                } else {
                    "the host closed the connection before it was open"
                };
                self.end(cx, failed(failure.unwrap_or_else(|| Failure::new(Phase::App, Cause::Dropped, sentence))));
            }
            Stage::Open(link) => {
                link.close(&mut self.endpoint, cx, code, reason, failure);
                self.take_changes(cx);
            }
            Stage::Opening(_) | Stage::Ended => {}
        }
    }

    /// Fails an open connection (section 7.1.7): sends a close frame with the code and stops reading.
    pub fn fail(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        if let Stage::Open(link) = &mut self.stage {
            link.fail(&mut self.endpoint, cx, failure);
            self.take_changes(cx);
        }
    }

    /// Ends the connection if its closing handshake is complete.
    pub fn finish(&mut self, cx: &mut Cx<'_>) {
        if let Stage::Open(link) = &mut self.stage {
            link.finish_close(&mut self.endpoint, cx);
            self.take_changes(cx);
        }
    }

    /// When the close in progress times out; `None`: never, or none is in progress.
    pub fn close_deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Opening(opening) => opening.close_deadline(),
            Stage::Open(link) => link.close_deadline(),
            Stage::Ended => None,
        }
    }

    /// The reason of the deciding close frame: the peer's, or ours if none has arrived.
    pub fn close_reason(&self) -> &str {
        match &self.stage {
            Stage::Open(link) => link.close_reason(),
            _ => self.endpoint.info.text(Text::CloseReason),
        }
    }

    /// Ends the connection and queues its last event.
    fn end(&mut self, cx: &mut Cx<'_>, end: End) {
        let End { failure, clean, code, reason, mut unsent } = end;
        let info = &mut self.endpoint.info;
        let asked_for = clean && failure.close_code == 0 && failure.phase == Phase::App;
        info.set_text(Text::Error, if asked_for { "" } else { &failure.sentence });
        info.set_text(Text::CloseReason, reason);
        if let Stage::Opening(opening) = &self.stage {
            unsent = opening.early().0;
        }
        let kind = if self.endpoint.of_server { EventKind::Disconnected } else { EventKind::Closed };
        let mut mark = Mark {
            code: i32::from(code),
            phase: failure.phase,
            cause: failure.cause,
            os_error: failure.os_error,
            http_status: i32::from(info.http_status),
            unsent: u32::try_from(unsent).unwrap_or(u32::MAX),
            clean,
            ..Mark::new(kind, cx.time_ns())
        };
        mark.set_text(&failure.sentence);
        info.end = Some(Box::new(mark.clone()));
        self.endpoint.inbox.push_end(mark);
        // The peer's reason is in the event, and is kept out of the log.
        let why =
            if failure.cause == Cause::ClosedByPeer { "the peer closed the connection" } else { &failure.sentence };
        journal::note(Level::Info, || format!("{} ended: {why} (code {code})", self.endpoint.info.shown_url()));
        self.changed.ended = true;
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Opening(opening) => opening.give_up(cx),
            Stage::Open(_) | Stage::Ended => {}
        }
    }
}

/// Sending.
impl Connection {
    /// Sends one message. The caller has checked its size and UTF-8. `cx` is called only if it is needed.
    #[inline]
    pub fn put<'a, C: BorrowMut<Cx<'a>>>(&mut self, cx: impl FnOnce() -> C, text: bool, payload: &[u8]) -> Sent {
        match &mut self.stage {
            Stage::Open(link) => link.put(&mut self.endpoint, cx, text, payload),
            Stage::Opening(opening) => opening.put(&mut self.endpoint, text, payload),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// Sends several messages, or none of them. An empty queue accepts any size.
    pub fn put_together(&mut self, cx: &mut Cx<'_>, messages: &[Vec<u8>]) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_together(endpoint, cx, messages))
    }

    /// Queues several messages without checking for room; they are written later.
    pub fn queue_together<M: AsRef<[u8]>>(&mut self, cx: &mut Cx<'_>, messages: &[M]) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.queue_together(endpoint, cx, messages))
    }

    /// Ends the connection because there is no memory for an accepted message.
    pub fn memory_failed(&mut self) {
        if let Stage::Open(link) = &mut self.stage {
            link.memory_failed();
        }
    }

    /// Sends an encoded frame shared with other connections. `now`: writes it at once if nothing is queued.
    pub fn put_shared(&mut self, frame: &Chunk, payload_len: usize, now: bool) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_shared(endpoint, frame, payload_len, now))
    }

    /// As `put_shared`, for a frame in two parts. It is written later.
    pub fn put_parts(&mut self, head: &Chunk, storage: &Chunk, start: usize, payload_len: usize) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_parts(endpoint, head, storage, start, payload_len))
    }

    /// Sends a long message that is compressed once for several connections.
    pub fn put_shared_message(&mut self, message: &Arc<Mutex<SharedMessage>>, payload_len: usize) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_shared_message(endpoint, message, payload_len))
    }

    /// As `put`, for a message that several connections compress later, each in its separate context.
    pub fn put_later(&mut self, text: bool, payload: &Payload) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_later(endpoint, text, payload))
    }

    /// Compresses, encodes and writes queued messages until the budget is exhausted.
    pub fn write(&mut self, cx: &mut Cx<'_>) {
        match &mut self.stage {
            Stage::Opening(opening) => opening.write(&mut self.endpoint, cx),
            Stage::Open(link) => link.write(&mut self.endpoint, cx),
            Stage::Ended => {}
        }
    }

    /// Whether messages are accepted (if there is room): the connection is OPEN.
    #[inline]
    pub fn may_put(&self) -> bool {
        self.link().is_some_and(Link::may_put)
    }

    /// Whether the outbound queue has room for one more message. An empty queue accepts any size.
    #[inline]
    pub fn has_room(&self, len: usize) -> bool {
        self.link().is_none_or(|link| link.has_room(&self.endpoint, len))
    }

    /// As `has_room`, but leaves half of the queue's limits to others.
    pub fn has_room_beside(&self, len: usize) -> bool {
        self.link().is_none_or(|link| link.has_room_beside(&self.endpoint, len))
    }

    /// Whether a message of this length is compressed.
    pub fn compresses(&self, len: usize) -> bool {
        self.link().is_some_and(|link| link.compresses(&self.endpoint, len))
    }

    /// State of permessage-deflate; `None`: not negotiated.
    pub fn compression(&self) -> Option<&Compression> {
        self.link().and_then(Link::compression)
    }

    /// Whether messages wait to be compressed or encoded.
    pub fn is_waiting(&self) -> bool {
        self.link().is_some_and(Link::is_waiting)
    }

    /// Whether there is work to encode or write that no readiness event will announce.
    pub fn can_send_on(&self) -> bool {
        match &self.stage {
            Stage::Opening(opening) => opening.can_send_on(),
            Stage::Open(link) => link.can_send_on(),
            Stage::Ended => false,
        }
    }

    /// Whether the next flush or poll must write because no readiness event will request it. `tried`: writing has been
    /// attempted.
    #[inline]
    pub fn needs_flush(&self, tried: bool) -> bool {
        self.link().is_some_and(|link| link.needs_flush(&self.endpoint, tried))
    }

    /// Whether writing has failed and the connection is about to end. No readiness event announces this.
    pub fn has_failed(&self) -> bool {
        match &self.stage {
            Stage::Opening(opening) => opening.has_failed(),
            Stage::Open(link) => link.has_failed(),
            Stage::Ended => false,
        }
    }

    /// Whether bytes or messages are queued for sending.
    #[inline]
    pub fn has_output(&self) -> bool {
        self.queued_bytes() > 0
    }

    /// Bytes that the system has not taken, including bytes inside TLS and messages to be encoded.
    #[inline]
    pub fn queued_bytes(&self) -> usize {
        match &self.stage {
            Stage::Opening(opening) => opening.queued_bytes(),
            Stage::Open(link) => link.queued_bytes(),
            Stage::Ended => 0,
        }
    }

    /// Number of messages that the system has not taken completely, without those that wait for OPEN.
    #[inline]
    pub fn queued_messages(&self) -> usize {
        self.link().map_or(0, Link::queued_messages)
    }

    /// Number and bytes of the messages that wait for OPEN.
    pub fn early(&self) -> (usize, usize) {
        match &self.stage {
            Stage::Opening(opening) => opening.early(),
            _ => (0, 0),
        }
    }

    /// Compression contexts of queued messages that are shared with other connections: an id of each, and its heap
    /// bytes.
    pub fn shared_contexts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.link().into_iter().flat_map(Link::shared_contexts)
    }

    fn on_link<R>(&mut self, without: R, body: impl FnOnce(&mut Link, &mut Endpoint) -> R) -> R {
        match &mut self.stage {
            Stage::Open(link) => body(link, &mut self.endpoint),
            _ => without,
        }
    }
}

/// Receiving, and queries.
impl Connection {
    /// The state (RFC 6455).
    #[inline]
    pub fn state(&self) -> State {
        match &self.stage {
            Stage::Open(link) if !link.is_closing() => State::Open,
            Stage::Open(_) => State::Closing,
            Stage::Opening(opening) if opening.is_ending() => State::Closing,
            Stage::Opening(_) => State::Connecting,
            Stage::Ended => State::Closed,
        }
    }

    /// The phase that the connection has reached.
    pub fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Opening(opening) => opening.phase(),
            _ => Phase::Websocket,
        }
    }

    /// Takes the next message and skips events.
    #[inline]
    pub fn take_message(&mut self) -> Option<Message> {
        self.endpoint.inbox.take_message()
    }

    /// Takes the next message or event, in order.
    pub fn take_item(&mut self) -> Option<Item> {
        self.endpoint.inbox.take_item()
    }

    /// Copies messages that are still in the arena into storage of this connection, at the start of a poll.
    pub fn settle(&mut self, arena: &Arena) {
        self.endpoint.settle(arena);
    }

    /// Whether the inbound queue has reached a limit.
    pub fn is_full(&self) -> bool {
        self.endpoint.is_full()
    }

    /// Whether reading is paused because the inbound queue is full.
    pub fn reading_rests(&self) -> bool {
        self.link().is_some_and(|link| link.reading_rests(&self.endpoint))
    }

    /// Whether a poll can make progress without a readiness event.
    pub fn has_backlog(&self) -> bool {
        match &self.stage {
            Stage::Opening(opening) => opening.can_send_on(),
            Stage::Open(link) => link.has_backlog(&self.endpoint),
            Stage::Ended => false,
        }
    }

    /// Whether a poll would read from the socket.
    pub fn wants_input(&self) -> bool {
        match &self.stage {
            Stage::Opening(opening) => opening.wants_input(),
            Stage::Open(link) => link.wants_input(&self.endpoint),
            Stage::Ended => false,
        }
    }

    /// The counters as ws_get_stats reports them.
    pub fn totals(&self) -> Counters {
        self.endpoint.totals()
    }

    /// Bytes kept outside the queues: incomplete messages, bytes read but not decoded, texts of events.
    pub fn kept_bytes(&self) -> usize {
        self.unfinished_bytes() + self.endpoint.kept_bytes()
    }

    /// Whether the connection holds so much memory that the worker should free it.
    pub fn is_large(&self) -> bool {
        let Endpoint { inbox, loan, .. } = &self.endpoint;
        self.queued_bytes() + self.unfinished_bytes() + self.early().1 + inbox.bytes() as usize + loan.bytes() > MUCH
    }

    fn unfinished_bytes(&self) -> usize {
        match &self.stage {
            Stage::Opening(opening) => opening.unfinished_bytes(),
            Stage::Open(link) => link.unfinished_bytes(),
            Stage::Ended => 0,
        }
    }

    #[inline]
    fn link(&self) -> Option<&Link> {
        match &self.stage {
            Stage::Open(link) => Some(link),
            _ => None,
        }
    }
}

/// The end of a connection without close frames.
fn failed(failure: Failure) -> End {
    End { failure, clean: false, code: 1006, reason: String::new(), unsent: 0 }
}
