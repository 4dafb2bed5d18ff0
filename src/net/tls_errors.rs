//! Describes TLS failures for events and the log: what happened, then what the reader can do. On a client the reader is
//! a player or a game's developer, on a server its operator.

use super::given::{CA_AS_SERVER, OtherCommonName, VERSION_1};
use super::verify::WrongPin;
use crate::error::Failure;
use crate::names::{CA_PEM, CERT_PEM, KEY_PEM, PIN_SHA256, SERVER_NAME};
use crate::status::{Cause, Phase};
use rustls::{AlertDescription, CertificateError, Error};

/// The reader of a description.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The side that connected.
    Client,
    /// The side that listens.
    Server,
}

/// Describes a failed handshake. `name`: the name that the peer's certificate must have.
pub(super) fn failed_handshake(error: &Error, name: &str, reader: Reader) -> Failure {
    let (cause, why) = match (error, reader) {
        (Error::InvalidCertificate(bad), _) => bad_certificate(bad, name),
        (Error::InvalidMessage(_), Reader::Client) => (
            Cause::NotTls,
            "the server does not speak TLS on this port: try ws:// instead of wss://, or another port".to_owned(),
        ),
        (Error::InvalidMessage(_), Reader::Server) => (
            Cause::NotTls,
            "the client did not speak TLS: it may have used ws:// or http:// for this wss:// port".to_owned(),
        ),
        (Error::AlertReceived(alert), _) => (Cause::TlsFailed, received_alert(*alert, reader)),
        (Error::PeerIncompatible(why), Reader::Client) => (
            Cause::TlsFailed,
            format!(
                "this client and the server share no TLS version, cipher suite or type of key ({why:?}): TLS 1.2 and 1.3 with P-256, P-384, Ed25519 \
                 or RSA of 2048 bits and more are supported, and P-521 is not"
            ),
        ),
        (Error::PeerIncompatible(why), Reader::Server) => (
            Cause::TlsFailed,
            format!(
                "the client and this server share no TLS version, cipher suite or type of key ({why:?}): the client may be old"
            ),
        ),
        (error, _) => (Cause::TlsFailed, format!("the TLS handshake failed: {error}")),
    };
    Failure::new(Phase::Tls, cause, why)
}

/// The TLS failure behind a failed read of an open stream, if it is one. A server of TLS 1.3 checks a client's
/// certificate only then.
pub fn tls_failure(error: &std::io::Error, reader: Reader) -> Option<Failure> {
    let why = match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) => received_alert(*alert, reader),
        error => format!("TLS failed: {error}"),
    };
    Some(Failure::new(Phase::Tls, Cause::TlsFailed, why))
}

/// Why a certificate and its key cannot be used by their owner.
pub(super) fn bad_identity(error: &Error) -> String {
    let why = match error {
        Error::InconsistentKeys(_) => format!(
            "the key is another certificate's, or {CERT_PEM} does not begin with the certificate of this key: \
             its own certificate comes first, then the one that signed it, and so on"
        )
        .to_owned(),
        Error::InvalidCertificate(CertificateError::Other(other)) if other.to_string() == VERSION_1 => {
            "the certificate is of X.509 version 1: make one of version 3, with subjectAltName".to_owned()
        }
        Error::InvalidCertificate(bad) => format!("the certificate cannot be read: {bad}"),
        // rustls reports only that the key is of none of the types it supports.
        Error::General(_) => {
            "the type of the key is not supported: use P-256, P-384, Ed25519, or RSA of 2048 bits and more".to_owned()
        }
        error => error.to_string(),
    };
    format!("{CERT_PEM} and {KEY_PEM} cannot be used together: {why}")
}

fn bad_certificate(bad: &CertificateError, name: &str) -> (Cause, String) {
    use CertificateError as Bad;
    let of = format!("the certificate of {name}");
    match bad {
        Bad::UnknownIssuer => (
            Cause::CertificateUntrusted,
            format!(
                "{of} was signed by nobody that is trusted here: give its CA as {CA_PEM}, or have the server send its whole chain"
            ),
        ),
        Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => (
            Cause::CertificateExpired,
            format!("{of} has expired or is not valid yet: renew it, and check the clocks of both machines"),
        ),
        Bad::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            Cause::CertificateName,
            format!(
                "{of} has no name in subjectAltName, and a common name does not count: make one with subjectAltName=DNS:{name} (IP:… for an address), \
                 or give the certificate itself as {CA_PEM} and its common name as {SERVER_NAME}"
            ),
        ),
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
            Cause::CertificateName,
            format!("the certificate is not for the name {name}: connect by a name that it has, or set {SERVER_NAME}"),
        ),
        Bad::UnsupportedSignatureAlgorithmContext { .. } => (
            Cause::CertificateBad,
            format!(
                "{of}, or one of its chain, is signed by an algorithm that is not accepted, such as SHA-1 or P-521: have it signed with SHA-256"
            ),
        ),
        Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            Cause::CertificateBad,
            format!(
                "{of} has a type of key that is not supported, such as P-521: use P-256, P-384, Ed25519, or RSA of 2048 bits and more"
            ),
        ),
        Bad::BadSignature => (
            Cause::CertificateBad,
            format!(
                "a signature of {of} does not fit: it may be damaged, or its RSA key shorter than 2048 bits, which is not accepted"
            ),
        ),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => {
            (Cause::CertificateBad, format!("{of} is not for a server: its extendedKeyUsage lacks serverAuth"))
        }
        Bad::Other(other) if other.0.is::<OtherCommonName>() => (
            Cause::CertificateName,
            format!(
                "{of} has only a common name, and that is another: set {SERVER_NAME} to it, or make a certificate with subjectAltName=DNS:{name} (IP:… for an \
                 address)"
            ),
        ),
        Bad::Other(other) => match other.0.downcast_ref::<WrongPin>() {
            Some(pin) => (Cause::CertificatePin, format!("{of} is not the pinned one: its SHA-256 is {}", pin.found)),
            None => (Cause::CertificateBad, format!("{of} {}", of_webpki(&other.to_string()))),
        },
        bad => (Cause::CertificateBad, format!("{of} cannot be used: {bad}")),
    }
}

fn of_webpki(what: &str) -> String {
    match what {
        CA_AS_SERVER => {
            format!(
                "is a CA's and no server's (CA:TRUE): give it as {CA_PEM}, pin it by {PIN_SHA256}, or make one with basicConstraints=CA:FALSE"
            )
        }
        VERSION_1 => format!(
            "is of X.509 version 1, which has no names: give it itself as {CA_PEM}, or make one of version 3 with subjectAltName"
        ),
        "UnsupportedCriticalExtension" => {
            format!("has a critical extension that is not known here: make one without it, or pin it by {PIN_SHA256}")
        }
        other => format!("cannot be used: {other}"),
    }
}

/// Describes a received alert (RFC 8446 section 6.2).
fn received_alert(alert: AlertDescription, reader: Reader) -> String {
    use AlertDescription as Alert;
    let (other, hint) = match reader {
        Reader::Client => (
            "server",
            match alert {
                Alert::CertificateRequired => format!("it demands a certificate: set {CERT_PEM} and {KEY_PEM}"),
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied => {
                    format!("it does not accept the certificate from here: check {CERT_PEM}, and which CA it trusts")
                }
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity => {
                    format!(
                        "it shares no TLS version (1.2 and 1.3 are offered), cipher suite or type of key with this client (P-521 is not supported), or it demands a \
                     certificate: set {CERT_PEM} and {KEY_PEM}"
                    )
                }
                Alert::UnrecognisedName => {
                    format!("it does not know the name that it was asked for: set {SERVER_NAME}")
                }
                Alert::NoApplicationProtocol => "it may speak only HTTP/2, and a WebSocket needs HTTP/1.1".to_owned(),
                _ => "its log may say more".to_owned(),
            },
        ),
        Reader::Server => (
            "client",
            match alert {
                Alert::UnknownCA => {
                    format!(
                        "it does not trust the certificate: give it the CA as {CA_PEM}, or send the whole chain in {CERT_PEM}, this server's own first"
                    )
                }
                Alert::CertificateExpired => {
                    "it considers the certificate expired: renew it, and check the clocks of both machines".to_owned()
                }
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateUnknown
                | Alert::AccessDenied => {
                    "it does not accept the certificate: check its names (subjectAltName), its dates and its chain"
                        .to_owned()
                }
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity => {
                    "it shares no TLS version (1.2 and 1.3 are offered), cipher suite or type of key with this server"
                        .to_owned()
                }
                _ => "its log may say more".to_owned(),
            },
        ),
    };
    format!("the {other} refused TLS with the alert {alert:?}: {hint}")
}
