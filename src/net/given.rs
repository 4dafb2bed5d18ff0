//! Judging a server's certificate by what the host gave: the usual way, and a certificate that is itself among those given, as engines make them for tests.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;

/// As webpki judges; but one of the certificates given is taken as a server's own even when it is a CA's (CA:TRUE) or has its name only as common name.
#[derive(Debug)]
pub struct ByGiven {
    usual: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
    any_name: bool,
}

impl ByGiven {
    /// `any_name`: the chain alone is judged.
    pub fn new(usual: Arc<WebPkiServerVerifier>, given: Vec<CertificateDer<'static>>, any_name: bool) -> ByGiven {
        ByGiven { usual, given, any_name }
    }

    fn check_name(&self, end_entity: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        if self.any_name {
            return Ok(());
        }
        let refusal = match verify_server_name(&ParsedCertificate::try_from(end_entity)?, name) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        // RFC 6125 section 6.4.4: the common name counts where no other name is there.
        let has_others =
            matches!(&refusal, Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) if !presented.is_empty());
        match common_name(end_entity) {
            Some(common) if !has_others && common.eq_ignore_ascii_case(name.to_str().as_bytes()) => Ok(()),
            _ => Err(refusal),
        }
    }
}

impl ServerCertVerifier for ByGiven {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let refusal = match self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(refusal)) => refusal,
            verdict => return verdict,
        };
        let is_given = self.given.iter().any(|given| given.as_ref() == end_entity.as_ref());
        let may_pass = match &refusal {
            // webpki has found the chain good, and judges the name last.
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => is_given || self.any_name,
            // It has found the certificate to be of today.
            CertificateError::Other(other) => is_given && other.to_string() == CA_AS_SERVER,
            _ => false,
        };
        if !may_pass {
            return Err(Error::InvalidCertificate(refusal));
        }
        self.check_name(end_entity, server_name).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// What webpki calls a CA's certificate in a server's place.
pub const CA_AS_SERVER: &str = "CaUsedAsEndEntity";

/// The common name of a certificate's subject (RFC 5280 section 4.1), as it lies there.
fn common_name(certificate: &[u8]) -> Option<&[u8]> {
    let mut rest = element(element(certificate)?.value)?.value;
    if element(rest)?.tag == VERSION {
        rest = element(rest)?.rest;
    }
    // Serial number, signature, issuer, validity.
    for _ in 0..4 {
        rest = element(rest)?.rest;
    }
    let mut names = element(rest)?.value;
    while let Some(set) = element(names) {
        names = set.rest;
        let kind = element(element(set.value)?.value)?;
        if kind.value == COMMON_NAME {
            return element(kind.rest).map(|name| name.value);
        }
    }
    None
}

const VERSION: u8 = 0xA0;
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
