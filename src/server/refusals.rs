//! Log lines about refused clients, at the default level. Their rate is limited, as anybody can cause them.

use crate::journal;
use crate::status::Level;
use std::time::{Duration, Instant};

/// Maximum lines per period.
const LINES: u32 = 10;
/// Length of a period.
const PERIOD: Duration = Duration::from_secs(1);

/// State of the current period.
#[derive(Default)]
pub(super) struct Refusals {
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Refusals {
    /// Logs a client that was refused or failed, with its address and the reason.
    pub(super) fn log(&mut self, now: Instant, line: impl FnOnce() -> String) {
        self.pass(now);
        self.since.get_or_insert(now);
        if self.lines < LINES {
            self.lines += 1;
            journal::note(Level::Warn, line);
        } else {
            self.left_out += 1;
        }
    }

    /// Ends an expired period, and logs how many lines were left out in it.
    pub(super) fn pass(&mut self, now: Instant) {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) < PERIOD) {
            return;
        }
        let left_out = self.left_out;
        if left_out > 0 {
            journal::note(Level::Warn, || {
                format!("{left_out} more clients were refused or failed; at most {LINES} a second are logged")
            });
        }
        *self = Refusals::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_second_are_logged_and_the_others_counted() {
        let (mut refusals, start) = (Refusals::default(), Instant::now());
        for period in 0..3 {
            let now = start + PERIOD * period;
            for line in 1..=15 {
                refusals.log(now, || "refused".to_owned());
                let logged = LINES.min(line);
                assert_eq!((refusals.lines, refusals.left_out), (logged, u64::from(line - logged)));
            }
            refusals.pass(now + PERIOD - Duration::from_millis(1));
            assert_eq!((refusals.lines, refusals.left_out), (LINES, 5));
        }
        refusals.pass(start + PERIOD * 3);
        assert_eq!((refusals.lines, refusals.left_out, refusals.since), (0, 0, None));
    }
}
