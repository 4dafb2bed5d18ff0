//! Bytes read and not yet decoded, because the budget was exhausted.

use crate::heap::Discarded;

/// The bytes, with a cursor, so that taking a piece does not move the others. Most connections never allocate one.
#[derive(Default)]
pub(super) struct Backlog(Option<Box<Bytes>>);

#[derive(Default)]
struct Bytes {
    bytes: Vec<u8>,
    /// Number of bytes taken from the front.
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
    /// Copies the next bytes to `room`; returns their number.
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

    /// Puts bytes back in front. They must be the bytes last taken, or the backlog must be empty.
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

    /// Whether no bytes are left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|kept| kept.taken == kept.bytes.len())
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |kept| kept.bytes.capacity())
    }

    /// Frees the memory if no bytes are left.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            self.0 = None;
        }
    }
}
