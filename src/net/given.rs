//! Judging a server's certificate by what the host gave: the usual way, and a certificate that is itself among those given, as engines make them for tests.

use super::der::common_name;
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
            // It judges a certificate's own dates and uses before who signed it; the host vouches for this one.
            CertificateError::UnknownIssuer
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => is_given,
            // As above.
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
