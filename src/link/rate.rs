//! Rate limits: messages and bytes that a peer may send per second.

use std::time::{Duration, Instant};

/// Two leaky buckets, for messages and for bytes. What arrives fills them; they drain at the permitted rate and hold
/// one second of it.
#[derive(Default)]
pub(super) struct Rate {
    /// When the buckets were last drained.
    at: Option<Instant>,
    /// Message and byte counters at that time.
    counted: [u64; 2],
    /// Levels of the buckets. Below 0: extra allowance after a gap between polls.
    levels: [f64; 2],
    /// The last gap between polls since then.
    gap: Duration,
}

impl Rate {
    /// Records a gap between polls: all that arrived during it is read at once.
    pub(super) fn shift(&mut self, gap: Duration) {
        // The poll after an earlier gap has read what arrived during that one.
        self.gap = gap;
    }

    /// Empty buckets; `counted` are the message and byte counters now.
    pub(super) fn new(counted: [u64; 2]) -> Rate {
        Rate { counted, ..Rate::default() }
    }

    /// Adds what arrived to the buckets; `totals` are the message and byte counters now. `Some`: it exceeds `most`
    /// messages or bytes per second; returns the number of messages that arrived, and the room that there was for
    /// messages and bytes.
    pub(super) fn take(&mut self, now: Instant, totals: [u64; 2], most: [u64; 2]) -> Option<(usize, [u64; 2])> {
        let elapsed = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let gap = std::mem::take(&mut self.gap).as_secs_f64();
        let (mut over, mut room) = (false, [0; 2]);
        for index in 0..2 {
            let (most, level) = (most[index] as f64, &mut self.levels[index]);
            if *level > 0.0 {
                *level = (*level - most * elapsed).max(0.0);
            }
            if gap > 0.0 {
                *level = (*level - most * gap).max(-most * gap);
            }
            // Without a limit, `most` exceeds every count.
            room[index] = (most - *level).max(0.0) as u64;
            *level += (totals[index] - self.counted[index]) as f64;
            over |= *level > most;
        }
        let came = totals[0] - self.counted[0];
        self.at = Some(now);
        self.counted = totals;
        over.then_some((came as usize, room))
    }
}
