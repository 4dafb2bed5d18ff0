//! Exports that close connections and free handles.

use super::guard::guard;
use super::pointers::optional_text;
use super::types::*;
use crate::status::Success;
use crate::table;
use std::ffi::c_char;

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
/// such a client: its queued messages and events are dropped, and messages that still arrive; ws_stats.skipped counts
/// the messages. To keep reading what it sent, call ws_close() with its own handle instead.
///
/// Returns WS_OK, WS_ERR_TARGET, WS_ERR_KIND, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_disconnect(h: ws_handle, target: i32, code: i32, reason: *const c_char) -> ws_result {
    guard(|| {
        let reason = optional_text("reason", reason)?.unwrap_or("");
        table::disconnect(h, target, code, reason).map(|()| Success::Ok)
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
