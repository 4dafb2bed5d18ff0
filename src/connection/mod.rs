//! One WebSocket connection: CONNECTING, OPEN, CLOSING, CLOSED (RFC 6455). It has an endpoint, which persists, and an
//! opening or a link until it has ended.

mod close;
mod retry;
mod send;
mod session;
mod sim;
mod spare;
mod streaming;

pub use retry::{LONGEST_WAIT, Retry};
pub use spare::Spare;

use crate::endpoint::{Asked, Counters, Endpoint, Item, Mark, Message, Options};
use crate::heap::Discarded;
use crate::journal;
use crate::link::{End, Link};
use crate::net::{Dial, Services, Stream};
use crate::opening::{Opened, Opening, Progress, Recipe, Rest};
use crate::protocol::{Accept, Agreement, Refusal, Reply, Request, RequestSpec, ServerHandshake};
use crate::status::{EventKind, Level, Phase, State};
use crate::work::{Arena, Cx, is_much};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A WebSocket connection.
pub struct Connection {
    /// The part that the host sees.
    pub endpoint: Endpoint,
    stage: Stage,
    changed: Changed,
    reconnects: Reconnects,
}

/// Whether a connection is opened anew when its link is lost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reconnects {
    /// It ends.
    No,
    /// It is, and so is its first opening.
    Yes,
    /// Its link has been lost, and the next one is not open yet.
    Lost,
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
    /// Its last event has been queued, although its link is still being closed: see `Connection::is_leaving`.
    pub left: bool,
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
        let endpoint = Endpoint::new(options);
        let session = recipe.new_session(&endpoint);
        Connection::new(endpoint, Opening::dial(services, recipe, session, now))
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

    /// Server: on an open transport. With `accept` it answers the request itself; otherwise its owner calls `decide`, or
    /// `respond` for a plain one.
    pub fn answer_on(
        stream: Stream,
        accept: Option<Arc<Accept>>,
        handshake: ServerHandshake,
        options: Arc<Options>,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Connection {
        let mut endpoint = Endpoint::new(options);
        let opening = Opening::answer_on(&mut endpoint, stream, accept, handshake, timeout, queue_before_open, now);
        Connection::new(endpoint, opening)
    }

    fn new(endpoint: Endpoint, opening: Opening) -> Connection {
        let stage = Stage::Opening(Box::new(opening));
        Connection { endpoint, stage, changed: Changed::default(), reconnects: Reconnects::No }
    }

    /// From now on it is opened anew when its link is lost; see `Retry`.
    pub fn reconnect(&mut self) {
        self.reconnects = Reconnects::Yes;
    }

    /// Whether it waits for its next try, or for the decision when that begins.
    pub fn is_resting(&self) -> bool {
        self.rest().is_some()
    }

    /// Whether it waits for that decision, which its next poll makes.
    pub fn has_lost(&self) -> bool {
        self.rest().is_some_and(|rest| rest.until.is_none())
    }

    /// To the program the link that was lost had not opened.
    pub fn forget_loss(&mut self) {
        if let Stage::Opening(opening) = &mut self.stage {
            opening.forget_loss();
        }
    }

    fn rest(&self) -> Option<&Rest> {
        match &self.stage {
            Stage::Opening(opening) => opening.rest(),
            _ => None,
        }
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

    /// Leaves that request to the program, and reports it. Returns whether it opens a WebSocket.
    pub fn ask(&mut self, cx: &Cx<'_>) -> bool {
        let Stage::Opening(opening) = &mut self.stage else { return false };
        let Some((opens, body)) = opening.ask(&mut self.endpoint, cx.now) else { return false };
        self.endpoint.asked = if opens { Asked::Seat } else { Asked::Request };
        let mut mark = Mark { count: u64::from(opens), ..Mark::new(EventKind::Request, cx.time_ns()) };
        mark.set_body(body);
        self.endpoint.inbox.push_mark(mark);
        opens
    }

    /// Whether the program has to decide on a request.
    pub fn is_asked(&self) -> bool {
        matches!(&self.stage, Stage::Opening(opening) if opening.is_asked())
    }

    /// Answers that request with a response, after which the connection ends or, with `keep_alive`, can go on: see
    /// `Opening::respond`. False: there is no memory for it.
    pub fn respond(&mut self, cx: &mut Cx<'_>, response: &Reply, keep_alive: bool) -> bool {
        let Stage::Opening(opening) = &mut self.stage else { return false };
        let done = opening.respond(&mut self.endpoint, cx.now, response, keep_alive);
        self.advance(cx, Progress::Pending { more: false });
        done
    }

    /// Refuses a client before its request has arrived.
    pub fn refuse_request(&mut self, cx: &mut Cx<'_>, refusal: &Refusal) {
        if let Stage::Opening(opening) = &mut self.stage {
            let progress = opening.refuse_request(&mut self.endpoint, cx, refusal);
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

    /// Whether an opening has looked up the name of its server, and a poll would go on.
    pub fn has_names(&self) -> bool {
        matches!(&self.stage, Stage::Opening(opening) if opening.has_names())
    }

    /// Applies the progress of an opening. True: the budget was exhausted before all bytes had been read.
    fn advance(&mut self, cx: &mut Cx<'_>, progress: Progress) -> bool {
        match progress {
            Progress::Pending { more } => {
                self.changed.closing |= matches!(&self.stage, Stage::Opening(opening) if opening.is_ending());
                return more;
            }
            Progress::Opened(opened) => self.open(cx, *opened),
            Progress::Failed(failure) => self.end(cx, End::broken(failure)),
            Progress::Ended(end) => self.end(cx, *end),
        }
        false
    }

    fn open(&mut self, cx: &mut Cx<'_>, opened: Opened) {
        let Opened { mut link, early, place, resumed, without } = opened;
        let pending = match &mut self.stage {
            Stage::Opening(opening) => opening.take_pending_close(),
            Stage::Open(_) | Stage::Ended => None,
        };
        link.take_early(early);
        self.simulate_opened(&mut link);
        self.stage = Stage::Open(link);
        if self.reconnects == Reconnects::Lost {
            self.reconnects = Reconnects::Yes;
        }
        match resumed {
            Some(again) => self.report_resumed(cx, again, place),
            None => {
                self.changed.opened = true;
                let kind = if self.endpoint.of_server { EventKind::Connected } else { EventKind::Open };
                self.endpoint.report_at(cx, kind, place);
                journal::note(Level::Info, || format!("{} is open", self.endpoint.info.shown_url()));
            }
        }
        if let Some((why, renews)) = without {
            self.go_without_session(cx, why, renews);
        }
        if let Stage::Open(link) = &self.stage
            && self.endpoint.owed_writable().is_some()
        {
            // Of an earlier link. This one may write nothing by itself that shows the room.
            link.check_writable(&mut self.endpoint, cx);
        }
        self.go_on_closing(cx, pending);
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
            if more {
                return true;
            }
        }
        let link = match &mut self.stage {
            Stage::Open(link) => link,
            Stage::Opening(opening) => match opening.greeting_link() {
                Some(link) => link,
                None => return false,
            },
            Stage::Ended => return false,
        };
        let more = link.pump(&mut self.endpoint, cx);
        if matches!(self.stage, Stage::Opening(_)) {
            return self.greet(cx, more);
        }
        self.take_changes(cx);
        more
    }

    /// After the link of an opening was polled, which agrees on a session.
    #[cold]
    fn greet(&mut self, cx: &mut Cx<'_>, more: bool) -> bool {
        let Stage::Opening(opening) = &mut self.stage else { return more };
        let progress = opening.greet(&mut self.endpoint, cx, more);
        let goes_on = self.advance(cx, progress);
        if let Stage::Open(link) = &mut self.stage {
            // What waits for the session leaves now.
            link.write(&mut self.endpoint, cx);
            self.take_changes(cx);
            return more;
        }
        goes_on
    }

    /// Checks the timers. Called after `pump`, so that bytes that have arrived count. `read_all`: there is no more to
    /// read; otherwise only a long overdue close is checked. Returns when to check next.
    #[inline]
    pub fn check_timers(&mut self, cx: &mut Cx<'_>, read_all: bool) -> Option<Instant> {
        match &mut self.stage {
            Stage::Opening(opening) => match opening.check_timers(&mut self.endpoint, cx, read_all) {
                Ok(next) => next,
                Err(end) => {
                    self.end(cx, *end);
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
            Stage::Opening(opening) => opening.shift(&self.endpoint, gap),
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
        self.endpoint.loan.shrink();
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

/// Receiving, and queries.
impl Connection {
    /// The state (RFC 6455).
    #[inline]
    pub fn state(&self) -> State {
        match &self.stage {
            Stage::Open(link) if !link.is_closing() => State::Open,
            Stage::Open(_) | Stage::Opening(_) if self.endpoint.inbox.has_ended() => State::Closed,
            Stage::Open(_) => State::Closing,
            Stage::Opening(opening) if opening.has_pending_close() => State::Closing,
            Stage::Opening(_) if self.reconnects == Reconnects::Lost => State::Lost,
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
    pub fn leave_arena(&mut self, arena: &Arena) {
        self.endpoint.leave_arena(arena);
    }

    /// Whether the inbound queue has reached a limit.
    pub fn is_full(&self) -> bool {
        self.endpoint.is_full()
    }

    /// Whether reading is paused because the inbound queue is full.
    pub fn is_reading_paused(&self) -> bool {
        self.link().is_some_and(|link| link.is_reading_paused(&self.endpoint))
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
            Stage::Opening(opening) => opening.wants_input(&self.endpoint),
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
        is_much(self.queued_bytes() + self.unfinished_bytes() + self.early().1 + inbox.bytes() as usize + loan.bytes())
    }

    /// Whether messages to it may make it hold much.
    #[inline]
    pub fn may_hold(&self) -> bool {
        match &self.stage {
            Stage::Open(link) => link.may_hold(),
            _ => true,
        }
    }

    /// Whether it holds next to nothing: `held_bytes` would be below 4 KiB.
    #[inline]
    pub fn is_light(&self) -> bool {
        match &self.stage {
            Stage::Open(link) => link.is_light() && self.endpoint.inbox.is_light(),
            _ => false,
        }
    }

    /// Bytes that the connection makes this end hold: messages and events that wait for the program, what is incomplete,
    /// to be sent or not acknowledged, compression contexts, and what a simulated line holds.
    pub fn held_bytes(&self) -> u64 {
        /// What a queued message or event counts beside its bytes.
        const ITEM: u64 = 64;
        let inbox = &self.endpoint.inbox;
        let waiting = inbox.bytes() + ITEM * (inbox.counted() + inbox.marks()) as u64;
        let unfinished = self.link().map_or_else(|| self.unfinished_bytes(), Link::used_bytes);
        let moving = (unfinished + self.queued_bytes() - self.shared_bytes()) as u64;
        waiting + moving + if self.has_rare() { self.rare_bytes() } else { 0 }
    }

    fn rare_bytes(&self) -> u64 {
        let [_, kept] = self.unacknowledged();
        let deflate = self.compression().map_or(0, |compression| compression.heap_bytes());
        let line = self.link().map_or(0, Link::line_bytes);
        kept + line + (deflate + self.early().1) as u64
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
