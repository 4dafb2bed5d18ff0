//! What the host takes: from all clients in turn, or from one.

use super::client::MAX_LIFECYCLE;
use super::{Server, Slot};
use crate::peer::{Cx, Item, Mark, Message};
use crate::status::{EventKind, State};

/// The connection that a message came by.
pub struct Origin {
    /// Its handle.
    pub conn: u32,
    /// Its user value.
    pub user: u64,
    /// Multiplayer: who is at its other end.
    pub peer_id: i32,
}

/// Items that one client gives before the next one's turn.
const TURN: u32 = 64;

impl Server {
    /// The next item of any client, or of the server itself. The key is `None` for the server's own.
    pub fn take_item(&mut self) -> Option<(Option<u32>, Item)> {
        if self.own.marks() > 0 && (self.state != State::Closed || self.own.marks() > 1) {
            return self.own.take_item().map(|item| (None, item));
        }
        while let Some(key) = self.waiting.front() {
            if let Some(item) = self.client(key).and_then(|client| client.peer.take_item()) {
                self.took(key, matches!(&item, Item::Mark(mark) if is_last(mark)));
                self.served.0 += 1;
                if self.client(key).is_none_or(|client| client.peer.inbox.is_empty()) {
                    self.leave_line();
                } else if self.served.0 >= TURN {
                    self.served.0 = 0;
                    self.waiting.rotate();
                }
                return Some((Some(key), item));
            }
            self.leave_line();
        }
        // Its CLOSED comes after all that its clients had, and DISCONNECTED waits behind messages that were not inspected yet.
        let is_held = |slot: &Slot| matches!(slot, Slot::Client(client) if client.peer.inbox.held() > 0);
        if self.own.marks() == 0 || self.slots.iter().any(is_held) {
            return None;
        }
        self.own.take_item().map(|item| (None, item))
    }

    /// The next message of any client, and where it comes from; other items stay.
    #[inline]
    pub fn take_message(&mut self) -> Option<(Message, Origin)> {
        loop {
            let key = self.talking.front()?;
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else {
                self.leave_talk();
                continue;
            };
            let Some(message) = client.peer.take_message() else {
                self.leave_talk();
                continue;
            };
            let origin = Origin { conn: client.peer.handle, user: client.peer.user, peer_id: client.peer.peer_id };
            let more = client.peer.inbox.has_messages();
            if client.done && client.peer.inbox.is_empty() {
                self.retiring.push_back(key);
            } else if client.readable && !client.peer.is_full() {
                self.ready.push(key);
            }
            self.served.1 += 1;
            if !more {
                self.leave_talk();
            } else if self.served.1 >= TURN {
                self.served.1 = 0;
                self.talking.rotate();
            }
            return Some((message, origin));
        }
    }

    /// Handles of the clients that have something to take, in turn.
    pub fn handles_waiting(&mut self) -> Vec<u32> {
        let first = self.waiting.front();
        let mut handles = Vec::new();
        for _ in 0..self.waiting.len() {
            // Once around: each leaves its place, and takes it again if it still waits.
            let Some(key) = self.waiting.pop() else { break };
            let Some(client) = self.client(key).filter(|client| client.peer.handle != 0 && client.peer.inbox.has_items()) else { continue };
            handles.push(client.peer.handle);
            self.waiting.push(key);
        }
        if self.waiting.front() != first {
            self.served.0 = 0;
        }
        handles
    }

    /// After an item was taken from one client, through whichever handle.
    pub fn took(&mut self, key: u32, last: bool) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let marks = client.peer.inbox.marks() as u32;
        self.lifecycle = self.lifecycle + marks as usize - client.marks as usize;
        client.marks = marks;
        client.done |= last;
        if client.done && client.peer.inbox.is_empty() {
            self.retiring.push_back(key);
        } else {
            self.read_on(key);
        }
    }

    /// After items left a queue: reading that had stopped because it was full goes on.
    pub fn read_on(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.readable && !client.peer.is_full() {
            self.ready.push(key);
        }
    }

    /// Messages that wait.
    pub fn available(&self) -> usize {
        self.talking.iter().map(|key| self.slots.get(key as usize).map_or(0, messages)).sum()
    }

    /// Whether there is something for the host that a waiting one should be woken for: messages, and events unless it reads none and was
    /// woken for these.
    pub(super) fn has_news(&mut self) -> bool {
        let events = self.lifecycle + self.own.marks();
        let is_new = events > std::mem::replace(&mut self.told, events);
        is_new
            || (self.reads_events && events > 0)
            || self.talking.iter().any(|key| self.slots.get(key as usize).is_some_and(|slot| messages(slot) > 0))
    }

    /// Too many events that nobody takes: the oldest finished client's go into one SKIPPED with a count.
    pub(super) fn collapse(&mut self, cx: &Cx<'_>) {
        while self.lifecycle > MAX_LIFECYCLE {
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
                self.retiring.push_back(key);
            }
            self.note_skipped(cx, dropped as u64);
        }
    }

    fn note_skipped(&mut self, cx: &Cx<'_>, count: u64) {
        if !self.own.add_to(EventKind::Skipped, count) {
            let time_ns = cx.now.saturating_duration_since(cx.epoch).as_nanos() as u64;
            self.own.push_mark(Mark { count, ..Mark::new(EventKind::Skipped, time_ns) });
        }
    }

    /// The first in line has nothing more.
    fn leave_line(&mut self) {
        self.waiting.pop();
        self.served.0 = 0;
    }

    /// The first of those with messages has none any more.
    fn leave_talk(&mut self) {
        self.talking.pop();
        self.served.1 = 0;
    }
}

/// Whether it ends its handle.
pub fn is_last(mark: &Mark) -> bool {
    matches!(mark.kind, EventKind::Disconnected | EventKind::Closed)
}

fn messages(slot: &Slot) -> usize {
    match slot {
        Slot::Client(client) => client.peer.inbox.ready(),
        _ => 0,
    }
}
