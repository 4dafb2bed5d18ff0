//! Exports that change what a client opens the next time.

use super::guard::guard;
use super::pointers::{optional_text, text};
use super::types::*;
use crate::error::Error;
use crate::names::said::HINTS;
use crate::status::{ErrorCode, Hint, Success};
use crate::table;
use std::ffi::c_char;

/// Tells a client or join what its program knows of the device and the network: WS_HINT_*. Call it when the system says
/// that the app is suspended or shown again, or that the network has changed. The Unity component, the classes of Godot
/// and the browser build do it by themselves, except for the network. A hint is no promise: one that is wrong costs a
/// ping.
///
/// Returns WS_OK, WS_ERR_ARG (not a WS_HINT_*), WS_ERR_KIND (not a client or join), WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_hint(h: ws_handle, hint: i32) -> ws_result {
    guard(|| {
        let known = Hint::from_code(hint).ok_or_else(|| Error::new(ErrorCode::Arg, format!("{hint} is no {HINTS}")))?;
        table::hint(h, known).map(|()| Success::Ok)
    })
}

/// Changes the URL of a client or join with WS_RECONNECT or session_ms, from its next try on; a link that is open stays.
/// Scheme and host may change too; certificates are then checked for the new host, and extra headers go to it. Call it
/// when a token in the URL has expired, for instance at LOST.
///
/// Returns WS_OK, WS_ERR_URL, WS_ERR_TLS, WS_ERR_CONFIG (the proxy of the environment cannot be used), WS_ERR_KIND (not
/// a client or join with either), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_set_url(h: ws_handle, url: *const c_char) -> ws_result {
    guard(|| table::set_url(h, text("url", url)?).map(|()| Success::Ok))
}

/// Sets an extra header of the request of a client or join with WS_RECONNECT or session_ms, from its next try on, in the
/// place of all extra headers with this name. A `value` of NULL removes them.
///
/// Returns WS_OK, WS_ERR_ARG (not a valid header, one of the opening handshake's own, or one more than 100), WS_ERR_KIND
/// (not a client or join with either), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_set_header(h: ws_handle, name: *const c_char, value: *const c_char) -> ws_result {
    guard(|| table::set_header(h, text("name", name)?, optional_text("value", value)?).map(|()| Success::Ok))
}
