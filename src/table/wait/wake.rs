//! Waking threads that wait in ws_wait, when a thread of ours or another thread's call has brought something.

use crate::forks::{self, Own};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::time::Instant;

static WAITERS: Own<Waiters> = Own::new(Waiters::NONE);

/// Who waits in this process.
struct Waiters {
    count: AtomicUsize,
    pipes: Mutex<Vec<(Arc<AtomicBool>, Waker)>>,
    turn: (Mutex<u64>, Condvar),
}

impl Waiters {
    // One for each process: none of them is shared.
    #[allow(clippy::declare_interior_mutable_const)]
    const NONE: Waiters = Waiters { count: AtomicUsize::new(0), pipes: Mutex::new(Vec::new()), turn: (Mutex::new(0), Condvar::new()) };
}

/// In the child of a fork: nobody waits.
pub fn forget_parent() {
    WAITERS.renew(Waiters::NONE);
}

#[cfg(unix)]
type Waker = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Waker = ();

/// Wakes all that wait; one atomic load when nobody does.
#[inline]
pub fn all() {
    if is_awaited() {
        wake();
    }
}

/// Whether anyone waits.
#[inline]
pub fn is_awaited() -> bool {
    WAITERS.get().count.load(Ordering::Acquire) > 0
}

/// As `all`, for news that no family's lock stands between: either this sees the waiter, or the waiter's look sees the news.
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
        // A full pipe wakes as well.
        let _ = (&*pipe).write(&[1]);
    }
}

/// What one thread waits with, from wait to wait.
pub struct Waiter {
    waits: Arc<AtomicBool>,
    /// The process that it belongs to: the child of a fork would take the wakes of its parent.
    fork: u32,
    /// Readable when woken; `None` when the system had no descriptor left.
    #[cfg(unix)]
    pub pipe: Option<Waker>,
}

impl Waiter {
    /// Waits for nothing yet.
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

    /// Whether it has what a wake comes by.
    pub fn can_be_woken(&self) -> bool {
        #[cfg(unix)]
        return self.pipe.is_some() && self.fork == forks::count();
        #[cfg(not(unix))]
        return self.fork == forks::count();
    }

    /// Waking counts from here on.
    pub fn begin(&self) {
        self.waits.store(true, Ordering::Release);
        WAITERS.get().count.fetch_add(1, Ordering::AcqRel);
        // Before the looks that follow: see `all_from_afar`.
        fence(Ordering::SeqCst);
    }

    /// Waking counts no more. `woken`: the pipe may have something in it.
    pub fn end(&self, woken: bool) {
        WAITERS.get().count.fetch_sub(1, Ordering::AcqRel);
        self.waits.store(false, Ordering::Release);
        #[cfg(unix)]
        if woken && let Some(mut pipe) = self.pipe.as_ref() {
            use std::io::Read;
            let mut bytes = [0; 64];
            while pipe.read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
        }
        #[cfg(not(unix))]
        let _ = woken;
    }

    /// Waits for a wake alone, where there is no descriptor to wait for. True: it came.
    pub fn rest_until(&self, end: Instant) -> bool {
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
