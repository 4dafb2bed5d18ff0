//! Conditional requests and ranges (RFC 9110 sections 13 and 14).

use super::directory::Stamp;
use crate::protocol::{Headers, trimmed};
use httpdate::parse_http_date;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the preconditions of a request for a file come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 200: the whole file.
    Whole,
    /// 206: the bytes from `first` on.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Number of bytes, above 0.
        len: u64,
    },
    /// 304: the client has this version.
    NotModified,
    /// 412: the client asks for another version.
    Failed,
    /// 416: the range is behind the end of the file.
    Unsatisfiable,
}

impl Outcome {
    /// Evaluates the headers in the order of section 13.2.2. `is_get`: only then a range means anything.
    pub fn of(headers: &Headers, stamp: &Stamp, is_get: bool, now: SystemTime) -> Outcome {
        let modified = stamp.modified.and_then(whole_seconds);
        // A list of dates, or a word that is none, is no condition (section 13.1.3).
        let date = |name: &str| match headers.count(name) {
            1 => headers.get(name, 0).and_then(|text| parse_http_date(trimmed(text)).ok()),
            _ => None,
        };
        if headers.count("if-match") > 0 {
            if !matches(headers, "if-match", &stamp.tag, Strength::Strong) {
                return Outcome::Failed;
            }
        } else if let (Some(date), Some(modified)) = (date("if-unmodified-since"), modified)
            && modified > date
        {
            return Outcome::Failed;
        }
        if headers.count("if-none-match") > 0 {
            if matches(headers, "if-none-match", &stamp.tag, Strength::Weak) {
                return Outcome::NotModified;
            }
        } else if let (Some(date), Some(modified)) = (date("if-modified-since"), modified)
            && modified <= date
        {
            return Outcome::NotModified;
        }
        if !is_get || headers.count("range") != 1 || !allows_range(headers, stamp, modified, now) {
            return Outcome::Whole;
        }
        headers.get("range", 0).map_or(Outcome::Whole, |range| part(range, stamp.len))
    }
}

/// Whether If-Range, if there is one, names this version (section 13.1.5).
fn allows_range(headers: &Headers, stamp: &Stamp, modified: Option<SystemTime>, now: SystemTime) -> bool {
    match (headers.count("if-range"), headers.get("if-range", 0).map(trimmed)) {
        (0, _) => true,
        (1, Some(tag)) if tag.contains('"') => tag == stamp.tag,
        (1, Some(date)) => {
            // A file could have been changed twice in the same second (section 8.8.2.2).
            let is_strong = modified.is_some_and(|at| now.duration_since(at).is_ok_and(|age| age >= SETTLED));
            is_strong && parse_http_date(date).ok() == modified
        }
        _ => false,
    }
}

/// Age of a file from which its date identifies its version.
const SETTLED: Duration = Duration::from_secs(2);

/// A time as headers have it. `None`: they cannot.
pub fn whole_seconds(time: SystemTime) -> Option<SystemTime> {
    const YEAR_10000: u64 = 253_402_300_800;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    (seconds < YEAR_10000).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
}

/// How entity tags are compared (section 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Strong,
    Weak,
}

/// Whether a list of entity tags has this one, or is "*".
fn matches(headers: &Headers, name: &str, tag: &str, strength: Strength) -> bool {
    headers.all(name).any(|list| {
        if trimmed(list) == "*" {
            return true;
        }
        let mut rest = list;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let (weak, opaque) = rest.strip_prefix("W/").map_or((false, rest), |opaque| (true, opaque));
            // A tag may contain commas. Behind one that is malformed nothing is read.
            let Some(end) = opaque.strip_prefix('"').and_then(|inner| inner.find('"')) else { return false };
            let (found, behind) = opaque.split_at(end + 2);
            if found == tag && !(weak && strength == Strength::Strong) {
                return true;
            }
            rest = behind;
        }
    })
}

/// The part of a file of `len` bytes that a Range header asks for. What is not one range of bytes is ignored, as
/// section 14.2 allows.
fn part(range: &str, len: u64) -> Outcome {
    let Some((unit, set)) = trimmed(range).split_once('=') else { return Outcome::Whole };
    let Some((first, last)) = trimmed(set).split_once('-') else { return Outcome::Whole };
    if !unit.eq_ignore_ascii_case("bytes") {
        return Outcome::Whole;
    }
    // A number that is too large for the type is behind the end of every file.
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (number(first), number(last)) {
        (None, Some(0)) if first.is_empty() => Outcome::Unsatisfiable,
        // The last bytes. A response cannot say that there are none.
        (None, Some(_)) if first.is_empty() && len == 0 => Outcome::Whole,
        (None, Some(count)) if first.is_empty() => {
            Outcome::Part { first: len.saturating_sub(count), len: len.min(count) }
        }
        (Some(first), Some(last)) if first > last => Outcome::Whole,
        (Some(first), _) if first >= len && (last.is_empty() || number(last).is_some()) => Outcome::Unsatisfiable,
        (Some(first), Some(last)) => Outcome::Part { first, len: (len - 1).min(last) - first + 1 },
        (Some(first), None) if last.is_empty() => Outcome::Part { first, len: len - first },
        _ => Outcome::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sunday, 06-Nov-94 08:49:38 GMT";

    fn outcome(lines: &[(&str, &str)]) -> Outcome {
        outcome_of(lines, true, Duration::from_secs(1_000))
    }

    fn outcome_of(lines: &[(&str, &str)], is_get: bool, age: Duration) -> Outcome {
        let headers = Headers::from_pairs(lines.iter().map(|(name, value)| (*name, value.as_bytes())));
        let modified = parse_http_date(DATE).unwrap();
        let stamp =
            Stamp { len: 100, modified: Some(modified + Duration::from_millis(300)), tag: "\"a,b\"".to_owned() };
        Outcome::of(&headers, &stamp, is_get, modified + age)
    }

    #[test]
    fn preconditions_are_evaluated_in_their_order() {
        use Outcome::{Failed, NotModified, Whole};
        let (mine, other) = ("\"a,b\"", "\"a\"");
        for (lines, expected) in [
            (&[][..], Whole),
            (&[("If-None-Match", mine)], NotModified),
            (&[("If-None-Match", "W/\"a,b\"")], NotModified),
            (&[("If-None-Match", "\"x\", W/\"y\" ,,\"a,b\"")], NotModified),
            (&[("If-None-Match", "\"x\""), ("If-None-Match", mine)], NotModified),
            (&[("If-None-Match", " * ")], NotModified),
            (&[("If-None-Match", other)], Whole),
            (&[("If-None-Match", "a,b")], Whole),
            (&[("If-None-Match", "\"\"")], Whole),
            (&[("If-None-Match", "x \"a,b\"")], Whole),
            (&[("If-None-Match", "\"")], Whole),
            (&[("If-None-Match", "")], Whole),
            (&[("If-None-Match", other), ("If-Modified-Since", DATE)], Whole),
            (&[("If-Modified-Since", DATE)], NotModified),
            (&[("If-Modified-Since", AFTER)], NotModified),
            (&[("If-Modified-Since", BEFORE)], Whole),
            (&[("If-Modified-Since", "yesterday")], Whole),
            (&[("If-Modified-Since", DATE), ("If-Modified-Since", DATE)], Whole),
            (&[("If-Match", mine)], Whole),
            (&[("If-Match", "*")], Whole),
            (&[("If-Match", other)], Failed),
            (&[("If-Match", "W/\"a,b\"")], Failed),
            (&[("If-Match", other), ("If-None-Match", mine)], Failed),
            (&[("If-Match", mine), ("If-None-Match", mine)], NotModified),
            (&[("If-Match", mine), ("If-Unmodified-Since", BEFORE)], Whole),
            (&[("If-Unmodified-Since", DATE)], Whole),
            (&[("If-Unmodified-Since", BEFORE)], Failed),
            (&[("If-Unmodified-Since", "never")], Whole),
            (&[("If-Unmodified-Since", BEFORE), ("If-None-Match", mine)], Failed),
        ] {
            assert_eq!(outcome(lines), expected, "{lines:?}");
            assert_eq!(outcome_of(lines, false, Duration::ZERO), expected, "HEAD {lines:?}");
        }
    }

    #[test]
    fn one_range_of_bytes_is_a_part() {
        use Outcome::{Part, Unsatisfiable, Whole};
        for (range, expected) in [
            ("bytes=0-0", Part { first: 0, len: 1 }),
            ("bytes=0-99", Part { first: 0, len: 100 }),
            ("bytes=0-100", Part { first: 0, len: 100 }),
            ("Bytes= 10-19 ", Part { first: 10, len: 10 }),
            ("bytes=99-", Part { first: 99, len: 1 }),
            ("bytes=0-", Part { first: 0, len: 100 }),
            ("bytes=90-99999999999999999999999", Part { first: 90, len: 10 }),
            ("bytes=-1", Part { first: 99, len: 1 }),
            ("bytes=-100", Part { first: 0, len: 100 }),
            ("bytes=-99999999999999999999999", Part { first: 0, len: 100 }),
            ("bytes=100-", Unsatisfiable),
            ("bytes=100-200", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=5-4", Whole),
            ("bytes=-", Whole),
            ("bytes=", Whole),
            ("bytes", Whole),
            ("bytes=a-b", Whole),
            ("bytes=1-b", Whole),
            ("bytes=200-b", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=0-1, -1", Whole),
            ("bytes=200-300, 400-", Whole),
            ("bytes=--1", Whole),
            ("lines=0-1", Whole),
            ("", Whole),
        ] {
            assert_eq!(outcome(&[("Range", range)]), expected, "{range}");
            assert_eq!(outcome_of(&[("Range", range)], false, Duration::ZERO), Whole, "HEAD {range}");
        }
        assert_eq!(outcome(&[("Range", "bytes=0-1"), ("Range", "bytes=0-1")]), Whole);
        assert_eq!((part("bytes=-5", 0), part("bytes=0-", 0)), (Whole, Unsatisfiable));
    }

    #[test]
    fn a_range_is_given_of_the_version_that_the_client_has() {
        let part = Outcome::Part { first: 5, len: 1 };
        for (version, expected) in [
            ("\"a,b\"", part),
            ("\"a\"", Outcome::Whole),
            ("W/\"a,b\"", Outcome::Whole),
            (DATE, part),
            (BEFORE, Outcome::Whole),
            (AFTER, Outcome::Whole),
            ("x", Outcome::Whole),
        ] {
            assert_eq!(outcome(&[("Range", "bytes=5-5"), ("If-Range", version)]), expected, "{version}");
        }
        let lines = [("Range", "bytes=5-5"), ("If-Range", DATE)];
        assert_eq!(outcome_of(&lines, true, Duration::from_secs(1)), Outcome::Whole, "it may change in this second");
        assert_eq!(outcome_of(&lines, true, SETTLED), part);
        let both = [("Range", "bytes=5-5"), ("If-Range", DATE), ("If-Range", DATE)];
        assert_eq!(outcome(&both), Outcome::Whole);
    }

    #[test]
    fn times_that_no_header_can_have_are_left_out() {
        assert_eq!(whole_seconds(UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(whole_seconds(UNIX_EPOCH + Duration::from_millis(1_999)), Some(UNIX_EPOCH + Duration::from_secs(1)));
        assert_eq!(whole_seconds(UNIX_EPOCH + Duration::from_secs(253_402_300_800)), None);
    }
}
