//! What a process has for itself alone: after a fork the child leaves behind what threads of the parent may have been changing, and may have locked.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between this process and the one that loaded the library.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the one that loaded the library.
#[inline]
pub fn count() -> u32 {
    COUNT.load(Ordering::Relaxed)
}

/// In the child of a fork, once all that is its own was renewed.
pub fn add_one() {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

/// A static of which each process has one of its own.
pub struct Own<T> {
    value: T,
    /// Of the child.
    next: OnceLock<Box<Own<T>>>,
}

impl<T> Own<T> {
    /// With the value of the first process.
    pub const fn new(value: T) -> Own<T> {
        Own { value, next: OnceLock::new() }
    }

    /// The value of this process.
    #[inline]
    pub fn get(&self) -> &T {
        let mut own = self;
        for _ in 0..count() {
            let Some(next) = own.next.get() else { break };
            own = next;
        }
        &own.value
    }

    /// In the child of a fork, where no other thread is: its value from the next count on.
    pub fn renew(&self, value: T) {
        let mut own = self;
        while let Some(next) = own.next.get() {
            own = next;
        }
        let _ = own.next.set(Box::new(Own::new(value)));
    }
}
