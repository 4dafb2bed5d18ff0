//! What tests of sessions through the C ABI share.
#![allow(dead_code)] // Not every test uses all of it.

use super::c_host::*;
use wspeer::codes::*;
use wspeer::ffi::*;

/// What both ends set.
///
/// Heartbeats are off: what a message of the channel waits for is not hidden by the next ping.
pub fn keeps(config: &mut ws_config) {
    config.session_ms = 60_000;
    config.heartbeat_ms = WS_OFF;
    (config.retry_min_ms, config.retry_max_ms, config.retry_tries) = (1, 50, WS_OFF);
}

/// The state of a handle.
pub fn state(handle: u32) -> i32 {
    ws_get_state(handle)
}

/// Whether a client of a server has ended, and its last event has been taken.
pub fn is_gone(conn: u32) -> bool {
    state(conn) == WS_ERR_HANDLE
}

/// Polls the handles until `done`; their events go to `take`.
pub fn play(handles: &[u32], what: &str, mut take: impl FnMut(u32, Event), mut done: impl FnMut() -> bool) {
    until(what, || {
        for handle in handles {
            assert!(poll(*handle) >= 0);
            while let Some(event) = next(*handle) {
                take(*handle, event);
            }
        }
        done()
    });
}

/// Polls until `handle` has an event of this type, which it returns. Events before it are dropped.
pub fn await_event(handles: &[u32], handle: u32, kind: i32) -> Event {
    let mut found = None;
    until(&format!("event {kind}"), || {
        for handle in handles {
            assert!(poll(*handle) >= 0);
        }
        while let Some(event) = next(handle) {
            if event.kind == kind {
                found = Some(event);
                return true;
            }
            assert!(!event.is_end(), "{event:?}");
        }
        false
    });
    found.unwrap()
}
