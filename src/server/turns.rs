//! The order in which clients are served: a normal queue, and a queue of busy clients after it.

use super::key_queue::KeyQueue;

/// Maximum number of polls in a row in which no busy client is served.
const PASSED_OVER: u32 = 16;

/// Two queues; a key is in at most one of them.
#[derive(Default)]
pub(super) struct Turns {
    pub(super) first: KeyQueue,
    pub(super) behind: KeyQueue,
    /// Polls since a key of `behind` was last taken.
    passed_over: u32,
}

impl Turns {
    /// Appends a key to the normal queue, if it is in neither.
    pub(super) fn push(&mut self, key: u32) {
        if !self.behind.contains(key) {
            self.first.push(key);
        }
    }

    /// Appends a key to the queue of busy clients, if it is in neither.
    pub(super) fn push_behind(&mut self, key: u32) {
        if !self.first.contains(key) {
            self.behind.push(key);
        }
    }

    /// Appends a key to one of the queues, if it is in neither.
    pub(super) fn enter(&mut self, key: u32, behind: bool) {
        if behind { self.push_behind(key) } else { self.push(key) }
    }

    /// Takes the next key.
    pub(super) fn pop(&mut self) -> Option<u32> {
        if self.first.is_empty() || self.passed_over >= PASSED_OVER {
            self.passed_over = 0;
            if let Some(key) = self.behind.pop() {
                return Some(key);
            }
        }
        self.first.pop()
    }

    /// Counts a poll.
    pub(super) fn begin_poll(&mut self) {
        self.passed_over = if self.behind.is_empty() { 0 } else { self.passed_over + 1 };
    }

    /// Whether a key is queued.
    pub(super) fn contains(&self, key: u32) -> bool {
        self.first.contains(key) || self.behind.contains(key)
    }

    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.behind.len()
    }

    /// Whether no key is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.behind.is_empty()
    }
}
