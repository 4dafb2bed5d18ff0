//! What a join knows: its id, and who else is there.

use super::wire::Wire;
use super::{FEW, HOST_ID, Target};
use crate::connection::Connection;
use crate::endpoint::Mark;
use crate::error::Error;
use crate::heap;
use crate::status::{ErrorCode, EventKind};
use crate::work::Cx;
use std::collections::BTreeSet;

/// More others than this no host has.
const MAX_OTHERS: usize = 1 << 16;

/// What a join knows of itself and the others.
pub struct Membership {
    pub(super) wire: Wire,
    /// Ours; 0 until it has come.
    pub(super) id: i32,
    /// Who else is there, as the host says; the host itself included. It grows at the host's will, so in small steps.
    pub(super) others: BTreeSet<i32>,
    /// The event of the opening handshake, kept until the id has come.
    pub(super) opened: Option<Mark>,
    /// DISCONNECTED and ERROR of others that were queued since the events were last gone through.
    pub(super) ends: usize,
    /// Memory for the next message.
    pub(super) scratch: Vec<u8>,
}

impl Membership {
    /// Before the id has come.
    pub fn new(wire: Wire) -> Membership {
        Membership { wire, id: 0, others: BTreeSet::new(), opened: None, ends: 0, scratch: Vec::new() }
    }

    /// Bytes that are kept of the others.
    pub fn kept_bytes(&self) -> usize {
        heap::tree_bytes::<i32>(self.others.len())
    }

    /// Whether taking it apart takes its time.
    pub fn is_large(&self) -> bool {
        self.others.len() > FEW
    }

    /// Whether a target can be put to.
    pub fn check(&self, target: Option<Target>) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::new(ErrorCode::Target, why));
        match (self.wire, target) {
            (_, None | Some(Target::One(HOST_ID))) => Ok(()),
            (Wire::Godot4, _) => {
                wrong("one who joins reaches only the host, target 1, in Godot 4's format: let the game on the host pass it on".to_owned())
            }
            (_, Some(Target::One(id))) if id == self.id => wrong(format!("{id} is this peer itself")),
            (_, Some(Target::One(id))) if !self.others.contains(&id) => wrong(format!("no peer {id} is here: it may have gone")),
            _ => Ok(()),
        }
    }

    /// A host has no more peers than that.
    pub fn check_newcomer(&self, id: i32) -> Result<(), String> {
        if self.others.len() < MAX_OTHERS { Ok(()) } else { Err(format!("{id} is one peer too many")) }
    }

    /// The id has come.
    pub fn open(&mut self, peer: &mut Connection, id: i32) {
        self.id = id;
        if let Some(mark) = self.opened.take() {
            peer.endpoint.inbox.push_mark_here(Mark { label: id, ..mark });
        }
    }

    /// Another one is there.
    pub fn greet(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) {
        if id != self.id && self.others.insert(id) {
            greet(peer, cx, id);
        }
    }

    /// One of the others has gone. False: nobody knew of it.
    pub fn part(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) -> bool {
        let was_there = self.others.remove(&id);
        if was_there {
            peer.endpoint.inbox.push_mark_here(Mark { label: id, ..Mark::new(EventKind::Disconnected, cx.time_ns()) });
            self.ends += 1;
        }
        was_there
    }
}

/// Tells the program that a peer is there.
pub fn greet(peer: &mut Connection, cx: &Cx<'_>, id: i32) {
    peer.endpoint.inbox.push_mark_here(Mark { label: id, ..Mark::new(EventKind::Connected, cx.time_ns()) });
}
