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
    end: Option<Instant>,
    since_look: u32,
    over: bool,
}

/// Frames between two looks at the clock: about 5 µs of work.
const FRAMES_PER_LOOK: u32 = 64;

impl<'a> Budget<'a> {
    /// Three quarters of `length` from `now` on; `None`: without end.
    pub fn new(clock: &'a dyn Clock, now: Instant, length: Option<Duration>) -> Budget<'a> {
        // The rest is for what a poll does after its last look: writing the answers, judging timers.
        let end = length.map(|length| now + length * 3 / 4);
        Budget { clock, end, since_look: 0, over: false }
    }

    /// A part of this budget that ends at half of what is left.
    pub fn half(&self) -> Budget<'a> {
        let now = self.clock.now();
        let end = self.end.map(|end| now + end.saturating_duration_since(now) / 2);
        Budget { clock: self.clock, end, since_look: 0, over: self.over }
    }

    /// Counts one frame; true when the time is over. Some frames always pass, so that each poll gets on.
    pub fn spend_frame(&mut self) -> bool {
        self.since_look += 1;
        self.since_look >= FRAMES_PER_LOOK && self.look()
    }

    /// Looks at the clock; true when the time is over.
    pub fn look(&mut self) -> bool {
        self.since_look = 0;
        self.over = self.over || self.end.is_some_and(|end| self.clock.now() >= end);
        self.over
    }
}
