//! Latencies by size: each bucket is at most 3 % wide, so any number of them takes the same memory.

use crate::terminal::Paint;
use std::time::Duration;

/// Buckets of each power of two.
const PARTS: usize = 32;
const PART_BITS: u32 = 5;
/// Rows of a plot, at most.
const ROWS: usize = 16;
/// Columns of its longest bar.
const COLUMNS: u64 = 40;

pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    longest: u64,
}

impl Histogram {
    pub fn new() -> Histogram {
        Histogram { counts: vec![0; (64 - PART_BITS as usize + 1) * PARTS], count: 0, sum: 0, longest: 0 }
    }

    pub fn add(&mut self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(ns)] += 1;
        self.count += 1;
        self.sum += u128::from(ns);
        self.longest = self.longest.max(ns);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest)
    }

    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum.checked_div(u128::from(self.count)).unwrap_or(0) as u64)
    }

    /// The time within which a part of all is, 0 to 1; at most 3 % too long.
    pub fn within(&self, part: f64) -> Duration {
        let wanted = (part * self.count as f64).ceil().max(1.0) as u64;
        let mut sum = 0;
        for (index, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= wanted {
                return Duration::from_nanos((first(index + 1) - 1).min(self.longest));
            }
        }
        self.longest()
    }

    /// One row for each power of two, or for parts of it when there are few.
    pub fn plot(&self, paint: Paint) -> Vec<String> {
        let filled = |index: &usize| self.counts[*index] > 0;
        let Some(low) = (0..self.counts.len()).find(filled) else { return Vec::new() };
        let high = (0..self.counts.len()).rev().find(filled).unwrap_or(low);
        // Buckets of a row: a power of two, so that rows begin at multiples of it.
        let width = (0..).map(|power| 1 << power).find(|width| high / width - low / width < ROWS).unwrap_or(1);
        let rows: Vec<(usize, u64)> = (low / width..=high / width)
            .map(|row| (row * width, self.counts[row * width..].iter().take(width).sum()))
            .collect();
        let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
        rows.into_iter()
            .map(|(from, count)| {
                let bar = "#".repeat((count * COLUMNS).div_ceil(most) as usize);
                format!("{:>10} {} {count}", shown(Duration::from_nanos(first(from))), paint.cyan(&format!("{bar:40}")))
            })
            .collect()
    }
}

fn bucket(ns: u64) -> usize {
    if ns < PARTS as u64 {
        return ns as usize;
    }
    let power = 63 - ns.leading_zeros() - PART_BITS;
    (power as usize + 1) * PARTS + (ns >> power) as usize - PARTS
}

/// The shortest time of a bucket, in nanoseconds.
fn first(index: usize) -> u64 {
    if index < PARTS {
        return index as u64;
    }
    let power = index / PARTS - 1;
    ((index % PARTS + PARTS) as u64)
        .checked_shl(power as u32)
        .filter(|ns| ns >> power >= PARTS as u64)
        .unwrap_or(u64::MAX)
}

/// A time with three digits and its unit.
pub fn shown(time: Duration) -> String {
    let ns = time.as_nanos() as f64;
    let (number, unit) = match ns {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "us"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = match number {
        number if number < 10.0 => 2,
        number if number < 100.0 => 1,
        _ => 0,
    };
    format!("{number:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::When;
    use crate::terminal::Terminal;

    #[test]
    fn buckets_are_narrow_and_leave_nothing_out() {
        for index in 0..(64 - PART_BITS as usize + 1) * PARTS - 1 {
            let (from, to) = (first(index), first(index + 1));
            assert!(from < to, "{index}");
            assert_eq!((bucket(from), bucket(to - 1)), (index, index));
            assert!(from < PARTS as u64 || (to - from) as f64 / from as f64 <= 1.0 / PARTS as f64);
        }
        assert_eq!(bucket(u64::MAX), (64 - PART_BITS as usize + 1) * PARTS - 1);
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::new();
        assert_eq!((histogram.within(0.5), histogram.mean()), (Duration::ZERO, Duration::ZERO));
        for us in 1..=1_000 {
            histogram.add(Duration::from_micros(us));
        }
        for (part, us) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let found = histogram.within(part).as_secs_f64() * 1e6;
            assert!((us..=us * 1.032).contains(&found), "{part}: {found}");
        }
        assert_eq!(histogram.longest(), Duration::from_millis(1));
        assert_eq!(histogram.mean(), Duration::from_nanos(500_500));
        let plot = histogram.plot(Terminal::new(When::Never).out);
        assert!((2..=ROWS).contains(&plot.len()));
        let sum: u64 = plot.iter().map(|row| row.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 1_000);
    }

    #[test]
    fn times_have_three_digits() {
        let times = [999, 1_234, 56_700, 123_456, 12_345_678, 2_000_000_000];
        let texts: Vec<_> = times.map(|ns| shown(Duration::from_nanos(ns))).into();
        assert_eq!(texts, ["999 ns", "1.23 us", "56.7 us", "123 us", "12.3 ms", "2.00 s"]);
    }
}
