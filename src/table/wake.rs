//! Waking threads that wait in ws_wait, when a thread of ours or another thread's call has brought something.

use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

static WAITERS: AtomicUsize = AtomicUsize::new(0);
static PIPES: Mutex<Vec<(u64, Waker)>> = Mutex::new(Vec::new());
static TURN: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());

#[cfg(unix)]
type Waker = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Waker = ();

/// Wakes all that wait; one atomic load when nobody does.
pub fn all() {
    if WAITERS.load(Ordering::Acquire) == 0 {
        return;
    }
    *TURN.0.lock() += 1;
    TURN.1.notify_all();
    #[cfg(unix)]
    for (_, pipe) in PIPES.lock().iter() {
        use std::io::Write;
        // A full pipe wakes as well.
        let _ = (&*pipe).write(&[1]);
    }
}

/// Registers this thread as waiting.
pub struct Waiter {
    id: u64,
    /// Readable when woken; `None` when the system has no descriptor left.
    #[cfg(unix)]
    pub pipe: Option<Waker>,
}

impl Waiter {
    /// Counts from here on.
    pub fn register() -> Waiter {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed) as u64;
        #[cfg(unix)]
        let waiter = {
            let ends = Waker::pair().and_then(|(pipe, other)| {
                pipe.set_nonblocking(true)?;
                other.set_nonblocking(true)?;
                Ok((pipe, other))
            });
            let pipe = ends.ok().map(|(pipe, other)| {
                PIPES.lock().push((id, other));
                pipe
            });
            Waiter { id, pipe }
        };
        #[cfg(not(unix))]
        let waiter = Waiter { id };
        WAITERS.fetch_add(1, Ordering::AcqRel);
        waiter
    }

    /// Waits for a wake alone, where there is no descriptor to wait for.
    pub fn rest_until(&self, end: Instant) {
        let mut turn = TURN.0.lock();
        let _ = TURN.1.wait_until(&mut turn, end);
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        WAITERS.fetch_sub(1, Ordering::AcqRel);
        PIPES.lock().retain(|(id, _)| *id != self.id);
    }
}
