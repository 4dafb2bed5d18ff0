//! Sending one message to several clients: it is encoded once, compressed once where clients can share the result, and
//! written while the budget lasts.

use super::ceiling::SHARED;
use super::{Server, Slot};
use crate::codes::*;
use crate::connection::Connection;
use crate::error::Failure;
use crate::heap;
use crate::link::{Sent, SharedMessage, at_once_bytes, slice_bytes};
use crate::names::ON_FULL;
use crate::names::said::FULL_DISCONNECT;
use crate::protocol::{Lead, MaskKeys, Role, encode_frame, frame_header, frame_room, opcode_of};
use crate::status::{Cause, Phase};
use crate::work::{Chunk, Codecs, Cx, FRAMES_PER_CHECK, MUCH, Payload};
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::Arc;

/// The highest compression level: it has the smallest slices.
const MAX_LEVEL: u8 = 9;
/// A write of at most this many bytes takes as long as decoding `WRITE` frames.
const SHORT: usize = 4 << 10;
/// Messages for which several clients wait that are looked at in a poll, at least, and the part of them: so their number
/// stays within this part of those that come with each poll.
const PASSED_AT_ONCE: usize = 64;
const PASSED_PART: usize = 8;
const WRITE: u32 = 8;

/// A message to several clients.
#[derive(Clone)]
pub struct Spread<'a> {
    /// Text; false: binary.
    pub text: bool,
    /// The payload.
    pub payload: &'a [u8],
    /// Who receives it.
    pub whom: Whom<'a>,
    /// Keys of clients that do not receive it.
    pub except: &'a [u32],
    /// What to do with a client whose queue is full: WS_FULL_DISCONNECT closes it; otherwise it is skipped.
    pub on_full: u32,
    /// Writes at once while the budget lasts; false: `write_later` writes.
    pub now: bool,
}

/// Clients, by key. Free slots and clients that are not open are skipped.
#[derive(Clone)]
pub enum Whom<'a> {
    /// Those with keys in a range.
    Range(Range<u32>),
    /// These, each once.
    These(&'a [u32]),
}

impl<'a> Whom<'a> {
    /// All clients.
    pub const ALL: Whom<'static> = Whom::Range(0..u32::MAX);

    /// One client.
    pub fn one(key: u32) -> Whom<'static> {
        Whom::Range(key..key + 1)
    }

    /// The keys below `slots`.
    #[inline]
    fn keys(self, slots: usize) -> Keys<'a> {
        match self {
            Whom::Range(range) => Keys::Range(range.start..range.end.min(slots as u32)),
            Whom::These(keys) => Keys::These(keys.iter()),
        }
    }
}

enum Keys<'a> {
    Range(Range<u32>),
    These(std::slice::Iter<'a, u32>),
}

impl Iterator for Keys<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        match self {
            Keys::Range(range) => range.next(),
            Keys::These(keys) => keys.next().copied(),
        }
    }
}

/// The encoded forms of one message. The memory for long ones is allocated before the first client receives any; other
/// forms are made when a client needs them.
pub struct Forms<'a> {
    text: bool,
    payload: &'a [u8],
    plain: Chunk,
    /// Compressed forms by window bits and level, for clients without context takeover.
    compressed: Vec<((u8, u8), Compressed)>,
    /// Copy of the payload, for messages that are compressed later.
    long: Option<Payload>,
    /// The option max_inflate_ratio.
    max_ratio: u64,
    /// Storage and offset of the end of the message. `plain` then has the bytes before it, and `long` the whole
    /// message.
    rest: Option<(&'a Chunk, usize)>,
}

#[derive(Clone)]
enum Compressed {
    Frame(Chunk),
    Long(Arc<Mutex<SharedMessage>>),
}

impl Forms<'_> {
    fn put(&mut self, cx: &mut Cx<'_>, peer: &mut Connection, now: bool) -> Sent {
        let len = self.payload.len() + self.rest.map_or(0, |(storage, start)| storage.len() - start);
        peer.make_room(cx, len);
        if let Some(latest) = cx.latest
            && !(now && peer.latest_leaves(cx, latest))
        {
            return peer.wait_latest(latest.key, self.text, self.kept(len));
        }
        if !peer.compresses(len) {
            if let Some((storage, start)) = self.rest {
                let (head, text) = (self.plain.clone(), self.text);
                return peer.put_parts(text, &head, (storage, start), len, || self.long());
            }
            return peer.put_shared(self.text, &self.plain, len, now && !cx.corked, || self.kept(len));
        }
        let Some(compression) = peer.compression() else { return peer.put(cx, self.text, self.payload) };
        match compression.shared_by() {
            Some(kind) => match self.compressed(cx.codecs, kind, len, now) {
                Compressed::Frame(frame) => {
                    let sent = peer.put_shared(self.text, &frame, len, now && !cx.corked, || self.kept(len));
                    if sent == Sent::Taken && !Arc::ptr_eq(&frame, &self.plain) {
                        peer.endpoint.counters.rare().compressed_out += 1;
                    }
                    sent
                }
                Compressed::Long(message) => peer.put_shared_message(self.text, &message, len),
            },
            // Each client compresses separately: now while the budget lasts, otherwise later in slices.
            None if !now || len > compression.at_once_bytes() || peer.is_waiting() => {
                peer.put_later(self.text, &self.long())
            }
            None => peer.put(cx, self.text, self.payload),
        }
    }

    /// The payload of `plain` by reference, for sessions.
    fn kept(&self, len: usize) -> Payload {
        Payload::parts(Vec::new(), self.plain.clone(), self.plain.len() - len)
    }

    /// A copy of the payload. `forms` has already made it if the payload is long.
    fn long(&mut self) -> Payload {
        self.long.get_or_insert_with(|| Payload::whole(Arc::new(self.payload.to_vec()))).clone()
    }

    /// The compressed form for a window and level. A message longer than a slice (`now`: eight slices) is compressed
    /// later.
    fn compressed(&mut self, codecs: &mut Codecs, kind: (u8, u8), len: usize, now: bool) -> Compressed {
        if let Some((_, form)) = self.compressed.iter().find(|(of, _)| *of == kind) {
            return form.clone();
        }
        let most = if now { at_once_bytes(kind.1) } else { slice_bytes(kind.1) };
        let long = (len > most).then(|| self.long());
        let mut compressor = codecs.take_compressor(kind.0, kind.1);
        let form = if let Some(long) = long {
            Compressed::Long(Arc::new(Mutex::new(SharedMessage::new(
                self.text,
                long,
                kind.1,
                self.max_ratio,
                compressor,
            ))))
        } else {
            let (mut body, mut frame) = (Vec::new(), Vec::new());
            let done = compressor.compress(self.payload, true, &mut body).is_ok() && body.len() < self.payload.len();
            codecs.give_compressor(kind.0, kind.1, compressor);
            if done {
                let lead = Lead { rsv1: true, ..Lead::whole(opcode_of(self.text)) };
                encode_frame(&mut frame, Role::Server, &mut MaskKeys::new(), lead, &body);
            }
            Compressed::Frame(if done { Arc::new(frame) } else { self.plain.clone() })
        };
        self.compressed.push((kind, form.clone()));
        form
    }
}

impl Server {
    /// Sends to the open clients among `whom` but `except`. `Taken`: all accepted it; `Partial`: some did not; `NoMemory`;
    /// or `Full`, if on_full is WS_FULL_ALL_OR_NONE and a queue is full.
    pub fn put_all(
        &mut self,
        cx: &mut Cx<'_>,
        text: bool,
        payload: &[u8],
        whom: Whom<'_>,
        except: Option<u32>,
    ) -> Sent {
        let policy = self.endpoint.options.raw(WS_OPT_ON_FULL);
        if policy == Some(WS_FULL_ALL_OR_NONE) && !self.all_have_room(cx, payload.len(), whom.clone(), except) {
            return Sent::Full;
        }
        self.put_spread(
            cx,
            Spread {
                text,
                payload,
                whom,
                except: except.as_slice(),
                on_full: policy.unwrap_or(WS_FULL_SKIP),
                now: true,
            },
        )
    }

    /// Whether the open clients among `whom` but `except` have room for `len` bytes. If not, those that lack it get
    /// WRITABLE later. A client whose session is lost does not count.
    fn all_have_room(&mut self, cx: &mut Cx<'_>, len: usize, whom: Whom<'_>, except: Option<u32>) -> bool {
        let (mut all, share) = (true, self.tight_share());
        for key in whom.keys(self.slots.len()) {
            if Some(key) == except {
                continue;
            }
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { continue };
            if !client.receives(&self.above) {
                continue;
            }
            if cx.corked {
                client.peer.make_room(cx, len);
            }
            if client.peer.has_lost_session() {
                continue;
            }
            if !client.peer.has_room(len) {
                client.peer.endpoint.owe_writable(len);
                all = false;
            } else if share.is_some_and(|share| client.refuses_put(share, len)) {
                all = false;
            }
        }
        all
    }

    /// Sends to open clients. `Taken`: all accepted it; `Partial`: some did not; `NoMemory`: no client receives it.
    pub fn put_spread(&mut self, cx: &mut Cx<'_>, spread: Spread<'_>) -> Sent {
        let Some(mut forms) = self.forms(&spread) else { return Sent::NoMemory };
        let result = self.put_forms(cx, spread, &mut forms);
        self.finish(cx, forms);
        result
    }

    /// After a message was put: notes the forms of it for which clients wait.
    pub fn finish(&mut self, cx: &Cx<'_>, forms: Forms<'_>) {
        let is_awaited = |chunk: &Chunk| chunk.len() >= SHARED && Arc::strong_count(chunk) > 1;
        for (_, form) in forms.compressed {
            if let Compressed::Frame(frame) = form
                && !Arc::ptr_eq(&frame, &forms.plain)
                && is_awaited(&frame)
            {
                self.reuse.passed.push(frame);
            }
        }
        if is_awaited(&forms.plain) {
            self.reuse.passed.push(forms.plain);
        } else if forms.plain.capacity() > MUCH {
            cx.discard(forms.plain.capacity(), forms.plain);
        } else {
            // Kept for the next message, unless it is large.
            self.reuse.frame = Some(forms.plain);
        }
    }

    /// As `put_spread`, for a message that ends with `storage` from `start` on. That part is not copied, and the
    /// message is written later.
    pub fn put_parts(&mut self, cx: &mut Cx<'_>, spread: Spread<'_>, storage: &Chunk, start: usize) -> Sent {
        let (header, count) =
            frame_header(Lead::whole(opcode_of(spread.text)), spread.payload.len() + storage.len() - start, None);
        let plain = Arc::new([&header[..count], spread.payload].concat());
        let Spread { text, payload, .. } = spread;
        let long = Some(Payload::parts(payload.to_vec(), storage.clone(), start));
        let max_ratio = self.endpoint.options.limit(WS_OPT_MAX_INFLATE_RATIO);
        let mut forms =
            Forms { text, payload, plain, compressed: Vec::new(), long, max_ratio, rest: Some((storage, start)) };
        self.reuse.passed.push(storage.clone());
        self.put_forms(cx, spread, &mut forms)
    }

    /// Frees messages for which no client waits any more; the worker does that for large ones.
    pub(super) fn drop_passed(&mut self, cx: &Cx<'_>) {
        if self.reuse.passed.is_empty() {
            return;
        }
        let from = if self.reuse.passed_at < self.reuse.passed.len() { self.reuse.passed_at } else { 0 };
        let count = PASSED_AT_ONCE + self.reuse.passed.len() / PASSED_PART;
        let to = (from + count).min(self.reuse.passed.len());
        let mut freed = 0;
        let gone = self.reuse.passed.extract_if(from..to, |storage| Arc::strong_count(storage) == 1);
        gone.for_each(|storage| {
            freed += 1;
            cx.discard(storage.capacity(), storage);
        });
        self.reuse.passed_at = to - freed;
        if self.reuse.passed.is_empty() {
            self.reuse.passed = Vec::new();
        }
    }

    /// Number of messages that are kept because clients wait for them, or waited lately.
    pub fn awaited_messages(&self) -> usize {
        self.reuse.passed.len()
    }

    /// Makes the forms of a message, with the memory for long ones; `None`: there is not enough memory.
    pub fn forms<'a>(&mut self, spread: &Spread<'a>) -> Option<Forms<'a>> {
        let Spread { text, payload, ref whom, except, .. } = *spread;
        let plain = self.encode(text, payload)?;
        let keeps = |client: &super::Client| {
            let at_once = client.peer.compression().map_or(usize::MAX, |compression| compression.at_once_bytes());
            payload.len() > at_once && client.peer.compresses(payload.len())
        };

        let is_kept = payload.len() > at_once_bytes(MAX_LEVEL)
            && whom.clone().keys(self.slots.len()).filter(|key| !except.contains(key)).any(|key| {
                matches!(self.slots.get(key as usize),
                    Some(Slot::Client(client)) if client.peer.may_put() && keeps(client))
            });
        let long = if is_kept { Some(Payload::whole(Arc::new(heap::copy(payload)?))) } else { None };
        let max_ratio = self.endpoint.options.limit(WS_OPT_MAX_INFLATE_RATIO);
        Some(Forms { text, payload, plain, compressed: Vec::new(), long, max_ratio, rest: None })
    }

    /// As `put_spread`, with forms made before.
    pub fn put_forms(&mut self, cx: &mut Cx<'_>, spread: Spread<'_>, forms: &mut Forms<'_>) -> Sent {
        let Spread { payload, whom, except, on_full, mut now, .. } = spread;
        let (mut partial, at_once, share) = (false, now, self.tight_share());
        for key in whom.keys(self.slots.len()) {
            if except.contains(&key) {
                continue;
            }
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { continue };
            if !client.receives(&self.above) {
                continue;
            }
            // A write takes some microseconds; a long or compressed message may take much longer.
            let short = payload.len() <= SHORT && client.peer.compression().is_none();
            let work = if !short {
                FRAMES_PER_CHECK
            } else if cx.corked {
                1
            } else {
                WRITE
            };
            now = now && !cx.budget.spend(work);
            let is_refused = share.is_some_and(|share| client.refuses_put(share, payload.len()));
            match if is_refused { Sent::Full } else { forms.put(cx, &mut client.peer, now) } {
                Sent::Taken if at_once => self.mark_put(cx, key, now),
                Sent::Taken => self.queues.later.push(key),
                Sent::NotOpen => {}
                Sent::Full
                    if on_full == WS_FULL_DISCONNECT
                        || (on_full == WS_FULL_ALL_OR_NONE && client.peer.has_lost_session()) =>
                {
                    partial = true;
                    let why = format!(
                        "the client did not read and its outbound queue was full ({ON_FULL} is {FULL_DISCONNECT})"
                    );
                    let failure = Failure { close_code: 1008, ..Failure::new(Phase::App, Cause::Full, why) };
                    client.peer.close_because(cx, 1008, "the outbound queue is full", Some(failure));
                    self.take_changes(cx, key, None);
                }
                Sent::Full | Sent::NoMemory | Sent::Partial => {
                    partial = true;
                    client.peer.endpoint.skip(cx);
                    self.take_changes(cx, key, None);
                }
            }
        }
        if partial { Sent::Partial } else { Sent::Taken }
    }

    /// Sends to one client.
    pub fn put_one(&mut self, cx: &mut Cx<'_>, key: u32, text: bool, payload: &[u8]) -> Sent {
        let share = self.tight_share();
        let Some(client) = self.client(key) else { return Sent::NotOpen };
        if share.is_some_and(|share| client.refuses_put(share, payload.len())) {
            return Sent::Full;
        }
        let sent = client.peer.put(cx, text, payload);
        let news = client.peer.endpoint.inbox.marks() != client.marks as usize;
        if sent == Sent::Taken {
            self.mark_put(cx, key, true);
        }
        if news {
            self.take_changes(cx, key, None);
        }
        sent
    }

    /// Queues the first messages for a client together, regardless of the limits.
    pub fn greet(&mut self, cx: &mut Cx<'_>, key: u32, messages: &[&[u8]]) {
        let Some(client) = self.client(key) else { return };
        match client.peer.queue_together(cx, messages) {
            Sent::Taken => self.queues.later.push(key),
            Sent::NoMemory => {
                client.peer.memory_failed();
                self.mark_for_flush(key, true);
            }
            Sent::Full | Sent::Partial | Sent::NotOpen => {}
        }
    }

    /// After a message was put to a client: marks it for the next flush or poll, or, in a corked call, for the end of
    /// the call. `tried`: writing has been attempted.
    #[inline]
    fn mark_put(&mut self, cx: &Cx<'_>, key: u32, tried: bool) {
        if !cx.corked {
            self.mark_for_flush(key, tried);
        } else if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
            client.peer.note_corked();
            self.mark_corked(key);
        }
    }

    /// Has `uncork` write to a client.
    pub fn mark_corked(&mut self, key: u32) {
        self.queues.corked.push(key);
    }

    /// At the end of a corked call: writes to the clients that it has put messages to while the budget lasts. The next
    /// flush or poll writes to the others.
    pub fn uncork(&mut self, cx: &mut Cx<'_>) {
        cx.corked = false;
        while let Some(key) = self.queues.corked.pop() {
            let now = !cx.budget.spend(WRITE);
            if now {
                self.act(cx, key, |peer, cx| peer.uncork(cx));
            }
            self.mark_for_flush(key, now);
        }
    }

    /// Writes the queued output of one client.
    pub fn flush_one(&mut self, cx: &mut Cx<'_>, key: u32) {
        self.act(cx, key, |peer, cx| peer.write(cx));
    }

    /// Writes output that no readiness event will announce: the host's, and that caused by other clients.
    pub fn write_marked(&mut self, cx: &mut Cx<'_>) {
        // Each client once. Clients with more to write are served by the following polls.
        for _ in 0..self.queues.to_flush.len() {
            let Some(key) = self.queues.to_flush.pop() else { break };
            self.flush_one(cx, key);
        }
        for _ in 0..self.queues.later.len() {
            let Some(key) = self.queues.later.pop() else { break };
            self.flush_one(cx, key);
        }
    }

    /// Tries once more to write the clients' output until the budget is exhausted. `each`: once for every client,
    /// regardless of the budget.
    pub fn write_last(&mut self, cx: &mut Cx<'_>, each: bool) {
        for slot in &mut self.slots {
            if let Slot::Client(client) = slot
                && client.peer.has_output()
            {
                if cx.budget.is_spent() && !each {
                    return;
                }
                client.peer.write(cx);
            }
        }
    }

    /// Writes the host's output for half of the remaining budget, and at least an eighth of the budget. Clients that
    /// are not reached are first the next time.
    pub(super) fn write_own(&mut self, cx: &mut Cx<'_>) {
        if self.queues.to_flush.is_empty() {
            return;
        }
        let mut part = cx.budget.eighth();
        let half = cx.budget.half();
        let whole = std::mem::replace(&mut cx.budget, half);
        for _ in 0..self.queues.to_flush.len() {
            let Some(key) = self.queues.to_flush.pop() else { break };
            self.flush_one(cx, key);
            if cx.budget.is_spent() && part.is_spent() {
                break;
            }
        }
        cx.budget = whole;
    }

    /// Writes output caused by other clients until the budget is exhausted; an eighth of it is reserved for this.
    /// `own`: writes the host's output too. True: there is more.
    pub fn write_later(&mut self, cx: &mut Cx<'_>, own: bool) -> bool {
        let mut part = cx.budget.eighth();
        while let Some(key) =
            if own && !self.queues.to_flush.is_empty() { self.queues.to_flush.pop() } else { self.queues.later.pop() }
        {
            self.flush_one(cx, key);
            if part.is_spent() && cx.budget.is_spent() {
                break;
            }
        }
        !self.queues.later.is_empty() || (own && !self.queues.to_flush.is_empty())
    }

    /// After a send: marks the client for the next flush or poll, unless a readiness event will follow. `tried`:
    /// writing has been attempted.
    #[inline(always)]
    pub fn mark_for_flush(&mut self, key: u32, tried: bool) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.peer.needs_flush(tried) {
            self.queues.to_flush.push(key);
        }
        if client.holds != 0 || client.peer.may_hold() {
            self.note_put(key);
        }
    }

    /// After a put to a client that may hold much, or whose messages may be held back.
    #[inline(never)]
    fn note_put(&mut self, key: u32) {
        if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
            if let Some(at) = client.peer.pace_at()
                && client.timer.is_none_or(|timer| timer > at.into())
            {
                client.set_timer(key, at, &mut self.queues);
            }
            self.weigh(key);
        }
    }

    /// Whether output is marked for the next flush or poll.
    pub fn has_marked(&self) -> bool {
        !self.queues.to_flush.is_empty() || !self.queues.later.is_empty()
    }

    /// Encodes the frame, in the memory of the last one if no client uses that any more; `None`: no memory.
    fn encode(&mut self, text: bool, payload: &[u8]) -> Option<Chunk> {
        let mut frame = self.reuse.frame.take().unwrap_or_default();
        if Arc::get_mut(&mut frame).is_none() {
            frame = Chunk::default();
        }
        if let Some(bytes) = Arc::get_mut(&mut frame) {
            bytes.clear();
            bytes.try_reserve(frame_room(payload.len())).ok()?;
            encode_frame(bytes, Role::Server, &mut MaskKeys::new(), Lead::whole(opcode_of(text)), payload);
        }
        Some(frame)
    }
}
