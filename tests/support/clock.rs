//! A fake clock for budgets.

use std::cell::Cell;
use std::time::{Duration, Instant};
use wspeer::internals::work::Clock;

/// A clock that advances by `step` each time it is read.
pub struct Ticking {
    pub now: Cell<Instant>,
    pub step: Duration,
    pub asked: Cell<u32>,
}

impl Clock for Ticking {
    fn now(&self) -> Instant {
        self.asked.set(self.asked.get() + 1);
        self.now.set(self.now.get() + self.step);
        self.now.get()
    }
}
