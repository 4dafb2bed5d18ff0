//! Messages that a newer one with the same key replaces until they leave (ws_put_latest): positions, never a backlog.
//! They are encoded at the pace at which the line takes them, so that the system holds few of them.

use super::{Link, Sent};
use crate::codes::WS_OPT_COALESCE;
use crate::endpoint::Endpoint;
use crate::net::Unsent;
use crate::work::{Cx, Payload};
use std::time::{Duration, Instant};

/// Bytes that may wait to be sent: at first, at least and at most.
const FIRST: u64 = 1_400;
const LEAST: u64 = 256;
const MOST: u64 = 1 << 20;
/// Time over which is measured what the line takes: less than a frame.
const WINDOW: Duration = Duration::from_millis(10);
/// Time after which messages that are held back are looked at again, if nothing else does.
const AGAIN: Duration = Duration::from_millis(4);

/// How fast such messages leave.
pub(super) struct Pace {
    ask: Unsent,
    /// They are encoded up to this position in the outgoing stream; `None`: nobody says what was sent.
    until: Option<u64>,
    /// Bytes that may wait to be sent: what the line takes from one poll to the next.
    target: u64,
    /// When the last measurement began; the bytes that waited then, and the position at the end of them.
    since: Instant,
    waited: u64,
    end: u64,
    /// Nothing waited to be sent although more messages were held back: the line would have taken more.
    starved: bool,
    /// When the system was asked last.
    set_at: Option<Instant>,
}

impl Pace {
    fn new(ask: Unsent, now: Instant, end: u64) -> Pace {
        Pace { ask, until: None, target: FIRST, since: now, waited: 0, end, starved: false, set_at: None }
    }

    /// Sets the pace when `waits` bytes up to the position `end` wait to be sent.
    fn set(&mut self, now: Instant, waits: u64, end: u64) {
        self.starved |= waits == 0 && self.until.is_some_and(|until| end >= until);
        if now >= self.since + WINDOW {
            let taken = (self.waited + end - self.end).saturating_sub(waits);
            if waits > 0 {
                // A little more than the line takes, so that it has always something to do.
                self.target = taken + taken / 8;
            } else if self.starved {
                self.target += self.target / 2;
            }
            self.target = self.target.clamp(LEAST, MOST);
            (self.since, self.waited, self.end, self.starved) = (now, waits, end, false);
        }
        self.until = Some(end + self.target.saturating_sub(waits));
    }
}

impl Link {
    /// Whether such a message is put as any other: it leaves at once.
    pub fn latest_leaves(&mut self, endpoint: &Endpoint, cx: &Cx<'_>, ask: Unsent) -> bool {
        let end = self.outbox.end();
        self.rare.state().pace.get_or_insert_with(|| Box::new(Pace::new(ask, cx.now, end)));
        self.measure_pace(cx.now);
        let waits = cx.corked || endpoint.options.is_on(WS_OPT_COALESCE);
        !waits && !self.is_behind() && self.outbox.bytes() == 0 && !self.rare.has_unencoded()
    }

    /// Queues such a message, in the place of the one with the same key if that has not left.
    pub fn wait_latest(&mut self, endpoint: &mut Endpoint, key: u64, text: bool, payload: Payload) -> Sent {
        if !self.may_put() {
            return Sent::NotOpen;
        }
        let len = payload.len();
        let old = match self.rare.session() {
            Some(session) => session.len_of_latest(key),
            None => self.rare.waiting().and_then(|waiting| waiting.len_of_latest(key)),
        };
        let more = old.map_or(len, |old| len.saturating_sub(old));
        if (old.is_none() || more > 0) && !self.has_room(endpoint, more) {
            endpoint.owe_writable(len);
            return Sent::Full;
        }
        let state = self.rare.state();
        match &mut state.session {
            Some(session) => {
                if !session.keep_latest(key, text, payload) {
                    return Sent::NoMemory;
                }
            }
            None => state.waiting.get_or_insert_default().push_latest(key, text, payload),
        }
        endpoint.count_latest(len, old.is_some());
        Sent::Taken
    }

    /// Whether the next message to be encoded waits, because a newer one may replace it: none does once a close is in
    /// progress.
    #[inline]
    pub(super) fn holds_latest(&self) -> bool {
        self.rare.begins_with_latest() && self.is_behind() && self.may_put()
    }

    /// Before messages are encoded: if such a message is the next one, has those in front of it leave, and sets its pace.
    pub(super) fn go_before_latest(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if self.rare.begins_with_latest() {
            self.write_frames(endpoint, cx);
            self.measure_pace(cx.now);
        }
    }

    /// Asks how much of what was written waits to be sent, once in a poll.
    fn measure_pace(&mut self, now: Instant) {
        let (end, queued) = (self.outbox.end(), self.outbox.bytes());
        let Some(stream) = &self.stream else { return };
        if let Some(pace) = self.rare.get_mut().and_then(|rare| rare.pace.as_mut())
            && pace.set_at != Some(now)
        {
            pace.set_at = Some(now);
            if let Some(unsent) = stream.unsent(pace.ask) {
                pace.set(now, (unsent + queued) as u64, end);
            }
        }
    }

    /// Writes such messages that are held back, if their time has come. Returns when it comes next.
    pub(super) fn check_pace(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        if self.pace_at().is_some_and(|at| at <= cx.now) {
            self.write(endpoint, cx);
        }
        self.pace_at()
    }

    /// When messages that are held back are looked at again; `None`: none are, or the transport announces it.
    pub fn pace_at(&self) -> Option<Instant> {
        if self.outbox.bytes() > 0 || !self.holds_latest() {
            return None;
        }
        self.rare.pace()?.set_at.map(|at| at + AGAIN)
    }

    /// Whether bytes wait for the transport, or messages can be encoded.
    pub fn waits_for_transport(&self) -> bool {
        self.outbox.bytes() > 0 || self.can_compress()
    }

    /// Whether as much has been encoded as the line takes for now. If nobody says: whether anything is left to write.
    fn is_behind(&self) -> bool {
        match self.rare.pace().and_then(|pace| pace.until) {
            Some(until) => self.outbox.end() >= until,
            None => self.outbox.bytes() > 0,
        }
    }
}
