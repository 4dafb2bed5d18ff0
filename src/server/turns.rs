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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_clients_come_after_the_others_and_each_key_once() {
        let mut turns = Turns::default();
        assert!(turns.is_empty() && turns.pop().is_none());
        for (key, behind) in [(1, false), (3, true), (2, false), (3, false), (1, true), (4, true), (2, false)] {
            turns.enter(key, behind);
        }
        assert_eq!((turns.len(), turns.is_empty(), turns.contains(3), turns.contains(5)), (4, false, true, false));
        assert_eq!(std::iter::from_fn(|| turns.pop()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((turns.len(), turns.contains(3)), (0, false));
        turns.push_behind(7);
        assert_eq!((turns.len(), turns.is_empty(), turns.contains(7)), (1, false, true));
    }

    #[test]
    fn a_busy_client_is_passed_over_for_at_most_16_polls() {
        let mut turns = Turns::default();
        for _ in 0..2 {
            // Polls without a busy client do not count.
            for _ in 0..20 {
                turns.begin_poll();
                turns.push(1);
                assert_eq!(turns.pop(), Some(1));
            }
            turns.push_behind(9);
            for poll in 1..=PASSED_OVER {
                turns.begin_poll();
                turns.push(1);
                turns.push(2);
                let first = if poll == PASSED_OVER { 9 } else { 1 };
                assert_eq!(turns.pop(), Some(first), "poll {poll}");
                while !turns.first.is_empty() {
                    assert!(turns.pop().is_some_and(|key| key < 3));
                }
            }
            assert!(turns.is_empty());
        }
    }
}
