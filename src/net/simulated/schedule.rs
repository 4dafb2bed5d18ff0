//! When the simulated streams of a server have to be served.

use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

/// The streams of a server by time: time, key and serial number. A stream that was given an earlier time keeps its other
/// entries until they are due.
#[derive(Default)]
pub struct Schedule(Mutex<BinaryHeap<Reverse<(Instant, u32, u32)>>>);

impl Schedule {
    /// Takes the next stream that is due: its key and serial number.
    pub fn pop_due(&self, now: Instant) -> Option<(u32, u32)> {
        let mut heap = self.0.lock();
        let Reverse((at, ..)) = heap.peek()?;
        if *at > now {
            return None;
        }
        heap.pop().map(|Reverse((_, key, serial))| (key, serial))
    }

    /// When the first stream is due.
    pub fn first(&self) -> Option<Instant> {
        self.0.lock().peek().map(|Reverse((at, ..))| *at)
    }

    /// Number of entries.
    pub fn entries(&self) -> usize {
        self.0.lock().len()
    }
}

/// The place of a stream in a schedule.
pub(super) struct Place {
    pub(super) schedule: Arc<Schedule>,
    pub(super) key: u32,
    pub(super) serial: u32,
}

impl Place {
    pub(super) fn report(&self, at: Instant) {
        self.schedule.0.lock().push(Reverse((at, self.key, self.serial)));
    }
}
