//! One open connection (RFC 6455 sections 5 to 7): a byte stream and the frames on it. It fills the inbound queue of
//! its endpoint; other changes are kept in `Changes` for the connection above.

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

/// A WebSocket connection, from OPEN on. Its fields stay in one struct, grouped by direction: decoding queues answers, and
/// sending decides when the link closes.
pub struct Link {
    /// Client or server.
    role: Role,
    /// `None` once the link has ended.
    stream: Option<Stream>,

    // Receiving.
    decoder: Decoder,
    /// Bytes read and not yet decoded, because the budget was exhausted.
    backlog: Backlog,
    /// Read size is `ROUND_BYTES >> narrow`. It shrinks when the budget ends before all bytes of a read are decoded,
    /// since the remaining bytes are copied.
    narrow: u8,
    /// The last assembled message was longer than `ROUND_BYTES`, so the next one may be too.
    expects_long: bool,
    /// A short read does not mean that the socket is empty: the peer has shut down its direction or sent out-of-band
    /// bytes, at which a read stops.
    reads_on: bool,
    /// Number of bytes read while the inbound queue was full.
    over_full: u32,
    /// State of the rate limits; `None`: none are set.
    rate: Option<Box<Rate>>,

    // Sending.
    keys: MaskKeys,
    outbox: Outbox,
    /// Messages to be encoded, after which `outbox` takes them. While there are any, every new message is queued here.
    /// `None`: there are none.
    waiting: Option<Box<Waiting>>,
    /// The last write stopped because the budget was exhausted; the transport may take more.
    writes_on: bool,
    /// Why writing failed. Bytes that have arrived are still read before the link ends.
    write_failure: Option<Box<Failure>>,
    /// State of answering pings.
    pongs: Pongs,

    /// permessage-deflate (RFC 7692); `None`: not negotiated.
    compression: Option<Box<Compression>>,
    heartbeat: Heartbeat,
    /// The application heartbeat; `None`: not requested.
    message_heartbeat: Option<Box<MessageHeartbeat>>,
    closing: Option<Box<Closing>>,
    /// Changes since the last `take_changes`; `None`: no change.
    changes: Option<Box<Changes>>,
}

/// Changes of a link that are not in the inbound queue, kept until the connection above takes them.
#[derive(Default)]
pub struct Changes {
    /// The closing handshake has begun.
    pub closing: bool,
    /// The peer's close frame arrived before ours was sent: its code (1005 if none) and its reason.
    pub close_request: Option<Box<(u16, String)>>,
    /// The link has ended.
    pub end: Option<Box<End>>,
}

/// Inputs for a new link, from the opening handshake.
pub struct Parts {
    /// Client or server.
    pub role: Role,
    /// The transport.
    pub stream: Stream,
    /// Outbound queue, with bytes of the opening handshake that have not been sent.
    pub outbox: Outbox,
    /// Bytes received after the opening handshake.
    pub received: Vec<u8>,
    /// Messages that the host sent before OPEN.
    pub early: Waiting,
    /// Negotiated parameters of permessage-deflate, and our compression level.
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
    /// Makes a link on an open transport.
    pub fn new(parts: Parts, now: Instant) -> Link {
        let Parts { role, stream, outbox, received, early, deflate, reads_on } = parts;
        let mut decoder = Decoder::new(role);
        // RSV1 is valid only if permessage-deflate was negotiated: it marks a compressed message (RFC 7692 section 6).
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

    /// Takes the changes since the last call; `None`: no change.
    pub fn take_changes(&mut self) -> Option<Box<Changes>> {
        self.changes.take()
    }

    /// Whether there are changes for `take_changes`.
    #[inline]
    pub fn has_changes(&self) -> bool {
        self.changes.is_some()
    }

    /// Whether the link has ended.
    pub fn is_over(&self) -> bool {
        self.stream.is_none()
    }

    /// Whether the closing handshake has begun, or the connection is being failed.
    #[inline]
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// State of permessage-deflate; `None`: not negotiated.
    pub fn compression(&self) -> Option<&Compression> {
        self.compression.as_deref()
    }

    /// Writes for part of the budget, then reads, decodes and answers. True: there may be more to read, and the budget
    /// or the round was exhausted.
    pub fn pump(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        if self.has_output() {
            self.write_some(endpoint, cx);
        }
        let more = self.read(endpoint, cx);
        endpoint.drop_refused(cx);
        self.answer_last_ping();
        if self.message_heartbeat.is_some() {
            self.send_due_heartbeat();
        }
        // If the earlier write ran out of budget and the budget is exhausted, the next poll continues writing.
        if self.has_output() && !(self.writes_on && cx.budget.is_spent()) {
            self.write(endpoint, cx);
        }
        if self.closing.is_some() {
            self.finish_close(endpoint, cx);
        }
        more
    }

    /// Checks the timers. Called after `pump`, so that bytes that have arrived count. Returns when to check next.
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

    /// Ends a close that is overdue by more than `LONG_GAP`. Called while there is more to read, so that a peer that
    /// never stops sending cannot keep the connection open.
    pub fn check_overdue_close(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if self.close_deadline().is_some_and(|deadline| cx.now >= deadline + LONG_GAP) {
            self.check_close_timeout(endpoint, cx);
        }
    }

    /// Moves every deadline by the length of a gap between polls.
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

    /// Takes the stream, for the caller to close.
    pub fn take_stream(&mut self) -> Option<Stream> {
        self.stream.take()
    }

    /// The stream, for registering it with the readiness queue.
    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        self.stream.as_mut()
    }

    /// From now on reading continues until the socket has no more bytes: a short read does not end it.
    pub fn read_on(&mut self) {
        self.reads_on = true;
        if let Some(stream) = &mut self.stream {
            stream.read_on();
        }
    }

    /// Whether bytes or messages are queued for sending.
    #[inline]
    pub fn has_output(&self) -> bool {
        self.queued_bytes() > 0
    }

    /// Whether the next flush or poll must write because no readiness event will request it. `tried`: writing has been
    /// attempted.
    #[inline]
    pub fn needs_flush(&self, endpoint: &Endpoint, tried: bool) -> bool {
        let failed = self.write_failure.is_some();
        failed || (self.has_output() && (!tried || endpoint.options.is_on(WS_OPT_COALESCE) || self.can_send_on()))
    }

    /// Bytes that the system has not taken, including bytes inside TLS and messages to be encoded.
    #[inline]
    pub fn queued_bytes(&self) -> usize {
        self.outbox.bytes() + self.waiting.as_ref().map_or(0, |waiting| waiting.bytes())
    }

    /// Number of messages that the system has not taken completely.
    #[inline]
    pub fn queued_messages(&self) -> usize {
        self.outbox.messages() + self.waiting.as_ref().map_or(0, |waiting| waiting.len())
    }

    /// Heap bytes outside the queues: incomplete messages, and bytes read but not decoded.
    pub fn unfinished_bytes(&self) -> usize {
        let inflating = self.compression.as_ref().map_or(0, |compression| compression.message_bytes());
        self.decoder.heap_bytes() + inflating + self.backlog.heap_bytes()
    }

    /// Compression contexts of queued messages that are shared with other connections: an id of each, and its heap
    /// bytes.
    pub fn shared_contexts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.waiting.iter().flat_map(|waiting| waiting.shared_contexts())
    }

    /// Frees memory that an idle link does not need.
    pub fn shrink(&mut self) {
        self.decoder.shrink();
        self.outbox.shrink();
        if let Some(compression) = &mut self.compression {
            compression.shrink(self.waiting.is_none());
        }
        self.backlog.shrink();
    }
}
