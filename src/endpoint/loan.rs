//! Loans: memory of messages and events that is lent to the host.

use crate::heap::Discarded;
use crate::work::{Chunk, MUCH, is_free};
use std::sync::Arc;

/// Memory to reuse or free when a loan ends.
pub enum Spent {
    /// The last buffer. There may be other references to it.
    One(Chunk),
    /// Several buffers, large in total.
    Several(Vec<Chunk>),
}

/// Memory lent to the host through one handle: held until that handle is read again or freed.
#[derive(Default)]
pub struct Loan {
    held: Vec<Chunk>,
}

impl Discarded for Loan {
    fn empty(&mut self, keep: &mut usize) {
        self.held.empty(keep);
    }
}

impl Loan {
    /// Ends the loan. Returns the last buffer for reuse, or all buffers if freeing them takes noticeable time.
    #[inline]
    pub fn end(&mut self) -> Option<Spent> {
        if self.held.is_empty() { None } else { self.end_held() }
    }

    #[inline(never)]
    fn end_held(&mut self) -> Option<Spent> {
        if self.held.len() > 1 && self.bytes() > MUCH {
            return Some(Spent::Several(std::mem::take(&mut self.held)));
        }
        let last = self.held.pop();
        self.held.clear();
        last.map(Spent::One)
    }

    /// Heap bytes of buffers without other references.
    pub fn bytes(&self) -> usize {
        self.held.iter().filter(|chunk| is_free(chunk)).map(|chunk| chunk.capacity()).sum()
    }

    /// Holds `chunk`, in addition to the held buffers (`more`) or in place of them. Consecutive messages in one buffer
    /// do not touch its reference count.
    #[inline]
    pub fn hold(&mut self, chunk: &Chunk, more: bool) -> Option<Spent> {
        if self.held.last().is_some_and(|last| Arc::ptr_eq(last, chunk)) && (more || self.held.len() == 1) {
            return None;
        }
        self.hold_another(chunk, more)
    }

    #[cold]
    fn hold_another(&mut self, chunk: &Chunk, more: bool) -> Option<Spent> {
        let spent = if more { None } else { self.end() };
        self.held.push(chunk.clone());
        spent
    }
}
