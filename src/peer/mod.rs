//! One WebSocket connection: CONNECTING, OPEN, CLOSING, CLOSED (RFC 6455), from a byte stream to an ordered queue.

pub mod arena;
mod backlog;
mod beat;
pub mod budget;
mod close;
mod compression;
pub mod inbox;
mod info;
mod item;
mod open;
pub mod options;
mod outbox;
mod outgoing;
mod pong;
mod pulse;
mod rate;
mod read;
mod receive;
mod send;

pub use arena::{Arena, Chunk, Loan, Spent};
pub use beat::Beat;
pub use budget::{Budget, Clock, SystemClock};
pub use close::check_close;
pub use compression::{Codecs, Compression};
pub use inbox::Inbox;
pub use info::{Address, Info};
pub use item::{Item, Mark, Message};
pub use open::{Opening, admit};
pub use options::{MAX_LEN, Options, Refused, Scope, definition};
pub use outgoing::{Payload, SharedMessage, at_once_bytes, slice_bytes};
pub use send::Sent;

use crate::error::Failure;
use crate::heap::Discarded;
use crate::net::{Services, Stream};
use crate::protocol::{Decoder, MaskKeys, Role};
use crate::status::{EventKind, State};
use backlog::Backlog;
use close::Closing;
use open::Stage;
use outbox::Outbox;
use outgoing::Waiting;
use pong::Pongs;
use pulse::Pulse;
use rate::Rate;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A gap between two polls that moves every deadline: a loading screen, a breakpoint, a suspended phone.
pub const LONG_GAP: Duration = Duration::from_secs(1);
/// Read in one round, so that no connection keeps the others waiting: messages of 256 KiB together, and their headers.
pub const ROUND_BYTES: usize = (256 << 10) + (4 << 10);

/// The system takes noticeable time to take this much memory back: it is given back by the worker.
pub const MUCH: usize = 1 << 20;

/// What a connection needs from around it while it is polled.
pub struct Cx<'a> {
    /// Threads of ours.
    pub services: &'a Services,
    /// Read buffers of the family.
    pub arena: &'a mut Arena,
    /// Compressors and decompressors of the family.
    pub codecs: &'a mut Codecs,
    /// The time of this poll.
    pub now: Instant,
    /// What `time_ns` counts from.
    pub epoch: Instant,
    /// The time this poll may take.
    pub budget: Budget<'a>,
}

impl Cx<'_> {
    /// The time of this poll as events tell it.
    pub fn time_ns(&self) -> u64 {
        self.now.saturating_duration_since(self.epoch).as_nanos() as u64
    }

    /// Drops something that has so many bytes of heap: through the worker if that is much.
    pub fn discard(&self, bytes: usize, thing: impl Discarded + 'static) {
        if bytes > MUCH {
            self.services.discard(Box::new(thing));
        }
    }

    /// Begins a poll with the read buffers, in which no queued message may lie any more.
    pub fn renew(&mut self) {
        self.arena.renew();
        if let Some(unused) = self.arena.take_unused(self.now) {
            self.discard(unused.iter().map(Vec::capacity).sum(), unused);
        }
    }

    /// Memory of a message that serves the next one, or goes back.
    pub fn give_back(&mut self, spare: Vec<u8>) {
        if let Some(surplus) = self.arena.give_spare(spare) {
            self.discard(surplus.capacity(), surplus);
        }
    }

    /// The second of this poll, in whole ones since the same start.
    pub fn second(&self) -> u32 {
        self.now.saturating_duration_since(self.epoch).as_secs() as u32
    }
}

/// Counters of one connection.
#[derive(Default, Clone, Copy)]
pub struct Counters {
    /// Messages received.
    pub messages_in: u64,
    /// Messages accepted for sending.
    pub messages_out: u64,
    /// Bytes of messages received.
    pub bytes_in: u64,
    /// Bytes of messages accepted for sending.
    pub bytes_out: u64,
    /// Bytes read.
    pub wire_in: u64,
    /// Bytes written.
    pub wire_out: u64,
    /// Messages not taken from a put to several targets; in a total also those that came and that nobody got.
    pub skipped: u64,
    /// How often reading stopped.
    pub stalls: u64,
}

/// What one connection or several counted.
#[derive(Default, Clone, Copy)]
pub struct Totals {
    /// What every connection counts.
    pub counters: Counters,
    /// Messages that came compressed.
    pub compressed_in: u64,
    /// Messages that were compressed.
    pub compressed_out: u64,
}

impl Totals {
    /// Adds another connection's.
    pub fn add(&mut self, other: &Totals) {
        let (sum, added) = (&mut self.counters, &other.counters);
        sum.messages_in += added.messages_in;
        sum.messages_out += added.messages_out;
        sum.bytes_in += added.bytes_in;
        sum.bytes_out += added.bytes_out;
        sum.wire_in += added.wire_in;
        sum.wire_out += added.wire_out;
        sum.skipped += added.skipped;
        sum.stalls += added.stalls;
        self.compressed_in += other.compressed_in;
        self.compressed_out += other.compressed_out;
    }
}

/// A connection.
pub struct Peer {
    /// Its own handle, for items; 0 for a server's client that is not open yet.
    pub handle: u32,
    /// Comes back with every item.
    pub user: u64,
    /// Multiplayer: who is at the other end; 0 while that is not known, and without multiplayer.
    pub peer_id: i32,
    /// Multiplayer: it is not admitted yet. A host's client gets nothing of what is put to several, and what it sends waits held.
    pub apart: bool,
    /// Which end this is.
    pub role: Role,
    /// Shared until changed.
    pub options: Arc<Options>,
    /// What waits for the host.
    pub inbox: Inbox,
    /// What the host was lent by this connection's own handle.
    pub loan: Loan,
    /// What can be asked.
    pub info: Box<Info>,
    /// What was counted.
    pub counters: Counters,
    /// Whether its lifecycle is CONNECTED … DISCONNECTED.
    pub of_server: bool,
    /// Heartbeat.
    pub beat: Beat,
    /// The application heartbeat, where it was asked for.
    pulse: Option<Box<Pulse>>,
    /// What waits to be encoded: behind it wait all messages that are put. `None` where nothing does.
    waiting: Option<Box<Waiting>>,
    /// permessage-deflate, once it was agreed on.
    pub compression: Option<Box<Compression>>,
    stage: Stage,
    stream: Option<Stream>,
    decoder: Decoder,
    outbox: Outbox,
    keys: MaskKeys,
    closing: Option<Box<Closing>>,
    /// Read and not decoded: the budget ended.
    backlog: Backlog,
    /// Reads are halved so many times: its frames are small, and what a slice of the budget does not decode has to be kept.
    narrow: u8,
    /// The last message was longer than a read: the next may be.
    expects_long: bool,
    /// Bytes read while the inbound queue was full.
    over_full: u32,
    /// A put of so many bytes was refused; WRITABLE is owed.
    owes_writable: Option<u32>,
    /// Writing ended before the transport took no more.
    writes_on: bool,
    /// Answers to pings.
    pongs: Pongs,
    /// Messages that were skipped in the stall under way.
    skipping: bool,
    /// A short read is not the last: the peer has ended its direction and the end follows, or it sent out-of-band bytes, at which a read stops.
    reads_on: bool,
    /// Writing failed; what had arrived is read before the end.
    write_failure: Option<Box<Failure>>,
    /// For the rate limits, where there are any.
    rate: Option<Box<Rate>>,
}

impl Discarded for Peer {
    fn empty(&mut self, keep: &mut usize) {
        let Peer { inbox, loan, waiting, compression, stage, decoder, outbox, backlog, .. } = self;
        inbox.empty(keep);
        loan.empty(keep);
        waiting.empty(keep);
        compression.empty(keep);
        stage.empty(keep);
        decoder.empty(keep);
        outbox.empty(keep);
        backlog.empty(keep);
    }
}

impl Peer {
    /// Bytes that are kept beside the queues: messages that have not come whole, what was read and not looked at, texts of events.
    pub fn kept_bytes(&self) -> usize {
        let incoming = self.compression.as_ref().map_or(0, |compression| compression.message_bytes());
        let unheard = if self.apart { self.inbox.message_bytes() as usize } else { 0 };
        self.decoder.heap_bytes() + incoming + self.backlog.heap_bytes() + self.inbox.text_bytes() + unheard
    }

    /// Messages and AUTH events that wait for the host, and their bytes. Messages of a peer that is not admitted do not.
    pub fn queued_in(&self) -> [u64; 2] {
        let (packets, bytes) = (self.inbox.counted() as u64, self.inbox.bytes());
        if self.apart { [packets - self.inbox.len() as u64, bytes - self.inbox.message_bytes()] } else { [packets, bytes] }
    }

    fn new(role: Role, options: Arc<Options>, stage: Stage, stream: Option<Stream>, now: Instant) -> Peer {
        Peer {
            handle: 0,
            user: 0,
            peer_id: 0,
            apart: false,
            role,
            options,
            inbox: Inbox::default(),
            loan: Loan::default(),
            info: Box::default(),
            counters: Counters::default(),
            of_server: false,
            beat: Beat::new(now),
            pulse: None,
            waiting: None,
            compression: None,
            stage,
            stream,
            decoder: Decoder::new(role),
            outbox: Outbox::default(),
            keys: MaskKeys::new(),
            closing: None,
            backlog: Backlog::default(),
            narrow: 0,
            expects_long: false,
            over_full: 0,
            owes_writable: None,
            writes_on: false,
            pongs: Pongs::default(),
            skipping: false,
            reads_on: false,
            write_failure: None,
            rate: None,
        }
    }

    /// What was counted, by whatever counts.
    pub fn totals(&self) -> Totals {
        let [compressed_in, compressed_out] =
            self.compression.as_ref().map_or([0; 2], |compression| [compression.messages_in, compression.messages_out]);
        let mut counters = self.counters;
        // Nothing has been received until its sender is admitted, what its authentication took included.
        let (messages, bytes) = if self.apart { (u64::MAX, u64::MAX) } else { self.inbox.refused };
        counters.messages_in = counters.messages_in.saturating_sub(messages);
        counters.bytes_in = counters.bytes_in.saturating_sub(bytes);
        counters.skipped += self.inbox.dropped;
        let compressed_in = compressed_in.min(counters.messages_in);
        Totals { counters, compressed_in, compressed_out }
    }

    /// WS_CONNECTING, WS_OPEN, WS_CLOSING or WS_CLOSED.
    #[inline]
    pub fn state(&self) -> State {
        match self.stage {
            Stage::Ended => State::Closed,
            Stage::Open if self.closing.is_none() => State::Open,
            Stage::Open => State::Closing,
            _ if self.closing.is_some() => State::Closing,
            _ => State::Connecting,
        }
    }

    /// One round: writes what waits, reads what is there, answers. True: there is more to read and the budget or the round ended.
    pub fn pump(&mut self, cx: &mut Cx<'_>) -> bool {
        if !matches!(self.stage, Stage::Open) {
            self.step_opening(cx);
        }
        if self.has_output() {
            self.write_some(cx);
        }
        let more = self.read(cx);
        self.drop_refused(cx);
        self.answer_last_ping();
        if self.pulse.is_some() {
            self.send_due_beat();
        }
        // Where the time was over before, writing goes on in the next poll.
        if self.has_output() && !(self.writes_on && cx.budget.look()) {
            self.write(cx);
        }
        if self.closing.is_some() {
            self.finish_close(cx);
        }
        more
    }

    /// Ends the connection now if nothing is left to wait for.
    pub fn finish(&mut self, cx: &mut Cx<'_>) {
        self.finish_close(cx);
    }

    /// Judges the timers. Call it after `pump`, so that what had arrived counts. Returns when to judge next.
    /// While there is more to read, only a close that is long overdue is judged: a peer that sends without end is not kept for ever.
    #[inline]
    pub fn judge_timers(&mut self, cx: &mut Cx<'_>, read_all: bool) -> Option<Instant> {
        if !read_all {
            if self.close_deadline().is_some_and(|deadline| cx.now >= deadline + LONG_GAP) {
                self.judge_close(cx);
            }
            return None;
        }
        match (&self.stage, &self.closing) {
            (Stage::Ended, _) => None,
            (_, Some(_)) => self.judge_close(cx),
            (Stage::Open, None) if self.pulse.is_some() => {
                let next = self.judge_pulse(cx);
                self.judge_beat(cx).into_iter().chain(next).min()
            }
            (Stage::Open, None) => self.judge_beat(cx),
            _ => self.judge_opening(cx),
        }
    }

    /// Moves every deadline by a gap in polling.
    pub fn shift(&mut self, gap: Duration) {
        self.shift_opening(gap);
        self.beat.shift(gap);
        self.shift_pulse(gap);
        if self.rate_limits().is_some() {
            let before = self.received();
            self.rate.get_or_insert_with(|| Box::new(Rate::new(before))).shift(gap);
        }
        if let Some(closing) = &mut self.closing {
            closing.shift(gap);
        }
    }

    /// The stream, to be given up elsewhere.
    pub fn take_out_stream(&mut self) -> Option<Stream> {
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
    pub fn has_output(&self) -> bool {
        self.queued_out() > 0
    }

    /// Bytes that have not left, those inside TLS and those to be encoded included.
    #[inline]
    pub fn queued_out(&self) -> usize {
        self.outbox.bytes() + self.waiting.as_ref().map_or(0, |waiting| waiting.bytes())
    }

    /// Messages that have not left.
    #[inline]
    pub fn queued_messages_out(&self) -> usize {
        self.outbox.messages() + self.waiting.as_ref().map_or(0, |waiting| waiting.len())
    }

    /// The contexts of messages that wait and that other connections send too: which, and bytes of heap.
    pub fn shared_contexts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.waiting.iter().flat_map(|waiting| waiting.shared_contexts())
    }

    /// Whether it is better taken apart elsewhere.
    pub fn is_large(&self) -> bool {
        let under_way = self.compression.as_ref().map_or(0, |compression| compression.message_bytes());
        let received = self.decoder.heap_bytes() + self.backlog.heap_bytes() + self.inbox.bytes() as usize + self.loan.bytes();
        self.queued_out() + under_way + received > MUCH
    }

    /// Gives memory back that an idle connection does not need.
    pub fn shrink(&mut self) {
        self.decoder.shrink();
        self.outbox.shrink();
        self.inbox.shrink();
        if let Some(compression) = &mut self.compression {
            compression.shrink(self.waiting.is_none());
        }
        self.backlog.shrink();
    }

    /// Queues something that happened.
    pub fn mark(&mut self, cx: &Cx<'_>, kind: EventKind) {
        self.inbox.push_mark(Mark { http_status: i32::from(self.info.http_status), ..Mark::new(kind, cx.time_ns()) });
    }
}
