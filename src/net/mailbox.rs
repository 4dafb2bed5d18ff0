//! Passes results from a thread of the library to a family, and lets a family cancel work.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Results that the receiver has not taken yet.
pub struct Mailbox<T> {
    mail: Mutex<Vec<(u64, T)>>,
    count: AtomicUsize,
}

impl<T> Mailbox<T> {
    /// An empty mailbox.
    pub fn new() -> Mailbox<T> {
        Mailbox { mail: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    /// Adds a result under a key that the receiver chose.
    pub fn post(&self, key: u64, result: T) {
        let mut mail = self.mail.lock();
        mail.push((key, result));
        self.count.store(mail.len(), Ordering::Release);
    }

    /// Takes all results.
    pub fn take(&self) -> Vec<(u64, T)> {
        let mut mail = self.mail.lock();
        self.count.store(0, Ordering::Release);
        std::mem::take(&mut *mail)
    }

    /// Whether there is no result. Costs one atomic load.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Mailbox<T> {
        Mailbox::new()
    }
}

/// Cancels the work that it was given for when it is dropped.
pub struct CancelToken(pub(super) Arc<AtomicBool>);

impl Drop for CancelToken {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
