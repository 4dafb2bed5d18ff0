//! Taking items for the host: from all clients in round-robin order, or from one.

use super::client::MAX_LIFECYCLE;
use super::{Server, Slot};
use crate::endpoint::{Item, Loan, Mark, Message};
use crate::status::{EventKind, State};
use crate::work::Cx;

/// The connection on which a message arrived.
pub struct Origin {
    /// Its handle.
    pub conn: u32,
    /// Its user value.
    pub user: u64,
    /// The label of its remote peer.
    pub label: i32,
}

/// Items taken from one client before it is the next one's turn.
const TURN: u32 = 64;

impl Server {
    /// Takes the next item of any client, or of the server itself (`None` for the key).
    pub fn take_item(&mut self) -> Option<(Option<u32>, Item)> {
        if self.endpoint.inbox.marks() > 0 && (self.state != State::Closed || self.endpoint.inbox.marks() > 1) {
            return self.endpoint.inbox.take_item().map(|item| (None, item));
        }
        while let Some(key) = self.queues.waiting.front() {
            if let Some(item) = self.client(key).and_then(|client| client.peer.take_item()) {
                self.took(key, matches!(&item, Item::Mark(mark) if is_last(mark)));
                self.queues.served.0 += 1;
                if self.client(key).is_none_or(|client| client.peer.endpoint.inbox.is_empty()) {
                    self.leave_waiting();
                } else if self.queues.served.0 >= TURN {
                    self.queues.served.0 = 0;
                    self.queues.waiting.rotate();
                }
                return Some((Some(key), item));
            }
            self.leave_waiting();
        }
        // The server's CLOSED follows all items of its clients, and a DISCONNECTED is behind messages that have not
        // been inspected yet.
        let is_held = |slot: &Slot| matches!(slot, Slot::Client(client) if client.peer.endpoint.inbox.held() > 0);
        if self.endpoint.inbox.marks() == 0 || self.slots.iter().any(is_held) {
            return None;
        }
        self.endpoint.inbox.take_item().map(|item| (None, item))
    }

    /// Passes the next message of any client to `take`, with its origin and the server's loan, and removes it. Other
    /// items stay queued. `None`: there is no message.
    #[inline(always)]
    pub fn take_message<R>(&mut self, take: impl FnOnce(&Message, Origin, &mut Loan) -> R) -> Option<R> {
        loop {
            let key = self.queues.with_messages.front()?;
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else {
                self.leave_with_messages();
                continue;
            };
            let endpoint = &mut client.peer.endpoint;
            let Some(message) = endpoint.inbox.first_message() else {
                self.leave_with_messages();
                continue;
            };
            let origin = Origin { conn: endpoint.handle, user: endpoint.user, label: endpoint.label };
            let result = take(message, origin, &mut self.endpoint.loan);
            drop(endpoint.inbox.take_message());
            let (more, is_heavy) = (endpoint.inbox.has_messages(), client.holds != 0);
            if client.done && endpoint.inbox.is_empty() {
                self.queues.retiring.push_back(key);
            } else if client.readable && !client.peer.is_full() {
                self.queues.ready.push(key);
            }
            self.queues.served.1 += 1;
            if more && self.queues.served.1 < TURN {
                return Some(result);
            }
            if is_heavy {
                self.weigh(key);
            }
            if !more {
                self.leave_with_messages();
            } else {
                self.queues.served.1 = 0;
                self.queues.with_messages.rotate();
            }
            return Some(result);
        }
    }

    /// Handles of the clients that have items to take, in round-robin order.
    pub fn handles_waiting(&mut self) -> Vec<u32> {
        let first = self.queues.waiting.front();
        let mut handles = Vec::new();
        for _ in 0..self.queues.waiting.len() {
            // One full rotation: each client is removed, and appended again if it still has items.
            let Some(key) = self.queues.waiting.pop() else { break };
            let Some(client) = self
                .client(key)
                .filter(|client| client.peer.endpoint.handle != 0 && client.peer.endpoint.inbox.has_items())
            else {
                continue;
            };
            handles.push(client.peer.endpoint.handle);
            self.queues.waiting.push(key);
        }
        if self.queues.waiting.front() != first {
            self.queues.served.0 = 0;
        }
        handles
    }

    /// Updates the bookkeeping after an item was taken from a client, through any handle.
    #[inline]
    pub fn took(&mut self, key: u32, last: bool) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let marks = client.peer.endpoint.inbox.marks() as u32;
        if last || client.done || client.readable || marks != client.marks || client.holds != 0 {
            self.note_taken(key, last);
        }
    }

    #[inline(never)]
    fn note_taken(&mut self, key: u32, last: bool) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let marks = client.peer.endpoint.inbox.marks() as u32;
        self.counts.lifecycle = self.counts.lifecycle + marks as usize - client.marks as usize;
        client.marks = marks;
        client.done |= last;
        if client.done && client.peer.endpoint.inbox.is_empty() {
            self.queues.retiring.push_back(key);
        } else {
            self.read_on(key);
        }
        self.weigh(key);
    }

    /// Resumes reading that was paused by a full queue, after items were taken.
    pub fn read_on(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.readable && !client.peer.is_full() {
            self.queues.ready.push(key);
        }
    }

    /// Number of messages that the host may take.
    pub fn available(&self) -> usize {
        self.queues.with_messages.iter().map(|key| self.slots.get(key as usize).map_or(0, messages)).sum()
    }

    /// Whether to wake a waiting host: there are messages, or events; if the host reads no events, only events that
    /// have been added since the last call.
    pub(super) fn has_news(&mut self) -> bool {
        let events = self.counts.lifecycle + self.endpoint.inbox.marks();
        let is_new = events > std::mem::replace(&mut self.counts.reported, events);
        is_new
            || (self.reads_events && events > 0)
            || self
                .queues
                .with_messages
                .iter()
                .any(|key| self.slots.get(key as usize).is_some_and(|slot| messages(slot) > 0))
    }

    /// Merges the events of the clients that ended first into one SKIPPED with a count, if too many events are queued.
    pub(super) fn collapse(&mut self, cx: &Cx<'_>) {
        while self.counts.lifecycle > MAX_LIFECYCLE {
            let Some((key, serial)) = self.queues.finished.pop_front() else { return };
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { continue };
            // Nor has one that was let go any events.
            if client.serial != serial || client.done || client.peer.endpoint.handle == 0 {
                continue;
            }
            let dropped = client.peer.endpoint.inbox.drop_marks();
            self.counts.lifecycle -= client.marks as usize;
            client.marks = 0;
            client.done = true;
            if client.peer.endpoint.inbox.is_empty() {
                self.queues.retiring.push_back(key);
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

    /// Removes the first client of `waiting`, which has no more items.
    fn leave_waiting(&mut self) {
        self.queues.waiting.pop();
        self.queues.served.0 = 0;
    }

    /// Removes the first client of `with_messages`, which has no more messages.
    fn leave_with_messages(&mut self) {
        self.queues.with_messages.pop();
        self.queues.served.1 = 0;
    }
}

/// Whether this is the last event of its handle.
pub fn is_last(mark: &Mark) -> bool {
    matches!(mark.kind, EventKind::Disconnected | EventKind::Closed)
}

fn messages(slot: &Slot) -> usize {
    match slot {
        Slot::Client(client) => client.peer.endpoint.inbox.ready(),
        _ => 0,
    }
}
