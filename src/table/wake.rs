//! Waking threads that wait in ws_wait, when a thread of ours or another thread's call has brought something.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

static WAITING: AtomicUsize = AtomicUsize::new(0);
static PIPES: Mutex<Vec<(Arc<AtomicBool>, Waker)>> = Mutex::new(Vec::new());
static TURN: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());

#[cfg(unix)]
type Waker = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Waker = ();

/// Wakes all that wait; one atomic load when nobody does.
#[inline]
pub fn all() {
    if WAITING.load(Ordering::Acquire) > 0 {
        wake();
    }
}

#[cold]
fn wake() {
    *TURN.0.lock() += 1;
    TURN.1.notify_all();
    #[cfg(unix)]
    for (_, pipe) in PIPES.lock().iter().filter(|(waits, _)| waits.load(Ordering::Acquire)) {
        use std::io::Write;
        // A full pipe wakes as well.
        let _ = (&*pipe).write(&[1]);
    }
}

/// What one thread waits with, from wait to wait.
pub struct Waiter {
    waits: Arc<AtomicBool>,
    /// Readable when woken; `None` when the system had no descriptor left.
    #[cfg(unix)]
    pub pipe: Option<Waker>,
}

impl Waiter {
    /// Waits for nothing yet.
    pub fn register() -> Waiter {
        let waits = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        {
            let ends = Waker::pair().and_then(|(pipe, other)| {
                pipe.set_nonblocking(true)?;
                other.set_nonblocking(true)?;
                Ok((pipe, other))
            });
            let pipe = ends.ok().map(|(pipe, other)| {
                PIPES.lock().push((waits.clone(), other));
                pipe
            });
            Waiter { waits, pipe }
        }
        #[cfg(not(unix))]
        Waiter { waits }
    }

    /// Whether it has what a wake comes by.
    pub fn can_be_woken(&self) -> bool {
        #[cfg(unix)]
        return self.pipe.is_some();
        #[cfg(not(unix))]
        true
    }

    /// Waking counts from here on.
    pub fn begin(&self) {
        self.waits.store(true, Ordering::Release);
        WAITING.fetch_add(1, Ordering::AcqRel);
    }

    /// Waking counts no more. `woken`: the pipe may have something in it.
    pub fn end(&self, woken: bool) {
        WAITING.fetch_sub(1, Ordering::AcqRel);
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

    /// Waits for a wake alone, where there is no descriptor to wait for.
    pub fn rest_until(&self, end: Instant) {
        let mut turn = TURN.0.lock();
        let _ = TURN.1.wait_until(&mut turn, end);
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        PIPES.lock().retain(|(waits, _)| !Arc::ptr_eq(waits, &self.waits));
    }
}
