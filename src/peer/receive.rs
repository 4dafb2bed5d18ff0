//! From the stream to the queue: reading, decoding, answering control frames.

use super::arena::Place;
use super::{Budget, Cx, Peer, ROUND_BYTES, Stage};
use crate::codes::*;
use crate::error::Failure;
use crate::protocol::{Limits, Received};
use std::io::ErrorKind;

/// Read beyond a full inbound queue, to answer the control frames behind the data.
const OVER_FULL_BYTES: usize = 64 << 10;
/// With pongs of this much unwritten, a ping is answered no more until the peer has read them.
const MAX_UNREAD_PONGS: usize = 64 << 10;

/// Why the frame path paused.
enum Next {
    /// All was decoded.
    Over,
    /// The budget ended.
    Later,
    /// Something rarer than a whole message.
    Other(Received),
    /// The peer broke the protocol.
    Failed(Failure),
}

impl Peer {
    /// Reads and decodes. True: more may be there, and the budget ended or, at a server's client, the round.
    pub(super) fn read(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut round = 0;
        let mut first = true;
        while self.wants_bytes() {
            // One read is made even when the budget was over before: each poll gets on.
            if (!first && cx.budget.look()) || (self.of_server && round >= ROUND_BYTES) {
                return true;
            }
            first = false;
            let (space, place) = cx.arena.space(ROUND_BYTES);
            let (count, last) = if self.backlog.is_empty() {
                let Some(stream) = &mut self.stream else { return false };
                match stream.read(space) {
                    Ok(0) => {
                        self.eof(cx);
                        return false;
                    }
                    Ok(count) => (count, count < space.len() && stream.short_read_is_last() && !self.end_is_near),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.end_broken(cx);
                        return false;
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => {
                        self.read_failed(cx, &error);
                        return false;
                    }
                }
            } else {
                let count = self.backlog.len().min(space.len());
                space[..count].copy_from_slice(&self.backlog[..count]);
                self.backlog.drain(..count);
                (count, false)
            };
            if self.backlog.is_empty() {
                round += count;
            }
            self.beat.hear(cx.now);
            self.decode(cx, place, count);
            if last && self.backlog.is_empty() {
                self.end_broken(cx);
                return false;
            }
        }
        false
    }

    /// The inbound queue is full and reading has stopped.
    pub fn reading_rests(&self) -> bool {
        self.is_full() && self.over_full >= OVER_FULL_BYTES
    }

    /// Whether the queue is at its limits.
    pub fn is_full(&self) -> bool {
        self.inbox.has_messages()
            && (self.inbox.len() as u64 >= self.options.limit(WS_OPT_INBOUND_PACKETS)
                || self.inbox.bytes() >= self.options.limit(WS_OPT_INBOUND_BYTES))
    }

    /// Bytes that were read and wait to be decoded, or anything that keeps a poll from being the last word.
    pub fn has_backlog(&self) -> bool {
        !self.backlog.is_empty() && self.wants_input()
    }

    /// Whether a poll would read what comes.
    pub fn wants_input(&self) -> bool {
        !self.has_read_all() && !self.awaits_decision() && !matches!(self.stage, Stage::Ended) && !self.reading_rests()
    }

    fn wants_bytes(&mut self) -> bool {
        if self.has_read_all() || self.awaits_decision() || self.stream.is_none() {
            return false;
        }
        if !self.is_full() {
            self.over_full = 0;
            return true;
        }
        self.over_full < OVER_FULL_BYTES
    }

    /// Decodes `count` bytes that were read to `place`.
    fn decode(&mut self, cx: &mut Cx<'_>, place: Place, count: usize) {
        self.counters.wire_in += count as u64;
        let mut at = 0;
        if !matches!(self.stage, Stage::Open) {
            let (space, _) = cx.arena.space(ROUND_BYTES);
            // The handshake keeps its own copy; the bytes are few and read once.
            let bytes = space[..count].to_vec();
            at = self.take_handshake(cx, &bytes);
            if !matches!(self.stage, Stage::Open) {
                if at < count {
                    self.backlog.splice(..0, bytes[at..].iter().copied());
                }
                return;
            }
        }
        let limits = Limits {
            // Lengths inside are 32 bits wide.
            max_message: self.options.limit(WS_OPT_MAX_MESSAGE_BYTES).min(u64::from(u32::MAX) - 64),
            // A message in one frame that comes in pieces counts as one fragment.
            max_fragments: u32::try_from(self.options.limit(WS_OPT_MAX_FRAGMENTS)).unwrap_or(u32::MAX).max(1),
        };
        let was_full = self.is_full();
        let mut keep = false;
        loop {
            let (space, _) = cx.arena.space(ROUND_BYTES);
            let (next, fresh) = self.decode_messages(&mut space[..count], &mut at, place, &limits, &mut cx.budget);
            keep |= fresh;
            match next {
                Next::Over => break,
                Next::Later => {
                    self.backlog.splice(..0, space[at..count].iter().copied());
                    break;
                }
                Next::Failed(failure) => self.fail(cx, failure),
                Next::Other(Received::Assembled { text, bytes, .. }) => {
                    self.counters.messages_in += 1;
                    self.counters.bytes_in += bytes.len() as u64;
                    self.inbox.push_kept(text, bytes);
                }
                Next::Other(Received::Ping { payload }) => self.answer_ping(&payload),
                Next::Other(Received::Pong { payload }) => self.beat.hear_pong(&payload, cx.now),
                Next::Other(Received::Close { code, reason }) => self.close_received(cx, code, reason),
                Next::Other(_) => {}
            }
            if self.has_read_all() {
                break;
            }
            if cx.budget.spend_frame() && at < count {
                let (space, _) = cx.arena.space(ROUND_BYTES);
                self.backlog.splice(..0, space[at..count].iter().copied());
                break;
            }
        }
        self.judge_rate(cx);
        if keep {
            cx.arena.keep(count);
        }
        if self.is_full() {
            self.over_full += count;
            self.counters.stalls += u64::from(!was_full);
        }
    }

    /// The frame path: message after message that lies whole in the buffer, until something else comes.
    fn decode_messages(&mut self, bytes: &mut [u8], at: &mut usize, place: Place, limits: &Limits, budget: &mut Budget<'_>) -> (Next, bool) {
        let mut fresh = false;
        loop {
            match self.decoder.next(&mut bytes[*at..], limits) {
                Ok((_, Received::Nothing)) => return (Next::Over, fresh),
                Ok((used, received)) => {
                    let start = *at;
                    *at += used;
                    match received {
                        Received::Message { text, start: offset, len, .. } => {
                            fresh = true;
                            self.counters.messages_in += 1;
                            self.counters.bytes_in += len as u64;
                            self.inbox.push_fresh(text, place.chunk, place.start + (start + offset) as u32, len as u32);
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

    fn answer_ping(&mut self, payload: &[u8]) {
        let (last, waiting) = &mut self.pongs;
        if *last <= self.outbox.written() {
            *waiting = 0;
        }
        if *waiting < MAX_UNREAD_PONGS {
            *waiting += payload.len() + 6;
            self.put_control(0xA, payload);
            self.pongs.0 = self.outbox.end();
        }
    }

    /// Closes a peer that sends more than it may.
    fn judge_rate(&mut self, cx: &mut Cx<'_>) {
        let most = [self.options.limit(WS_OPT_MAX_MESSAGES_PER_S), self.options.limit(WS_OPT_MAX_BYTES_PER_S)];
        if most == [u64::MAX; 2] {
            self.rate.pass(&self.counters);
            return;
        }
        let over = self.rate.is_over(cx.now, &self.counters, most);
        if over && !self.has_read_all() {
            self.fail(cx, Failure::of_protocol(1008, "more messages or bytes a second than max_messages_per_s or max_bytes_per_s allow"));
        }
    }

    fn eof(&mut self, cx: &mut Cx<'_>) {
        if !matches!(self.stage, Stage::Open) {
            self.handshake_eof(cx);
            return;
        }
        let failure = self.write_failure.take().map_or_else(
            || Failure::new(WS_PHASE_WEBSOCKET, WS_CAUSE_PEER_GONE, "the peer ended the connection without a closing handshake"),
            |failure| *failure,
        );
        self.end(cx, failure, false);
    }

    fn read_failed(&mut self, cx: &mut Cx<'_>, error: &std::io::Error) {
        let phase = match self.phase() {
            WS_PHASE_WEBSOCKET if error.kind() == ErrorKind::InvalidData => WS_PHASE_TLS,
            phase => phase,
        };
        let failure = match self.write_failure.take() {
            Some(failure) => *failure,
            None => Failure::of_io(phase, WS_CAUSE_RESET, "the connection was lost while reading", error),
        };
        self.end(cx, failure, false);
    }

    /// After writing failed and all that had arrived was read.
    fn end_broken(&mut self, cx: &mut Cx<'_>) {
        if let Some(failure) = self.write_failure.take() {
            self.end(cx, *failure, false);
        }
    }
}
