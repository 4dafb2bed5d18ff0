//! What the host takes from a connection, and what it was lent.

use super::{Arena, Item, Message, Peer};

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

    /// Moves what still lies in the arena into storage of this connection: a poll begins.
    pub fn settle(&mut self, arena: &Arena) {
        self.inbox.settle(arena);
    }
}
