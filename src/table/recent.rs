//! What each thread found lately: the calls of a frame are about the same few handles, and looking one up again costs locks.

use super::family::{Family, Member};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Places of a thread; handles that fall on the same one take turns.
const PLACES: usize = 256;

/// Counts whatever makes handles stale: an entry of an earlier count is not believed.
static CHANGES: AtomicU64 = AtomicU64::new(1);

/// A handle, and what it meant at some count of changes.
#[derive(Clone, Copy)]
struct Entry {
    changes: u64,
    handle: u32,
    meaning: Option<(&'static Family, Member)>,
}

thread_local! {
    static ENTRIES: [Cell<Entry>; PLACES] = const { [const { Cell::new(Entry { changes: 0, handle: 0, meaning: None }) }; PLACES] };
}

/// From here on no thread trusts what it found before.
pub fn forget_all() {
    CHANGES.fetch_add(1, Ordering::Release);
}

/// What a handle means; `look` finds it when this thread has not lately. It may be stale as soon as it is found.
#[inline]
pub fn find(handle: u32, look: impl FnOnce() -> Option<(&'static Family, Member)>) -> Option<(&'static Family, Member)> {
    ENTRIES.with(|entries| {
        let entry = &entries[handle as usize % PLACES];
        let changes = CHANGES.load(Ordering::Acquire);
        let known = entry.get();
        if known.handle == handle && known.changes == changes {
            return known.meaning;
        }
        let meaning = look();
        entry.set(Entry { changes, handle, meaning });
        meaning
    })
}
