//! Wakes threads in ws_wait when a thread of the library, or a call on another thread, has news for them.

use crate::forks::{self, Own};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::time::Instant;

static WAITERS: Own<Waiters> = Own::new(Waiters::NONE);

/// The waiting threads of this process.
struct Waiters {
    count: AtomicUsize,
    pipes: Mutex<Vec<(Arc<AtomicBool>, Waker)>>,
    turn: (Mutex<u64>, Condvar),
}

impl Waiters {
    // Each use is a new value on purpose: every process has its own.
    #[allow(clippy::declare_interior_mutable_const)]
    const NONE: Waiters =
        Waiters { count: AtomicUsize::new(0), pipes: Mutex::new(Vec::new()), turn: (Mutex::new(0), Condvar::new()) };
}

/// In the child of a fork no thread waits.
pub fn forget_parent() {
    WAITERS.renew(Waiters::NONE);
}

#[cfg(unix)]
type Waker = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Waker = ();

/// Wakes all waiting threads. Costs one atomic load if there are none.
#[inline]
pub fn all() {
    if is_awaited() {
        wake();
    }
}

/// Whether any thread waits.
#[inline]
pub fn is_awaited() -> bool {
    WAITERS.get().count.load(Ordering::Acquire) > 0
}

/// Like `all`, for changes made outside a family's lock: either this call sees the waiter, or the waiter's plan sees
/// the change.
pub fn all_from_afar() {
    fence(Ordering::SeqCst);
    all();
}

#[cold]
fn wake() {
    let waiters = WAITERS.get();
    *waiters.turn.0.lock() += 1;
    waiters.turn.1.notify_all();
    #[cfg(unix)]
    for (_, pipe) in waiters.pipes.lock().iter().filter(|(waits, _)| waits.load(Ordering::Acquire)) {
        use std::io::Write;
        // A full pipe wakes its reader as well.
        let _ = (&*pipe).write(&[1]);
    }
}

/// What one thread waits with, from wait to wait.
pub struct Waiter {
    waits: Arc<AtomicBool>,
    /// Number of forks when it was made: in the child of a fork it would take its parent's wakes.
    fork: u32,
    /// Readable once woken; `None` if the system had no descriptor left.
    #[cfg(unix)]
    pub pipe: Option<Waker>,
}

impl Waiter {
    /// A waiter that does not wait yet.
    pub fn register() -> Waiter {
        let waits = Arc::new(AtomicBool::new(false));
        let fork = forks::count();
        #[cfg(unix)]
        {
            let ends = Waker::pair().and_then(|(pipe, other)| {
                pipe.set_nonblocking(true)?;
                other.set_nonblocking(true)?;
                Ok((pipe, other))
            });
            let pipe = ends.ok().map(|(pipe, other)| {
                WAITERS.get().pipes.lock().push((waits.clone(), other));
                pipe
            });
            Waiter { waits, fork, pipe }
        }
        #[cfg(not(unix))]
        Waiter { waits, fork }
    }

    /// Whether a wake can reach it.
    pub fn can_be_woken(&self) -> bool {
        #[cfg(unix)]
        return self.pipe.is_some() && self.fork == forks::count();
        #[cfg(not(unix))]
        return self.fork == forks::count();
    }

    /// Starts to receive wakes.
    pub fn begin(&self) {
        self.waits.store(true, Ordering::Release);
        WAITERS.get().count.fetch_add(1, Ordering::AcqRel);
        // Before the checks of the plan; see `all_from_afar`.
        fence(Ordering::SeqCst);
    }

    /// Stops receiving wakes. `was_woken`: the pipe may contain bytes, which are read.
    pub fn end(&self, was_woken: bool) {
        WAITERS.get().count.fetch_sub(1, Ordering::AcqRel);
        self.waits.store(false, Ordering::Release);
        #[cfg(unix)]
        if was_woken && let Some(mut pipe) = self.pipe.as_ref() {
            use std::io::Read;
            let mut bytes = [0; 64];
            while pipe.read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
        }
        #[cfg(not(unix))]
        let _ = was_woken;
    }

    /// Waits for a wake only, where there is no descriptor to wait for. Returns true if it arrived.
    pub fn sleep_until(&self, end: Instant) -> bool {
        let Waiters { turn, .. } = WAITERS.get();
        let mut count = turn.0.lock();
        !turn.1.wait_until(&mut count, end).timed_out()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        WAITERS.get().pipes.lock().retain(|(waits, _)| !Arc::ptr_eq(waits, &self.waits));
    }
}
