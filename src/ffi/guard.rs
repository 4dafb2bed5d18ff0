//! Runs the body of every export: no panic leaves it, and the text of a failure is kept for ws_last_error().

use super::types::ws_result;
use crate::error::Error;
use crate::status::{ErrorCode, State, Success};
use crate::{journal, quiet, table};
use std::cell::RefCell;

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The result of an export that succeeds: a number from 0 up.
pub(super) trait Answer {
    fn number(self) -> i32;
}

impl Answer for Success {
    #[inline(always)]
    fn number(self) -> i32 {
        self.code()
    }
}

impl Answer for State {
    #[inline(always)]
    fn number(self) -> i32 {
        self.code()
    }
}

/// A count or an id.
impl Answer for i32 {
    #[inline(always)]
    fn number(self) -> i32 {
        self
    }
}

/// Runs the body of an export. A failure becomes its code, a panic WS_ERR_PANIC.
#[inline]
pub(super) fn guard<T: Answer>(body: impl FnOnce() -> Result<T, Error>) -> ws_result {
    let result = quiet::catch(|| {
        #[cfg(feature = "inject-panics")]
        quiet::inject::pass(quiet::inject::Place::Entry);
        body()
    });
    match result {
        Some(Ok(answer)) => answer.number(),
        Some(Err(error)) => failed(error),
        None => failed(table::panicked()),
    }
}

/// Like `guard`, for exports that create handles: from the first one on, a fork makes the parent's handles stale in the
/// child. Standard error is looked up before there is a socket.
pub(super) fn guard_opening<T: Answer>(body: impl FnOnce() -> Result<T, Error>) -> ws_result {
    watch_forks();
    #[cfg(target_os = "linux")]
    crate::heap::set_give_back(give_back);
    journal::begin();
    guard(body)
}

#[cold]
fn failed(error: Error) -> ws_result {
    // A thread that is ending has no storage for the text any more.
    let code = error.code();
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = error.into_message());
    code.code()
}

/// The text of this thread's last failure.
pub(super) fn last_error() -> String {
    LAST_ERROR.try_with(|last| last.borrow().clone()).unwrap_or_default()
}

/// Shorthand for a failure with one of the argument codes.
pub(super) fn wrong(code: ErrorCode, why: impl Into<String>) -> Error {
    Error::new(code, why)
}

/// Returns the whole pages in `memory` to the system.
#[cfg(target_os = "linux")]
fn give_back(memory: &mut [std::mem::MaybeUninit<u8>]) {
    // SAFETY: the call has no precondition; it only returns a number.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(0);
    let skipped = memory.as_ptr().addr().wrapping_neg() & page.wrapping_sub(1);
    if page.is_power_of_two()
        && let Some(rest) = memory.get_mut(skipped..)
    {
        let len = rest.len() & !(page - 1);
        // SAFETY: these pages are in memory that is borrowed for writing and need not be initialised, so they may have
        // any content afterwards. They stay mapped. If the call fails, nothing has changed.
        unsafe { libc::madvise(rest.as_mut_ptr().cast(), len, libc::MADV_DONTNEED) };
    }
}

#[cfg(unix)]
fn watch_forks() {
    extern "C" fn in_child() {
        table::forget_parent();
    }
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: `in_child` stays mapped (the library is linked with nodelete) and takes no lock that a thread of the
        // parent may have held. It allocates, which POSIX does not permit in the child of a process with threads, but
        // glibc, musl and Apple's libc keep their allocators usable there.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

#[cfg(not(unix))]
fn watch_forks() {}
