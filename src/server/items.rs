//! What the host takes: from all clients in turn, or from one.

use super::{Server, Slot};
use crate::codes::*;
use crate::peer::{Cx, Item, Mark};

/// Items that one client gives before the next one's turn.
const TURN: u32 = 64;

impl Server {
    /// The next item of any client, or of the server itself. The key is `None` for the server's own.
    pub fn take_item(&mut self) -> Option<(Option<u32>, Item)> {
        if self.own.marks() > 0 && (self.state != WS_CLOSED || self.own.marks() > 1) {
            return self.own.take_item().map(|item| (None, item));
        }
        while let Some(key) = self.waiting.front() {
            if let Some(item) = self.client(key).and_then(|client| client.peer.take_item()) {
                self.served += 1;
                self.took(key, matches!(&item, Item::Mark(mark) if is_last(mark)));
                self.turn(key);
                return Some((Some(key), item));
            }
            self.leave_line();
        }
        // Its CLOSED comes after all that its clients had.
        self.own.take_item().map(|item| (None, item))
    }

    /// The next message of any client; other items stay.
    pub fn take_message(&mut self) -> Option<(u32, crate::peer::Message)> {
        let mut left = self.waiting.len();
        while left > 0 {
            let key = self.waiting.front()?;
            left -= 1;
            if let Some(message) = self.client(key).and_then(|client| client.peer.take_message()) {
                self.served += 1;
                self.took(key, false);
                self.turn(key);
                return Some((key, message));
            }
            if self.client(key).is_some_and(|client| !client.peer.inbox.is_empty()) {
                // Only events are left here: the next one's turn.
                self.waiting.rotate();
                self.served = 0;
            } else {
                self.leave_line();
            }
        }
        None
    }

    /// After an item was taken from one client, through whichever handle.
    pub fn took(&mut self, key: u32, last: bool) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let marks = client.peer.inbox.marks() as u32;
        self.lifecycle = self.lifecycle + marks as usize - client.marks as usize;
        client.marks = marks;
        if last {
            client.done = true;
        } else if client.readable && !client.peer.is_full() {
            // Reading had stopped at a full queue, and there is room again.
            self.ready.push(key);
        }
        if client.done && client.peer.inbox.is_empty() {
            self.retiring.push(key);
        }
    }

    /// Messages that wait.
    pub fn available(&self) -> usize {
        self.waiting.iter().map(|key| self.slots.get(key as usize).map_or(0, messages)).sum()
    }

    /// Whether any item waits.
    pub(super) fn has_items(&self) -> bool {
        self.own.marks() > 0 || self.waiting.iter().any(|key| self.slots.get(key as usize).is_some_and(|slot| !is_empty(slot)))
    }

    /// Too many events that nobody takes: the oldest finished client's go into one SKIPPED with a count.
    pub(super) fn collapse(&mut self, cx: &Cx<'_>) {
        while self.lifecycle > super::MAX_LIFECYCLE {
            let Some((key, serial)) = self.finished.pop_front() else { return };
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { continue };
            if client.serial != serial || client.done {
                continue;
            }
            let dropped = client.peer.inbox.drop_marks();
            self.lifecycle -= client.marks as usize;
            client.marks = 0;
            client.done = true;
            if client.peer.inbox.is_empty() {
                self.retiring.push(key);
            }
            self.note_skipped(cx, dropped as u64);
        }
    }

    fn note_skipped(&mut self, cx: &Cx<'_>, count: u64) {
        if !self.own.add_to(WS_EVENT_SKIPPED, count) {
            let time_ns = cx.now.saturating_duration_since(cx.epoch).as_nanos() as u64;
            self.own.push_mark(Mark { kind: WS_EVENT_SKIPPED, count, time_ns, ..Mark::default() });
        }
    }

    fn turn(&mut self, key: u32) {
        let empty = self.client(key).is_none_or(|client| client.peer.inbox.is_empty());
        if empty {
            self.leave_line();
        } else if self.served >= TURN {
            self.served = 0;
            self.waiting.rotate();
        }
    }

    /// The first in line has nothing more.
    fn leave_line(&mut self) {
        self.waiting.pop();
        self.served = 0;
    }
}

/// Whether it ends its handle.
pub fn is_last(mark: &Mark) -> bool {
    matches!(mark.kind, WS_EVENT_DISCONNECTED | WS_EVENT_CLOSED)
}

fn messages(slot: &Slot) -> usize {
    match slot {
        Slot::Client(client) => client.peer.inbox.len(),
        _ => 0,
    }
}

fn is_empty(slot: &Slot) -> bool {
    match slot {
        Slot::Client(client) => client.peer.inbox.is_empty(),
        _ => true,
    }
}
