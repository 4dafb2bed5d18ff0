//! Panics of ours are caught and go to the log; none is printed. Other panics of the process are not our business.

use crate::codes::WS_LOG_ERROR;
use crate::journal;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs the body of an export or of a thread of ours. A panic goes to the log, and its result is `None`.
#[inline]
pub fn catch<R>(body: impl FnOnce() -> R) -> Option<R> {
    static HOOK: Once = Once::new();
    if !HOOK.is_completed() {
        HOOK.call_once(set_hook);
    }
    DEPTH.with(|depth| {
        depth.set(depth.get() + 1);
        let result = catch_unwind(AssertUnwindSafe(body));
        depth.set(depth.get() - 1);
        result.ok()
    })
}

#[cold]
fn set_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| match DEPTH.with(Cell::get) {
        0 => before(info),
        _ => journal::note(WS_LOG_ERROR, || format!("panic: {info}").replace('\n', " ")),
    }));
}

/// For the tests: makes the next export of this thread panic at a place of choice.
#[cfg(feature = "inject-panics")]
pub mod inject {
    use std::cell::Cell;

    thread_local! {
        static NEXT: Cell<Option<Place>> = const { Cell::new(None) };
    }

    /// Where to panic.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Place {
        /// Before any lock is taken.
        Entry,
        /// Under the lock of the family.
        Locked,
    }

    /// The next time this thread passes `place`, it panics.
    pub fn at(place: Place) {
        NEXT.with(|next| next.set(Some(place)));
    }

    /// Whether a panic still waits.
    pub fn waits() -> bool {
        NEXT.with(Cell::take).is_some()
    }

    /// Called at each place.
    pub fn pass(place: Place) {
        if NEXT.with(Cell::get) == Some(place) {
            NEXT.with(|next| next.set(None));
            panic!("injected at {place:?}");
        }
    }
}
