//! The time budget of a poll. The clock is read once in a while, not for every frame.

use std::time::{Duration, Instant};

/// A source of time, so that tests can replace the clock.
pub trait Clock {
    /// The current monotonic time.
    fn now(&self) -> Instant;
}

/// The system's monotonic clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// The time that one poll may take. Callers check it between units of work.
pub struct Budget<'a> {
    clock: &'a dyn Clock,
    start: Instant,
    /// Length of the budget from `start` on; `u64::MAX`: unlimited.
    nanos: u64,
    since_check: u32,
    /// Nanoseconds spent at the last reading of the clock.
    seen: u64,
    over: bool,
    /// End of the current slice, in nanoseconds from `start` on; `u64::MAX`: there is none.
    slice_end: u64,
    slice_over: bool,
}

/// Frames between two readings of the clock: about 5 µs of work.
pub(crate) const FRAMES_PER_CHECK: u32 = 64;

impl<'a> Budget<'a> {
    /// A budget of three quarters of `micros` from `start` on; `None`: unlimited.
    #[inline]
    pub fn new(clock: &'a dyn Clock, start: Instant, micros: Option<u32>) -> Budget<'a> {
        // The remaining quarter is for work after the last check: writing answers, checking timers.
        let nanos = micros.map_or(u64::MAX, |micros| u64::from(micros) * 750);
        Budget { clock, start, nanos, since_check: 0, seen: 0, over: false, slice_end: u64::MAX, slice_over: false }
    }

    /// A budget of half of the remaining time.
    pub fn half(&self) -> Budget<'a> {
        let spent = self.spent();
        let end = self.nanos.min(self.slice_end);
        let nanos = if end == u64::MAX { u64::MAX } else { spent + end.saturating_sub(spent) / 2 };
        let over = self.over || self.slice_over;
        Budget {
            clock: self.clock,
            start: self.start,
            nanos,
            since_check: 0,
            seen: spent,
            over,
            slice_end: u64::MAX,
            slice_over: false,
        }
    }

    /// A budget of an eighth of this one from now on, regardless of the time spent: for work that must make progress in
    /// each poll.
    pub fn eighth(&self) -> Budget<'a> {
        let spent = self.spent();
        let nanos = if self.nanos == u64::MAX { u64::MAX } else { spent + self.nanos / 8 };
        Budget {
            clock: self.clock,
            start: self.start,
            nanos,
            since_check: 0,
            seen: spent,
            over: false,
            slice_end: u64::MAX,
            slice_over: false,
        }
    }

    /// Whether half of the budget is spent.
    pub fn is_half_spent(&self) -> bool {
        self.over || (self.nanos != u64::MAX && self.spent() >= self.nanos / 2)
    }

    /// Starts a slice, for one of several clients, at the last reading of the clock. After an eighth of the budget, the
    /// checks report exhaustion.
    pub fn begin_slice(&mut self) {
        if self.nanos != u64::MAX {
            self.slice_end = self.seen + self.nanos / 8;
        }
    }

    /// Ends the slice. True: it was used up.
    pub fn end_slice(&mut self) -> bool {
        self.slice_end = u64::MAX;
        std::mem::take(&mut self.slice_over)
    }

    /// Counts one frame. True: the budget is exhausted. The clock is read only for every 64th frame, so each poll makes
    /// progress.
    #[inline]
    pub fn spend_frame(&mut self) -> bool {
        self.spend(1)
    }

    /// Counts work that takes as long as this number of frames. True: the budget is exhausted.
    #[inline]
    pub fn spend(&mut self, frames: u32) -> bool {
        self.since_check += frames;
        self.since_check >= FRAMES_PER_CHECK && self.is_spent()
    }

    /// Reads the clock. True: the budget or the slice is exhausted.
    pub fn is_spent(&mut self) -> bool {
        self.since_check = 0;
        if !self.over && !self.slice_over && self.nanos != u64::MAX {
            self.seen = self.spent();
            self.over = self.seen >= self.nanos;
            self.slice_over = self.seen >= self.slice_end;
        }
        self.over || self.slice_over
    }

    fn spent(&self) -> u64 {
        let spent: Duration = self.clock.now().saturating_duration_since(self.start);
        spent.as_nanos() as u64
    }
}
