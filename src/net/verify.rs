//! Verifies a server's certificate by its fingerprint, or not at all.

use super::der::{parts_of_key, public_key};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, PeerMisbehaved, SignatureScheme};
use std::sync::Arc;

/// Trusts only the certificate with this SHA-256, or any if there is no SHA-256. The peer must have its key in both
/// cases.
#[derive(Debug)]
pub struct ByFingerprint {
    pin: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ByFingerprint {
    /// `None` trusts any certificate.
    pub fn new(pin: Option<[u8; 32]>, provider: Arc<CryptoProvider>) -> ByFingerprint {
        ByFingerprint { pin, provider }
    }
}

/// The certificate does not have the pinned fingerprint.
#[derive(Debug)]
pub struct WrongPin {
    /// SHA-256 of the received certificate.
    pub found: String,
}

impl std::fmt::Display for WrongPin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the certificate has the SHA-256 {}", self.found)
    }
}

impl std::error::Error for WrongPin {}

impl ServerCertVerifier for ByFingerprint {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(pin) = &self.pin else { return Ok(ServerCertVerified::assertion()) };
        let found = ring::digest::digest(&ring::digest::SHA256, end_entity);
        if found.as_ref() == pin {
            return Ok(ServerCertVerified::assertion());
        }
        let found = data_encoding::HEXLOWER.encode(found.as_ref());
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(WrongPin { found })))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (algorithm, key) = public_key(cert).and_then(parts_of_key).ok_or_else(unreadable)?;
        let mapping = self.provider.signature_verification_algorithms.mapping;
        let (_, verifiers) = mapping
            .iter()
            .find(|(scheme, _)| *scheme == dss.scheme)
            .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        // In TLS 1.2 the scheme does not determine the curve.
        let fitting = verifiers.iter().find(|verifier| verifier.public_key_alg_id().as_ref() == algorithm);
        let verifier = fitting.ok_or_else(|| Error::General(WRONG_KEY.to_owned()))?;
        match verifier.verify_signature(key, message, dss.signature()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(_) => Err(CertificateError::BadSignature.into()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(public_key(cert).ok_or_else(unreadable)?);
        verify_tls13_signature_with_raw_key(message, &key, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The signature scheme of the handshake is for another type of key.
const WRONG_KEY: &str = "the signature is of another kind than the certificate's key";

fn unreadable() -> Error {
    CertificateError::BadEncoding.into()
}
