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
    /// The buffer held last.
    last: Option<Chunk>,
    /// The buffers held before it. `None` on most connections, for which the box saves 16 bytes.
    #[allow(clippy::box_collection)]
    others: Option<Box<Vec<Chunk>>>,
}

impl Discarded for Loan {
    fn empty(&mut self, keep: &mut usize) {
        self.last.empty(keep);
        self.others.empty(keep);
    }
}

impl Loan {
    /// Ends the loan. Returns the last buffer for reuse, or all buffers if freeing them takes noticeable time.
    #[inline]
    pub fn end(&mut self) -> Option<Spent> {
        if self.last.is_none() { None } else { self.end_held() }
    }

    #[inline(never)]
    fn end_held(&mut self) -> Option<Spent> {
        if !self.has_one() && self.bytes() > MUCH {
            let others = self.others.as_mut().map(|others| std::mem::take(&mut **others));
            return Some(Spent::Several(others.into_iter().flatten().chain(self.last.take()).collect()));
        }
        if let Some(others) = &mut self.others {
            others.clear();
        }
        self.last.take().map(Spent::One)
    }

    /// Heap bytes of buffers without other references.
    pub fn bytes(&self) -> usize {
        let held = self.others.iter().flat_map(|others| others.iter()).chain(&self.last);
        held.filter(|chunk| is_free(chunk)).map(|chunk| chunk.capacity()).sum()
    }

    /// Holds `chunk`, in addition to the held buffers (`more`) or in place of them. Consecutive messages in one buffer
    /// do not touch its reference count.
    #[inline]
    pub fn hold(&mut self, chunk: &Chunk, more: bool) -> Option<Spent> {
        if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, chunk)) && (more || self.has_one()) {
            return None;
        }
        self.hold_another(chunk, more)
    }

    #[cold]
    fn hold_another(&mut self, chunk: &Chunk, more: bool) -> Option<Spent> {
        let spent = if more { None } else { self.end() };
        if let Some(before) = self.last.replace(chunk.clone()) {
            self.others.get_or_insert_default().push(before);
        }
        spent
    }

    /// Frees memory that no loan needs.
    pub fn shrink(&mut self) {
        if self.has_one() {
            self.others = None;
        }
    }

    /// Whether at most one buffer is held.
    #[inline]
    fn has_one(&self) -> bool {
        self.others.as_ref().is_none_or(|others| others.is_empty())
    }
}
