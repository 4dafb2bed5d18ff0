//! Panics of the library are caught and logged, not printed. Other panics of the process are left alone.

use crate::journal;
use crate::status::Level;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs the body of an export or of a thread of the library. A panic is logged, and the result is `None`.
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
        _ => journal::note(Level::Error, || {
            let place =
                info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
            let text = match (info.payload().downcast_ref::<&str>(), info.payload().downcast_ref::<String>()) {
                (Some(text), _) => *text,
                (None, Some(text)) => without_values(text),
                (None, None) => "",
            };
            format!("panic{place}: {text}").replace('\n', " ")
        }),
    }));
}

/// The text of a panic up to the values in it, which may be a peer's or secret.
fn without_values(text: &str) -> &str {
    let end = [": ", "`", "'", "\""].iter().filter_map(|mark| text.find(mark)).min();
    text[..end.unwrap_or(text.len())].trim_end()
}

/// For tests: makes the next export of this thread panic at a chosen place.
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

    /// Makes this thread panic the next time it passes `place`.
    pub fn at(place: Place) {
        NEXT.with(|next| next.set(Some(place)));
    }

    /// Whether a panic is still pending, which this cancels.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_logged_with_its_location_and_no_values() {
        journal::set_level(Level::Error);
        let secret = "marked€".to_owned();
        let wrong: Result<(), String> = std::hint::black_box(Err(secret.clone()));
        for broken in [
            Box::new(|| drop(secret[..7].to_owned())) as Box<dyn Fn()>,
            Box::new(|| wrong.clone().unwrap()),
            Box::new(|| wrong.clone().expect("a result")),
            Box::new(|| assert_eq!(secret, "")),
            Box::new(|| panic!("{secret:?}")),
        ] {
            assert!(catch(broken).is_none());
        }
        assert!(catch(|| [0][std::hint::black_box(secret.len())]).is_none());
        let mut told = Vec::new();
        while journal::next(|line| {
            told.push(line.to_owned());
            true
        }) {}
        told.retain(|line| line.contains("quiet.rs"));
        assert_eq!(told.len(), 6, "{told:?}");
        assert!(!told.iter().any(|line| line.contains("marked")), "{told:?}");
        assert!(told[5].ends_with("index out of bounds"), "{told:?}");
    }
}
