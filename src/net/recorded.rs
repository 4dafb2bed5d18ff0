//! Verification of a server's certificate that is recorded for a diagnosis. It accepts what the verifier below accepts.

use super::der::{AltName, alt_names, is_self_issued, issuer_name, subject_name, validity};
use crate::trace::{Certificate, Fact, MAX_LISTED, Trace};
use data_encoding::HEXLOWER;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Maximum characters of a name in a certificate.
const MAX_NAME: usize = 80;

/// Records the chain and the verdict of another verifier.
#[derive(Debug)]
pub struct Recorded {
    below: Arc<dyn ServerCertVerifier>,
    trace: Arc<Trace>,
}

impl Recorded {
    /// Records what `below` decides.
    pub fn new(below: Arc<dyn ServerCertVerifier>, trace: Arc<Trace>) -> Recorded {
        Recorded { below, trace }
    }
}

impl ServerCertVerifier for Recorded {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (at, count) = (Instant::now(), 1 + intermediates.len());
        for (index, certificate) in [end_entity].into_iter().chain(intermediates).take(MAX_LISTED).enumerate() {
            let certificate = Box::new(describe(certificate));
            self.trace.note(at, Fact::Certificate { index, count, certificate });
        }
        let verdict = self.below.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let refusal = verdict.as_ref().err().map(ToString::to_string);
        self.trace.note(Instant::now(), Fact::Verified { name: server_name.to_str().into_owned(), refusal });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.below.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.below.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.below.supported_verify_schemes()
    }
}

fn describe(certificate: &[u8]) -> Certificate {
    let name = |name: Option<&[u8]>| name.map_or_else(|| "(no name)".to_owned(), shown);
    let names = alt_names(certificate);
    Certificate {
        subject: name(subject_name(certificate)),
        issuer: name(issuer_name(certificate)),
        is_self_issued: is_self_issued(certificate),
        names: names.iter().take(MAX_LISTED).map(shown_alt_name).collect(),
        name_count: names.len(),
        validity: validity(certificate),
        sha256: HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, certificate).as_ref()),
    }
}

fn shown_alt_name(name: &AltName<'_>) -> String {
    match name {
        AltName::Dns(name) => shown(name),
        AltName::Ip(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = address.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.map_or_else(|_| "(a damaged address)".to_owned(), |address| address.to_string())
        }
    }
}

/// A text of a certificate, without control characters.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .take(MAX_NAME)
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}
