//! From the stream to the queue: reading, decoding, answering control frames.

use super::arena::Place;
use super::compression::{InflateLimits, Inflated, Tools};
use super::inbox::Dropped;
use super::item::Message;
use super::pulse::Watched;
use super::rate::Rate;
use super::{Budget, Cx, MUCH, Peer, ROUND_BYTES, Stage};
use crate::codes::*;
use crate::error::Failure;
use crate::heap::Moved;
use crate::net::{LEAST_READ, Reader, tls_failure};
use crate::protocol::{Beating, Limits, Received, Role};
use crate::status::{Cause, Phase};
use std::io::ErrorKind;

/// Read beyond a full inbound queue, to answer the control frames behind the data.
const OVER_FULL_BYTES: usize = 64 << 10;

/// Read at once where a long message is likely to begin: the rest of it is then read to where it is assembled.
const SHORT_READ: usize = LEAST_READ + (1 << 10);

/// Reads are not halved more often: that is a short read.
const MOST_NARROW: u8 = 4;

/// What one reading brought.
enum Got {
    /// So many bytes: in the arena, or (`None`) where the decoder wanted them. `last`: no more are there.
    Bytes { count: usize, last: bool, place: Option<Place> },
    /// Nothing, by an interruption.
    Again,
    /// Nothing now, or nothing ever.
    Nothing,
}

/// Why the frame path paused.
enum Next {
    /// All was decoded.
    Over,
    /// The budget ended.
    Later,
    /// Something rarer than a whole message.
    Other(Received),
    /// An application heartbeat.
    Beat(Beating),
    /// The first message of a server that offers none.
    NoBeat,
    /// The peer broke the protocol.
    Failed(Failure),
}

impl Peer {
    /// Reads and decodes. True: more may be there, and the budget ended or, at a server's client, the round.
    pub(super) fn read(&mut self, cx: &mut Cx<'_>) -> bool {
        let (mut round, mut first) = (0, true);
        while self.wants_bytes(cx) {
            // Even a poll whose time is over moves something on.
            let over = (!std::mem::take(&mut first) && cx.budget.look()) || (self.of_server && round >= ROUND_BYTES);
            if over || !self.go_on_inflating(cx) || !self.go_on_moving(cx) {
                return true;
            }
            if self.has_read_all() {
                break;
            }
            let got = if self.backlog.is_empty() { self.read_stream(cx) } else { self.read_backlog(cx) };
            let (count, last, place) = match got {
                Got::Bytes { count, last, place } => (count, last, place),
                Got::Again => continue,
                Got::Nothing => return false,
            };
            if self.backlog.is_empty() {
                round += count;
            }
            self.beat.hear(cx.now);
            match place {
                Some(place) => {
                    let narrow = self.narrow;
                    self.decode(cx, place, count);
                    if count == self.read_size() && self.narrow == narrow {
                        self.narrow = narrow.saturating_sub(1);
                    }
                }
                None => self.take_filled(cx, count),
            }
            if last && self.backlog.is_empty() && !self.compression.as_ref().is_some_and(|compression| compression.kept().0) {
                self.end_broken(cx);
                return false;
            }
        }
        false
    }

    /// Reads once: to where a long message is assembled, or to the arena.
    fn read_stream(&mut self, cx: &mut Cx<'_>) -> Got {
        let most = match () {
            _ if self.is_full() => OVER_FULL_BYTES - self.over_full as usize,
            _ if self.expects_long => SHORT_READ,
            _ => self.read_size(),
        };
        let Some(stream) = &mut self.stream else { return Got::Nothing };
        let (room, place) = match self.decoder.room_to_fill() {
            Some(room) => (room, None),
            None => {
                let (space, place) = cx.arena.space(most);
                (space, Some(place))
            }
        };
        match stream.read(room) {
            Ok(0) => self.eof(cx),
            Ok(count) => {
                self.counters.wire_in += count as u64;
                return Got::Bytes { count, last: stream.has_read_all(count < room.len()) && !self.reads_on, place };
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.end_broken(cx),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Got::Again,
            Err(error) => self.read_failed(cx, &error),
        }
        Got::Nothing
    }

    /// Puts bytes that were read before where they can be decoded.
    fn read_backlog(&mut self, cx: &mut Cx<'_>) -> Got {
        let (space, place) = cx.arena.space(self.read_size());
        let count = self.backlog.take(space);
        Got::Bytes { count, last: false, place: Some(place) }
    }

    /// How much is read at once.
    fn read_size(&self) -> usize {
        (ROUND_BYTES >> self.narrow).max(SHORT_READ)
    }

    /// The budget ended before all of the last space was decoded.
    fn keep_for_later(&mut self, cx: &mut Cx<'_>, range: std::ops::Range<usize>) {
        self.narrow = (self.narrow + 2).min(MOST_NARROW);
        self.backlog.put_back(&cx.arena.last_space(ROUND_BYTES)[range]);
    }

    /// Bytes of a long message came to where it is assembled.
    fn take_filled(&mut self, cx: &mut Cx<'_>, count: usize) {
        let (was_full, before) = (self.is_full(), self.received());
        match self.decoder.filled(count) {
            Ok(Received::Assembled { text, bytes }) => {
                self.expects_long = bytes.len() > ROUND_BYTES;
                self.take_assembled(cx, text, bytes);
            }
            Ok(_) => {}
            Err(failure) => self.fail(cx, failure),
        }
        self.judge_rate(cx, before);
        self.note_full(was_full, count);
    }

    fn take_assembled(&mut self, cx: &Cx<'_>, text: bool, bytes: Vec<u8>) {
        let watched = self.watch(text, &bytes);
        if let Watched::Beat(beating) = watched {
            return self.take_beat(beating, cx.now);
        }
        self.counters.messages_in += 1;
        self.counters.bytes_in += bytes.len() as u64;
        self.inbox.push_kept(text, bytes);
        if matches!(watched, Watched::NotOffered) {
            self.lose_pulse(cx);
        }
    }

    fn note_full(&mut self, was_full: bool, count: usize) {
        if self.is_full() {
            self.over_full += count as u32;
            self.counters.stalls += u64::from(!was_full);
        }
    }

    /// The inbound queue is full and reading has stopped. A compressed message does not begin while it is: it may become many times its size.
    pub fn reading_rests(&self) -> bool {
        self.is_full() && (self.over_full as usize >= OVER_FULL_BYTES || self.compression.as_ref().is_some_and(|compression| compression.kept().1))
    }

    /// Whether the queue is at its limits.
    pub fn is_full(&self) -> bool {
        // Those count too that the host may not take yet, because they are to be passed on.
        let waiting = self.inbox.counted() as u64;
        let (packets, bytes) = (self.options.limit(WS_OPT_INBOUND_PACKETS), self.options.limit(WS_OPT_INBOUND_BYTES));
        waiting > 0 && (waiting >= packets || self.inbox.bytes() >= bytes)
    }

    /// What was read or put and waits for no one but a poll.
    pub fn has_backlog(&self) -> bool {
        let waits = !self.backlog.is_empty() || self.compression.as_ref().is_some_and(|compression| compression.kept().0);
        (waits && self.wants_input()) || self.can_send_on()
    }

    /// Whether a poll would read what comes.
    pub fn wants_input(&self) -> bool {
        !self.has_read_all() && !self.awaits_decision() && !matches!(self.stage, Stage::Ended) && !self.reading_rests()
    }

    /// Drops the messages that wait, and from now on those that come.
    pub fn refuse_messages(&mut self, cx: &mut Cx<'_>) {
        self.inbox.refuse_messages();
        self.drop_refused(cx);
    }

    /// Drops the held messages: nobody gets them.
    pub fn drop_held(&mut self, cx: &mut Cx<'_>) {
        let dropped = self.inbox.drop_all_held(self.apart);
        discard(cx, dropped);
    }

    /// Drops the messages that came, where they are refused.
    #[inline]
    pub(super) fn drop_refused(&mut self, cx: &mut Cx<'_>) {
        if let Some(dropped) = self.inbox.drop_refused(self.apart) {
            discard(cx, dropped);
        }
    }

    fn wants_bytes(&mut self, cx: &mut Cx<'_>) -> bool {
        self.drop_refused(cx);
        if self.has_read_all() || self.awaits_decision() || self.stream.is_none() {
            return false;
        }
        if !self.is_full() {
            self.over_full = 0;
            return true;
        }
        !self.reading_rests()
    }

    /// Decodes `count` bytes that were read to `place`.
    fn decode(&mut self, cx: &mut Cx<'_>, place: Place, count: usize) {
        let mut at = 0;
        if !matches!(self.stage, Stage::Open) {
            let space = cx.arena.last_space(ROUND_BYTES);
            // The handshake keeps its own copy; the bytes are few and read once.
            let bytes = space[..count].to_vec();
            at = self.take_handshake(cx, &bytes);
            if !matches!(self.stage, Stage::Open) {
                if at < count {
                    self.backlog.put_back(&bytes[at..]);
                }
                return;
            }
        }
        let limits = self.frame_limits();
        let (was_full, before) = (self.is_full(), self.received());
        let offers = match cx.arena.take_spare() {
            Some(spare) => {
                self.decoder.offer(spare);
                true
            }
            None => false,
        };
        let mut keep = false;
        loop {
            let space = cx.arena.last_space(ROUND_BYTES);
            let (next, fresh) = self.decode_messages(&mut space[..count], &mut at, place, &limits, &mut cx.budget);
            keep |= fresh;
            match next {
                Next::Over => break,
                Next::Later => {
                    self.keep_for_later(cx, at..count);
                    break;
                }
                Next::Failed(failure) => self.fail(cx, failure),
                Next::Beat(beating) => self.take_beat(beating, cx.now),
                Next::NoBeat => self.lose_pulse(cx),
                Next::Other(Received::Assembled { text, bytes }) => self.take_assembled(cx, text, bytes),
                Next::Other(Received::Compressed { text, last, start, len }) => {
                    let done = self.take_compressed(cx, text, last, start..start + len);
                    if (!done || cx.budget.look()) && at < count {
                        self.keep_for_later(cx, at..count);
                        break;
                    }
                }
                Next::Other(Received::Ping { payload }) => self.answer_ping(payload),
                Next::Other(Received::Pong { payload }) => self.beat.hear_pong(&payload, cx.now),
                Next::Other(Received::Close { code, reason }) => {
                    self.answer_last_ping();
                    self.close_received(cx, code, reason);
                }
                Next::Other(Received::Fragments) if cx.budget.look() => {
                    self.keep_for_later(cx, at..count);
                    break;
                }
                Next::Other(_) => {}
            }
            if self.has_read_all() {
                break;
            }
            if cx.budget.spend_frame() && at < count {
                self.keep_for_later(cx, at..count);
                break;
            }
        }
        self.judge_rate(cx, before);
        match self.decoder.take_back() {
            Some(unused) => cx.give_back(unused),
            None if offers => cx.arena.note_use(),
            None => {}
        }
        if keep {
            cx.arena.keep(count);
            self.expects_long = false;
        }
        self.note_full(was_full, count);
    }

    /// The frame path: message after message that lies whole in the buffer, until something else comes. Alone, it needs few registers.
    #[inline(never)]
    fn decode_messages(&mut self, bytes: &mut [u8], at: &mut usize, place: Place, limits: &Limits, budget: &mut Budget<'_>) -> (Next, bool) {
        let (mut fresh, watches) = (false, self.pulse.is_some());
        loop {
            match self.decoder.next(&mut bytes[*at..], limits) {
                Ok((_, Received::Nothing)) => return (Next::Over, fresh),
                Ok((used, received)) => {
                    let start = *at;
                    *at += used;
                    match received {
                        Received::Message { text, start: offset, len, .. } => {
                            if watches && let Some(next) = self.watch_fresh(text, &bytes[start + offset..][..len], place, start + offset) {
                                return (next, true);
                            }
                            fresh = true;
                            self.take_fresh(text, place, start + offset, len);
                        }
                        Received::Compressed { text, last, start: offset, len } => {
                            return (Next::Other(Received::Compressed { text, last, start: start + offset, len }), fresh);
                        }
                        other => return (Next::Other(other), fresh),
                    }
                }
                Err(failure) => return (Next::Failed(failure), fresh),
            }
            if budget.spend_frame() && *at < bytes.len() {
                return (Next::Later, fresh);
            }
        }
    }

    #[inline(always)]
    fn take_fresh(&mut self, text: bool, place: Place, at: usize, len: usize) {
        self.counters.messages_in += 1;
        self.counters.bytes_in += len as u64;
        self.inbox.push_fresh(text, place.chunk, place.start + at as u32, len as u32);
    }

    /// A message while heartbeats may come. `None`: it is the host's.
    #[cold]
    fn watch_fresh(&mut self, text: bool, bytes: &[u8], place: Place, at: usize) -> Option<Next> {
        match self.watch(text, bytes) {
            Watched::Message => None,
            Watched::Beat(beating) => Some(Next::Beat(beating)),
            Watched::NotOffered => {
                self.take_fresh(text, place, at, bytes.len());
                Some(Next::NoBeat)
            }
        }
    }

    /// Decompresses a piece that lies in the last space. False: not all of it, and what follows has to wait.
    fn take_compressed(&mut self, cx: &mut Cx<'_>, text: bool, last: bool, place: std::ops::Range<usize>) -> bool {
        let (may_begin, limits) = (!self.is_full(), self.inflate_limits());
        let Some(compression) = &mut self.compression else { return true };
        let (space, scratch) = cx.arena.space_and_scratch(ROUND_BYTES);
        let mut tools = Tools { codecs: cx.codecs, scratch, budget: &mut cx.budget };
        let inflated = compression.inflate(text, last, &space[place], may_begin, &limits, &mut tools);
        self.took_inflated(cx, inflated)
    }

    /// Decompresses what the last poll left. False: there is still more of it.
    fn go_on_inflating(&mut self, cx: &mut Cx<'_>) -> bool {
        let limits = self.inflate_limits();
        let before = self.received();
        let Some(compression) = self.compression.as_mut().filter(|compression| compression.kept().0) else { return true };
        let mut tools = Tools { codecs: cx.codecs, scratch: cx.arena.scratch(), budget: &mut cx.budget };
        let inflated = compression.resume(&limits, &mut tools);
        let done = self.took_inflated(cx, inflated);
        self.judge_rate(cx, before);
        done
    }

    /// Moves a long message that may outgrow its place. False: the budget ended before all of it was moved.
    fn go_on_moving(&mut self, cx: &mut Cx<'_>) -> bool {
        let limits = self.frame_limits();
        loop {
            match self.decoder.move_on(&limits) {
                Moved::Nothing => return true,
                Moved::Slice => {}
                Moved::All(outgrown) => cx.give_back(outgrown),
            }
            if cx.budget.look() {
                return false;
            }
        }
    }

    fn took_inflated(&mut self, cx: &mut Cx<'_>, inflated: Result<Inflated, Failure>) -> bool {
        if let Some(outgrown) = self.compression.as_mut().and_then(|compression| compression.outgrown.take()) {
            cx.give_back(outgrown);
        }
        match inflated {
            Ok(Inflated::More) => {}
            Ok(Inflated::Later) => return false,
            Ok(Inflated::Message { text, bytes }) => {
                if let Some(compression) = &mut self.compression {
                    compression.messages_in += 1;
                }
                self.take_assembled(cx, text, bytes);
            }
            Err(failure) => self.fail(cx, failure),
        }
        true
    }

    fn frame_limits(&self) -> Limits {
        Limits {
            max_message: self.options.max_message(),
            // A message in one frame that comes in pieces counts as one fragment.
            max_fragments: u32::try_from(self.options.limit(WS_OPT_MAX_FRAGMENTS)).unwrap_or(u32::MAX).max(1),
        }
    }

    fn inflate_limits(&self) -> InflateLimits {
        InflateLimits { max_message: self.options.max_message(), max_ratio: self.options.limit(WS_OPT_MAX_INFLATE_RATIO) }
    }

    /// Messages and bytes a second that the peer may send, where that is limited.
    pub(super) fn rate_limits(&self) -> Option<[u64; 2]> {
        let most = [self.options.limit(WS_OPT_MAX_MESSAGES_PER_S), self.options.limit(WS_OPT_MAX_BYTES_PER_S)];
        (most != [u64::MAX; 2]).then_some(most)
    }

    pub(super) fn received(&self) -> [u64; 2] {
        [self.counters.messages_in, self.counters.bytes_in]
    }

    /// Closes a peer that sends more than it may. `before`: the messages and bytes that had come before those to be judged.
    fn judge_rate(&mut self, cx: &mut Cx<'_>, before: [u64; 2]) {
        let Some(most) = self.rate_limits() else {
            // What has come until then does not count when limits are set.
            self.rate = None;
            return;
        };
        let excess = self.rate.get_or_insert_with(|| Box::new(Rate::new(before))).take(cx.now, &self.counters, most);
        let Some((count, room)) = excess else { return };
        // As if each had come alone: what follows the one that was too much is not heard, a close frame included.
        let dropped = self.inbox.drop_excess(count, room, self.apart);
        discard(cx, dropped);
        if !self.has_stopped() {
            self.fail(cx, Failure::of_protocol(1008, "more messages or bytes a second than max_messages_per_s or max_bytes_per_s allow"));
        }
    }

    fn eof(&mut self, cx: &mut Cx<'_>) {
        if !matches!(self.stage, Stage::Open) {
            self.handshake_eof(cx);
            return;
        }
        let failure = self.write_failure.take().map_or_else(
            || Failure::new(Phase::Websocket, Cause::PeerGone, "the peer ended the connection without a closing handshake"),
            |failure| *failure,
        );
        self.end(cx, failure, false);
    }

    fn read_failed(&mut self, cx: &mut Cx<'_>, error: &std::io::Error) {
        // An alert of TLS says more than the write that failed because of it.
        let reader = if self.role == Role::Server { Reader::Server } else { Reader::Client };
        let failure = match (tls_failure(error, reader), self.write_failure.take()) {
            (Some(failure), _) => failure,
            (None, Some(failure)) => *failure,
            (None, None) => Failure::of_io(self.phase(), Cause::Reset, "the connection was lost while reading", error),
        };
        self.end(cx, failure, false);
    }

    /// After writing failed and all that had arrived was read.
    fn end_broken(&mut self, cx: &mut Cx<'_>) {
        if self.closing.as_ref().is_some_and(|closing| closing.is_received()) {
            // The peer's close frame came with the last bytes, and decides: see `finish_close`.
            return;
        }
        if let Some(failure) = self.write_failure.take() {
            self.end(cx, *failure, false);
        }
    }
}

/// Frees messages, many bytes of them on the worker.
fn discard(cx: &Cx<'_>, dropped: Dropped) {
    if dropped.iter().map(Message::len).sum::<usize>() > MUCH {
        cx.services.discard(Box::new(dropped));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Options;
    use crate::protocol::Role;
    use std::sync::Arc;
    use std::time::Instant;

    #[test]
    fn both_ways_of_a_message_have_one_limit_that_its_length_fits_in() {
        for (value, most) in [(0, 0), (5_000, 5_000), (u32::MAX - 1, u32::MAX - 64), (WS_OFF, u32::MAX - 64)] {
            let mut options = Options::defaults(true);
            options.set(WS_OPT_MAX_MESSAGE_BYTES, value).unwrap();
            let peer = Peer::new(Role::Server, Arc::new(options), Stage::Open, None, Instant::now());
            assert_eq!((peer.frame_limits().max_message, peer.inflate_limits().max_message), (most.into(), most.into()), "max_message_bytes {value}");
        }
    }
}
