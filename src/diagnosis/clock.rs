//! Dates and durations as a diagnosis shows them.

use std::time::Duration;

const DAY: u64 = 86_400;

/// A time in seconds since 1970, as "2026-11-30 09:05:00 UTC".
pub fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / DAY, seconds % DAY);
    // Years that begin in March, so that the leap day is the last one. The days of 400 years repeat.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// How far two times in seconds are apart, in the largest fitting unit.
pub fn apart(a: u64, b: u64) -> String {
    let (count, unit) = match a.abs_diff(b) {
        seconds if seconds >= 2 * DAY => (seconds / DAY, "days"),
        seconds if seconds >= 7_200 => (seconds / 3_600, "hours"),
        seconds if seconds >= 120 => (seconds / 60, "minutes"),
        seconds => (seconds, "seconds"),
    };
    format!("{count} {unit}")
}

/// A duration in milliseconds.
pub fn ms(time: Duration) -> String {
    let micros = time.as_micros();
    if micros < 10_000 { format!("{:.1} ms", micros as f64 / 1_000.0) } else { format!("{} ms", micros / 1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_825_600, "2000-02-29 12:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_795_997_107, "2026-11-30 00:05:07 UTC"),
            (2_524_607_999, "2049-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    #[test]
    fn durations_have_a_fitting_unit() {
        assert_eq!(apart(0, 3 * DAY), "3 days");
        assert_eq!(apart(DAY + 3_600, 0), "25 hours");
        assert_eq!((apart(0, 600), apart(90, 0)), ("10 minutes".to_owned(), "90 seconds".to_owned()));
        assert_eq!(ms(Duration::from_micros(1_234)), "1.2 ms");
        assert_eq!(ms(Duration::from_micros(12_345)), "12 ms");
    }
}
