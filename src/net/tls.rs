//! TLS settings: parsed at once, so that a wrong certificate is told by the call; made ready on the worker, where it takes time.

use super::given::{ByGiven, CA_AS_SERVER};
use super::verify::{ByFingerprint, WrongPin};
use crate::codes::*;
use crate::error::{Error, Failure};
use crate::forks::Own;
use crate::journal;
use rustls::client::{UnbufferedClientConnection, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring as ring_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore, ServerConfig};
use std::sync::{Arc, LazyLock, OnceLock};

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring_provider::default_provider()));

/// A client's settings as the host gave them.
#[derive(Clone, Default)]
pub struct TlsClientSettings {
    /// Instead of the URL's host.
    pub server_name: Option<String>,
    /// Trusted besides the bundled and the system's roots.
    pub ca_pem: Option<String>,
    /// Trust nothing but `ca_pem`.
    pub only_ca_pem: bool,
    /// For servers that ask who we are.
    pub cert_pem: Option<String>,
    /// Key of `cert_pem`.
    pub key_pem: Option<String>,
    /// Trust the certificate with this SHA-256 alone.
    pub pin_sha256: Option<[u8; 32]>,
    /// Trust any certificate.
    pub insecure: bool,
    /// Take a trusted certificate for any name.
    pub any_name: bool,
}

/// A client's settings, parsed.
pub struct TlsClient {
    name: ServerName<'static>,
    shown_name: String,
    roots: Vec<CertificateDer<'static>>,
    only_ca_pem: bool,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    pin: Option<[u8; 32]>,
    insecure: bool,
    any_name: bool,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl TlsClient {
    /// Parses; makes nothing ready yet.
    pub fn new(host: &str, settings: TlsClientSettings) -> Result<TlsClient, Error> {
        let shown_name = settings.server_name.unwrap_or_else(|| host.to_owned());
        let name = ServerName::try_from(shown_name.clone())
            .map_err(|_| wrong(format!("{shown_name:?} is no name that a certificate can have; set server_name")))?;
        let roots = match &settings.ca_pem {
            Some(pem) => certificates("ca_pem", pem)?,
            None if settings.only_ca_pem => return Err(wrong("WS_ONLY_CA_PEM is set and ca_pem is NULL: nothing would be trusted")),
            None => Vec::new(),
        };
        let identity = match (&settings.cert_pem, &settings.key_pem) {
            (Some(cert), Some(key)) => Some((certificates("cert_pem", cert)?, private_key(key)?)),
            _ => None,
        };
        if let Some((chain, key)) = &identity {
            // Told now, not at the first handshake.
            check_pair(chain, key)?;
        }
        Ok(TlsClient {
            name,
            shown_name,
            roots,
            only_ca_pem: settings.only_ca_pem,
            identity,
            pin: settings.pin_sha256,
            insecure: settings.insecure,
            any_name: settings.any_name,
            config: OnceLock::new(),
        })
    }

    /// A session about to send its hello. Slow the first time: call it on the worker.
    pub(super) fn session(&self) -> Result<UnbufferedClientConnection, Failure> {
        let failed = |why: &str| Failure::new(WS_PHASE_TLS, WS_CAUSE_TLS_FAILED, format!("TLS cannot be set up: {why}"));
        let config = self.config.get_or_init(|| self.make_config()).as_ref().map_err(|why| failed(why))?;
        UnbufferedClientConnection::new(config.clone(), self.name.clone()).map_err(|error| failed(&error.to_string()))
    }

    /// The name that the certificate has to have.
    pub(super) fn shown_name(&self) -> &str {
        &self.shown_name
    }

    fn make_config(&self) -> Result<Arc<ClientConfig>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let builder = ClientConfig::builder_with_provider(PROVIDER.clone()).with_safe_default_protocol_versions().map_err(|error| text(&error))?;
        let builder = if self.insecure || self.pin.is_some() {
            let pin = if self.insecure { None } else { self.pin };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(ByFingerprint::new(pin, PROVIDER.clone())))
        } else {
            let mut roots = if self.only_ca_pem { Arc::new(RootCertStore::empty()) } else { trust_store() };
            if !self.roots.is_empty() {
                let own = Arc::make_mut(&mut roots);
                for root in &self.roots {
                    own.add(root.clone()).map_err(|error| format!("a certificate of ca_pem cannot be used: {error}"))?;
                }
            }
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, PROVIDER.clone()).build().map_err(|error| text(&error))?;
            if self.roots.is_empty() && !self.any_name {
                builder.with_webpki_verifier(verifier)
            } else {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(ByGiven::new(verifier, self.roots.clone(), self.any_name)))
            }
        };
        let mut config = match &self.identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(|error| text(&error))?,
            None => builder.with_no_client_auth(),
        };
        // For `Records`, which goes on where the handshake ends.
        config.enable_secret_extraction = true;
        Ok(Arc::new(config))
    }
}

/// A server's chain and key, ready.
pub struct TlsServer {
    config: Arc<ServerConfig>,
}

impl TlsServer {
    /// Parses and checks.
    pub fn new(cert_pem: &str, key_pem: &str) -> Result<TlsServer, Error> {
        let chain = certificates("cert_pem", cert_pem)?;
        let key = private_key(key_pem)?;
        let mut config = ServerConfig::builder_with_provider(PROVIDER.clone())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| wrong(format!("cert_pem and key_pem cannot be used together: {error}")))?;
        config.enable_secret_extraction = true;
        Ok(TlsServer { config: Arc::new(config) })
    }

    /// A session that awaits a hello.
    pub(super) fn session(&self) -> Result<UnbufferedServerConnection, Failure> {
        UnbufferedServerConnection::new(self.config.clone())
            .map_err(|error| Failure::new(WS_PHASE_TLS, WS_CAUSE_TLS_FAILED, format!("TLS cannot be set up: {error}")))
    }
}

/// Why a handshake failed, as the last event tells it.
pub(super) fn told(error: &rustls::Error, name: &str) -> Failure {
    use CertificateError as Bad;
    let (cause, sentence) = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => (
                WS_CAUSE_CERTIFICATE_UNTRUSTED,
                format!(
                    "the certificate of {name} was signed by nobody that is trusted here: give its CA as ca_pem, or have the server send its whole chain"
                ),
            ),
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => (
                WS_CAUSE_CERTIFICATE_EXPIRED,
                format!("the certificate of {name} has expired or is not valid yet: renew it, and look at the clocks of both machines"),
            ),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                (WS_CAUSE_CERTIFICATE_NAME, format!("the certificate is not for the name {name}: connect by a name that it has, or set server_name"))
            }
            Bad::Other(other) => match other.0.downcast_ref::<WrongPin>() {
                Some(pin) => (WS_CAUSE_CERTIFICATE_PIN, format!("the certificate of {name} is not the pinned one: its SHA-256 is {}", pin.found)),
                None if other.to_string() == CA_AS_SERVER => {
                    let sentence =
                        "is a CA's and no server's (CA:TRUE): give it as ca_pem, pin it by pin_sha256, or make one with basicConstraints=CA:FALSE";
                    (WS_CAUSE_CERTIFICATE_BAD, format!("the certificate of {name} {sentence}"))
                }
                None => (WS_CAUSE_CERTIFICATE_BAD, format!("the certificate of {name} cannot be used: {other}")),
            },
            bad => (WS_CAUSE_CERTIFICATE_BAD, format!("the certificate of {name} cannot be used: {bad}")),
        },
        rustls::Error::InvalidMessage(_) => {
            (WS_CAUSE_NOT_TLS, "the other end does not speak TLS on this port: try ws:// instead of wss://, or another port".to_owned())
        }
        rustls::Error::AlertReceived(alert) => (WS_CAUSE_TLS_FAILED, alert_sentence(*alert)),
        error => (WS_CAUSE_TLS_FAILED, format!("the TLS handshake failed: {error}")),
    };
    Failure::new(WS_PHASE_TLS, cause, sentence)
}

/// The failure of TLS behind a failed read of an open stream, if it is one. A server of TLS 1.3 judges a client's certificate only then.
pub fn tls_failure(error: &std::io::Error) -> Option<Failure> {
    let sentence = match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => alert_sentence(*alert),
        error => format!("TLS failed: {error}"),
    };
    Some(Failure::new(WS_PHASE_TLS, WS_CAUSE_TLS_FAILED, sentence))
}

/// What the other end means by its alert (RFC 8446 section 6.2).
fn alert_sentence(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let hint = match alert {
        Alert::CertificateRequired => "it demands a certificate: set cert_pem and key_pem",
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => "it does not accept the certificate from here: check cert_pem, and which CA it trusts",
        Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity => {
            "no TLS version or cipher suite (1.2 and 1.3 are offered) suits it, or it demands a certificate: set cert_pem and key_pem"
        }
        Alert::UnrecognisedName => "it does not know the name that it was asked for: set server_name",
        _ => "look at its log",
    };
    format!("the other end refused TLS with the alert {alert:?}: {hint}")
}

/// The bundled roots and the system's; read once, which takes tens of milliseconds.
fn trust_store() -> Arc<RootCertStore> {
    let read = || {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let system = rustls_native_certs::load_native_certs();
        let (added, ignored) = roots.add_parsable_certificates(system.certs);
        journal::note(WS_LOG_DEBUG, || format!("trust store: {added} roots of the system added, {ignored} not usable"));
        Arc::new(roots)
    };
    STORE.get().get_or_init(read).clone()
}

static STORE: Own<OnceLock<Arc<RootCertStore>>> = Own::new(OnceLock::new());

/// In the child of a fork: the parent's worker may have been reading the store, and will not end that here.
pub(super) fn forget_parent() {
    STORE.renew(OnceLock::new());
}

fn certificates(field: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let list: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match list {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(wrong(format!("{field} has no certificate in it: give the text of a PEM file, not its name"))),
        Err(error) => Err(wrong(format!("{field} is not valid PEM: {error:?}"))),
    }
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| wrong("key_pem has no private key that can be read: give unencrypted PKCS #8, PKCS #1 or SEC1 PEM text"))
}

fn check_pair(chain: &[CertificateDer<'static>], key: &PrivateKeyDer<'static>) -> Result<(), Error> {
    rustls::sign::CertifiedKey::from_der(chain.to_vec(), key.clone_key(), &PROVIDER)
        .map(drop)
        .map_err(|error| wrong(format!("cert_pem and key_pem cannot be used together: {error}")))
}

fn wrong(sentence: impl Into<String>) -> Error {
    Error::new(WS_ERR_TLS, sentence)
}
