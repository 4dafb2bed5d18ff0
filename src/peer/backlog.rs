//! What was read and not decoded yet, because the budget ended.

/// A cursor moves through it: a long backlog is not moved for each piece.
#[derive(Default)]
pub(super) struct Backlog {
    bytes: Vec<u8>,
    /// Taken from the front.
    taken: usize,
}

impl Backlog {
    /// Copies the next bytes to `room`: how many.
    pub(super) fn take(&mut self, room: &mut [u8]) -> usize {
        let count = room.len().min(self.bytes.len() - self.taken);
        room[..count].copy_from_slice(&self.bytes[self.taken..self.taken + count]);
        self.taken += count;
        if self.is_empty() {
            self.bytes.clear();
            self.taken = 0;
        }
        count
    }

    /// Puts bytes before all others. They were taken last, or nothing else is here.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        if let Some(start) = self.taken.checked_sub(bytes.len()) {
            self.taken = start;
            self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        } else {
            self.bytes.splice(..self.taken, bytes.iter().copied());
            self.taken = 0;
        }
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// Gives memory back when nothing waits.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            *self = Backlog::default();
        }
    }
}
