//! Panics of ours are caught and go to the log; none is printed. Other panics of the process are not our business.

use crate::codes::WS_LOG_ERROR;
use crate::journal;
use std::cell::Cell;
use std::sync::Once;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// While it lives, a panic on this thread goes to the log.
pub struct Quiet(());

/// Call at the start of every export and of every thread of ours.
pub fn enter() -> Quiet {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match DEPTH.with(Cell::get) {
            0 => before(info),
            _ => journal::note(WS_LOG_ERROR, || format!("panic: {info}").replace('\n', " ")),
        }));
    });
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    Quiet(())
}

impl Drop for Quiet {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
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
