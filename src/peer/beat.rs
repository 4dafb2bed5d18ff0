//! The heartbeat: pings, the death of a silent peer, the round-trip time (RFC 6455 section 5.5.2).

use super::{Cx, Peer, Stage};
use crate::codes::*;
use crate::error::Failure;
use crate::status::{Cause, Phase};
use std::time::{Duration, Instant};

/// Signs of life of one connection.
pub struct Beat {
    /// When anything last came.
    heard: Instant,
    /// When we last pinged.
    pinged: Instant,
    /// When the oldest ping was sent whose pong is awaited.
    asked: Option<Instant>,
    /// Measured, in microseconds; 0: never.
    pub rtt_us: u64,
}

impl Beat {
    /// Counts from now.
    pub fn new(now: Instant) -> Beat {
        Beat { heard: now, pinged: now, asked: None, rtt_us: 0 }
    }

    /// Something came.
    pub fn hear(&mut self, now: Instant) {
        self.heard = self.heard.max(now);
    }

    /// A pong came.
    pub fn hear_pong(&mut self, payload: &[u8], now: Instant) {
        if payload == PAYLOAD {
            self.answered(now);
        }
    }

    /// The answer to our ping came.
    pub fn answered(&mut self, now: Instant) {
        if let Some(asked) = self.asked.take() {
            self.rtt_us = (now.saturating_duration_since(asked).as_micros() as u64).max(1);
        }
    }

    /// Whether a ping has no answer yet.
    pub fn waits_for_answer(&self) -> bool {
        self.asked.is_some()
    }

    /// Moves by a gap in polling.
    pub fn shift(&mut self, gap: Duration) {
        self.heard += gap;
        self.pinged += gap;
        self.asked = self.asked.map(|asked| asked + gap);
    }
}

/// What our pings carry, so that a pong that nobody asked for is not measured.
const PAYLOAD: &[u8] = b"wspeer";
/// What a ping has to be answered in at least, however long the silence before it: the heartbeat may have been switched on late, a poll may have
/// come late, or the pong timeout may be no longer than the heartbeat.
const ANSWER_TIME: Duration = Duration::from_secs(1);

impl Peer {
    /// Pings a peer when it is time, and ends a dead connection. When to look again.
    pub(super) fn judge_beat(&mut self, cx: &mut Cx<'_>) -> Option<Instant> {
        if !matches!(self.stage, Stage::Open) || self.closing.is_some() {
            return None;
        }
        let interval = self.options.time(WS_OPT_HEARTBEAT_MS)?;
        if interval.is_zero() {
            return None;
        }
        if self.reading_rests() {
            // We do not look for its pongs, so their absence says nothing.
            self.beat.heard = cx.now;
        }
        if cx.now >= self.beat.pinged + interval {
            self.beat.pinged = cx.now;
            if !self.ping_by_message() {
                self.put_control(0x9, PAYLOAD);
            }
            self.beat.asked.get_or_insert(cx.now);
            self.write(cx);
        }
        let mut next = self.beat.pinged + interval;
        if let Some(timeout) = self.options.time(WS_OPT_PONG_TIMEOUT_MS)
            && let Some(asked) = self.beat.asked
        {
            let timeout = timeout.max(interval);
            let dead = (self.beat.heard + timeout).max(asked + (timeout - interval).max(interval.min(ANSWER_TIME)));
            if cx.now >= dead {
                let silent = cx.now.saturating_duration_since(self.beat.heard).as_millis();
                let sentence = format!("the peer was silent for {silent} ms and answered no ping: the link is cut, or raise pong_timeout_ms");
                self.end(cx, Failure::new(Phase::Websocket, Cause::PongTimeout, sentence), false);
                return None;
            }
            next = next.min(dead);
        }
        Some(next)
    }
}
