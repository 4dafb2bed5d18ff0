//! One open connection (RFC 6455 sections 5 to 7): a byte stream and the frames on it. It fills the queue of its endpoint, and
//! what else changed waits in `Changes` for the connection above.

mod backlog;
mod close;
mod compression;
mod heartbeat;
mod message_heartbeat;
mod outbox;
mod outgoing;
mod pong;
mod rate;
mod receive;
mod send;
mod slices;

pub use close::{End, check_close};
pub use compression::Compression;
pub use outbox::{Outbox, Wrote};
pub use outgoing::{Outgoing, Payload, SharedMessage, Waiting};
pub use send::Sent;
pub use slices::{at_once_bytes, slice_bytes};

use crate::codes::WS_OPT_COALESCE;
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::heap::Discarded;
use crate::net::Stream;
use crate::protocol::{Decoder, DeflateParams, MaskKeys, Role};
use crate::work::{Cx, LONG_GAP};
use backlog::Backlog;
use close::Closing;
use heartbeat::Heartbeat;
use message_heartbeat::MessageHeartbeat;
use pong::Pongs;
use rate::Rate;
use std::time::{Duration, Instant};

/// A connection from OPEN on.
pub struct Link {
    /// Which end this is.
    role: Role,
    /// `None` once the link has ended.
    stream: Option<Stream>,

    // Receiving.
    decoder: Decoder,
    /// Read and not decoded: the budget ended.
    backlog: Backlog,
    /// Read size is `ROUND_BYTES >> narrow`: small where frames are small, as what a slice of the budget does not decode is copied.
    narrow: u8,
    /// The last message was longer than a read: the next may be.
    expects_long: bool,
    /// A short read is not the last one: the peer has ended its direction, or sent out-of-band bytes, at which a read stops.
    reads_on: bool,
    /// Bytes read while the inbound queue was full.
    over_full: u32,
    /// For the rate limits, where there are any.
    rate: Option<Box<Rate>>,

    // Sending.
    keys: MaskKeys,
    outbox: Outbox,
    /// Messages to be encoded, before `outbox` takes them. While there are any, all messages wait here. `None`: there are none.
    waiting: Option<Box<Waiting>>,
    /// Writing ended with the budget while the transport took more.
    writes_on: bool,
    /// Why writing failed. What had arrived is read before the link ends.
    write_failure: Option<Box<Failure>>,
    /// Answers to pings.
    pongs: Pongs,

    /// permessage-deflate (RFC 7692), where it was agreed on.
    compression: Option<Box<Compression>>,
    heartbeat: Heartbeat,
    /// The heartbeat by messages, where it was asked for.
    message_heartbeat: Option<Box<MessageHeartbeat>>,
    closing: Option<Box<Closing>>,
    /// `None`: nothing.
    changes: Option<Box<Changes>>,
}

/// What happened on a link that its queue does not show, until the connection above takes it.
#[derive(Default)]
pub struct Changes {
    /// The closing handshake has begun.
    pub closing: bool,
    /// The peer's close frame has come before ours was sent: its code, or 1005, and its reason.
    pub close_request: Option<Box<(u16, String)>>,
    /// The link is over.
    pub end: Option<Box<End>>,
}

/// What an opening hands to the link that it made.
pub struct Parts {
    /// Which end this is.
    pub role: Role,
    /// The transport.
    pub stream: Stream,
    /// Bytes of the opening handshake that have not left.
    pub outbox: Outbox,
    /// Bytes that came behind the opening handshake.
    pub received: Vec<u8>,
    /// Messages that were put before OPEN.
    pub early: Waiting,
    /// As agreed, with the level of compression.
    pub deflate: Option<(DeflateParams, u8)>,
    /// As `Link::reads_on`.
    pub reads_on: bool,
}

impl Discarded for Link {
    fn empty(&mut self, keep: &mut usize) {
        let Link { waiting, compression, decoder, outbox, backlog, .. } = self;
        waiting.empty(keep);
        compression.empty(keep);
        decoder.empty(keep);
        outbox.empty(keep);
        backlog.empty(keep);
    }
}

impl Link {
    /// A link on an open transport.
    pub fn new(parts: Parts, now: Instant) -> Link {
        let Parts { role, stream, outbox, received, early, deflate, reads_on } = parts;
        let mut decoder = Decoder::new(role);
        // From here on RSV1 means a compressed message, if that was agreed on.
        decoder.rsv1_allowed = deflate.is_some();
        let mut backlog = Backlog::default();
        if !received.is_empty() {
            backlog.put_back(&received);
        }
        Link {
            role,
            stream: Some(stream),
            decoder,
            backlog,
            narrow: 0,
            expects_long: false,
            reads_on,
            over_full: 0,
            rate: None,
            keys: MaskKeys::new(),
            outbox,
            waiting: Some(Box::new(early)).filter(|early| !early.is_empty()),
            writes_on: false,
            write_failure: None,
            pongs: Pongs::default(),
            compression: deflate.map(|(params, level)| Box::new(Compression::new(role, &params, level))),
            heartbeat: Heartbeat::new(now),
            message_heartbeat: None,
            closing: None,
            changes: None,
        }
    }

    /// What happened since the last call; `None`: nothing.
    pub fn take_changes(&mut self) -> Option<Box<Changes>> {
        self.changes.take()
    }

    /// Whether `take_changes` has something.
    #[inline]
    pub fn has_changes(&self) -> bool {
        self.changes.is_some()
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.stream.is_none()
    }

    /// Whether the closing handshake has begun, or the link fails.
    #[inline]
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What was agreed on for compression.
    pub fn compression(&self) -> Option<&Compression> {
        self.compression.as_deref()
    }

    /// Writes for part of the budget, then reads and answers. True: there is more to read and the budget or the round ended.
    pub fn pump(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        if self.has_output() {
            self.write_some(endpoint, cx);
        }
        let more = self.read(endpoint, cx);
        endpoint.drop_refused(cx);
        self.answer_last_ping();
        if self.message_heartbeat.is_some() {
            self.send_due_beat();
        }
        // Where the time was over before, writing goes on in the next poll.
        if self.has_output() && !(self.writes_on && cx.budget.look()) {
            self.write(endpoint, cx);
        }
        if self.closing.is_some() {
            self.finish_close(endpoint, cx);
        }
        more
    }

    /// Checks the timers, after `pump`, so that what had arrived counts. Returns when to check next.
    #[inline]
    pub fn check_timers(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        if self.closing.is_some() {
            return self.check_close_timeout(endpoint, cx);
        }
        let answer = if self.message_heartbeat.is_some() { self.check_announcement(endpoint, cx) } else { None };
        self.check_heartbeat(endpoint, cx).into_iter().chain(answer).min()
    }

    /// Checks, where there is more to read, only a close that is long overdue: a peer that sends without end is not kept for ever.
    pub fn check_overdue_close(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if self.close_deadline().is_some_and(|deadline| cx.now >= deadline + LONG_GAP) {
            self.check_close_timeout(endpoint, cx);
        }
    }

    /// Moves every deadline by a gap in polling.
    pub fn shift(&mut self, endpoint: &Endpoint, gap: Duration) {
        self.heartbeat.shift(gap);
        if let Some(heartbeat) = &mut self.message_heartbeat {
            heartbeat.shift(gap);
        }
        if endpoint.rate_limits().is_some() {
            self.rate.get_or_insert_with(|| Box::new(Rate::new(endpoint.received()))).shift(gap);
        }
        if let Some(closing) = &mut self.closing {
            closing.shift(gap);
        }
    }

    /// The stream, to be given up elsewhere.
    pub fn take_stream(&mut self) -> Option<Stream> {
        self.stream.take()
    }

    /// The stream, to register it for readiness.
    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        self.stream.as_mut()
    }

    /// From here on reading goes on until nothing comes: a short read is not the last.
    pub fn read_on(&mut self) {
        self.reads_on = true;
        if let Some(stream) = &mut self.stream {
            stream.read_on();
        }
    }

    /// Whether bytes or messages wait to be written.
    #[inline]
    pub fn has_output(&self) -> bool {
        self.queued_bytes() > 0
    }

    /// Whether the next flush or poll has to write, as no event of the system's will ask for it. `tried`: writing was tried.
    #[inline]
    pub fn needs_flush(&self, endpoint: &Endpoint, tried: bool) -> bool {
        let failed = self.write_failure.is_some();
        failed || (self.has_output() && (!tried || endpoint.options.is_on(WS_OPT_COALESCE) || self.can_send_on()))
    }

    /// Bytes that have not left, those inside TLS and those to be encoded included.
    #[inline]
    pub fn queued_bytes(&self) -> usize {
        self.outbox.bytes() + self.waiting.as_ref().map_or(0, |waiting| waiting.bytes())
    }

    /// Messages that have not left.
    #[inline]
    pub fn queued_messages(&self) -> usize {
        self.outbox.messages() + self.waiting.as_ref().map_or(0, |waiting| waiting.len())
    }

    /// Bytes held beside the queues: messages that have not come whole, and what was read and not decoded.
    pub fn unfinished_bytes(&self) -> usize {
        let inflating = self.compression.as_ref().map_or(0, |compression| compression.message_bytes());
        self.decoder.heap_bytes() + inflating + self.backlog.heap_bytes()
    }

    /// The compression contexts of waiting messages that other connections send too: which, and bytes of heap.
    pub fn shared_contexts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.waiting.iter().flat_map(|waiting| waiting.shared_contexts())
    }

    /// Gives memory back that an idle link does not need.
    pub fn shrink(&mut self) {
        self.decoder.shrink();
        self.outbox.shrink();
        if let Some(compression) = &mut self.compression {
            compression.shrink(self.waiting.is_none());
        }
        self.backlog.shrink();
    }
}
