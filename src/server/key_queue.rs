//! A FIFO queue of keys in which each key occurs at most once. A key keeps its position when its client is replaced by
//! another.

use std::collections::VecDeque;

/// A queue of keys. Its memory is proportional to the largest key.
#[derive(Default)]
pub struct KeyQueue {
    keys: VecDeque<u32>,
    /// Index: key; value: whether it is queued.
    stands: Vec<bool>,
}

impl KeyQueue {
    /// Appends a key, if it is not queued.
    #[inline]
    pub fn push(&mut self, key: u32) {
        if !self.contains(key) {
            self.append(key);
        }
    }

    fn append(&mut self, key: u32) {
        let place = key as usize;
        if place >= self.stands.len() {
            self.stands.resize(place + 1, false);
        }
        self.stands[place] = true;
        self.keys.push_back(key);
    }

    /// Removes and returns the first key.
    pub fn pop(&mut self) -> Option<u32> {
        let key = self.keys.pop_front()?;
        self.stands[key as usize] = false;
        Some(key)
    }

    /// The first key.
    pub fn front(&self) -> Option<u32> {
        self.keys.front().copied()
    }

    /// Moves the first key to the end.
    pub fn rotate(&mut self) {
        if !self.keys.is_empty() {
            self.keys.rotate_left(1);
        }
    }

    /// Whether a key is queued.
    pub fn contains(&self, key: u32) -> bool {
        self.stands.get(key as usize).is_some_and(|stands| *stands)
    }

    /// All keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.keys.iter().copied()
    }

    /// Frees the memory of an empty queue, if it has more than `KEPT_BYTES`.
    pub fn shrink(&mut self) {
        if self.keys.is_empty() && self.stands.capacity() + size_of::<u32>() * self.keys.capacity() > KEPT_BYTES {
            *self = KeyQueue::default();
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is queued.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Maximum memory that an empty queue keeps.
const KEPT_BYTES: usize = 1 << 10;
