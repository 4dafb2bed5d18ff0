//! Each thread's cache of handle lookups: the calls of a frame use the same few handles, and a full lookup takes locks.

use super::family::{Family, Member};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// Entries per thread. Handles that map to the same entry replace each other.
const PLACES: usize = 256;

/// Number of changes that made handles stale. Entries with an older number are ignored.
static CHANGES: AtomicU32 = AtomicU32::new(1);

/// A handle with the number of changes at its lookup, and what it referred to.
#[derive(Clone, Copy)]
struct Entry {
    key: u64,
    family: Option<&'static Family>,
    member: Member,
}

const NOTHING: Entry = Entry { key: 0, family: None, member: Member::Only };

thread_local! {
    static ENTRIES: [Cell<Entry>; PLACES] = const { [const { Cell::new(NOTHING) }; PLACES] };
}

/// Invalidates the cached lookups of all threads.
pub fn forget_all() {
    CHANGES.fetch_add(1, Ordering::Release);
}

/// What a handle refers to; `look_up` is called if this thread has no valid entry. The result may be stale as soon as it
/// is returned.
#[inline(always)]
pub fn find(
    handle: u32,
    look_up: impl FnOnce(u32) -> Option<(&'static Family, Member)>,
) -> (Option<&'static Family>, Member) {
    ENTRIES.with(|entries| {
        let place = &entries[handle as usize % PLACES];
        let key = u64::from(CHANGES.load(Ordering::Acquire)) << 32 | u64::from(handle);
        let mut known = place.get();
        if known.key != key {
            let Some((family, member)) = look_up(handle) else { return (None, Member::Only) };
            known = Entry { key, family: Some(family), member };
            place.set(known);
        }
        (known.family, known.member)
    })
}
