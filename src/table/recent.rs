//! What each thread found lately: the calls of a frame are about the same few handles, and looking one up again costs locks.

use super::family::{Family, Member};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// Places of a thread; handles that fall on the same one take turns.
const PLACES: usize = 256;

/// Counts whatever makes handles stale: an entry of an earlier count is not believed.
static CHANGES: AtomicU32 = AtomicU32::new(1);

/// A handle with the count of changes, and what it meant then.
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

/// From here on no thread trusts what it found before.
pub fn forget_all() {
    CHANGES.fetch_add(1, Ordering::Release);
}

/// What a handle means; `look` finds it when this thread has not lately. It may be stale as soon as it is found.
#[inline(always)]
pub fn find(handle: u32, look: impl FnOnce(u32) -> Option<(&'static Family, Member)>) -> (Option<&'static Family>, Member) {
    ENTRIES.with(|entries| {
        let place = &entries[handle as usize % PLACES];
        let key = u64::from(CHANGES.load(Ordering::Acquire)) << 32 | u64::from(handle);
        let mut known = place.get();
        if known.key != key {
            let Some((family, member)) = look(handle) else { return (None, Member::Only) };
            known = Entry { key, family: Some(family), member };
            place.set(known);
        }
        (known.family, known.member)
    })
}
