//! A bounded queue between a thread that reads or writes, and the main loop, which never waits for it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that wait in it; a longer item fits when it is empty.
const LIMIT: usize = 1024 * 1024;
/// Each item counts so much more, so that there are not too many empty ones.
const OVERHEAD: usize = 64;

#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<Vec<u8>>,
    bytes: usize,
    has_ended: bool,
}

impl State {
    fn has_room(&self) -> bool {
        self.bytes < LIMIT
    }

    fn push(&mut self, item: Vec<u8>) {
        self.bytes += item.len() + OVERHEAD;
        self.items.push_back(item);
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        let item = self.items.pop_front()?;
        self.bytes -= item.len() + OVERHEAD;
        Some(item)
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item without waiting, whether there is room or not.
    pub fn push(&self, item: Vec<u8>) {
        self.state().push(item);
        self.changed.notify_one();
    }

    /// Adds an item when there is room for it.
    pub fn push_in_turn(&self, item: Vec<u8>) {
        let mut state = self.state();
        while !state.has_room() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.push(item);
    }

    /// The next item, if there is one.
    pub fn pop(&self) -> Option<Vec<u8>> {
        let item = self.state().pop();
        self.changed.notify_one();
        item
    }

    /// The next item, and whether there was no room before; `None` when the queue has ended.
    pub fn pop_in_turn(&self) -> Option<(Vec<u8>, bool)> {
        let mut state = self.state();
        loop {
            let was_full = !state.has_room();
            match state.pop() {
                Some(item) => return Some((item, was_full)),
                None if state.has_ended => return None,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.state().items.is_empty()
    }

    pub fn has_room(&self) -> bool {
        self.state().has_room()
    }

    /// Nothing is added any more.
    pub fn end(&self) {
        self.state().has_ended = true;
        self.changed.notify_one();
    }

    /// Whether nothing is in it, and nothing will be.
    pub fn is_over(&self) -> bool {
        let state = self.state();
        state.has_ended && state.items.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn it_holds_a_bounded_number_of_bytes() {
        let queue = Arc::new(Queue::default());
        let adds = queue.clone();
        let thread = std::thread::spawn(move || {
            for _ in 0..100 {
                adds.push_in_turn(vec![1; 100_000]);
            }
            adds.end();
        });
        let (mut count, mut most) = (0, 0);
        while !queue.is_over() {
            most = most.max(queue.state().bytes);
            count += usize::from(queue.pop().is_some());
        }
        thread.join().unwrap();
        assert_eq!(count, 100);
        assert!(most < LIMIT + 100_000 + OVERHEAD, "{most}");
        assert!(queue.pop_in_turn().is_none());
    }
}
