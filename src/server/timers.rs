//! When clients' timers are checked.

use crate::work::Moment;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Times at which clients are checked. A client that was given another time keeps its earlier entries until these are
/// due or swept.
#[derive(Default)]
pub(super) struct Timers {
    /// Time, key and serial number.
    heap: BinaryHeap<Reverse<(Moment, u32, u32)>>,
    /// The first time. Kept as an `Instant`, so that a poll in which nothing is due converts none.
    first: Option<Instant>,
}

impl Timers {
    /// Adds a time for a client.
    pub(super) fn push(&mut self, at: Instant, key: u32, serial: u32) {
        self.heap.push(Reverse((at.into(), key, serial)));
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
    }

    /// Whether an entry is due.
    #[inline]
    pub(super) fn are_due(&self, now: Instant) -> bool {
        self.first.is_some_and(|first| first <= now)
    }

    /// Takes the next entry that is due: its time, key and serial number.
    pub(super) fn pop_due(&mut self, now: Moment) -> Option<(Moment, u32, u32)> {
        let Reverse((at, ..)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Finishes a round of `pop_due`: finds the first time, and frees memory if most of it is unused.
    pub(super) fn settle(&mut self) {
        self.first = self.heap.peek().map(|Reverse((at, ..))| Instant::from(*at));
        if self.heap.capacity() > KEPT.max(2 * self.heap.len()) {
            self.heap.shrink_to(self.heap.len() + self.heap.len() / 4);
        }
    }

    /// When the first entry is due.
    pub(super) fn first(&self) -> Option<Instant> {
        self.first
    }

    /// Removes the entries for which `keep` returns false.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Moment, u32, u32) -> bool) {
        self.heap.retain(|Reverse((at, key, serial))| keep(*at, *key, *serial));
        self.settle();
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}

/// Number of entries for which memory is always kept.
const KEPT: usize = 64;
