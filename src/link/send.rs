//! From the host to the stream: accepting messages, encoding, writing, and backpressure.

use super::Link;
use super::outbox::{WRITE_BYTES, Wrote, write_masked};
use super::outgoing::{Outgoing, SharedMessage};
use super::session::Keeping;
use super::slices::{PLAIN_SLICE, must_store};
use crate::codes::*;
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::heap;
use crate::protocol::{CONTINUATION, Lead, Role, frame_header, frame_room, opcode_of};
use crate::status::{Cause, Phase};
use crate::work::{Chunk, Cx, Payload};
use parking_lot::Mutex;
use std::borrow::BorrowMut;
use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;

/// With WS_COALESCE, queued bytes are written once they reach this size: more of them would no longer be in the CPU's
/// nearest caches when they are copied.
const COALESCE_BYTES: usize = 128 << 10;
/// A message above this size is written directly from the host's memory if nothing is queued before it.
const DIRECT_BYTES: usize = 16 << 10;
/// While this many bytes are unwritten, no more messages are compressed or encoded.
const AHEAD_BYTES: usize = 256 << 10;

/// Result of sending a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The message was accepted.
    Taken,
    /// The outbound queue is full; a WRITABLE event will follow.
    Full,
    /// The connection is not OPEN.
    NotOpen,
    /// No memory for a copy of the message.
    NoMemory,
    /// With several targets: some of them did not accept the message.
    Partial,
}

impl Link {
    /// Sends one message. The caller has checked its size and UTF-8.
    #[inline]
    pub fn put(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, text: bool, payload: &[u8]) -> Sent {
        let Some(mut is_plain) = self.rare.puts_plainly() else { return Sent::NotOpen };
        if !self.has_queue_room(endpoint, payload.len()) {
            if !self.gains_room(endpoint, cx, payload.len()) {
                endpoint.owe_writable(payload.len());
                return Sent::Full;
            }
            // Writing may have emptied the queue of messages to be encoded.
            let Some(now_plain) = self.rare.puts_plainly() else { return Sent::NotOpen };
            is_plain = now_plain;
        }
        let corked = cx.corked;
        self.accept(endpoint, || cx, is_plain, corked, text, payload)
    }

    /// As `put`, in a call that is not corked. `cx` is called only if it is needed: short messages that are neither
    /// compressed nor written now do without.
    #[inline]
    pub fn put_with<'a, C: BorrowMut<Cx<'a>>>(
        &mut self,
        endpoint: &mut Endpoint,
        cx: impl FnOnce() -> C,
        text: bool,
        payload: &[u8],
    ) -> Sent {
        let Some(is_plain) = self.rare.puts_plainly() else { return Sent::NotOpen };
        if !self.has_queue_room(endpoint, payload.len()) {
            endpoint.owe_writable(payload.len());
            return Sent::Full;
        }
        self.accept(endpoint, cx, is_plain, false, text, payload)
    }

    /// Queues a message for which there is room, and writes it unless that has to wait. `is_plain`: see
    /// `Rare::puts_plainly`.
    #[inline(always)]
    fn accept<'a, C: BorrowMut<Cx<'a>>>(
        &mut self,
        endpoint: &mut Endpoint,
        cx: impl FnOnce() -> C,
        is_plain: bool,
        corked: bool,
        text: bool,
        payload: &[u8],
    ) -> Sent {
        if payload.len() > DIRECT_BYTES || !is_plain {
            return self.put_with_care(endpoint, cx().borrow_mut(), text, payload);
        }
        self.outbox.push_frame(self.role, &mut self.keys, Lead::whole(opcode_of(text)), payload, true);
        if self.must_write(endpoint, corked) {
            self.write_put(endpoint, cx().borrow_mut());
        }
        endpoint.count_sent(payload.len());
        Sent::Taken
    }

    /// Sends several messages, or none of them. An empty queue accepts any size.
    pub fn put_together(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, messages: &[Vec<u8>]) -> Sent {
        if !self.may_put() {
            return Sent::NotOpen;
        }
        let total = messages.iter().map(|message| message.len()).sum();
        self.make_room(endpoint, cx, total);
        if !self.has_queue_room(endpoint, total) || !self.session_has_room(total, messages.len()) {
            endpoint.owe_writable(total);
            return Sent::Full;
        }
        let sent = self.queue_together(endpoint, cx, messages);
        if sent == Sent::Taken && self.must_write(endpoint, cx.corked) {
            self.write_put(endpoint, cx);
        }
        sent
    }

    /// Queues several messages without checking for room; they are written later. Without memory for the first, none is
    /// queued; for a later one, the link fails.
    pub fn queue_together<M: AsRef<[u8]>>(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, messages: &[M]) -> Sent {
        if !self.may_put() {
            return Sent::NotOpen;
        }
        for (index, message) in messages.iter().map(AsRef::as_ref).enumerate() {
            match self.queue_kept(endpoint, cx, false, message) {
                Sent::Taken => {}
                Sent::NoMemory if index > 0 => {
                    self.memory_failed();
                    endpoint.count_sent(message.len());
                }
                sent => return sent,
            }
        }
        Sent::Taken
    }

    /// Sends a message that is long, may be compressed, is kept in a session, or has to wait behind others.
    fn put_with_care(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, text: bool, payload: &[u8]) -> Sent {
        let has_session = self.rare.session().is_some();
        if has_session && let Keeping::Done(sent) = self.keep_copy(endpoint, text, payload) {
            return sent;
        }
        if payload.len() > DIRECT_BYTES && self.goes_directly(endpoint, cx, payload.len()) {
            self.put_direct(endpoint, cx, text, payload);
        } else if self.queue_message(endpoint, cx, text, payload) {
            if self.must_write(endpoint, cx.corked) {
                self.write_put(endpoint, cx);
            }
        } else {
            if has_session {
                self.forget_kept();
            }
            return Sent::NoMemory;
        }
        endpoint.count_sent(payload.len());
        Sent::Taken
    }

    /// Queues a message, whatever the limits are, and keeps it if there is a session.
    fn queue_kept(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, text: bool, payload: &[u8]) -> Sent {
        let has_session = self.rare.session().is_some();
        if has_session && let Keeping::Done(sent) = self.keep_anyway(endpoint, text, payload) {
            return sent;
        }
        if !self.queue_message(endpoint, cx, text, payload) {
            if has_session {
                self.forget_kept();
            }
            return Sent::NoMemory;
        }
        endpoint.count_sent(payload.len());
        Sent::Taken
    }

    /// After a message was queued: whether to write now. In a corked call, `uncork` writes later.
    #[inline]
    fn must_write(&mut self, endpoint: &Endpoint, corked: bool) -> bool {
        if corked {
            self.note_corked(endpoint);
        }
        self.outbox.unwritten() >= COALESCE_BYTES || !(corked || endpoint.options.is_on(WS_OPT_COALESCE))
    }

    /// Records that a corked call has queued a message that `uncork` will write. With WS_COALESCE a flush writes it.
    #[inline]
    pub fn note_corked(&mut self, endpoint: &Endpoint) {
        self.writes_on |= !endpoint.options.is_on(WS_OPT_COALESCE);
    }

    /// Before a message of `len` bytes is put: writes what the corked call has queued if it is much, or leaves no room
    /// for the message. So such a call accepts what separate puts would.
    #[inline(always)]
    pub fn make_room(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, len: usize) {
        if cx.corked && (self.outbox.unwritten() >= COALESCE_BYTES || !self.has_room(endpoint, len)) {
            self.gains_room(endpoint, cx, len);
        }
    }

    /// As `make_room`, for a queue without room. Returns whether there is room now.
    #[cold]
    fn gains_room(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, len: usize) -> bool {
        if !cx.corked || !self.writes_on {
            return false;
        }
        self.uncork(endpoint, cx);
        self.has_room(endpoint, len)
    }

    /// Writes what a corked call has queued, and as much of what was queued before it as a put writes.
    #[cold]
    pub fn uncork(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if self.writes_on {
            let most = (cx.corked_bytes as u64).saturating_add(WRITE_BYTES as u64);
            self.write_until(endpoint, cx, self.outbox.written().saturating_add(most));
        }
    }

    /// Whether to write a long message directly from the host's memory; writes the bytes queued before it first. A
    /// client has to copy the message for masking anyway: with WS_COALESCE, or in a corked call, one below
    /// `COALESCE_BYTES` is queued instead.
    fn goes_directly(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, len: usize) -> bool {
        let waits = cx.corked || endpoint.options.is_on(WS_OPT_COALESCE);
        let joins = self.role == Role::Client && len < COALESCE_BYTES && waits;
        if joins || self.compresses(endpoint, len) {
            return false;
        }
        self.write_put(endpoint, cx);
        !self.has_output()
    }

    /// Sends an encoded frame shared with other connections. `now`: writes it at once if nothing is queued. `kept` makes
    /// what a session keeps of it.
    pub fn put_shared(
        &mut self,
        endpoint: &mut Endpoint,
        text: bool,
        frame: &Chunk,
        payload_len: usize,
        now: bool,
        kept: impl FnOnce() -> Payload,
    ) -> Sent {
        if let Keeping::Done(sent) = self.admit_shared(endpoint, text, payload_len, kept) {
            return sent;
        }
        if let Some(waiting) = self.rare.get_mut().and_then(|rare| rare.waiting.as_mut()) {
            waiting.push(Outgoing::Frame { frame: frame.clone() });
        } else if now && !self.has_output() && !endpoint.options.is_on(WS_OPT_COALESCE) {
            let result = self.stream.as_mut().map(|stream| stream.write(frame));
            let written = self.note_written(endpoint, result);
            if written < frame.len() {
                self.outbox.push_shared(frame, written, true);
                self.acknowledge();
            } else {
                self.passed_by(written);
                self.outbox.end_message();
            }
        } else {
            self.outbox.push_shared(frame, 0, true);
        }
        endpoint.count_sent(payload_len);
        Sent::Taken
    }

    /// As `put_shared`, for a frame in two parts. It is written later.
    pub fn put_parts(
        &mut self,
        endpoint: &mut Endpoint,
        text: bool,
        head: &Chunk,
        (storage, start): (&Chunk, usize),
        payload_len: usize,
        kept: impl FnOnce() -> Payload,
    ) -> Sent {
        if let Keeping::Done(sent) = self.admit_shared(endpoint, text, payload_len, kept) {
            return sent;
        }
        match self.rare.get_mut().and_then(|rare| rare.waiting.as_mut()) {
            Some(waiting) => waiting.push(Outgoing::Parts { head: head.clone(), storage: storage.clone(), start }),
            None => self.outbox.push_parts(head, storage, start),
        }
        endpoint.count_sent(payload_len);
        Sent::Taken
    }

    /// Sends a long message that is compressed once for several connections.
    pub fn put_shared_message(
        &mut self,
        endpoint: &mut Endpoint,
        text: bool,
        message: &Arc<Mutex<SharedMessage>>,
        payload_len: usize,
    ) -> Sent {
        let outgoing = Outgoing::Shared { message: message.clone(), index: 0, at: 0 };
        self.put_outgoing(endpoint, text, outgoing, payload_len, || message.lock().payload())
    }

    /// As `put`, for a message that several connections compress later, each in its separate context.
    pub fn put_later(&mut self, endpoint: &mut Endpoint, text: bool, payload: &Payload) -> Sent {
        let outgoing = Outgoing::Message { text, payload: payload.clone(), at: 0, sent: 0, begun: false };
        self.put_outgoing(endpoint, text, outgoing, payload.len(), || payload.clone())
    }

    /// Whether a message of this length is compressed.
    pub fn compresses(&self, endpoint: &Endpoint, len: usize) -> bool {
        let least = endpoint.options.limit(WS_OPT_DEFLATE_THRESHOLD_BYTES).max(1);
        len as u64 >= least && self.rare.compression().is_some_and(|compression| compression.compresses())
    }

    /// Whether messages wait to be compressed or encoded.
    pub fn is_waiting(&self) -> bool {
        self.rare.waiting().is_some()
    }

    /// Whether a message can be compressed or encoded now.
    pub fn can_compress(&self) -> bool {
        self.rare.has_unencoded()
            && self.outbox.unwritten() < AHEAD_BYTES
            && !self.holds_latest()
            && self.rare.write_failure().is_none()
            && !self.has_stopped()
    }

    /// Whether there is work to encode or write that no readiness event will announce.
    #[inline]
    pub fn can_send_on(&self) -> bool {
        self.writes_on || self.can_compress()
    }

    /// Whether the outbound queue and the session have room for one more message. Empty ones accept any size.
    #[inline]
    pub fn has_room(&self, endpoint: &Endpoint, len: usize) -> bool {
        self.has_queue_room(endpoint, len) && self.session_has_room(len, 1)
    }

    /// As `has_room`, for the outbound queue alone. Every put asks it.
    #[inline(always)]
    fn has_queue_room(&self, endpoint: &Endpoint, len: usize) -> bool {
        let waiting = self.queued_bytes();
        waiting == 0
            || (endpoint.options.allows(WS_OPT_OUTBOUND_BYTES, waiting + len)
                && endpoint.options.allows(WS_OPT_OUTBOUND_PACKETS, self.queued_messages() + 1))
    }

    /// As `has_room`, but leaves half of the queue's limits to others.
    pub fn has_room_beside(&self, endpoint: &Endpoint, len: usize) -> bool {
        let waiting = self.queued_bytes();
        let half = |option: i32| endpoint.options.limit(option) / 2;
        let has_half = waiting == 0
            || ((waiting + len) as u64 <= half(WS_OPT_OUTBOUND_BYTES)
                && (self.queued_messages() as u64) < half(WS_OPT_OUTBOUND_PACKETS));
        has_half && self.session_has_room(len, 1)
    }

    /// Whether messages are accepted (if there is room): no close is in progress.
    #[inline]
    pub fn may_put(&self) -> bool {
        self.rare.closing().is_none()
    }

    /// Compresses, encodes and writes queued messages until the budget is exhausted.
    pub fn write(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        self.go_before_latest(endpoint, cx);
        while self.can_compress() && !cx.budget.is_spent() {
            self.encode_waiting(endpoint, cx);
            self.write_frames(endpoint, cx);
        }
        self.write_frames(endpoint, cx);
    }

    /// As `write`, for half of the budget, but at least one slice, so that a poll makes progress even if the budget is
    /// exhausted.
    pub(super) fn write_some(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        self.go_before_latest(endpoint, cx);
        if self.can_compress() {
            self.encode_waiting(endpoint, cx);
        }
        self.write_frames(endpoint, cx);
    }

    /// Writes queued frames for half of the remaining budget.
    pub(super) fn write_frames(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        self.write_until(endpoint, cx, u64::MAX);
    }

    /// After a message was queued: writes what one write takes.
    #[inline]
    fn write_put(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        self.write_until(endpoint, cx, self.outbox.written() + WRITE_BYTES as u64);
    }

    /// As `write_frames`, up to a position in the outgoing stream.
    fn write_until(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, stop: u64) {
        self.writes_on = false;
        let Some(stream) = &mut self.stream else { return };
        if self.rare.write_failure().is_some() || self.outbox.bytes() == 0 {
            return;
        }
        let before = self.outbox.written();
        let mut half = None;
        let result = self.outbox.write_to(stream, stop, || half.get_or_insert_with(|| cx.budget.half()).is_spent());
        endpoint.counters.wire_out += self.outbox.written() - before;
        if let Some(spent) = self.outbox.take_spent() {
            cx.services.discard(Box::new(spent));
        }
        match result {
            Ok(wrote) => self.writes_on = matches!(wrote, Wrote::Later),
            Err(error) => self.write_failed(&error),
        }
        self.check_writable(endpoint, cx);
    }

    /// Reports WRITABLE if it is due and there is room.
    #[inline(always)]
    pub fn check_writable(&self, endpoint: &mut Endpoint, cx: &Cx<'_>) {
        if let Some(len) = endpoint.owed_writable() {
            self.report_room(endpoint, cx, len);
        }
    }

    #[cold]
    fn report_room(&self, endpoint: &mut Endpoint, cx: &Cx<'_>, len: u32) {
        if self.may_put() {
            let room = endpoint.options.limit(WS_OPT_OUTBOUND_BYTES) / 2;
            let packets = endpoint.options.limit(WS_OPT_OUTBOUND_PACKETS) / 2;
            if self.queued_bytes() as u64 <= room
                && self.queued_messages() as u64 <= packets
                && self.has_room(endpoint, len as usize)
            {
                endpoint.report_writable(cx);
            }
        }
    }

    /// Queues a message, compressed if negotiated. False: no memory for it.
    pub(super) fn queue_message(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        text: bool,
        payload: &[u8],
    ) -> bool {
        let compression = self.rare.compression().filter(|_| self.compresses(endpoint, payload.len()));
        let (compresses, at_once) =
            (compression.is_some(), compression.map_or(usize::MAX, |compression| compression.at_once_bytes()));
        if self.rare.waiting().is_some() || payload.len() > at_once {
            let Some(copy) = heap::copy(payload) else { return false };
            self.wait(if compresses {
                Outgoing::Message { text, payload: Payload::whole(Arc::new(copy)), at: 0, sent: 0, begun: false }
            } else {
                Outgoing::Plain { text, payload: Payload::whole(Arc::new(copy)), at: 0 }
            });
            return true;
        }
        if compresses && let Some(compression) = &mut self.rare.state().compression {
            let scratch = cx.arena.scratch();
            match compression.compress_whole(cx.codecs, payload, scratch) {
                Ok(true) => {
                    endpoint.counters.rare().compressed_out += 1;
                    self.outbox.push_frame(
                        self.role,
                        &mut self.keys,
                        Lead { rsv1: true, ..Lead::whole(opcode_of(text)) },
                        scratch,
                        true,
                    );
                    return true;
                }
                Ok(false) => {}
                Err(_) => self.compression_failed(),
            }
        }
        self.queue_plain(Lead::whole(opcode_of(text)), payload)
    }

    fn queue_plain(&mut self, lead: Lead, payload: &[u8]) -> bool {
        let fits = self.outbox.reserve(frame_room(payload.len()));
        if fits {
            self.outbox.push_frame(self.role, &mut self.keys, lead, payload, lead.fin);
        }
        fits
    }

    /// Queues a message to be compressed or encoded later.
    pub(super) fn wait(&mut self, outgoing: Outgoing) {
        self.rare.state().waiting.get_or_insert_default().push(outgoing);
    }

    /// Queues a control frame.
    pub(super) fn put_control(&mut self, opcode: u8, payload: &[u8]) {
        self.outbox.push_frame(self.role, &mut self.keys, Lead::whole(opcode), payload, false);
    }

    /// Compresses and encodes slice by slice, for at most half of the remaining budget.
    fn encode_waiting(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        let mut half = cx.budget.half();
        while self.can_compress() {
            let Some(first) = self.rare.state().waiting.as_mut().and_then(|waiting| waiting.pop()) else {
                if !self.hand_next(endpoint, cx) || half.is_spent() {
                    break;
                }
                continue;
            };
            let rest = self.encode_slice(endpoint, cx, first);
            match (rest, &mut self.rare.state().waiting) {
                (Some(rest), Some(waiting)) => waiting.push_front(rest),
                (None, Some(waiting)) if waiting.is_empty() => self.rare.state().waiting = None,
                _ => {}
            }
            if half.is_spent() {
                break;
            }
        }
        self.send_due_control();
        self.send_due_close(endpoint);
    }

    /// Encodes the next slice of a message, or does other work that takes as long. Returns the message if part of it is
    /// left.
    fn encode_slice(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, first: Outgoing) -> Option<Outgoing> {
        match first {
            Outgoing::Early { text, payload } if self.compresses(endpoint, payload.len()) => Some(Outgoing::Message {
                text,
                payload: Payload::whole(Arc::new(payload)),
                at: 0,
                sent: 0,
                begun: false,
            }),
            Outgoing::Early { text, payload } => self.encode_plain(cx, text, Payload::whole(Arc::new(payload)), 0),
            Outgoing::Latest { text, payload, .. } if self.compresses(endpoint, payload.len()) => {
                Some(Outgoing::Message { text, payload, at: 0, sent: 0, begun: false })
            }
            Outgoing::Latest { text, payload, .. } => self.encode_plain(cx, text, payload, 0),
            Outgoing::Plain { text, payload, at } => self.encode_plain(cx, text, payload, at),
            Outgoing::Frame { frame } => {
                self.outbox.push_shared(&frame, 0, true);
                None
            }
            Outgoing::Parts { head, storage, start } => {
                self.outbox.push_parts(&head, &storage, start);
                None
            }
            Outgoing::Message { .. } | Outgoing::Shared { .. } => self.compress_slice(endpoint, cx, first),
        }
    }

    /// Encodes the next fragment of an uncompressed message.
    fn encode_plain(&mut self, cx: &mut Cx<'_>, text: bool, payload: Payload, at: usize) -> Option<Outgoing> {
        let piece = payload.piece(at, PLAIN_SLICE);
        let end = at + piece.len();
        let fin = end == payload.len();
        let opcode = if at > 0 { CONTINUATION } else { opcode_of(text) };
        if !self.queue_plain(Lead { opcode, rsv1: false, fin }, piece) {
            self.memory_failed();
            return None;
        }
        if !fin {
            return Some(Outgoing::Plain { text, payload, at: end });
        }
        cx.discard(payload.len(), payload);
        None
    }

    fn compress_slice(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, first: Outgoing) -> Option<Outgoing> {
        let max_ratio = endpoint.options.limit(WS_OPT_MAX_INFLATE_RATIO);
        let compression = self.rare.state().compression.as_mut()?;
        if matches!(first, Outgoing::Message { .. }) && compression.prepare(cx.codecs) {
            return Some(first);
        }
        let left = first.left();
        let scratch = cx.arena.scratch();
        match first {
            Outgoing::Message { text, payload, at: 0, .. }
                if payload.piece(0, compression.slice_bytes()).len() == left =>
            {
                let piece = payload.piece(0, left);
                let Ok(shorter) = compression.compress_whole(cx.codecs, piece, scratch) else {
                    return self.message_failed();
                };
                let lead = Lead { rsv1: shorter, ..Lead::whole(opcode_of(text)) };
                self.outbox.push_frame(self.role, &mut self.keys, lead, if shorter { scratch } else { piece }, true);
                endpoint.counters.rare().compressed_out += u64::from(shorter);
            }
            Outgoing::Message { text, payload, at, sent, begun } => {
                let piece = payload.piece(at, compression.slice_bytes());
                let end = at + piece.len();
                let fin = end == payload.len();
                let stored = must_store(payload.len(), end, sent, max_ratio);
                if compression.compress_slice(cx.codecs, piece, stored, fin, scratch).is_err() {
                    return self.message_failed();
                }
                let opcode = if begun { CONTINUATION } else { opcode_of(text) };
                // A slice may produce no output yet: it then comes with a later slice.
                let sends = fin || !scratch.is_empty();
                if sends {
                    self.outbox.push_frame(self.role, &mut self.keys, Lead { opcode, rsv1: !begun, fin }, scratch, fin);
                }
                endpoint.counters.rare().compressed_out += u64::from(fin);
                if !fin {
                    let sent = sent + scratch.len();
                    return Some(Outgoing::Message { text, payload, at: end, sent, begun: begun || sends });
                }
                cx.discard(payload.len(), payload);
            }
            Outgoing::Shared { message, index, at } => {
                let made = message.lock().frame(index);
                match made {
                    Ok(Some((frame, end, last))) => {
                        self.outbox.push_shared(&frame, 0, last);
                        endpoint.counters.rare().compressed_out += u64::from(last);
                        if !last {
                            return Some(Outgoing::Shared { message, index: index + 1, at: end });
                        }
                        cx.discard(at + left, message);
                    }
                    Ok(None) => return Some(Outgoing::Shared { message, index, at }),
                    Err(_) => return self.message_failed(),
                }
            }
            _ => {}
        }
        None
    }

    /// Fails writing after the compressor failed, which only a lack of memory explains. Queued messages cannot be sent.
    fn compression_failed(&mut self) {
        let failure = Failure::new(
            Phase::Websocket,
            Cause::Resources,
            "a message could not be compressed: there may be no memory left",
        );
        self.rare.state().write_failure.get_or_insert(Box::new(failure));
    }

    /// As `compression_failed`, for a message that had been taken from the queue.
    #[cold]
    fn message_failed<R>(&mut self) -> Option<R> {
        self.outbox.note_lost();
        self.compression_failed();
        None
    }

    /// Fails writing because there is no memory for an accepted message: the connection ends.
    #[cold]
    pub fn memory_failed(&mut self) {
        self.outbox.note_lost();
        let failure = Failure::new(
            Phase::Websocket,
            Cause::Resources,
            "there is no memory left for what is to be sent: send less at a time",
        );
        self.rare.state().write_failure.get_or_insert(Box::new(failure));
    }

    /// Whether writing has failed and the link is about to end. No readiness event announces this.
    pub fn has_failed(&self) -> bool {
        self.rare.write_failure().is_some()
    }

    /// Writes a message directly from the host's memory; queues the bytes that the transport does not take.
    fn put_direct(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, text: bool, payload: &[u8]) {
        let key = (self.role == Role::Client).then(|| self.keys.draw());
        let (header, header_len) = frame_header(Lead::whole(opcode_of(text)), payload.len(), key);
        let header = &header[..header_len];
        let result = self.stream.as_mut().map(|stream| match key {
            Some(key) => write_masked(stream, header, payload, key, cx.arena.scratch()),
            None => stream.write_vectored(&[IoSlice::new(header), IoSlice::new(payload)]),
        });
        let written = self.note_written(endpoint, result);
        self.passed_by(written);
        if written < header_len {
            self.outbox.push_bytes(&header[written..]);
        }
        let done = written.saturating_sub(header_len);
        match key {
            _ if written == header_len + payload.len() => self.outbox.end_message(),
            _ if !self.outbox.reserve(payload.len() - done) => self.memory_failed(),
            Some(key) => self.outbox.push_masked_rest(&payload[done..], key, done),
            None => self.outbox.push_rest(&payload[done..]),
        }
        if self.has_output() {
            self.write(endpoint, cx);
        }
    }

    fn put_outgoing(
        &mut self,
        endpoint: &mut Endpoint,
        text: bool,
        outgoing: Outgoing,
        payload_len: usize,
        kept: impl FnOnce() -> Payload,
    ) -> Sent {
        if let Keeping::Done(sent) = self.admit_shared(endpoint, text, payload_len, kept) {
            return sent;
        }
        self.wait(outgoing);
        endpoint.count_sent(payload_len);
        Sent::Taken
    }

    /// Whether a message that is shared with other connections is accepted and queued now. A session keeps it.
    #[inline(always)]
    fn admit_shared(
        &mut self,
        endpoint: &mut Endpoint,
        text: bool,
        len: usize,
        kept: impl FnOnce() -> Payload,
    ) -> Keeping {
        if !self.may_put() {
            return Keeping::Done(Sent::NotOpen);
        }
        if !self.has_queue_room(endpoint, len) {
            endpoint.owe_writable(len);
            return Keeping::Done(Sent::Full);
        }
        self.keep_shared(endpoint, text, len, kept)
    }

    fn note_written(&mut self, endpoint: &mut Endpoint, result: Option<std::io::Result<usize>>) -> usize {
        let written = match result {
            Some(Ok(count)) => count,
            Some(Err(error)) => {
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
                    self.write_failed(&error);
                }
                0
            }
            None => 0,
        };
        endpoint.counters.wire_out += written as u64;
        written
    }

    /// Counts bytes that were written without queueing.
    fn passed_by(&mut self, bytes: usize) {
        if let Some(stream) = &self.stream {
            self.outbox.passed_by(bytes, stream);
        }
    }

    fn acknowledge(&mut self) {
        if let Some(stream) = &self.stream {
            self.outbox.acknowledge(stream);
        }
    }

    fn write_failed(&mut self, error: &std::io::Error) {
        let failure = Failure::of_io(Phase::Websocket, Cause::Reset, "the connection was lost while writing", error);
        self.rare.state().write_failure.get_or_insert(Box::new(failure));
    }
}
