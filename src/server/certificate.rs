//! The certificate of a server: replacing it, and the warnings before it expires.

use super::Server;
use crate::journal;
use crate::names::said::SET_CERTIFICATE;
use crate::net::TlsServer;
use crate::status::{Level, State};
use std::sync::Arc;
use std::time::Instant;

/// Stands for the key of a client in the timer that checks the certificate. Its serial number is
/// `Server::certificates`.
pub(super) const CERTIFICATE: u32 = u32::MAX;

impl Server {
    /// Whether it was opened with wss://.
    pub fn has_tls(&self) -> bool {
        self.settings.tls.is_some()
    }

    /// Replaces the certificate for TLS handshakes that have not begun. Returns the previous one.
    pub fn set_certificate(&mut self, tls: Arc<TlsServer>, now: Instant) -> Option<Arc<TlsServer>> {
        let replaced = self.settings.tls.replace(tls);
        self.certificates = self.certificates.wrapping_add(1);
        journal::note(Level::Info, || format!("{} has a new certificate", self.url()));
        self.check_certificate(now);
        replaced
    }

    /// Warns in the log if the certificate expires soon, and sets the timer of the next check.
    pub fn check_certificate(&mut self, now: Instant) {
        if self.state != State::Open {
            return;
        }
        let Some((warning, next)) = self.settings.tls.as_ref().and_then(|tls| tls.expiry_warning()) else { return };
        if let Some(warning) = warning {
            journal::note(Level::Warn, || {
                format!("the certificate of {} {warning}; replace it with {SET_CERTIFICATE}", self.url())
            });
        }
        self.queues.timers.push(now + next, CERTIFICATE, self.certificates);
    }
}
