//! The heartbeat: pings, the timeout of a silent peer, and the round-trip time (RFC 6455 section 5.5.2).

use super::Link;
use crate::codes::*;
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::names::PONG_TIMEOUT_MS;
use crate::status::{Cause, Phase};
use crate::work::{Cx, Moment};
use std::time::{Duration, Instant};

/// Times of pings and of the last received bytes.
pub(super) struct Heartbeat {
    /// When bytes last arrived.
    received_at: Moment,
    /// When the last ping was sent; before the first, when the link was opened.
    pinged: Moment,
    /// When the oldest unanswered ping was sent.
    unanswered_since: Option<Moment>,
}

impl Heartbeat {
    /// Starts the interval now.
    pub fn new(now: Instant) -> Heartbeat {
        let now = now.into();
        Heartbeat { received_at: now, pinged: now, unanswered_since: None }
    }

    /// Records that bytes arrived.
    pub fn note_received(&mut self, now: Instant) {
        self.received_at = self.received_at.max(now.into());
    }

    /// Takes a pong. Returns the round-trip time in microseconds if it answers our ping.
    pub fn take_pong(&mut self, payload: &[u8], now: Instant) -> Option<u64> {
        if payload == PAYLOAD { self.answered(now) } else { None }
    }

    /// Records the answer to our ping. Returns the round-trip time in microseconds.
    pub fn answered(&mut self, now: Instant) -> Option<u64> {
        let unanswered_since = Instant::from(self.unanswered_since.take()?);
        Some((now.saturating_duration_since(unanswered_since).as_micros() as u64).max(1))
    }

    /// Whether a ping is unanswered.
    pub fn is_unanswered(&self) -> bool {
        self.unanswered_since.is_some()
    }

    /// Moves the times by the length of a gap between polls.
    pub fn shift(&mut self, gap: Duration) {
        self.received_at = self.received_at.after(gap);
        self.pinged = self.pinged.after(gap);
        self.unanswered_since = self.unanswered_since.map(|unanswered_since| unanswered_since.after(gap));
    }
}

/// Payload of our pings, so that an unsolicited pong is not measured.
const PAYLOAD: &[u8] = b"wspeer";
/// Minimum time to answer a ping, however long the peer was silent before it: the heartbeat may have been switched on
/// late, a poll may have come late, or the pong timeout may be no longer than the interval.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Time to answer a probe.
const PROBE_TIME: Duration = Duration::from_secs(2);

impl Link {
    /// Queues a ping.
    pub(super) fn put_ping(&mut self) {
        self.put_control(0x9, PAYLOAD);
    }

    /// Pings the peer now, whatever the heartbeat is set to.
    pub fn ping(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        self.heartbeat.pinged = cx.now.into();
        self.put_ping();
        self.heartbeat.unanswered_since.get_or_insert(cx.now.into());
        self.write(endpoint, cx);
    }

    /// The next check pings the peer: its heartbeat has just been switched on.
    pub fn ping_soon(&mut self, endpoint: &Endpoint, now: Instant) {
        let interval = endpoint.options.time(WS_OPT_HEARTBEAT_MS);
        if let Some(due) = interval.and_then(|interval| now.checked_sub(interval)) {
            self.heartbeat.pinged = due.into();
        }
    }

    /// Pings the peer now, and ends the link if nothing arrives within `PROBE_TIME`.
    pub fn probe(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if !self.is_over() && self.rare.closing().is_none() {
            // One that is unanswered goes on.
            self.rare.state().probed.get_or_insert(cx.now.into());
            self.ping(endpoint, cx);
        }
    }

    /// Ends a link whose peer has not answered a probe. Returns when to check next.
    pub(super) fn check_probe(&mut self, endpoint: &Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        let probed = self.rare.probed()?;
        if self.heartbeat.received_at > probed || self.is_reading_paused(endpoint) {
            self.rare.state().probed = None;
            return None;
        }
        let deadline = Instant::from(probed) + PROBE_TIME;
        if cx.now < deadline {
            return Some(deadline);
        }
        let why = format!("the peer did not answer within {} s after a hint", PROBE_TIME.as_secs());
        self.end(cx, Failure::new(Phase::Websocket, Cause::PongTimeout, why), false);
        None
    }

    /// Pings the peer when a ping is due, and ends a link whose peer has timed out. Returns when to check next.
    #[inline(always)]
    pub(super) fn check_heartbeat(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        let interval = endpoint.options.time(WS_OPT_HEARTBEAT_MS)?;
        if interval.is_zero() {
            return None;
        }
        if self.is_reading_paused(endpoint) {
            // Reading is paused, so pongs may be unread: their absence says nothing.
            self.heartbeat.received_at = cx.now.into();
        }
        if cx.now >= Instant::from(self.heartbeat.pinged) + interval {
            self.heartbeat.pinged = cx.now.into();
            if !self.ping_by_message() {
                self.put_ping();
            }
            self.heartbeat.unanswered_since.get_or_insert(cx.now.into());
            self.write(endpoint, cx);
        }
        let mut next = Instant::from(self.heartbeat.pinged) + interval;
        if let Some(timeout) = endpoint.options.time(WS_OPT_PONG_TIMEOUT_MS)
            && let Some(unanswered_since) = self.heartbeat.unanswered_since
        {
            let timeout = timeout.max(interval);
            let received_at = Instant::from(self.heartbeat.received_at);
            let dead = (received_at + timeout)
                .max(Instant::from(unanswered_since) + (timeout - interval).max(interval.min(ANSWER_TIME)));
            if cx.now >= dead {
                let silent = cx.now.saturating_duration_since(received_at).as_millis();
                let why = format!(
                    "the peer was silent for {silent} ms and answered no ping: the link is cut, or raise {PONG_TIMEOUT_MS}"
                );
                self.end(cx, Failure::new(Phase::Websocket, Cause::PongTimeout, why), false);
                return None;
            }
            next = next.min(dead);
        }
        Some(next)
    }
}
