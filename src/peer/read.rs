//! What the host takes from a connection, and what it was lent.

use super::{Arena, Chunk, Item, Message, Peer};

impl Peer {
    /// Takes the next message, marks staying behind.
    #[inline]
    pub fn take_message(&mut self) -> Option<Message> {
        self.inbox.take_message()
    }

    /// Takes the next item.
    pub fn take_item(&mut self) -> Option<Item> {
        self.inbox.take_item()
    }

    /// Ends the loan of this connection's own handle.
    pub fn end_loan(&mut self, arena: &mut Arena) {
        if let Some(spare) = self.loan.end() {
            arena.give_spare(spare);
        }
    }

    /// Lends a buffer through this connection's own handle: besides what this call lent already (`more`), or instead of what an earlier one did.
    /// Memory that comes back by that is returned.
    #[inline]
    #[must_use]
    pub fn lend(&mut self, chunk: &Chunk, more: bool) -> Option<Vec<u8>> {
        self.loan.hold(chunk, more)
    }

    /// Moves what still lies in the arena into storage of this connection: a poll begins.
    pub fn settle(&mut self, arena: &Arena) {
        self.inbox.settle(arena);
    }
}
