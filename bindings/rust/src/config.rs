//! What `config_fields.rs` does not have of [`Config`]: headers, and the way to the library.

use crate::config_fields::Config;
use crate::error::{Error, Result};
use crate::sys;
use std::ffi::{CString, c_char};
use std::fmt;
use std::ptr::null;
use wspeer_core::ffi::ws_config;

/// The texts of a config, for as long as the library reads them.
#[derive(Default)]
pub(crate) struct Texts {
    kept: Vec<CString>,
}

impl Texts {
    /// Keeps a text. Returns its pointer, or NULL without a text.
    pub(crate) fn add(&mut self, field: &str, text: Option<&str>) -> Result<*const c_char> {
        let Some(text) = text else { return Ok(null()) };
        let text = sys::text_of(text).map_err(|error| Error::new(error.code(), format!("{field}: {error}")))?;
        // The bytes of a CString stay where they are when it moves.
        let pointer = text.as_ptr();
        self.kept.push(text);
        Ok(pointer)
    }
}

impl Config {
    /// A config in which everything has its default.
    pub fn new() -> Config {
        Config::default()
    }

    /// Adds a header to the request (client) or to the response (server). It can be called several times.
    pub fn header(self, name: &str, value: &str) -> Config {
        self.header_line(format!("{name}: {value}"))
    }

    /// Adds a header as one line, "Name: value".
    pub fn header_line(mut self, line: impl Into<String>) -> Config {
        self.headers.push(line.into());
        self
    }

    /// The certificate chain and the private key as PEM: [`cert_pem()`](Config::cert_pem) and
    /// [`key_pem()`](Config::key_pem).
    pub fn certificate(self, cert_pem: impl Into<String>, key_pem: impl Into<String>) -> Config {
        self.cert_pem(cert_pem).key_pem(key_pem)
    }

    pub(crate) fn flag(mut self, flag: u32, on: bool) -> Config {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
        self
    }

    /// Calls `open` with the config as the library reads it.
    pub(crate) fn with_raw<T>(&self, open: impl FnOnce(&ws_config) -> Result<T>) -> Result<T> {
        let mut raw = sys::new_config();
        let mut texts = Texts::default();
        self.write(&mut raw, &mut texts)?;
        let lines = self.headers.iter().map(|line| texts.add("headers", Some(line))).collect::<Result<Vec<_>>>()?;
        if !lines.is_empty() {
            raw.headers = lines.as_ptr();
            // More than u32::MAX would be refused like u32::MAX: at most 100 are allowed.
            raw.headers_count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        }
        open(&raw)
    }
}

/// Without the settings: some are secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}
