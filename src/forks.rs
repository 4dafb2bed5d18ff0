//! State that each process has for itself: after a fork the child abandons what threads of the parent may have been
//! changing, or had locked.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Number of forks between the process that loaded the library and this one.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Number of forks between the process that loaded the library and this one.
#[inline]
pub fn count() -> u32 {
    COUNT.load(Ordering::Relaxed)
}

/// In the child of a fork: counts it, after each `Own` was renewed.
pub fn add_one() {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

/// A static with a separate value in each process.
pub struct Own<T> {
    value: T,
    /// The value of the child.
    next: OnceLock<Box<Own<T>>>,
}

impl<T> Own<T> {
    /// The value of the first process.
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

    /// In the child of a fork, which has no other threads: sets the value that `get` returns after `add_one`.
    pub fn renew(&self, value: T) {
        let mut own = self;
        while let Some(next) = own.next.get() {
            own = next;
        }
        let _ = own.next.set(Box::new(Own::new(value)));
    }
}
