//! Exports that close connections and free handles.

use super::guard::guard;
use super::pointers::optional_text;
use super::types::*;
use crate::status::Success;
use crate::table;
use std::ffi::c_char;
use std::time::Duration;

/// Starts the closing handshake (RFC 6455 section 7.1.2) after the messages that were accepted. Poll until CLOSED to be
/// sure that they were sent. `code` is 1000-1003, 1007-1014 or 3000-4999 (section 7.4); 0 means 1000, and -1 drops the
/// connection at once. `reason` (NULL: none) has at most 123 bytes.
/// A server stops listening and closes its clients, with 1001 for 0. A client whose request waits for an answer
/// (WS_ASK) gets 503. While CLOSING only -1 has an effect; after CLOSED
/// nothing has. Messages that were received can still be read.
///
/// Returns WS_OK, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_close(h: ws_handle, code: i32, reason: *const c_char) -> ws_result {
    guard(|| {
        let reason = optional_text("reason", reason)?.unwrap_or("");
        table::close(h, code, reason).map(|()| Success::Ok)
    })
}

/// Closes one client of a server (`target` is its handle), all clients (0), or all but one (minus its handle); `code`
/// and `reason` as for ws_close(). On a host a target is a peer's id instead. Only DISCONNECTED is still delivered of
/// such a client, at once: its queued messages and events are dropped, and messages that still arrive;
/// ws_stats.skipped counts the messages. The closing handshake goes on behind it, for at most close_timeout_ms without
/// progress, and what had not left (event.unsent) still does; until then the connection counts for max_clients. To keep
/// reading what it sent, call ws_close() with its own handle instead.
///
/// Returns WS_OK, WS_ERR_TARGET, WS_ERR_KIND, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_disconnect(h: ws_handle, target: i32, code: i32, reason: *const c_char) -> ws_result {
    guard(|| {
        let reason = optional_text("reason", reason)?.unwrap_or("");
        table::disconnect(h, target, code, reason).map(|()| Success::Ok)
    })
}

/// Ends a server or host without losing its players, for a restart or a smaller fleet. From now on new requests are
/// answered with 503 and Retry-After, health checks too; clients that come back to their session are let in. Each
/// client is closed with 1012 when everything put to it has arrived (with a session: is acknowledged), and all that are
/// left after `window_ms`. With a session it is also told to come back after `retry_ms` at least (at most 3600000), to
/// `url` (ws:// or wss://, at most 1003 bytes, without a password; NULL or "": the URL that it has): with WS_RECONNECT
/// it has LOST, then OPEN of a new session; else CLOSED. A client never follows a URL from wss:// to ws://, and sends
/// its headers to no other origin. When no client is left the server closes itself, and has CLOSED. A second call
/// changes the three values.
///
/// Returns WS_OK, WS_ERR_STATE (closed or closing), WS_ERR_ARG (retry_ms), WS_ERR_URL, WS_ERR_KIND, WS_ERR_HANDLE,
/// WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_drain(server: ws_handle, window_ms: u32, retry_ms: u32, url: *const c_char) -> ws_result {
    guard(|| {
        let url = optional_text("url", url)?.unwrap_or("");
        let [window, retry] = [window_ms, retry_ms].map(|ms| Duration::from_millis(ms.into()));
        table::drain(server, window, retry, url).map(|()| Success::Ok)
    })
}

/// Retires a handle in any state and ends its loans. Queued output is written once more, by a thread of the library if
/// it takes more than a millisecond. Data that the peer has not acknowledged may be lost: to be sure, call ws_close()
/// and poll until CLOSED first. A server: its clients' handles are retired too. A server's client: it is dropped, and
/// the server reports nothing more about it. 0 and stale handles are harmless. Never blocks. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_free(h: ws_handle) {
    guard(|| {
        table::free(h);
        Ok(Success::Ok)
    });
}

/// Frees all handles that were opened with this ws_config.owner: a binding calls it when its program reloads. 0 frees
/// none. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_free_owner(owner: u32) {
    guard(|| {
        table::free_owner(owner);
        Ok(Success::Ok)
    });
}

/// Frees all handles, forgets the TLS sessions that a later ws_connect() could resume, and asks the library's threads
/// to end, without waiting for them. The library works again after the next open. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_shutdown() {
    guard(|| {
        table::shutdown();
        Ok(Success::Ok)
    });
}
