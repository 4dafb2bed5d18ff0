//! Times in eight bytes.

use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An `Instant` in half of its size: a server keeps several times for each client. It is exact within 272 years.
/// The upper 34 bits are seconds, the lower 30 bits nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(NonZeroU64);

/// The instant with `MIDDLE` seconds, a day before the first one that was converted: later instants are the usual ones
/// and are converted with one subtraction.
static ZERO: OnceLock<Instant> = OnceLock::new();
const MIDDLE: u64 = 1 << 33;
const DAY: Duration = Duration::from_secs(86_400);
const NANOS_BITS: u32 = 30;

impl From<Instant> for Moment {
    #[inline]
    fn from(at: Instant) -> Moment {
        let zero = *ZERO.get_or_init(|| at.checked_sub(DAY).unwrap_or(at));
        match at.checked_duration_since(zero) {
            Some(after) => Moment::new(MIDDLE + after.as_secs(), after.subsec_nanos()),
            None => Moment::before(zero.duration_since(at)),
        }
    }
}

impl From<Moment> for Instant {
    fn from(moment: Moment) -> Instant {
        let (zero, time) = (*ZERO.get_or_init(Instant::now), moment.time());
        let middle = Duration::from_secs(MIDDLE);
        if time >= middle { zero + (time - middle) } else { zero - (middle - time) }
    }
}

impl Moment {
    /// The moment that is later by `time`.
    pub fn after(self, time: Duration) -> Moment {
        let sum = self.time() + time;
        Moment::new(sum.as_secs(), sum.subsec_nanos())
    }

    /// The time from an earlier moment to this one; zero from a later one.
    pub fn since(self, earlier: Moment) -> Duration {
        self.time().saturating_sub(earlier.time())
    }

    #[inline]
    fn new(secs: u64, nanos: u32) -> Moment {
        Moment(NonZeroU64::new(secs << NANOS_BITS | u64::from(nanos)).unwrap_or(NonZeroU64::MIN))
    }

    #[cold]
    fn before(time: Duration) -> Moment {
        let since = Duration::from_secs(MIDDLE).checked_sub(time).unwrap_or_default();
        Moment::new(since.as_secs(), since.subsec_nanos())
    }

    fn time(self) -> Duration {
        let bits = self.0.get();
        Duration::new(bits >> NANOS_BITS, (bits & ((1 << NANOS_BITS) - 1)) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_as_exact_as_its_instant() {
        assert_eq!((size_of::<Moment>(), size_of::<Option<Moment>>()), (8, 8));
        let now = Instant::now();
        let zero = Moment::from(now);
        let steps = [0, 1, 999_999_999, 1_000_000_000, 2 * 86_400_000_000_001, u64::from(u32::MAX) * 1_000_000];
        for step in steps.map(Duration::from_nanos) {
            let after = now + step;
            assert_eq!(Instant::from(Moment::from(after)), after);
            assert_eq!(Moment::from(after), zero.after(step));
            assert_eq!(Moment::from(after) > zero, !step.is_zero());
            if let Some(before) = now.checked_sub(step) {
                assert_eq!(Instant::from(Moment::from(before)), before);
                assert_eq!(Moment::from(before).after(step), zero);
            }
        }
    }
}
