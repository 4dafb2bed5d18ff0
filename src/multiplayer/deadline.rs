//! A deadline of a peer, which stands still while the peer's link is lost.

use crate::connection::Connection;
use std::time::{Duration, Instant};

/// How far the deadline of a lost peer moves at least.
const STEP: Duration = Duration::from_millis(100);

/// The deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadline {
    /// When to look whether the time is over.
    pub at: Instant,
    /// How much of the time without a link it has been moved by.
    credited: Duration,
}

impl Deadline {
    /// A deadline `time` from now on.
    pub fn after(time: Duration, peer: &Connection, now: Instant) -> Deadline {
        Deadline { at: now + time, credited: peer.lost_for(now) }
    }

    /// Whether the time is over. If the peer had no link meanwhile, the deadline moves instead.
    pub fn is_over(&mut self, peer: &Connection, now: Instant) -> bool {
        if now < self.at {
            return false;
        }
        let least = if peer.has_lost_session() { STEP } else { Duration::ZERO };
        let more = peer.lost_for(now).saturating_sub(self.credited).max(least);
        self.shift(more);
        self.credited += more;
        least.is_zero() && now >= self.at
    }

    /// Moves it by the length of a gap between polls.
    pub fn shift(&mut self, gap: Duration) {
        self.at += gap;
    }
}
