//! What a join knows: its own id, and the other peers.

use super::wire::Wire;
use super::{FEW, HOST_ID, Target};
use crate::connection::Connection;
use crate::endpoint::Mark;
use crate::error::Error;
use crate::heap;
use crate::status::{ErrorCode, EventKind};
use crate::work::Cx;
use std::collections::BTreeSet;

/// Maximum number of other peers, the host included.
const MAX_OTHERS: usize = 1 << 16;

/// A join's own id and the ids of the other peers.
pub struct Membership {
    pub(super) wire: Wire,
    /// Our id; 0 before it is received.
    pub(super) id: i32,
    /// Ids of the other peers as announced by the host, the host included. The host controls their number, so this is a
    /// tree, which grows in small steps.
    pub(super) others: BTreeSet<i32>,
    /// The event of the opening handshake, kept back until the id is received.
    pub(super) opened: Option<Mark>,
    /// Number of DISCONNECTED and ERROR events about others queued since `Join::shorten` last ran.
    pub(super) ends: usize,
    /// Scratch buffer for the next message.
    pub(super) scratch: Vec<u8>,
}

impl Membership {
    /// A membership without an id.
    pub fn new(wire: Wire) -> Membership {
        Membership { wire, id: 0, others: BTreeSet::new(), opened: None, ends: 0, scratch: Vec::new() }
    }

    /// Heap bytes kept about the other peers.
    pub fn kept_bytes(&self) -> usize {
        heap::tree_bytes::<i32>(self.others.len())
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.others.len() > FEW
    }

    /// Checks that a target can be sent to.
    pub fn check(&self, target: Option<Target>) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::new(ErrorCode::Target, why));
        match (self.wire, target) {
            (_, None | Some(Target::One(HOST_ID))) => Ok(()),
            (Wire::Godot4, _) => {
                wrong("a client can send only to the host (target 1) in Godot 4's format: let the game on the host pass it on".to_owned())
            }
            (_, Some(Target::One(id))) if id == self.id => wrong(format!("{id} is this peer itself")),
            (_, Some(Target::One(id))) if !self.others.contains(&id) => wrong(format!("no peer {id} is here: it may have gone")),
            _ => Ok(()),
        }
    }

    /// Checks that one more peer does not exceed the maximum.
    pub fn check_newcomer(&self, id: i32) -> Result<(), String> {
        if self.others.len() < MAX_OTHERS { Ok(()) } else { Err(format!("{id} is one peer too many")) }
    }

    /// Stores the id, and queues the event of the opening handshake.
    pub fn open(&mut self, peer: &mut Connection, id: i32) {
        self.id = id;
        if let Some(mark) = self.opened.take() {
            peer.endpoint.inbox.push_mark_here(Mark { label: id, ..mark });
        }
    }

    /// Adds another peer, and queues CONNECTED if it is new.
    pub fn greet(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) {
        if id != self.id && self.others.insert(id) {
            greet(peer, cx, id);
        }
    }

    /// Removes another peer, and queues DISCONNECTED. Returns false if it was unknown.
    pub fn part(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) -> bool {
        let was_there = self.others.remove(&id);
        if was_there {
            peer.endpoint.inbox.push_mark_here(Mark { label: id, ..Mark::new(EventKind::Disconnected, cx.time_ns()) });
            self.ends += 1;
        }
        was_there
    }
}

/// Queues CONNECTED for a peer.
pub fn greet(peer: &mut Connection, cx: &Cx<'_>, id: i32) {
    peer.endpoint.inbox.push_mark_here(Mark { label: id, ..Mark::new(EventKind::Connected, cx.time_ns()) });
}
