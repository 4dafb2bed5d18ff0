//! One open connection (RFC 6455 sections 5 to 7): a byte stream and the frames on it. It fills the inbound queue of
//! its endpoint; other changes are kept in `Changes` for the connection above.

mod backlog;
mod channel;
mod close;
mod compression;
mod heartbeat;
mod latest;
mod outbox;
mod outgoing;
mod pong;
mod rare;
mod rate;
mod receive;
mod send;
mod session;
mod sim;
mod slices;

pub use channel::{Away, Claim, Greeted, report_no_session};
pub use close::{End, PendingClose, check_close};
pub use compression::Compression;
pub use outbox::{Outbox, Wrote};
pub use outgoing::{Outgoing, SharedMessage, Waiting};
pub use send::Sent;
pub use slices::{at_once_bytes, slice_bytes};

use crate::codes::WS_OPT_COALESCE;
use crate::endpoint::Endpoint;
use crate::heap::Discarded;
use crate::net::Stream;
use crate::protocol::{Decoder, DeflateParams, MaskKeys, Role};
use crate::work::{Cx, LONG_GAP};
use heartbeat::Heartbeat;
use rare::Rare;
use rate::Rate;
use std::time::{Duration, Instant};

/// A WebSocket connection, from OPEN on. What every link needs is here, grouped by direction; the rest is in `rare`.
pub struct Link {
    /// Client or server.
    role: Role,
    /// `None` once the link has ended.
    stream: Option<Stream>,

    // Receiving.
    decoder: Decoder,
    /// Read size is `READ_BYTES >> narrow`. It shrinks when the budget ends before all bytes of a read are decoded,
    /// since the remaining bytes are copied.
    narrow: u8,
    /// The last assembled message was longer than `READ_BYTES`, so the next one may be too.
    expects_long: bool,
    /// A short read does not mean that the socket is empty: the peer has shut down its direction or sent out-of-band
    /// bytes, at which a read stops.
    reads_on: bool,
    /// Number of bytes read while the inbound queue was full.
    over_full: u32,

    // Sending.
    keys: MaskKeys,
    outbox: Outbox,
    /// The last write stopped because the budget was exhausted; the transport may take more.
    writes_on: bool,

    heartbeat: Heartbeat,
    rare: Rare,
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
    /// Negotiated parameters of permessage-deflate, and our compression level.
    pub deflate: Option<(DeflateParams, u8)>,
    /// As `Link::reads_on`.
    pub reads_on: bool,
}

impl Discarded for Link {
    fn empty(&mut self, keep: &mut usize) {
        self.decoder.empty(keep);
        self.outbox.empty(keep);
        if let Some(rare) = self.rare.get_mut() {
            rare.waiting.empty(keep);
            rare.session.empty(keep);
            rare.compression.empty(keep);
            rare.backlog.empty(keep);
        }
    }
}

impl Link {
    /// Makes a link on an open transport.
    pub fn new(parts: Parts, now: Instant) -> Link {
        let Parts { role, stream, outbox, received, deflate, reads_on } = parts;
        let mut decoder = Decoder::new(role);
        // RSV1 is valid only if permessage-deflate was negotiated: it marks a compressed message (RFC 7692 section 6).
        decoder.rsv1_allowed = deflate.is_some();
        let mut rare = Rare::default();
        if !received.is_empty() {
            rare.state().backlog.put_back(&received);
        }
        if let Some((params, level)) = deflate {
            rare.state().compression = Some(Box::new(Compression::new(role, &params, level)));
        }
        Link {
            role,
            stream: Some(stream),
            decoder,
            narrow: 0,
            expects_long: false,
            reads_on,
            over_full: 0,
            keys: MaskKeys::new(),
            outbox,
            writes_on: false,
            heartbeat: Heartbeat::new(now),
            rare,
        }
    }

    /// Takes the messages that the host sent before OPEN, into the session if the link has one.
    pub fn take_early(&mut self, early: Waiting) {
        if early.is_empty() {
            return;
        }
        match self.rare.get_mut().and_then(|rare| rare.session.take()) {
            None => self.rare.state().waiting = Some(Box::new(early)),
            Some(session) => {
                let session = self.rare.state().session.insert(session);
                let kept = early.into_early().all(|(key, text, payload)| match key {
                    Some(key) => session.keep_latest(key, text, payload),
                    None => session.keep_shared(text, payload),
                });
                if !kept {
                    self.memory_failed();
                }
            }
        }
    }

    /// Takes the changes since the last call; `None`: no change.
    pub fn take_changes(&mut self) -> Option<Box<Changes>> {
        self.rare.state().changes.take()
    }

    /// Whether there are changes for `take_changes`.
    #[inline]
    pub fn has_changes(&self) -> bool {
        self.rare.changes().is_some()
    }

    /// Whether the link has ended.
    pub fn is_over(&self) -> bool {
        self.stream.is_none()
    }

    /// Whether the closing handshake has begun, or the connection is being failed.
    #[inline]
    pub fn is_closing(&self) -> bool {
        self.rare.closing().is_some()
    }

    /// State of permessage-deflate; `None`: not negotiated.
    pub fn compression(&self) -> Option<&Compression> {
        self.rare.compression()
    }

    /// Writes for part of the budget, then reads, decodes and answers. True: there may be more to read, and the budget
    /// or the round was exhausted.
    #[inline]
    pub fn pump(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        if self.has_output() {
            self.write_some(endpoint, cx);
        }
        let more = self.read(endpoint, cx);
        endpoint.drop_refused(cx);
        if self.rare.pongs().is_some() {
            self.answer_last_ping();
        }
        if self.rare.channel().is_some() {
            self.send_due_control();
        }
        if self.rare.session().is_some() {
            self.tend_session(endpoint, cx);
        }
        // If the earlier write ran out of budget and the budget is exhausted, the next poll continues writing.
        if self.has_output() && !(self.writes_on && cx.budget.is_spent()) {
            self.write(endpoint, cx);
        }
        if self.rare.closing().is_some() {
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
        if self.rare.may_have_timers() {
            return self.check_rare_timers(endpoint, cx);
        }
        self.check_heartbeat(endpoint, cx)
    }

    #[inline(never)]
    fn check_rare_timers(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        if self.rare.closing().is_some() {
            return self.check_close_timeout(endpoint, cx);
        }
        let answer = if self.rare.channel().is_some() { self.check_announcement(endpoint, cx) } else { None };
        let ack = if self.rare.session().is_some() { self.check_ack(endpoint, cx) } else { None };
        let pace = self.check_pace(endpoint, cx);
        let probe = if self.rare.probed().is_some() { self.check_probe(endpoint, cx) } else { None };
        if self.is_over() {
            return None;
        }
        self.check_heartbeat(endpoint, cx).into_iter().chain(answer).chain(ack).chain(pace).chain(probe).min()
    }

    /// When its timers have to be checked, if that is earlier than they said: its close times out, or an acknowledgement
    /// is due.
    #[inline]
    pub fn due_at(&self) -> Option<Instant> {
        if self.rare.may_have_timers() {
            self.close_deadline().into_iter().chain(self.ack_at()).chain(self.pace_at()).min()
        } else {
            None
        }
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
        if let Some(rare) = self.rare.get_mut() {
            if let Some(channel) = &mut rare.channel {
                channel.shift(gap);
            }
            if let Some(session) = &mut rare.session {
                session.shift(gap);
            }
            rare.probed = rare.probed.map(|probed| probed.after(gap));
        }
        if endpoint.rate_limits().is_some() {
            self.rare.state().rate.get_or_insert_with(|| Box::new(Rate::new(endpoint.received()))).shift(gap);
        }
        if let Some(closing) = self.rare.get_mut().and_then(|rare| rare.closing.as_mut()) {
            closing.shift(gap);
        }
    }

    /// Takes the stream, for the caller to close.
    pub fn take_stream(&mut self) -> Option<Stream> {
        self.stream.take().map(|stream| stream.without_sim(true))
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
    #[inline(always)]
    pub fn needs_flush(&self, endpoint: &Endpoint, tried: bool) -> bool {
        let failed = self.rare.write_failure().is_some();
        failed || (self.has_output() && (!tried || endpoint.options.is_on(WS_OPT_COALESCE) || self.can_send_on()))
    }

    /// Bytes that the system has not taken, including bytes inside TLS and messages to be encoded.
    #[inline]
    pub fn queued_bytes(&self) -> usize {
        self.outbox.bytes() + self.rare.unencoded().1
    }

    /// Number of messages that the system has not taken completely.
    #[inline]
    pub fn queued_messages(&self) -> usize {
        self.outbox.messages() + self.rare.unencoded().0
    }

    /// Whether little is queued, nothing incomplete, and no state kept that most links lack.
    #[inline]
    pub fn is_light(&self) -> bool {
        !self.may_hold() && self.decoder.used_bytes() == 0
    }

    /// Whether much may be queued, or there is state that most links lack.
    #[inline]
    pub fn may_hold(&self) -> bool {
        self.has_rare() || self.outbox.bytes() >= 2_560
    }

    /// Whether it has state that most links lack.
    #[inline]
    pub fn has_rare(&self) -> bool {
        self.rare.may_have_timers() || matches!(self.stream, Some(Stream::Simulated(_)))
    }

    /// Bytes that a simulated line holds, with what each packet counts beside its bytes.
    pub fn line_bytes(&self) -> u64 {
        match &self.stream {
            Some(Stream::Simulated(line)) => line.counts()[0],
            _ => 0,
        }
    }

    /// Queued bytes of messages that are compressed once for several connections.
    pub fn shared_bytes(&self) -> usize {
        self.rare.waiting().map_or(0, Waiting::shared_bytes)
    }

    /// Heap bytes outside the queues: incomplete messages, and bytes read but not decoded.
    pub fn unfinished_bytes(&self) -> usize {
        let inflating = self.rare.compression().map_or(0, |compression| compression.message_bytes());
        self.decoder.heap_bytes() + inflating + self.rare.backlog_bytes()
    }

    /// As `unfinished_bytes`, without memory that is reserved for an incomplete message and not in use.
    pub fn used_bytes(&self) -> usize {
        let inflating = self.rare.compression().map_or(0, |compression| compression.used_bytes());
        self.decoder.used_bytes() + inflating + self.rare.backlog_bytes()
    }

    /// Compression contexts of queued messages that are shared with other connections: an id of each, and its heap
    /// bytes.
    pub fn shared_contexts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.rare.waiting().into_iter().flat_map(|waiting| waiting.shared_contexts())
    }

    /// Frees memory that an idle link does not need.
    pub fn shrink(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.shrink();
        }
        self.decoder.shrink();
        self.forget_pongs();
        self.outbox.shrink();
        self.rare.shrink();
    }
}
