//! Connections that wait for another request after a response. While new ones wait for a place among the pending
//! handshakes, the one that has waited longest ends.

use super::Server;
use super::client::{Handshaking, Slot};
use crate::codes::WS_OPT_MAX_PENDING_HANDSHAKES;
use crate::work::Cx;
use std::collections::{BTreeMap, HashMap};

/// Maximum number of connections that are looked at for one that can end.
const LOOKED_AT: usize = 16;

/// Keys of clients that wait for another request, in the order in which they began to.
#[derive(Default)]
pub(super) struct Idle {
    by_age: BTreeMap<u64, u32>,
    /// Their keys in `by_age`.
    ages: HashMap<u32, u64>,
    next: u64,
}

impl Idle {
    /// A client begins to wait.
    pub(super) fn push(&mut self, key: u32) {
        self.remove(key);
        self.by_age.insert(self.next, key);
        self.ages.insert(key, self.next);
        self.next += 1;
    }

    /// A client waits no more, if it did.
    pub(super) fn remove(&mut self, key: u32) {
        if let Some(age) = self.ages.remove(&key) {
            self.by_age.remove(&age);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ages.is_empty()
    }
}

impl Server {
    /// The place of a new connection: `Some(None)` if one is free, `Some` with the client that has to end for it, or
    /// `None`.
    #[allow(clippy::option_option)]
    pub(super) fn find_place(&mut self) -> Option<Option<u32>> {
        if self.has_place() {
            return Some(None);
        }
        let oldest: Vec<u32> = self.idle.by_age.values().copied().take(LOOKED_AT).collect();
        for key in oldest {
            // It may have sent a request, which comes first.
            if self.queues.ready.contains(key) {
                continue;
            }
            match self.slots.get(key as usize) {
                Some(Slot::Client(client))
                    if client.progress == Handshaking::PendingAgain && client.peer.is_between_requests() =>
                {
                    return Some(Some(key));
                }
                // A part of its next request has arrived.
                _ => self.idle.remove(key),
            }
        }
        None
    }

    /// Whether one more pending handshake is permitted.
    pub(super) fn has_place(&self) -> bool {
        (self.counts.pending as u64) < self.endpoint.options.limit(WS_OPT_MAX_PENDING_HANDSHAKES)
    }

    /// Ends a client that waits for another request.
    pub(super) fn end_idle(&mut self, cx: &mut Cx<'_>, key: u32) {
        if let Some(client) = self.client(key) {
            client.peer.close(cx, -1, "");
            self.take_changes(cx, key, None);
        }
    }
}
