//! TLS settings: parsed at once, so that the call reports a wrong certificate, and set up on the worker, because that
//! takes long.

use super::der::validity;
use super::expiry;
use super::given::ByGiven;
use super::pem::{bundle, certificates, private_key};
use super::recorded::Recorded;
use super::tls_errors::bad_identity;
use super::verify::ByFingerprint;
use crate::error::{Error, Failure};
use crate::forks::Own;
use crate::journal;
use crate::names::{CA_PEM, CERT_PEM, KEY_PEM, ONLY_CA_PEM, SERVER_NAME};
use crate::status::{Cause, ErrorCode, Level, Phase};
use crate::trace::Trace;
use parking_lot::Mutex;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{UnbufferedClientConnection, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring as ring_provider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring_provider::default_provider()));

/// A client's settings as the program supplied them.
#[derive(Clone, Default)]
pub struct TlsClientSettings {
    /// Name that the certificate must have, instead of the URL's host.
    pub server_name: Option<String>,
    /// Certificates to trust besides the bundled and the system's roots.
    pub ca_pem: Option<String>,
    /// Trust only `ca_pem`.
    pub only_ca_pem: bool,
    /// Our certificate, for servers that request one.
    pub cert_pem: Option<String>,
    /// Key of `cert_pem`.
    pub key_pem: Option<String>,
    /// Trust only the certificate with this SHA-256.
    pub pin_sha256: Option<[u8; 32]>,
    /// Trust any certificate.
    pub insecure: bool,
    /// Accept a trusted certificate for any name.
    pub any_name: bool,
    /// What a diagnosis records.
    pub trace: Option<Arc<Trace>>,
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
    /// A diagnosis records the certificates. It resumes no session, as then the server would send none.
    trace: Option<Arc<Trace>>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl TlsClient {
    /// Parses the settings, without the slow setup.
    pub fn new(host: &str, settings: TlsClientSettings) -> Result<TlsClient, Error> {
        let shown_name = settings.server_name.unwrap_or_else(|| host.to_owned());
        let name = ServerName::try_from(shown_name.clone())
            .map_err(|_| wrong(format!("{shown_name:?} is no name that a certificate can have; set {SERVER_NAME}")))?;
        let roots = match &settings.ca_pem {
            Some(pem) => usable_roots(bundle(&CA_PEM.to_string(), pem)?)?,
            None if settings.only_ca_pem => {
                return Err(wrong(format!("{ONLY_CA_PEM} is set and {CA_PEM} is NULL: nothing would be trusted")));
            }
            None => Vec::new(),
        };
        let identity = match (&settings.cert_pem, &settings.key_pem) {
            (Some(cert), Some(key)) => {
                Some((certificates(&CERT_PEM.to_string(), cert)?, private_key(&KEY_PEM.to_string(), key)?))
            }
            _ => None,
        };
        if let Some((chain, key)) = &identity {
            // Reported now, not at the first handshake.
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
            trace: settings.trace,
            config: OnceLock::new(),
        })
    }

    /// Creates a session that is about to send its ClientHello. Slow the first time: call it on the worker.
    pub(super) fn session(&self) -> Result<UnbufferedClientConnection, Failure> {
        let failed = |why: &str| Failure::new(Phase::Tls, Cause::TlsFailed, format!("TLS cannot be set up: {why}"));
        let config = self
            .config
            .get_or_init(|| match &self.trace {
                None => shared_config(self.digest(), || self.make_config()),
                Some(_) => self.make_config(),
            })
            .as_ref()
            .map_err(|why| failed(why))?;
        UnbufferedClientConnection::new(config.clone(), self.name.clone()).map_err(|error| failed(&error.to_string()))
    }

    /// The name that the certificate must have.
    pub(super) fn shown_name(&self) -> &str {
        &self.shown_name
    }

    /// SHA-256 of everything that determines what this client trusts and how it identifies itself.
    fn digest(&self) -> [u8; 32] {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        let mut feed = |part: &[u8]| {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        };
        feed(&[
            u8::from(self.only_ca_pem),
            u8::from(self.insecure),
            u8::from(self.any_name),
            u8::from(self.identity.is_some()),
        ]);
        feed(self.pin.as_ref().map_or(&[][..], |pin| pin));
        feed(&(self.roots.len() as u64).to_le_bytes());
        self.roots.iter().for_each(|root| feed(root));
        if let Some((chain, key)) = &self.identity {
            feed(key.secret_der());
            chain.iter().for_each(|certificate| feed(certificate));
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    fn make_config(&self) -> Result<Arc<ClientConfig>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let builder = ClientConfig::builder_with_provider(PROVIDER.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| text(&error))?;
        let verifier = self.make_verifier()?;
        let verifier: Arc<dyn ServerCertVerifier> = match &self.trace {
            None => verifier,
            Some(trace) => Arc::new(Recorded::new(verifier, trace.clone())),
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match &self.identity {
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(|error| text(&error))?
            }
            None => builder.with_no_client_auth(),
        };
        // `Records` continues with these secrets after the handshake.
        config.enable_secret_extraction = true;
        Ok(Arc::new(config))
    }

    fn make_verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, String> {
        if self.insecure || self.pin.is_some() {
            let pin = if self.insecure { None } else { self.pin };
            return Ok(Arc::new(ByFingerprint::new(pin, PROVIDER.clone())));
        }
        let mut roots = if self.only_ca_pem { Arc::new(RootCertStore::empty()) } else { trust_store() };
        if !self.roots.is_empty() {
            Arc::make_mut(&mut roots).add_parsable_certificates(self.roots.iter().cloned());
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, PROVIDER.clone())
            .build()
            .map_err(|error| error.to_string())?;
        if self.roots.is_empty() && !self.any_name {
            return Ok(verifier);
        }
        Ok(Arc::new(ByGiven::new(verifier, PROVIDER.clone(), self.roots.clone(), self.any_name)))
    }
}

/// A server's certificate chain and key, ready for use.
pub struct TlsServer {
    config: Arc<ServerConfig>,
    /// The last second of the certificate's validity, since 1970; `None`: it cannot be read.
    until: Option<u64>,
}

impl TlsServer {
    /// Parses and checks the chain and the key.
    pub fn new(cert_pem: &str, key_pem: &str) -> Result<TlsServer, Error> {
        let chain = certificates(&CERT_PEM.to_string(), cert_pem)?;
        let key = private_key(&KEY_PEM.to_string(), key_pem)?;
        let until = validity(&chain[0]).map(|(_, until)| until);
        let mut config = ServerConfig::builder_with_provider(PROVIDER.clone())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| wrong(bad_identity(&error)))?;
        config.enable_secret_extraction = true;
        Ok(TlsServer { config: Arc::new(config), until })
    }

    /// Refuses a certificate that has expired.
    pub fn check_expiry(&self) -> Result<(), Error> {
        match self.until {
            Some(until) if until < now() => {
                Err(wrong(format!("the certificate in {CERT_PEM} has expired, so clients would refuse it")))
            }
            _ => Ok(()),
        }
    }

    /// The warning that the certificate has expired or soon will, and the time until this has to be asked again.
    pub fn expiry_warning(&self) -> Option<(Option<String>, Duration)> {
        let now = now();
        self.until.map(|until| (expiry::warning(until, now), expiry::next_check(until, now)))
    }

    /// Creates a session that expects a ClientHello.
    pub(super) fn session(&self) -> Result<UnbufferedServerConnection, Failure> {
        UnbufferedServerConnection::new(self.config.clone())
            .map_err(|error| Failure::new(Phase::Tls, Cause::TlsFailed, format!("TLS cannot be set up: {error}")))
    }
}

/// The bundled and the system's roots. They are read once, which takes tens of milliseconds.
fn trust_store() -> Arc<RootCertStore> {
    let read = || {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let system = rustls_native_certs::load_native_certs();
        let (added, ignored) = roots.add_parsable_certificates(system.certs);
        journal::note(Level::Debug, || format!("trust store: {added} roots of the system added, {ignored} not usable"));
        Arc::new(roots)
    };
    STORE.get().get_or_init(read).clone()
}

static STORE: Own<OnceLock<Arc<RootCertStore>>> = Own::new(OnceLock::new());

/// A configuration shared by clients with equal settings, with its session tickets: a client that connects again to a
/// server resumes its session, which saves the server a signature.
type SharedConfig = ([u8; 32], Arc<ClientConfig>);

/// The most recently used ones, oldest first. Each holds tickets of at most 256 servers.
static CONFIGS: Own<Mutex<Vec<SharedConfig>>> = Own::new(Mutex::new(Vec::new()));
const MAX_CONFIGS: usize = 8;

fn shared_config(
    digest: [u8; 32],
    make: impl FnOnce() -> Result<Arc<ClientConfig>, String>,
) -> Result<Arc<ClientConfig>, String> {
    let mut configs = CONFIGS.get().lock();
    let config = match configs.iter().position(|(of, _)| *of == digest) {
        Some(index) => configs.remove(index).1,
        None => make()?,
    };
    if configs.len() == MAX_CONFIGS {
        configs.remove(0);
    }
    configs.push((digest, config.clone()));
    Ok(config)
}

/// Drops the shared configurations and their tickets, which are secrets. Blocks while a configuration is being created:
/// call it on the worker, or while the worker does not run.
pub(super) fn forget_sessions() {
    let forgotten = std::mem::take(&mut *CONFIGS.get().lock());
    drop(forgotten);
}

/// In the child of a fork: the parent's worker may have been using the store or the list, and never finishes that here.
pub(super) fn forget_parent() {
    STORE.renew(OnceLock::new());
    CONFIGS.renew(Mutex::new(Vec::new()));
}

/// The usable certificates of ca_pem. Unusable ones are left out, so that one does not spoil a bundle.
fn usable_roots((list, unread): (Vec<CertificateDer<'static>>, usize)) -> Result<Vec<CertificateDer<'static>>, Error> {
    let count = list.len() + unread;
    let usable: Vec<_> =
        list.into_iter().filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok()).collect();
    if usable.is_empty() {
        return Err(wrong(format!(
            "{CA_PEM} has no certificate that can be used: each is damaged, or of a kind that is not known here"
        )));
    }
    if usable.len() < count {
        journal::note(Level::Warn, || {
            format!("{} of the {count} certificates of {CA_PEM} cannot be used and are left out", count - usable.len())
        });
    }
    Ok(usable)
}

fn check_pair(chain: &[CertificateDer<'static>], key: &PrivateKeyDer<'static>) -> Result<(), Error> {
    rustls::sign::CertifiedKey::from_der(chain.to_vec(), key.clone_key(), &PROVIDER)
        .map(drop)
        .map_err(|error| wrong(bad_identity(&error)))
}

/// Seconds since 1970, by the system's clock.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorCode::Tls, why)
}
