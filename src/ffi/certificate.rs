//! Exports that make certificates, and replace that of a server.

use super::guard::{guard, wrong};
use super::pointers::{copy_text, need, text};
use super::types::*;
use crate::net::make_certificate;
use crate::status::{ErrorCode, Success};
use crate::table;
use std::ffi::c_char;
use std::ptr::null_mut;

/// Replaces the certificate of a server or host that was opened with wss://, while it runs. TLS handshakes that begin
/// from now on use the new one; connected clients keep their connections. `cert_pem` and `key_pem` are texts as in
/// ws_config. They are checked at once: if they cannot be used, do not belong together, or have expired, the server
/// keeps the certificate that it has.
/// The log warns of the own certificate of a server from 14 days before its end, when it is opened, when it is replaced,
/// and then once a day.
///
/// Returns WS_OK, WS_ERR_TLS, WS_ERR_KIND (not a server, or one without TLS), WS_ERR_STATE (it is closing),
/// WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_set_certificate(
    server: ws_handle,
    cert_pem: *const c_char,
    key_pem: *const c_char,
) -> ws_result {
    guard(|| {
        let (cert, key) = (text("cert_pem", cert_pem)?, text("key_pem", key_pem)?);
        table::set_certificate(server, cert, key).map(|()| Success::Ok)
    })
}

/// Makes a self-signed certificate with a new P-256 key, for development and for games on a local network. Players
/// trust it by ws_config.pin_sha256 or ca_pem; browsers do not. `names` are 1 to 100 DNS names and IP addresses,
/// separated by commas: "localhost, 127.0.0.1, ::1". It is valid from a day before now, as clocks differ, for `days`
/// (1 to 36500) from now.
///
/// Writes NUL-terminated texts: `cert` (PEM, for cert_pem and ca_pem), `key` (PEM, for key_pem; keep it secret) and
/// `sha256` (64 hex digits, for pin_sha256; may be NULL with `sha256_cap` 0). 2048, 512 and 65 bytes are enough for ten
/// names of usual length, 65536 bytes for any `cert`.
/// Returns WS_OK, WS_ERR_ARG (`names` or `days`), WS_ERR_TOO_BIG (a buffer is too short; nothing was written),
/// WS_ERR_TLS, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_make_certificate(
    names: *const c_char,
    days: u32,
    cert: *mut c_char,
    cert_cap: usize,
    key: *mut c_char,
    key_cap: usize,
    sha256: *mut c_char,
    sha256_cap: usize,
) -> ws_result {
    guard(|| {
        let names = text("names", names)?;
        need("cert", cert)?;
        need("key", key)?;
        if sha256_cap > 0 {
            need("sha256", sha256)?;
        }
        let made = make_certificate(names, days)?;
        let outputs = [
            ("cert", &made.cert_pem, cert, cert_cap),
            ("key", &made.key_pem, key, key_cap),
            ("sha256", &made.sha256, sha256, sha256_cap),
        ];
        for (name, text, pointer, cap) in outputs {
            if text.len() >= cap && !pointer.is_null() {
                let needed = text.len() + 1;
                return Err(wrong(ErrorCode::TooBig, format!("{name} needs {needed} bytes and its buffer has {cap}")));
            }
        }
        for (_, text, pointer, cap) in outputs {
            if !pointer.is_null() {
                copy_text(text, pointer, cap, null_mut())?;
            }
        }
        Ok(Success::Ok)
    })
}
