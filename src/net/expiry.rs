//! Warnings before a server's own certificate expires. Times are in seconds since 1970.

use std::time::Duration;

const DAY: u64 = 86_400;
/// How long before the end of its validity a certificate is warned of.
const WARNED_BEFORE: u64 = 14 * DAY;

/// The warning about a certificate that is valid up to `until`; `None` if there is time left.
pub(super) fn warning(until: u64, now: u64) -> Option<String> {
    let days = |seconds: u64| match seconds / DAY {
        0 => "in less than a day".to_owned(),
        1 => "in one day".to_owned(),
        days => format!("in {days} days"),
    };
    match until.checked_sub(now) {
        None => Some("has expired: clients refuse it".to_owned()),
        Some(left) if left < WARNED_BEFORE => Some(format!("expires {}", days(left))),
        Some(_) => None,
    }
}

/// Time until `warning` is asked again: a day, or less if its answer changes before.
pub(super) fn next_check(until: u64, now: u64) -> Duration {
    let changes = [until.saturating_sub(WARNED_BEFORE), until];
    let next = changes.into_iter().filter(|at| *at >= now).map(|at| at + 1 - now).fold(DAY, u64::min);
    Duration::from_secs(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: u64 = 1_000 * DAY;

    #[test]
    fn a_certificate_is_warned_of_from_14_days_before_its_end() {
        assert_eq!(warning(UNTIL, UNTIL - 14 * DAY), None);
        for (left, words) in [
            (14 * DAY - 1, "expires in 13 days"),
            (2 * DAY, "expires in 2 days"),
            (2 * DAY - 1, "expires in one day"),
            (DAY - 1, "expires in less than a day"),
            (0, "expires in less than a day"),
        ] {
            assert_eq!(warning(UNTIL, UNTIL - left).as_deref(), Some(words));
        }
        assert!(warning(UNTIL, UNTIL + 1).unwrap().contains("has expired"));
    }

    #[test]
    fn the_certificate_is_checked_daily_and_when_the_warning_changes() {
        let next = |now: u64| next_check(UNTIL, now).as_secs();
        assert_eq!(next(0), DAY);
        assert_eq!(next(UNTIL - 14 * DAY - 10), 11);
        assert_eq!(next(UNTIL - 14 * DAY + 1), DAY);
        assert_eq!(next(UNTIL - 10), 11);
        assert_eq!(next(UNTIL + 1), DAY);
        // Over a whole life: one line a day, and one for the end.
        let (mut now, mut lines) = (UNTIL - 60 * DAY, 0);
        while now < UNTIL + 3 * DAY {
            lines += u32::from(warning(UNTIL, now).is_some());
            now += next_check(UNTIL, now).as_secs();
        }
        assert!((17..=18).contains(&lines), "{lines}");
    }
}
