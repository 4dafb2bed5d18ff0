//! How much a peer sends a second.

use crate::endpoint::Counters;
use std::time::{Duration, Instant};

/// A bucket for messages and one for bytes: what comes fills them, and they drain at the rate that is allowed and hold a second of it.
#[derive(Default)]
pub(super) struct Rate {
    /// When they were last drained.
    at: Option<Instant>,
    /// Counters then.
    counted: [u64; 2],
    /// What is in them; below 0: what may come besides, because the host did not look for a while.
    levels: [f64; 2],
    /// The last gap in polling since.
    gap: Duration,
}

impl Rate {
    /// A gap in polling: what came meanwhile comes at once.
    pub(super) fn shift(&mut self, gap: Duration) {
        // The poll after an earlier one has read what came in that.
        self.gap = gap;
    }

    /// Empty, when so many messages and bytes had come.
    pub(super) fn new(counted: [u64; 2]) -> Rate {
        Rate { counted, ..Rate::default() }
    }

    /// What came is put in. `Some`: more than `most` messages and bytes a second; so many messages came, and there was room for so many and so many bytes.
    pub(super) fn take(&mut self, now: Instant, counters: &Counters, most: [u64; 2]) -> Option<(usize, [u64; 2])> {
        let elapsed = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let gap = std::mem::take(&mut self.gap).as_secs_f64();
        let totals = [counters.messages_in, counters.bytes_in];
        let (mut over, mut room) = (false, [0; 2]);
        for index in 0..2 {
            let (most, level) = (most[index] as f64, &mut self.levels[index]);
            if *level > 0.0 {
                *level = (*level - most * elapsed).max(0.0);
            }
            if gap > 0.0 {
                *level = (*level - most * gap).max(-most * gap);
            }
            // Without a limit there is room for all.
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
