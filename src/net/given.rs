//! Verifies a server's certificate with those that the program supplied: like webpki, and also a server's certificate
//! that is itself among them, as engines create them for tests.

use super::der::{common_name, is_version_1, validity};
use super::verify::ByFingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::sync::Arc;

/// Verifies like webpki, but accepts a supplied certificate as a server's own even if it is a CA's (CA:TRUE), has its
/// name only as common name, or is of version 1, which webpki does not support.
#[derive(Debug)]
pub struct ByGiven {
    usual: Arc<WebPkiServerVerifier>,
    /// Verifies signatures by the key of a certificate of version 1.
    by_key: ByFingerprint,
    given: Vec<CertificateDer<'static>>,
    any_name: bool,
}

/// A supplied certificate has only a common name, which is not the expected one.
#[derive(Debug)]
pub struct OtherCommonName;

impl std::fmt::Display for OtherCommonName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the certificate has another common name, and no subjectAltName")
    }
}

impl std::error::Error for OtherCommonName {}

impl ByGiven {
    /// `any_name`: only the chain is verified.
    pub fn new(
        usual: Arc<WebPkiServerVerifier>,
        provider: Arc<CryptoProvider>,
        given: Vec<CertificateDer<'static>>,
        any_name: bool,
    ) -> ByGiven {
        ByGiven { usual, by_key: ByFingerprint::new(None, provider), given, any_name }
    }

    fn is_given(&self, certificate: &CertificateDer<'_>) -> bool {
        self.given.iter().any(|given| given.as_ref() == certificate.as_ref())
    }

    /// Whether signatures are verified by the certificate's key alone.
    fn goes_by_key(&self, certificate: &CertificateDer<'_>) -> bool {
        is_version_1(certificate) && self.is_given(certificate)
    }

    /// Checks the dates and the common name of a supplied certificate of version 1.
    fn check_version_1(
        &self,
        end_entity: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let (from, until) = validity(end_entity).ok_or(CertificateError::BadEncoding)?;
        match now.as_secs() {
            now if now < from => Err(CertificateError::NotValidYet.into()),
            now if now > until => Err(CertificateError::Expired.into()),
            _ if self.any_name || has_common_name(end_entity, name) => Ok(()),
            _ => Err(other_common_name()),
        }
    }

    fn check_name(&self, end_entity: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        if self.any_name {
            return Ok(());
        }
        let refusal = match verify_server_name(&ParsedCertificate::try_from(end_entity)?, name) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        // RFC 6125 section 6.4.4: the common name counts only if no other name is present.
        let has_others = matches!(&refusal, Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) if !presented.is_empty());
        match has_others {
            true => Err(refusal),
            false if has_common_name(end_entity, name) => Ok(()),
            false => Err(other_common_name()),
        }
    }
}

fn has_common_name(end_entity: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    common_name(end_entity).is_some_and(|common| common.eq_ignore_ascii_case(name.to_str().as_bytes()))
}

fn other_common_name() -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(OtherCommonName))))
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
        let is_given = self.is_given(end_entity);
        if is_given && matches!(&refusal, CertificateError::Other(other) if other.to_string() == VERSION_1) {
            return self.check_version_1(end_entity, server_name, now).map(|()| ServerCertVerified::assertion());
        }
        let may_pass = match &refusal {
            // webpki has accepted the chain: it checks the name last.
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                is_given || self.any_name
            }
            // webpki has already accepted the certificate's own dates and uses. Its issuer does not matter: the program
            // vouches for it.
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
        if self.goes_by_key(cert) {
            return self.by_key.verify_tls12_signature(message, cert, dss);
        }
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.goes_by_key(cert) {
            return self.by_key.verify_tls13_signature(message, cert, dss);
        }
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// The error of webpki for a CA's certificate used as a server's.
pub const CA_AS_SERVER: &str = "CaUsedAsEndEntity";
/// The error of webpki for a certificate of version 1.
pub const VERSION_1: &str = "UnsupportedCertVersion";
