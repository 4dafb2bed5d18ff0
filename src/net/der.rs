//! Fields of a certificate (RFC 5280 section 4.1) that webpki does not expose.

/// The first common name of the subject, as encoded.
pub(super) fn common_name(certificate: &[u8]) -> Option<&[u8]> {
    let mut names = subject(certificate)?.value;
    while let Some(set) = element(names) {
        names = set.rest;
        let kind = element(element(set.value)?.value)?;
        if kind.value == COMMON_NAME {
            return element(kind.rest).map(|name| name.value);
        }
    }
    None
}

/// Whom the certificate is for: a common name, or else an organization; as encoded.
pub(super) fn subject_name(certificate: &[u8]) -> Option<&[u8]> {
    name_in(part(certificate, 4)?.value)
}

/// Who signed the certificate, as `subject_name`.
pub(super) fn issuer_name(certificate: &[u8]) -> Option<&[u8]> {
    name_in(part(certificate, 2)?.value)
}

/// Whether subject and issuer are the same.
pub(super) fn is_self_issued(certificate: &[u8]) -> bool {
    let value = |index| part(certificate, index).map(|name| name.value);
    value(4).is_some() && value(4) == value(2)
}

/// A name of subjectAltName, as encoded.
pub(super) enum AltName<'a> {
    /// A DNS name.
    Dns(&'a [u8]),
    /// An IP address of 4 or 16 bytes.
    Ip(&'a [u8]),
}

/// The DNS names and IP addresses of subjectAltName (section 4.2.1.6).
pub(super) fn alt_names(certificate: &[u8]) -> Vec<AltName<'_>> {
    let mut names = Vec::new();
    let mut rest = extension(certificate, SUBJECT_ALT_NAME).and_then(element).map_or(&[][..], |list| list.value);
    while let Some(name) = element(rest) {
        rest = name.rest;
        match name.tag {
            DNS_NAME => names.push(AltName::Dns(name.value)),
            IP_ADDRESS => names.push(AltName::Ip(name.value)),
            _ => {}
        }
    }
    names
}

/// The value of an extension (section 4.1.2.9).
fn extension<'a>(certificate: &'a [u8], kind: &[u8]) -> Option<&'a [u8]> {
    let mut field = part(certificate, 5)?;
    while field.tag != EXTENSIONS {
        field = element(field.rest)?;
    }
    let mut rest = element(field.value)?.value;
    while let Some(extension) = element(rest) {
        rest = extension.rest;
        let name = element(extension.value)?;
        if name.value == kind {
            let next = element(name.rest)?;
            let value = if next.tag == BOOLEAN { element(next.rest)? } else { next };
            return (value.tag == OCTET_STRING).then_some(value.value);
        }
    }
    None
}

fn name_in(mut names: &[u8]) -> Option<&[u8]> {
    let mut organization = None;
    while let Some(set) = element(names) {
        names = set.rest;
        let kind = element(element(set.value)?.value)?;
        let value = element(kind.rest)?.value;
        match kind.value {
            COMMON_NAME => return Some(value),
            ORGANIZATION => organization = Some(value),
            _ => {}
        }
    }
    organization
}

/// The public key with its algorithm, a SubjectPublicKeyInfo. Works for any version and any extensions.
pub(super) fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    let from = subject(certificate)?.rest;
    let key = element(from)?;
    Some(&from[..from.len() - key.rest.len()])
}

/// The algorithm and the key of a SubjectPublicKeyInfo.
pub(super) fn parts_of_key(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let algorithm = element(element(key)?.value)?;
    // A bit string begins with the number of unused bits in its last byte.
    let bits = element(algorithm.rest).filter(|bits| bits.tag == BIT_STRING)?;
    let (&unused, key) = bits.value.split_first()?;
    (unused == 0).then_some((algorithm.value, key))
}

/// Whether the certificate is of version 1, which has no version field.
pub(super) fn is_version_1(certificate: &[u8]) -> bool {
    let first = || element(element(element(certificate)?.value)?.value);
    first().is_some_and(|first| first.tag != VERSION)
}

/// The validity period, in seconds since 1970.
pub(super) fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let from = element(part(certificate, 3)?.value)?;
    Some((seconds(&from)?, seconds(&element(from.rest)?)?))
}

/// Decodes a UTCTime (YYMMDDHHMMSSZ, years 1950 to 2049) or a GeneralizedTime (YYYYMMDDHHMMSSZ), as restricted by
/// section 4.1.2.5.
fn seconds(time: &Element<'_>) -> Option<u64> {
    let digits = time.value.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let number = |digits: &[u8]| digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    let (year, rest) = digits.split_at_checked(digits.len().checked_sub(10)?)?;
    let year = match (time.tag, year.len()) {
        (UTC_TIME, 2) => number(year) + if number(year) < 50 { 2000 } else { 1900 },
        (GENERALIZED_TIME, 4) => number(year),
        _ => return None,
    };
    let mut pairs = rest.chunks(2).map(number);
    let mut pair = || pairs.next();
    let (month, day, hour, minute, second) = (pair()?, pair()?, pair()?, pair()?, pair()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    // Days before 1970 count as 1970, which is in the past for any current clock.
    Some((days.saturating_sub(DAYS_TO_1970) * 24 + hour) * 3600 + minute * 60 + second)
}

/// Days from March 1 of the year 0 to January 1, 1970.
const DAYS_TO_1970: u64 = 719_468;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

fn subject(certificate: &[u8]) -> Option<Element<'_>> {
    part(certificate, 4)
}

/// A field by its index: serial number, signature, issuer, validity, subject.
fn part(certificate: &[u8], index: usize) -> Option<Element<'_>> {
    let mut part = element(element(element(certificate)?.value)?.value)?;
    let skipped = usize::from(part.tag == VERSION);
    for _ in 0..index + skipped {
        part = element(part.rest)?;
    }
    Some(part)
}

const VERSION: u8 = 0xA0;
const BIT_STRING: u8 = 0x03;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const EXTENSIONS: u8 = 0xA3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0A];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];

/// One DER element, and the bytes after it.
struct Element<'a> {
    tag: u8,
    value: &'a [u8],
    rest: &'a [u8],
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&[tag, first], mut behind) = der.split_first_chunk::<2>()?;
    let mut len = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7F);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, after) = behind.split_at_checked(count)?;
        len = bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
        behind = after;
    }
    let (value, rest) = behind.split_at_checked(len)?;
    Some(Element { tag, value, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificate_times_are_parsed_to_unix_seconds() {
        let of = |tag, value: &str| seconds(&Element { tag, value: value.as_bytes(), rest: &[] });
        for (tag, value, wanted) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "000229120000Z", Some(951_825_600)),
            (UTC_TIME, "000301000000Z", Some(951_868_800)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (UTC_TIME, "500101000000Z", Some(0)),
            (UTC_TIME, "20500101000000Z", None),
            (GENERALIZED_TIME, "500101000000Z", None),
            (UTC_TIME, "001301000000Z", None),
            (UTC_TIME, "0003010000Z", None),
            (UTC_TIME, "000301000000+0100", None),
            (UTC_TIME, "", None),
        ] {
            assert_eq!(of(tag, value), wanted, "{value}");
        }
    }

    #[test]
    fn certificate_fields_are_found() {
        let made = rcgen::generate_simple_self_signed(["game.example".to_owned()]).unwrap();
        let der = made.cert.der();
        assert!(!is_version_1(der));
        let (from, until) = validity(der).unwrap();
        assert!(from < until);
        assert_eq!(common_name(der), Some(b"rcgen self signed cert".as_slice()));
        assert_eq!(subject_name(der), common_name(der));
        assert_eq!(issuer_name(der), common_name(der));
        assert!(is_self_issued(der));
        assert!(matches!(alt_names(der)[..], [AltName::Dns(b"game.example")]));
        for end in 0..der.len() {
            let part = &der[..end];
            let _ = (is_version_1(part), validity(part), common_name(part), public_key(part));
            let _ = (subject_name(part), issuer_name(part), is_self_issued(part), alt_names(part).len());
        }
    }
}
