//! Exports that end.

use super::guard::guard;
use super::pointers::optional_text;
use super::types::*;
use crate::status::Success;
use crate::table;
use std::ffi::c_char;

/// Starts the closing handshake, behind the messages that were accepted; poll until CLOSED to be sure that they left. `code` 0 means 1000,
/// -1 drops the connection at once; else 1000-1003, 1007-1014 or 3000-4999. `reason` (NULL: none) has up to 123 bytes.
/// A server stops listening and closes its clients, with 1001 for 0. A handle that is closing or closed is left as it is. Messages that had arrived stay
/// readable.
///
/// Returns WS_OK, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_close(h: ws_handle, code: i32, reason: *const c_char) -> ws_result {
    guard(|| {
        let reason = optional_text("reason", reason)?.unwrap_or("");
        table::close(h, code, reason).map(|()| Success::Ok)
    })
}

/// Closes one client of a server (target: its handle), all (0) or all but one (minus its handle); code and reason as ws_close(). On a host a target is
/// a peer's id instead. Nothing more of that client is delivered but its DISCONNECTED: messages and events that wait are dropped, and messages that
/// still come; ws_stats.skipped counts the messages. To go on reading what it sent, ws_close() its own handle instead.
///
/// Returns WS_OK, WS_ERR_TARGET, WS_ERR_KIND, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_disconnect(h: ws_handle, target: i32, code: i32, reason: *const c_char) -> ws_result {
    guard(|| {
        let reason = optional_text("reason", reason)?.unwrap_or("");
        table::disconnect(h, target, code, reason).map(|()| Success::Ok)
    })
}

/// Retires a handle in any state and ends its loans; one last write is tried, by a thread of the library where it takes more than a millisecond. What the
/// peer has not acknowledged may be lost: to be sure, ws_close() and poll until CLOSED first. A server: its clients' handles retire too. A server's
/// client: it is dropped and forgotten. 0 and stale handles are harmless. Never blocks. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_free(h: ws_handle) {
    guard(|| {
        table::free(h);
        Ok(Success::Ok)
    });
}

/// Frees all handles that were opened with this ws_config.owner: what a binding calls when its host reloads. 0 frees none. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_free_owner(owner: u32) {
    guard(|| {
        table::free_owner(owner);
        Ok(Success::Ok)
    });
}

/// Frees all handles, forgets TLS sessions that a next connect would resume, and asks the library's threads to end; waits for none. The library works again
/// after the next open. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_shutdown() {
    guard(|| {
        table::shutdown();
        Ok(Success::Ok)
    });
}
