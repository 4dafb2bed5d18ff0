//! Memory that is lent to the host.

use crate::heap::Discarded;
use crate::work::{Chunk, MUCH, is_free};
use std::sync::Arc;

/// What is given back when a loan ends.
pub enum Spent {
    /// Nothing.
    Nothing,
    /// The last buffer, which may be held elsewhere too.
    One(Chunk),
    /// Several large ones.
    Several(Vec<Chunk>),
}

/// What the host was lent through one handle: held until that handle is read again or freed.
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
    /// Ends the loan: the last buffer comes back for reuse, and all of them if dropping them takes time.
    pub fn end(&mut self) -> Spent {
        if self.held.len() > 1 && self.bytes() > MUCH {
            return Spent::Several(std::mem::take(&mut self.held));
        }
        let last = self.held.pop();
        self.held.clear();
        last.map_or(Spent::Nothing, Spent::One)
    }

    /// Bytes of heap that nobody else holds.
    pub fn bytes(&self) -> usize {
        self.held.iter().filter(|chunk| is_free(chunk)).map(|chunk| chunk.capacity()).sum()
    }

    /// Holds `chunk`: besides what is held (`more`), or instead of it. Reading message after message of one buffer touches no counter.
    #[inline]
    pub fn hold(&mut self, chunk: &Chunk, more: bool) -> Spent {
        if self.held.last().is_some_and(|last| Arc::ptr_eq(last, chunk)) && (more || self.held.len() == 1) {
            return Spent::Nothing;
        }
        self.hold_another(chunk, more)
    }

    #[cold]
    fn hold_another(&mut self, chunk: &Chunk, more: bool) -> Spent {
        let spent = if more { Spent::Nothing } else { self.end() };
        self.held.push(chunk.clone());
        spent
    }
}
