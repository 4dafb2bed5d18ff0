//! What the host takes: from all clients in turn, or from one.

use super::client::MAX_LIFECYCLE;
use super::{Server, Slot};
use crate::endpoint::{Item, Mark, Message};
use crate::status::{EventKind, State};
use crate::work::Cx;

/// The connection that a message came by.
pub struct Origin {
    /// Its handle.
    pub conn: u32,
    /// Its user value.
    pub user: u64,
    /// The label of its remote peer.
    pub label: i32,
}

/// Items that one client gives before the next one's turn.
const TURN: u32 = 64;

impl Server {
    /// The next item of any client, or of the server itself. The key is `None` for the server's own.
    pub fn take_item(&mut self) -> Option<(Option<u32>, Item)> {
        if self.endpoint.inbox.marks() > 0 && (self.state != State::Closed || self.endpoint.inbox.marks() > 1) {
            return self.endpoint.inbox.take_item().map(|item| (None, item));
        }
        while let Some(key) = self.lines.waiting.front() {
            if let Some(item) = self.client(key).and_then(|client| client.peer.take_item()) {
                self.took(key, matches!(&item, Item::Mark(mark) if is_last(mark)));
                self.lines.served.0 += 1;
                if self.client(key).is_none_or(|client| client.peer.endpoint.inbox.is_empty()) {
                    self.leave_line();
                } else if self.lines.served.0 >= TURN {
                    self.lines.served.0 = 0;
                    self.lines.waiting.rotate();
                }
                return Some((Some(key), item));
            }
            self.leave_line();
        }
        // Its CLOSED comes after all that its clients had, and DISCONNECTED waits behind messages that were not inspected yet.
        let is_held = |slot: &Slot| matches!(slot, Slot::Client(client) if client.peer.endpoint.inbox.held() > 0);
        if self.endpoint.inbox.marks() == 0 || self.slots.iter().any(is_held) {
            return None;
        }
        self.endpoint.inbox.take_item().map(|item| (None, item))
    }

    /// The next message of any client, and where it comes from; other items stay.
    #[inline]
    pub fn take_message(&mut self) -> Option<(Message, Origin)> {
        loop {
            let key = self.lines.talking.front()?;
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else {
                self.leave_talk();
                continue;
            };
            let Some(message) = client.peer.take_message() else {
                self.leave_talk();
                continue;
            };
            let origin = Origin { conn: client.peer.endpoint.handle, user: client.peer.endpoint.user, label: client.peer.endpoint.label };
            let more = client.peer.endpoint.inbox.has_messages();
            if client.done && client.peer.endpoint.inbox.is_empty() {
                self.lines.retiring.push_back(key);
            } else if client.readable && !client.peer.is_full() {
                self.lines.ready.push(key);
            }
            self.lines.served.1 += 1;
            if !more {
                self.leave_talk();
            } else if self.lines.served.1 >= TURN {
                self.lines.served.1 = 0;
                self.lines.talking.rotate();
            }
            return Some((message, origin));
        }
    }

    /// Handles of the clients that have something to take, in turn.
    pub fn handles_waiting(&mut self) -> Vec<u32> {
        let first = self.lines.waiting.front();
        let mut handles = Vec::new();
        for _ in 0..self.lines.waiting.len() {
            // Once around: each leaves its place, and takes it again if it still waits.
            let Some(key) = self.lines.waiting.pop() else { break };
            let Some(client) = self.client(key).filter(|client| client.peer.endpoint.handle != 0 && client.peer.endpoint.inbox.has_items()) else {
                continue;
            };
            handles.push(client.peer.endpoint.handle);
            self.lines.waiting.push(key);
        }
        if self.lines.waiting.front() != first {
            self.lines.served.0 = 0;
        }
        handles
    }

    /// After an item was taken from one client, through whichever handle.
    pub fn took(&mut self, key: u32, last: bool) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let marks = client.peer.endpoint.inbox.marks() as u32;
        self.counts.lifecycle = self.counts.lifecycle + marks as usize - client.marks as usize;
        client.marks = marks;
        client.done |= last;
        if client.done && client.peer.endpoint.inbox.is_empty() {
            self.lines.retiring.push_back(key);
        } else {
            self.read_on(key);
        }
    }

    /// After items left a queue: reading that had stopped because it was full goes on.
    pub fn read_on(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.readable && !client.peer.is_full() {
            self.lines.ready.push(key);
        }
    }

    /// Messages that wait.
    pub fn available(&self) -> usize {
        self.lines.talking.iter().map(|key| self.slots.get(key as usize).map_or(0, messages)).sum()
    }

    /// Whether there is something for the host that a waiting one should be woken for: messages, and events unless it reads none and was
    /// woken for these.
    pub(super) fn has_news(&mut self) -> bool {
        let events = self.counts.lifecycle + self.endpoint.inbox.marks();
        let is_new = events > std::mem::replace(&mut self.counts.told, events);
        is_new
            || (self.reads_events && events > 0)
            || self.lines.talking.iter().any(|key| self.slots.get(key as usize).is_some_and(|slot| messages(slot) > 0))
    }

    /// Too many events that nobody takes: the oldest finished client's go into one SKIPPED with a count.
    pub(super) fn collapse(&mut self, cx: &Cx<'_>) {
        while self.counts.lifecycle > MAX_LIFECYCLE {
            let Some((key, serial)) = self.lines.finished.pop_front() else { return };
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { continue };
            if client.serial != serial || client.done {
                continue;
            }
            let dropped = client.peer.endpoint.inbox.drop_marks();
            self.counts.lifecycle -= client.marks as usize;
            client.marks = 0;
            client.done = true;
            if client.peer.endpoint.inbox.is_empty() {
                self.lines.retiring.push_back(key);
            }
            self.note_skipped(cx, dropped as u64);
        }
    }

    fn note_skipped(&mut self, cx: &Cx<'_>, count: u64) {
        if !self.endpoint.inbox.add_to(EventKind::Skipped, count) {
            let time_ns = cx.now.saturating_duration_since(cx.epoch).as_nanos() as u64;
            self.endpoint.inbox.push_mark(Mark { count, ..Mark::new(EventKind::Skipped, time_ns) });
        }
    }

    /// The first in line has nothing more.
    fn leave_line(&mut self) {
        self.lines.waiting.pop();
        self.lines.served.0 = 0;
    }

    /// The first of those with messages has none any more.
    fn leave_talk(&mut self) {
        self.lines.talking.pop();
        self.lines.served.1 = 0;
    }
}

/// Whether it ends its handle.
pub fn is_last(mark: &Mark) -> bool {
    matches!(mark.kind, EventKind::Disconnected | EventKind::Closed)
}

fn messages(slot: &Slot) -> usize {
    match slot {
        Slot::Client(client) => client.peer.endpoint.inbox.ready(),
        _ => 0,
    }
}
