//! What a join knows: its own id, and the other peers.

use super::wire::Wire;
use super::{FEW, HOST_ID, Target};
use crate::connection::Connection;
use crate::endpoint::Mark;
use crate::error::Error;
use crate::heap::{self, Discarded};
use crate::status::{ErrorCode, EventKind};
use crate::work::Cx;
use std::collections::BTreeMap;

/// Maximum number of other peers, the host included.
const MAX_OTHERS: usize = 1 << 16;
/// Number of queued events above which those about others that cancel out are counted in one SKIPPED.
const MAX_MARKS: usize = 4_096;

/// What is known of another peer.
#[derive(Default)]
pub struct Other {
    /// `Mark::order` of its CONNECTED.
    connected: u64,
    /// A message of it was queued behind that.
    has_spoken: bool,
}

impl Discarded for BTreeMap<i32, Other> {}

/// A join's own id and the ids of the other peers.
pub struct Membership {
    pub(super) wire: Wire,
    /// Our id; 0 before it is received.
    pub(super) id: i32,
    /// Ids of the other peers as announced by the host, the host included. The host controls their number, so this is a
    /// tree, which grows in small steps.
    pub(super) others: BTreeMap<i32, Other>,
    /// The event of the opening handshake, kept back until the id is received.
    pub(super) opened: Option<Mark>,
    /// It has had an id, maybe on an earlier link.
    pub(super) was_open: bool,
    /// `Mark::order` of the last SKIPPED.
    skipped: u64,
    /// Scratch buffer for the next message.
    pub(super) scratch: Vec<u8>,
}

impl Membership {
    /// A membership without an id.
    pub fn new(wire: Wire) -> Membership {
        Membership {
            wire,
            id: 0,
            others: BTreeMap::new(),
            opened: None,
            was_open: false,
            skipped: 0,
            scratch: Vec::new(),
        }
    }

    /// Forgets the id and the other peers: the link to the host was lost.
    pub fn leave(&mut self, cx: &Cx<'_>) {
        let others = std::mem::take(&mut self.others);
        if others.len() > FEW {
            cx.services.discard(Box::new(others));
        }
        (self.id, self.opened) = (0, None);
    }

    /// Heap bytes kept about the other peers.
    pub fn kept_bytes(&self) -> usize {
        heap::tree_bytes::<(i32, Other)>(self.others.len())
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
            (_, Some(Target::One(id))) if !self.others.contains_key(&id) => wrong(format!("no peer {id} is connected: it may have gone")),
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
        self.was_open = true;
        if let Some(mark) = self.opened.take() {
            peer.endpoint.inbox.push_mark_here(Mark { label: id, ..mark });
        }
    }

    /// Adds another peer, and queues CONNECTED if it is new. True: it is.
    pub fn greet(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) -> bool {
        let is_new = id != self.id && !self.others.contains_key(&id);
        if is_new {
            let connected = greet(peer, cx, id);
            self.others.insert(id, Other { connected, has_spoken: false });
        }
        is_new
    }

    /// A message of another peer was queued.
    pub fn note_message(&mut self, from: i32) {
        if let Some(other) = self.others.get_mut(&from) {
            other.has_spoken = true;
        }
    }

    /// Removes another peer, and queues DISCONNECTED. Returns false if it was unknown. Where many events are queued, a
    /// CONNECTED that nobody has read goes instead, unless a message of the peer is queued behind it: the events that
    /// stay yield the right set of peers, and their number is bounded by that of the peers.
    pub fn part(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) -> bool {
        let Some(other) = self.others.remove(&id) else { return false };
        let inbox = &mut peer.endpoint.inbox;
        let is_its = |mark: &Mark| mark.kind == EventKind::Connected && mark.label == id;
        let cancels = inbox.marks() > MAX_MARKS && !other.has_spoken;
        if cancels && inbox.take_ordered(other.connected, is_its).is_some() {
            self.count_skipped(peer, cx, 2);
        } else {
            inbox.push_mark_here(Mark { label: id, ..Mark::new(EventKind::Disconnected, cx.time_ns()) });
        }
        true
    }

    /// Where many events are queued, counts an ERROR about another peer instead of keeping it: one that was queued since
    /// there were `marks` events.
    pub fn limit_errors(&mut self, peer: &mut Connection, cx: &Cx<'_>, marks: usize) {
        let inbox = &mut peer.endpoint.inbox;
        if inbox.marks() > marks.max(MAX_MARKS) {
            let is_about_other = |mark: &Mark| mark.kind == EventKind::Error && mark.label != 0;
            let newest = inbox.newest_mark();
            if inbox.take_ordered(newest, is_about_other).is_some() {
                self.count_skipped(peer, cx, 1);
            }
        }
    }

    fn count_skipped(&mut self, peer: &mut Connection, cx: &Cx<'_>, count: u64) {
        let inbox = &mut peer.endpoint.inbox;
        match inbox.ordered_mark(self.skipped) {
            Some(mark) => mark.count += count,
            None => {
                self.skipped = inbox.push_mark_here(Mark { count, ..Mark::new(EventKind::Skipped, cx.time_ns()) });
            }
        }
    }
}

/// Queues CONNECTED for a peer. Returns its `Mark::order`.
pub fn greet(peer: &mut Connection, cx: &Cx<'_>, id: i32) -> u64 {
    peer.endpoint.inbox.push_mark_here(Mark { label: id, ..Mark::new(EventKind::Connected, cx.time_ns()) })
}
