//! The only export that may block.

use super::guard::{guard_opening, wrong};
use super::pointers::need;
use super::types::*;
use crate::status::ErrorCode;
use crate::table::{self, Entry};

/// Waits until one of `n` handles has something to poll or to take: for programs without frames. It is the only call
/// that may block. 0 and stale handles are ignored. `timeout_ms` is in milliseconds; -1: no timeout, 0: check only.
///
/// Returns WS_OK (poll now), WS_EMPTY (the timeout expired), WS_ERR_NULL, WS_ERR_ARG, WS_ERR_HANDLE (none of the
/// handles is valid), WS_ERR_LIMIT (the system cannot wait). Thread-safe; each thread waits separately.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_wait(handles: *const ws_handle, n: usize, timeout_ms: i32) -> ws_result {
    guard_opening(|| {
        if n > 0 {
            need("handles", handles)?;
        }
        if n > MAX_HANDLES {
            return Err(wrong(ErrorCode::Arg, format!("n is {n}: at most {MAX_HANDLES} handles")));
        }
        if timeout_ms < -1 {
            return Err(wrong(ErrorCode::Arg, format!("timeout_ms is {timeout_ms}: use -1, 0 or more")));
        }
        let mut few = [0; 8];
        let mut many = Vec::new();
        let list = if n <= few.len() {
            &mut few[..n]
        } else {
            many.resize(n, 0);
            &mut many[..]
        };
        for (index, handle) in list.iter_mut().enumerate() {
            // SAFETY: the header says that `n` handles are readable at `handles`.
            *handle = unsafe { handles.add(index).read_unaligned() };
        }
        table::wait(list, timeout_ms, poll_entries)
    })
}

const MAX_HANDLES: usize = 1 << 20;

/// poll(2).
#[cfg(unix)]
fn poll_entries(entries: &mut [Entry], ms: i32) -> std::io::Result<usize> {
    // SAFETY: `entries` is an array of its own length for the whole call.
    let count = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, ms) };
    usize::try_from(count).map_err(|_| std::io::Error::last_os_error())
}

#[cfg(not(unix))]
fn poll_entries(_: &mut [Entry], _: i32) -> std::io::Result<usize> {
    Ok(0)
}
