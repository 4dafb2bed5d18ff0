//! How long a poll may go on. The clock is read now and then, not for every frame.

use std::time::{Duration, Instant};

/// Tells the time; a test brings its own.
pub trait Clock {
    /// The monotonic time now.
    fn now(&self) -> Instant;
}

/// The system's monotonic clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// The time that one poll may take.
pub struct Budget<'a> {
    clock: &'a dyn Clock,
    start: Instant,
    /// From `start` on; `u64::MAX`: without end.
    nanos: u64,
    since_look: u32,
    /// What the clock told at the last look.
    seen: u64,
    over: bool,
    /// Where the slice under way ends; `u64::MAX`: there is none.
    slice_end: u64,
    slice_over: bool,
}

/// Frames between two looks at the clock: about 5 µs of work.
const FRAMES_PER_LOOK: u32 = 64;

impl<'a> Budget<'a> {
    /// Three quarters of so many microseconds from `start` on; `None`: without end.
    #[inline]
    pub fn new(clock: &'a dyn Clock, start: Instant, micros: Option<u32>) -> Budget<'a> {
        // The rest is for what a poll does after its last look: writing the answers, judging timers.
        let nanos = micros.map_or(u64::MAX, |micros| u64::from(micros) * 750);
        Budget { clock, start, nanos, since_look: 0, seen: 0, over: false, slice_end: u64::MAX, slice_over: false }
    }

    /// A part of this budget that ends at half of what is left.
    pub fn half(&self) -> Budget<'a> {
        let spent = self.spent();
        let end = self.nanos.min(self.slice_end);
        let nanos = if end == u64::MAX { u64::MAX } else { spent + end.saturating_sub(spent) / 2 };
        let over = self.over || self.slice_over;
        Budget { clock: self.clock, start: self.start, nanos, since_look: 0, seen: spent, over, slice_end: u64::MAX, slice_over: false }
    }

    /// An eighth of this budget from now on, whatever was spent: for what has to get on in each poll.
    pub fn eighth(&self) -> Budget<'a> {
        let spent = self.spent();
        let nanos = if self.nanos == u64::MAX { u64::MAX } else { spent + self.nanos / 8 };
        Budget { clock: self.clock, start: self.start, nanos, since_look: 0, seen: spent, over: false, slice_end: u64::MAX, slice_over: false }
    }

    /// Whether half of it is spent.
    pub fn is_half_spent(&self) -> bool {
        self.over || (self.nanos != u64::MAX && self.spent() >= self.nanos / 2)
    }

    /// From the last look on one of several uses it: after an eighth of it, the budget says that it is over.
    pub fn begin_slice(&mut self) {
        if self.nanos != u64::MAX {
            self.slice_end = self.seen + self.nanos / 8;
        }
    }

    /// The slice ends. True: it was used up.
    pub fn end_slice(&mut self) -> bool {
        self.slice_end = u64::MAX;
        std::mem::take(&mut self.slice_over)
    }

    /// Counts one frame; true when the time is over. Some frames always pass, so that each poll gets on.
    #[inline]
    pub fn spend_frame(&mut self) -> bool {
        self.since_look += 1;
        self.since_look >= FRAMES_PER_LOOK && self.look()
    }

    /// Looks at the clock; true when the time is over.
    pub fn look(&mut self) -> bool {
        self.since_look = 0;
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
