//! From arguments to the settings of a connection.

use crate::args::Connect;
use crate::failure::{Failure, Outcome};
use std::path::Path;
use std::time::Duration;
use wspeer::Config;

impl Connect {
    pub fn config(&self) -> Outcome<Config> {
        let mut config = Config::new().connect_timeout_ms(ms(self.timeout)).insecure(self.insecure);
        for line in &self.header {
            config = config.header_line(line);
        }
        if !self.subprotocol.is_empty() {
            config = config.subprotocols(self.subprotocol.join(", "));
        }
        if let Some(path) = &self.ca {
            config = config.ca_pem(text_of(path)?);
        }
        if let Some(name) = &self.server_name {
            config = config.server_name(name);
        }
        if let Some(pin) = &self.pin {
            config = config.pin_sha256(pin);
        }
        if let Some(proxy) = &self.proxy {
            config = config.proxy(proxy);
        }
        Ok(config)
    }
}

/// A file that was given.
pub fn text_of(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, error))
}

/// Milliseconds, at least 1: the library takes 0 for its default.
pub fn ms(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX - 1).max(1)
}
