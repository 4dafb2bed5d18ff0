//! Makes self-signed certificates, for development and for games on a local network.

use crate::error::{Error, shown};
use crate::status::ErrorCode;
use data_encoding::{BASE64, HEXLOWER};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType, date_time_ymd};
use ring::digest::{Digest, SHA256};
use rustls::pki_types::DnsName;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Maximum number of names.
const MAX_NAMES: usize = 100;
/// Maximum validity, in days.
const MAX_DAYS: u32 = 36_500;
/// Maximum bytes of a common name (RFC 5280, appendix A.1).
const MAX_COMMON_NAME: usize = 64;
const DAY: Duration = Duration::from_secs(86_400);

/// A certificate with its key.
pub struct Made {
    /// The certificate, in PEM.
    pub cert_pem: String,
    /// Its key, PKCS #8 in PEM.
    pub key_pem: String,
    /// SHA-256 of the certificate in DER, as 64 hex digits.
    pub sha256: String,
}

/// Makes a certificate for a P-256 key, for DNS names and IP addresses separated by commas. It is valid from a day
/// before now, as clocks differ, for `days` from now.
pub fn make_certificate(names: &str, days: u32) -> Result<Made, Error> {
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(wrong(format!("days is {days}: it must be from 1 to {MAX_DAYS}")));
    }
    let names = parse(names)?;
    let failed = |error: rcgen::Error| Error::new(ErrorCode::Tls, format!("a certificate cannot be made: {error}"));
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name(&names[0]));
    // Verifiers look up an issuer by its name, so certificates with different keys have different names.
    let of_key = HEXLOWER.encode(&sha256(key.public_key_raw()).as_ref()[..8]);
    params.distinguished_name.push(DnType::OrganizationName, format!("self-signed {of_key}"));
    params.subject_alt_names = names;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = |since_1970: Duration| date_time_ymd(1970, 1, 1) + Duration::from_secs(since_1970.as_secs());
    params.not_before = at(now.saturating_sub(DAY));
    params.not_after = at(now + DAY * days);
    let made = params.self_signed(&key).map_err(failed)?;
    Ok(Made {
        cert_pem: pem("CERTIFICATE", made.der()),
        key_pem: pem("PRIVATE KEY", key.serialized_der()),
        sha256: HEXLOWER.encode(sha256(made.der()).as_ref()),
    })
}

/// The names of a list, at least one.
fn parse(list: &str) -> Result<Vec<SanType>, Error> {
    let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > MAX_NAMES {
        return Err(wrong(format!(
            "names has {} names: give 1 to {MAX_NAMES}, separated by commas, such as \"localhost, 127.0.0.1\"",
            names.len()
        )));
    }
    names.into_iter().map(parse_one).collect()
}

fn parse_one(name: &str) -> Result<SanType, Error> {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    // A wildcard stands for the first label (RFC 9525 section 6.3).
    let is_valid = DnsName::try_from(name.strip_prefix("*.").unwrap_or(name)).is_ok();
    is_valid.then(|| name.try_into().ok()).flatten().map(SanType::DnsName).ok_or_else(|| {
        wrong(format!(
            "{:?} in names is neither a DNS name nor an IP address: leave out scheme, port and zone, and write other \
             letters than ASCII in Punycode",
            shown(name)
        ))
    })
}

/// The first name, as programs that ignore subjectAltName read it.
fn common_name(name: &SanType) -> String {
    let text = match name {
        SanType::DnsName(name) => name.to_string(),
        SanType::IpAddress(address) => address.to_string(),
        _ => String::new(),
    };
    if text.len() <= MAX_COMMON_NAME { text } else { "wspeer".to_owned() }
}

fn sha256(bytes: &[u8]) -> Digest {
    ring::digest::digest(&SHA256, bytes)
}

/// A block as RFC 7468 section 2 writes it.
fn pem(label: &str, der: &[u8]) -> String {
    // 48 bytes make a line of 64 characters.
    let lines: String = der.chunks(48).map(|line| BASE64.encode(line) + "\n").collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

fn wrong(why: String) -> Error {
    Error::new(ErrorCode::Arg, why)
}

#[cfg(test)]
mod tests {
    use super::super::der::{common_name, is_version_1, validity};
    use super::super::pem::{certificates, private_key};
    use super::super::tls::TlsServer;
    use super::*;
    use rustls::client::verify_server_name;
    use rustls::pki_types::ServerName;
    use rustls::server::ParsedCertificate;

    #[test]
    fn a_made_certificate_has_the_names_and_the_validity_that_were_asked_for() {
        let made =
            make_certificate(" localhost,game.example , *.example.org,127.0.0.1,[::1],2001:db8::5,", 30).unwrap();
        let der = certificates("cert", &made.cert_pem).unwrap().remove(0);
        private_key("key", &made.key_pem).unwrap();
        TlsServer::new(&made.cert_pem, &made.key_pem).unwrap();
        assert_eq!(made.sha256, HEXLOWER.encode(sha256(&der).as_ref()));
        assert!(!is_version_1(&der) && common_name(&der) == Some(b"localhost".as_slice()));
        let (from, until) = validity(&der).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(until - from, 31 * 86_400);
        assert!((now - 86_400 - 60..=now - 86_400).contains(&from), "{from} {now}");
        let parsed = ParsedCertificate::try_from(&der).unwrap();
        for (name, fits) in [
            ("localhost", true),
            ("game.example", true),
            ("a.example.org", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("2001:db8::5", true),
            ("example.org", false),
            ("127.0.0.2", false),
        ] {
            let name_of = ServerName::try_from(name).unwrap();
            assert_eq!(verify_server_name(&parsed, &name_of).is_ok(), fits, "{name}");
        }
    }

    #[test]
    fn two_certificates_have_two_keys() {
        let (one, other) = (make_certificate("a", 1).unwrap(), make_certificate("a", 1).unwrap());
        assert!(one.key_pem != other.key_pem && one.sha256 != other.sha256);
        assert!(TlsServer::new(&one.cert_pem, &other.key_pem).is_err());
    }

    #[test]
    fn the_longest_certificate_fits_into_64_kib() {
        let label = "x".repeat(63);
        let name = format!("{label}.{label}.{label}.{}", "y".repeat(61));
        let made = make_certificate(&[name.as_str(); MAX_NAMES].join(","), MAX_DAYS).unwrap();
        assert!(made.cert_pem.len() < 60_000, "{}", made.cert_pem.len());
        let usual = make_certificate(&["players.example.org"; 10].join(","), 1).unwrap();
        assert!(usual.cert_pem.len() < 2_048 && usual.key_pem.len() < 512, "{}", usual.cert_pem.len());
    }

    #[test]
    fn impossible_names_and_validities_are_refused() {
        let many = ["a"; MAX_NAMES + 1].join(",");
        for (names, days) in [
            ("", 1),
            (" , ", 1),
            ("a b", 1),
            ("wss://a", 1),
            ("a:443", 1),
            ("[::1", 1),
            ("fe80::1%eth0", 1),
            ("*", 1),
            ("a.*.b", 1),
            ("müller.example", 1),
            ("a..b", 1),
            (many.as_str(), 1),
            ("a", 0),
            ("a", MAX_DAYS + 1),
        ] {
            assert_eq!(make_certificate(names, days).err().map(|error| error.code()), Some(ErrorCode::Arg), "{names}");
        }
    }
}
