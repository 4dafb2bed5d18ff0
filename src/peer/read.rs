//! What the host takes from a connection, and what it was lent.

use super::{Arena, Chunk, Item, Message, Peer};

impl Peer {
    /// Takes the next message, marks staying behind.
    pub fn take_message(&mut self) -> Option<Message> {
        self.inbox.take_message()
    }

    /// Takes the next item.
    pub fn take_item(&mut self) -> Option<Item> {
        self.inbox.take_item()
    }

    /// Ends the loan of this connection's own handle.
    pub fn end_loan(&mut self) {
        let spare = self.loan.end();
        self.reuse(spare);
    }

    /// Lends one buffer through this connection's own handle, instead of what was lent before.
    pub fn lend(&mut self, chunk: &Chunk) {
        let spare = self.loan.replace(chunk);
        self.reuse(spare);
    }

    /// Moves what still lies in the arena into storage of this connection: a poll begins.
    pub fn settle(&mut self, arena: &Arena) {
        self.inbox.settle(arena);
    }

    fn reuse(&mut self, spare: Option<Vec<u8>>) {
        // A server has many clients: there each keeps nothing.
        if let Some(spare) = spare
            && !self.of_server
        {
            self.decoder.give_back(spare);
        }
    }
}
