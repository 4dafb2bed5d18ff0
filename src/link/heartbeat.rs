//! The heartbeat: pings, the timeout of a silent peer, and the round-trip time (RFC 6455 section 5.5.2).

use super::Link;
use crate::codes::*;
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::names::PONG_TIMEOUT_MS;
use crate::status::{Cause, Phase};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// Times of pings and of the last received bytes.
pub(super) struct Heartbeat {
    /// When bytes last arrived.
    heard: Instant,
    /// When the last ping was sent; before the first, when the link was opened.
    pinged: Instant,
    /// When the oldest unanswered ping was sent.
    asked: Option<Instant>,
}

impl Heartbeat {
    /// Starts the interval now.
    pub fn new(now: Instant) -> Heartbeat {
        Heartbeat { heard: now, pinged: now, asked: None }
    }

    /// Records that bytes arrived.
    pub fn hear(&mut self, now: Instant) {
        self.heard = self.heard.max(now);
    }

    /// Takes a pong. Returns the round-trip time in microseconds if it answers our ping.
    pub fn hear_pong(&mut self, payload: &[u8], now: Instant) -> Option<u64> {
        if payload == PAYLOAD { self.answered(now) } else { None }
    }

    /// Records the answer to our ping. Returns the round-trip time in microseconds.
    pub fn answered(&mut self, now: Instant) -> Option<u64> {
        let asked = self.asked.take()?;
        Some((now.saturating_duration_since(asked).as_micros() as u64).max(1))
    }

    /// Whether a ping is unanswered.
    pub fn waits_for_answer(&self) -> bool {
        self.asked.is_some()
    }

    /// Moves the times by the length of a gap between polls.
    pub fn shift(&mut self, gap: Duration) {
        self.heard += gap;
        self.pinged += gap;
        self.asked = self.asked.map(|asked| asked + gap);
    }
}

/// Payload of our pings, so that an unsolicited pong is not measured.
const PAYLOAD: &[u8] = b"wspeer";
/// Minimum time to answer a ping, however long the peer was silent before it: the heartbeat may have been switched on
/// late, a poll may have come late, or the pong timeout may be no longer than the interval.
const ANSWER_TIME: Duration = Duration::from_secs(1);

impl Link {
    /// Pings the peer when a ping is due, and ends a link whose peer has timed out. Returns when to check next.
    pub(super) fn check_heartbeat(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        let interval = endpoint.options.time(WS_OPT_HEARTBEAT_MS)?;
        if interval.is_zero() {
            return None;
        }
        if self.reading_rests(endpoint) {
            // Reading is paused, so pongs may be unread: their absence says nothing.
            self.heartbeat.heard = cx.now;
        }
        if cx.now >= self.heartbeat.pinged + interval {
            self.heartbeat.pinged = cx.now;
            if !self.ping_by_message() {
                self.put_control(0x9, PAYLOAD);
            }
            self.heartbeat.asked.get_or_insert(cx.now);
            self.write(endpoint, cx);
        }
        let mut next = self.heartbeat.pinged + interval;
        if let Some(timeout) = endpoint.options.time(WS_OPT_PONG_TIMEOUT_MS)
            && let Some(asked) = self.heartbeat.asked
        {
            let timeout = timeout.max(interval);
            let dead =
                (self.heartbeat.heard + timeout).max(asked + (timeout - interval).max(interval.min(ANSWER_TIME)));
            if cx.now >= dead {
                let silent = cx.now.saturating_duration_since(self.heartbeat.heard).as_millis();
                let sentence = format!(
                    "the peer was silent for {silent} ms and answered no ping: the link is cut, or raise {PONG_TIMEOUT_MS}"
                );
                self.end(cx, Failure::new(Phase::Websocket, Cause::PongTimeout, sentence), false);
                return None;
            }
            next = next.min(dead);
        }
        Some(next)
    }
}
