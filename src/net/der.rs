//! The few places of a certificate (RFC 5280 section 4.1) that webpki does not give out.

/// The common name of the subject, as it lies there.
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

/// Its public key with the algorithm, a SubjectPublicKeyInfo; whatever the version and the extensions are.
pub(super) fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    let from = subject(certificate)?.rest;
    let key = element(from)?;
    Some(&from[..from.len() - key.rest.len()])
}

/// The algorithm of a SubjectPublicKeyInfo, and its key.
pub(super) fn parts_of_key(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let algorithm = element(element(key)?.value)?;
    // A bit string begins with the number of bits that its last byte lacks.
    let bits = element(algorithm.rest).filter(|bits| bits.tag == BIT_STRING)?;
    let (&unused, key) = bits.value.split_first()?;
    (unused == 0).then_some((algorithm.value, key))
}

fn subject(certificate: &[u8]) -> Option<Element<'_>> {
    let mut rest = element(element(certificate)?.value)?.value;
    if element(rest)?.tag == VERSION {
        rest = element(rest)?.rest;
    }
    // Serial number, signature, issuer, validity.
    for _ in 0..4 {
        rest = element(rest)?.rest;
    }
    element(rest)
}

const VERSION: u8 = 0xA0;
const BIT_STRING: u8 = 0x03;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// One element of DER, and what lies behind it.
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
