//! From the stream to the inbound queue: reading, decoding, answering control frames.

use super::Link;
use super::channel::Watched;
use super::compression::{InflateLimits, Inflated, Tools};
use super::rate::Rate;
use crate::codes::*;
use crate::endpoint::{Endpoint, Inbox};
use crate::error::Failure;
use crate::heap::Moved;
use crate::names::{MAX_BYTES_PER_S, MAX_MESSAGES_PER_S};
use crate::net::{LEAST_READ, Reader, tls_failure};
use crate::protocol::{Control, Limits, Received, Role};
use crate::session::Session;
use crate::status::{Cause, Phase};
use crate::work::{Budget, Cx, Place, READ_BYTES, ROUND_BYTES};
use std::io::ErrorKind;

/// Maximum bytes read while the inbound queue is full, in order to answer control frames that follow the data.
const OVER_FULL_BYTES: usize = 64 << 10;

/// Read size where a long message is likely to begin: the rest of the message is then read directly into its buffer.
const SHORT_READ: usize = LEAST_READ + (1 << 10);

/// Maximum of `Link::narrow`: the read size is then near `SHORT_READ`.
const MOST_NARROW: u8 = 3;

/// Result of one read.
enum Got {
    /// `count` bytes, in the arena at `place`, or (`None`) in the decoder's buffer for a long message. `last`: no more
    /// are available.
    Bytes { count: usize, last: bool, place: Option<Place> },
    /// Interrupted by a signal: read again.
    Again,
    /// No bytes are available, or the link has ended.
    Nothing,
}

/// Why `decode_messages` returned.
enum Next {
    /// All bytes were decoded.
    Over,
    /// The budget was exhausted.
    Later,
    /// Anything but a message in one frame.
    Other(Received),
    /// A message of the control channel.
    Control(Control),
    /// A message of the host where one of the control channel was expected.
    Foreign,
    /// The peer violated the protocol.
    Failed(Failure),
}

impl Link {
    /// Reads and decodes. True: there may be more, and the budget was exhausted or, on a server, the round of this
    /// client was.
    pub(super) fn read(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        let (mut round, mut first) = (0, true);
        while self.wants_bytes(endpoint, cx) {
            // The first pass ignores the budget, so that every poll makes progress.
            let over =
                (!std::mem::take(&mut first) && cx.budget.is_spent()) || (endpoint.of_server && round >= ROUND_BYTES);
            if over || !self.go_on_inflating(endpoint, cx) || !self.go_on_moving(endpoint, cx) {
                return true;
            }
            if self.has_read_all() {
                break;
            }
            let got = if !self.rare.has_backlog() { self.read_stream(endpoint, cx) } else { self.read_backlog(cx) };
            let (count, last, place) = match got {
                Got::Bytes { count, last, place } => (count, last, place),
                Got::Again => continue,
                Got::Nothing => return false,
            };
            if !self.rare.has_backlog() {
                round += count;
            }
            self.heartbeat.note_received(cx.now);
            match place {
                Some(place) => {
                    let narrow = self.narrow;
                    self.decode(endpoint, cx, place, count);
                    if count == self.read_size() && self.narrow == narrow {
                        self.narrow = narrow.saturating_sub(1);
                    }
                }
                None => self.take_filled(endpoint, cx, count),
            }
            if last
                && !self.rare.has_backlog()
                && !self.rare.compression().is_some_and(|compression| compression.kept().0)
            {
                self.end_broken(cx);
                return false;
            }
        }
        false
    }

    /// Reads once: into the buffer of a long message, or into the arena.
    fn read_stream(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Got {
        let most = match () {
            _ if endpoint.is_full() => OVER_FULL_BYTES - self.over_full as usize,
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
                endpoint.counters.wire_in += count as u64;
                return Got::Bytes { count, last: stream.has_read_all(count < room.len()) && !self.reads_on, place };
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.end_broken(cx),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Got::Again,
            Err(error) => self.read_failed(cx, &error),
        }
        Got::Nothing
    }

    /// Copies bytes that were read earlier into the arena, to be decoded.
    fn read_backlog(&mut self, cx: &mut Cx<'_>) -> Got {
        let (space, place) = cx.arena.space(self.read_size());
        let count = self.rare.state().backlog.take(space);
        Got::Bytes { count, last: false, place: Some(place) }
    }

    /// Maximum bytes of one read.
    fn read_size(&self) -> usize {
        (READ_BYTES >> self.narrow).max(SHORT_READ)
    }

    /// Keeps the bytes of the last space that were not decoded when the budget was exhausted.
    fn keep_for_later(&mut self, cx: &mut Cx<'_>, range: std::ops::Range<usize>) {
        self.narrow = (self.narrow + 2).min(MOST_NARROW);
        self.rare.state().backlog.put_back(&cx.arena.last_space(READ_BYTES)[range]);
    }

    /// Handles `count` bytes read into the buffer of a long message.
    fn take_filled(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, count: usize) {
        let (was_full, before) = (endpoint.is_full(), endpoint.received());
        match self.decoder.filled(count) {
            Ok(Received::Assembled { text, bytes }) => {
                self.expects_long = bytes.len() > READ_BYTES;
                self.take_assembled(endpoint, cx, text, bytes);
            }
            Ok(_) => {}
            Err(failure) => self.fail(endpoint, cx, failure),
        }
        self.check_rate(endpoint, cx, before);
        self.note_full(endpoint, was_full, count);
    }

    fn take_assembled(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, text: bool, bytes: Vec<u8>) {
        let is_foreign = match self.watch(text, &bytes) {
            Watched::Control(control) => return self.take_control(endpoint, cx, control),
            watched => matches!(watched, Watched::Foreign),
        };
        endpoint.counters.messages_in += 1;
        endpoint.counters.bytes_in += bytes.len() as u64;
        endpoint.inbox.push_kept(text, bytes);
        if is_foreign {
            self.take_foreign(endpoint, cx);
        }
    }

    fn note_full(&mut self, endpoint: &mut Endpoint, was_full: bool, count: usize) {
        if endpoint.is_full() {
            self.over_full += count as u32;
            if !was_full {
                endpoint.counters.rare().stalls += 1;
            }
        }
    }

    /// Whether reading is paused because the inbound queue is full. No compressed message begins then either, as it may
    /// decompress to many times its size.
    pub fn is_reading_paused(&self, endpoint: &Endpoint) -> bool {
        endpoint.is_full()
            && (self.over_full as usize >= OVER_FULL_BYTES
                || self.rare.compression().is_some_and(|compression| compression.kept().1))
    }

    /// Whether a poll can make progress without a readiness event: received bytes to decode, or queued messages to
    /// encode or write.
    pub fn has_backlog(&self, endpoint: &Endpoint) -> bool {
        let waits = self.rare.has_backlog() || self.rare.compression().is_some_and(|compression| compression.kept().0);
        let has_acknowledged = self.rare.session().is_some_and(Session::has_acknowledged);
        (waits && self.wants_input(endpoint)) || has_acknowledged || self.can_send_on()
    }

    /// Whether a poll would read from the socket.
    pub fn wants_input(&self, endpoint: &Endpoint) -> bool {
        !self.has_read_all() && !self.is_over() && !self.is_reading_paused(endpoint)
    }

    fn wants_bytes(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        endpoint.drop_refused(cx);
        if self.has_read_all() || self.is_over() {
            return false;
        }
        if !endpoint.is_full() {
            self.over_full = 0;
            return true;
        }
        let is_paused = self.is_reading_paused(endpoint);
        if is_paused {
            self.advance_line();
        }
        !is_paused
    }

    /// Decodes `count` bytes that were read to `place`.
    fn decode(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, place: Place, count: usize) {
        let mut at = 0;
        let limits = frame_limits(endpoint);
        let (was_full, before) = (endpoint.is_full(), endpoint.received());
        let offers = match cx.arena.take_spare() {
            Some(spare) => {
                self.decoder.offer(spare);
                true
            }
            None => false,
        };
        let mut keep = false;
        loop {
            let space = cx.arena.last_space(READ_BYTES);
            let before = endpoint.inbox.arrived();
            let (next, fresh) =
                self.decode_messages(&mut endpoint.inbox, &mut space[..count], &mut at, place, &limits, &mut cx.budget);
            endpoint.count_received(before);
            keep |= fresh;
            if matches!(next, Next::Over) {
                break;
            }
            if !self.take_rare(endpoint, cx, next) && at < count {
                self.keep_for_later(cx, at..count);
                break;
            }
            if self.has_read_all() {
                break;
            }
            if cx.budget.spend_frame() && at < count {
                self.keep_for_later(cx, at..count);
                break;
            }
        }
        self.check_rate(endpoint, cx, before);
        match self.decoder.take_back() {
            Some(unused) => cx.give_back(unused),
            None if offers => cx.arena.note_use(),
            None => {}
        }
        if keep {
            cx.arena.keep(count);
            self.expects_long = false;
        }
        self.note_full(endpoint, was_full, count);
    }

    /// Takes what is rarer than a whole uncompressed message. False: the budget is exhausted, and what follows is decoded later.
    fn take_rare(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, next: Next) -> bool {
        match next {
            Next::Over => {}
            Next::Later => return false,
            Next::Failed(failure) => self.fail(endpoint, cx, failure),
            Next::Control(control) => self.take_control(endpoint, cx, control),
            Next::Foreign => self.take_foreign(endpoint, cx),
            Next::Other(received) => match received {
                Received::Assembled { text, bytes } => self.take_assembled(endpoint, cx, text, bytes),
                Received::Compressed { text, last, start, len } => {
                    return self.take_compressed(endpoint, cx, text, last, start..start + len) && !cx.budget.is_spent();
                }
                Received::Ping { payload } => self.answer_ping(payload),
                Received::Pong { payload } => {
                    endpoint.rtt_us = self.heartbeat.take_pong(&payload, cx.now).unwrap_or(endpoint.rtt_us);
                    if self.rare.channel().is_some() {
                        self.note_pong(endpoint, cx);
                    }
                }
                Received::Close { code, reason } => {
                    self.answer_last_ping();
                    self.close_received(endpoint, cx, code, reason);
                }
                Received::Fragments => return !cx.budget.is_spent(),
                _ => {}
            },
        }
        true
    }

    /// The fast path: decodes messages that are complete in the buffer, until anything else occurs. In a separate
    /// function, so that the loop needs few registers. The flag: messages were queued that use the arena.
    #[inline(never)]
    fn decode_messages(
        &mut self,
        inbox: &mut Inbox,
        bytes: &mut [u8],
        at: &mut usize,
        place: Place,
        limits: &Limits,
        budget: &mut Budget<'_>,
    ) -> (Next, bool) {
        let (mut fresh, watches) = (false, self.rare.channel().is_some());
        loop {
            match self.decoder.next(&mut bytes[*at..], limits) {
                Ok((_, Received::Nothing)) => return (Next::Over, fresh),
                Ok((used, received)) => {
                    let start = *at;
                    *at += used;
                    match received {
                        Received::Message { text, start: offset, len, .. } => {
                            if watches
                                && let Some(next) = self.watch_fresh(
                                    inbox,
                                    text,
                                    &bytes[start + offset..][..len],
                                    place,
                                    start + offset,
                                )
                            {
                                return (next, true);
                            }
                            fresh = true;
                            push_fresh(inbox, text, place, start + offset, len);
                        }
                        Received::Compressed { text, last, start: offset, len } => {
                            return (
                                Next::Other(Received::Compressed { text, last, start: start + offset, len }),
                                fresh,
                            );
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

    /// Checks whether a message belongs to the control channel. `None`: it is the host's.
    #[cold]
    fn watch_fresh(&self, inbox: &mut Inbox, text: bool, bytes: &[u8], place: Place, at: usize) -> Option<Next> {
        match self.watch(text, bytes) {
            Watched::Message => None,
            Watched::Control(control) => Some(Next::Control(control)),
            Watched::Foreign => {
                push_fresh(inbox, text, place, at, bytes.len());
                Some(Next::Foreign)
            }
        }
    }

    /// Decompresses a piece that is in the last space. False: the budget was exhausted or the inbound queue is full, so
    /// later bytes have to wait.
    fn take_compressed(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        text: bool,
        last: bool,
        place: std::ops::Range<usize>,
    ) -> bool {
        let (may_begin, limits) = (!endpoint.is_full(), inflate_limits(endpoint));
        let Some(compression) = &mut self.rare.state().compression else { return true };
        let (space, scratch) = cx.arena.space_and_scratch(READ_BYTES);
        let mut tools = Tools { codecs: cx.codecs, scratch, budget: &mut cx.budget };
        let inflated = compression.inflate(text, last, &space[place], may_begin, &limits, &mut tools);
        self.took_inflated(endpoint, cx, inflated)
    }

    /// Decompresses bytes left by the last poll. False: some are still left.
    #[inline]
    fn go_on_inflating(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        self.rare.compression().is_none() || self.inflate_kept(endpoint, cx)
    }

    #[inline(never)]
    fn inflate_kept(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        let limits = inflate_limits(endpoint);
        let before = endpoint.received();
        let Some(compression) = self.rare.state().compression.as_mut().filter(|compression| compression.kept().0)
        else {
            return true;
        };
        let mut tools = Tools { codecs: cx.codecs, scratch: cx.arena.scratch(), budget: &mut cx.budget };
        let inflated = compression.resume(&limits, &mut tools);
        let done = self.took_inflated(endpoint, cx, inflated);
        self.check_rate(endpoint, cx, before);
        done
    }

    /// Moves a long message that may outgrow its buffer. False: the budget was exhausted before all of it was moved.
    #[inline]
    fn go_on_moving(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        !self.decoder.mid_message() || self.move_message(endpoint, cx)
    }

    #[inline(never)]
    fn move_message(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        let limits = frame_limits(endpoint);
        loop {
            match self.decoder.move_on(&limits) {
                Moved::Nothing => return true,
                Moved::Slice => {}
                Moved::All(outgrown) => cx.give_back(outgrown),
            }
            if cx.budget.is_spent() {
                return false;
            }
        }
    }

    fn took_inflated(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, inflated: Result<Inflated, Failure>) -> bool {
        if let Some(outgrown) =
            self.rare.state().compression.as_mut().and_then(|compression| compression.outgrown.take())
        {
            cx.give_back(outgrown);
        }
        match inflated {
            Ok(Inflated::More) => {}
            Ok(Inflated::Later) => return false,
            Ok(Inflated::Message { text, bytes }) => {
                endpoint.counters.rare().compressed_in += 1;
                self.take_assembled(endpoint, cx, text, bytes);
            }
            Err(failure) => self.fail(endpoint, cx, failure),
        }
        true
    }

    /// Fails the connection if the peer exceeds a rate limit. `before`: message and byte counters before the bytes to
    /// be checked.
    #[inline]
    fn check_rate(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, before: [u64; 2]) {
        match endpoint.rate_limits() {
            Some(most) => self.judge_rate(endpoint, cx, before, most),
            // Bytes that arrived before limits are set do not count.
            None if self.rare.rate().is_some() => self.rare.state().rate = None,
            None => {}
        }
    }

    #[inline(never)]
    fn judge_rate(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, before: [u64; 2], most: [u64; 2]) {
        let excess = self.rare.state().rate.get_or_insert_with(|| Box::new(Rate::new(before))).take(
            cx.now,
            endpoint.received(),
            most,
        );
        let Some((count, room)) = excess else { return };
        // Messages after the one that exceeded the limit are dropped, as if each had been checked on arrival; so is a
        // close frame.
        endpoint.drop_excess(cx, count, room);
        if !self.has_stopped() {
            self.fail(
                endpoint,
                cx,
                Failure::of_protocol(
                    1008,
                    format!("more messages or bytes a second than {MAX_MESSAGES_PER_S} or {MAX_BYTES_PER_S} allow"),
                ),
            );
        }
    }

    fn eof(&mut self, cx: &mut Cx<'_>) {
        let failure = self.rare.state().write_failure.take().map_or_else(
            || {
                Failure::new(
                    Phase::Websocket,
                    Cause::PeerGone,
                    "the peer ended the connection without a closing handshake",
                )
            },
            |failure| *failure,
        );
        self.end(cx, failure, false);
    }

    fn read_failed(&mut self, cx: &mut Cx<'_>, error: &std::io::Error) {
        // A TLS alert is a better explanation than the write that failed because of it.
        let reader = if self.role == Role::Server { Reader::Server } else { Reader::Client };
        let failure = match (tls_failure(error, reader), self.rare.state().write_failure.take()) {
            (Some(failure), _) => failure,
            (None, Some(failure)) => *failure,
            (None, None) => {
                Failure::of_io(Phase::Websocket, Cause::Reset, "the connection was lost while reading", error)
            }
        };
        self.end(cx, failure, false);
    }

    /// Ends the link if writing has failed, after all bytes that had arrived were read.
    fn end_broken(&mut self, cx: &mut Cx<'_>) {
        if self.rare.closing().is_some_and(|closing| closing.is_received()) {
            // The peer's close frame was among the last bytes and decides how the link ends: see `finish_close`.
            return;
        }
        if let Some(failure) = self.rare.get_mut().and_then(|rare| rare.write_failure.take()) {
            self.end(cx, *failure, false);
        }
    }
}

#[inline(always)]
fn push_fresh(inbox: &mut Inbox, text: bool, place: Place, at: usize, len: usize) {
    inbox.push_fresh(text, place.chunk, place.start + at as u32, len as u32);
}

fn frame_limits(endpoint: &Endpoint) -> Limits {
    Limits {
        max_message: endpoint.options.max_message(),
        // A single-frame message that arrives in pieces counts as one fragment, so the limit is at least 1.
        max_fragments: u32::try_from(endpoint.options.limit(WS_OPT_MAX_FRAGMENTS)).unwrap_or(u32::MAX).max(1),
    }
}

fn inflate_limits(endpoint: &Endpoint) -> InflateLimits {
    InflateLimits {
        max_message: endpoint.options.max_message(),
        max_ratio: endpoint.options.limit(WS_OPT_MAX_INFLATE_RATIO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Options;
    use std::sync::Arc;

    #[test]
    fn plain_and_compressed_messages_have_the_same_size_limit() {
        for (value, most) in [(0, 0), (5_000, 5_000), (u32::MAX - 1, u32::MAX - 64), (WS_OFF, u32::MAX - 64)] {
            let mut options = Options::defaults(true);
            options.set(WS_OPT_MAX_MESSAGE_BYTES, value).unwrap();
            let endpoint = Endpoint::new(Arc::new(options));
            assert_eq!(
                (frame_limits(&endpoint).max_message, inflate_limits(&endpoint).max_message),
                (most.into(), most.into()),
                "max_message_bytes {value}"
            );
        }
    }
}
