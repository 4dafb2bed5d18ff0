//! What was read and not decoded yet, because the budget ended.

use crate::heap::Discarded;

/// A cursor moves through it: a long backlog is not moved for each piece. Most connections never have one.
#[derive(Default)]
pub(super) struct Backlog(Option<Box<Bytes>>);

#[derive(Default)]
struct Bytes {
    bytes: Vec<u8>,
    /// Taken from the front.
    taken: usize,
}

impl Discarded for Backlog {
    fn empty(&mut self, keep: &mut usize) {
        if let Some(kept) = &mut self.0 {
            kept.bytes.empty(keep);
        }
    }
}

impl Backlog {
    /// Copies the next bytes to `room`: how many.
    pub(super) fn take(&mut self, room: &mut [u8]) -> usize {
        let Some(kept) = &mut self.0 else { return 0 };
        let count = room.len().min(kept.bytes.len() - kept.taken);
        room[..count].copy_from_slice(&kept.bytes[kept.taken..kept.taken + count]);
        kept.taken += count;
        if kept.taken == kept.bytes.len() {
            kept.bytes.clear();
            kept.taken = 0;
        }
        count
    }

    /// Puts bytes before all others. They were taken last, or nothing else is here.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        let kept = self.0.get_or_insert_default();
        if let Some(start) = kept.taken.checked_sub(bytes.len()) {
            kept.taken = start;
            kept.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        } else {
            kept.bytes.splice(..kept.taken, bytes.iter().copied());
            kept.taken = 0;
        }
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|kept| kept.taken == kept.bytes.len())
    }

    /// Bytes of heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |kept| kept.bytes.capacity())
    }

    /// Gives memory back when nothing waits.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            self.0 = None;
        }
    }
}
