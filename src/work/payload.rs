//! The bytes of a message that is kept by reference.

use super::Chunk;
use crate::heap::Discarded;
use std::sync::Arc;

/// Payload of a message that several connections send: `head`, followed by `storage` from `start` on.
#[derive(Clone)]
pub struct Payload {
    head: Vec<u8>,
    storage: Chunk,
    start: usize,
}

impl Payload {
    /// A payload that is all of `storage`.
    pub fn whole(storage: Chunk) -> Payload {
        Payload { head: Vec::new(), storage, start: 0 }
    }

    /// A payload that is `head`, followed by `storage` from `start` on.
    pub fn parts(head: Vec<u8>, storage: Chunk, start: usize) -> Payload {
        Payload { head, storage, start }
    }

    /// Whether nobody else holds its storage, which is above `least` bytes.
    pub fn is_last_of(&self, least: usize) -> bool {
        self.storage.capacity() > least && Arc::strong_count(&self.storage) == 1
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.head.len() + self.storage.len() - self.start
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes from `at` on that are contiguous, at most `most` of them.
    pub fn piece(&self, at: usize, most: usize) -> &[u8] {
        let bytes = match at.checked_sub(self.head.len()) {
            Some(at) => &self.storage[self.start + at..],
            None => &self.head[at..],
        };
        &bytes[..bytes.len().min(most)]
    }
}

impl Discarded for Payload {
    fn empty(&mut self, keep: &mut usize) {
        self.head.empty(keep);
        self.storage.empty(keep);
    }
}
