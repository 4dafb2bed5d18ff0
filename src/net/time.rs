//! The time that a simulated stream follows: the system's, or that of a family whose program advances it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A time that several objects share. It is the system's until it is advanced for the first time.
#[derive(Clone, Default, Debug)]
pub struct Time(Arc<Manual>);

#[derive(Default, Debug)]
struct Manual {
    /// When it stopped following the system's time.
    start: OnceLock<Instant>,
    /// By how much it was advanced since, in microseconds.
    advanced_us: AtomicU64,
}

impl Time {
    /// The time now.
    #[cold]
    #[inline(never)]
    pub fn now(&self) -> Instant {
        match self.0.start.get() {
            Some(start) => *start + Duration::from_micros(self.0.advanced_us.load(Ordering::Relaxed)),
            None => Instant::now(),
        }
    }

    /// Advances the time, which from now on moves in no other way.
    pub fn advance(&self, us: u32) {
        self.0.start.get_or_init(Instant::now);
        self.0.advanced_us.fetch_add(us.into(), Ordering::Relaxed);
    }

    /// Whether it moves only when it is advanced.
    #[cold]
    #[inline(never)]
    pub fn is_manual(&self) -> bool {
        self.0.start.get().is_some()
    }
}
