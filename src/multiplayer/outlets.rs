//! Where a host's and a join's packets of replication go.

use super::membership::Membership;
use super::roster::Roster;
use super::scene::replication::Outlet;
use super::scene_join::put_head;
use crate::codes::WS_FULL_SKIP;
use crate::connection::Connection;
use crate::link::Sent;
use crate::server::{Server, Spread, Whom};
use crate::work::Cx;

/// Telling a peer of a node takes as long as decoding so many frames.
const TELL: u32 = 16;

/// The clients of a host.
pub(super) struct ToClients<'a, 'c> {
    pub server: &'a mut Server,
    pub roster: &'a Roster,
    pub cx: &'a mut Cx<'c>,
}

impl Outlet for ToClients<'_, '_> {
    fn peers(&mut self) -> Vec<i32> {
        let keys: Vec<u32> = self.server.keys().collect();
        let mut id_of = |key| {
            let peer = self.server.peer(key).filter(|peer| peer.endpoint.admitted && peer.endpoint.label != 0)?;
            Some(peer.endpoint.label)
        };
        keys.into_iter().filter_map(&mut id_of).collect()
    }

    fn has_room(&mut self, peer: i32, bytes: usize) -> bool {
        let Ok(key) = self.roster.place(peer) else { return true };
        if self.cx.corked {
            self.server.act(self.cx, key, |peer, cx| peer.make_room(cx, bytes));
        }
        self.server.peer(key).is_none_or(|peer| peer.has_room(bytes))
    }

    fn put(&mut self, peers: &[i32], packet: &[u8]) -> bool {
        match *peers {
            [] => true,
            [peer] => {
                let Ok(key) = self.roster.place(peer) else { return true };
                self.has_room(peer, packet.len())
                    && !matches!(self.server.put_one(self.cx, key, false, packet), Sent::Full | Sent::NoMemory)
            }
            _ => {
                let keys: Vec<u32> = peers.iter().filter_map(|peer| self.roster.place(*peer).ok()).collect();
                let whom = Whom::These(&keys);
                let spread =
                    Spread { text: false, payload: packet, whom, except: &[], on_full: WS_FULL_SKIP, now: true };
                self.server.put_spread(self.cx, spread) == Sent::Taken
            }
        }
    }

    fn is_spent(&mut self) -> bool {
        self.cx.budget.spend(TELL)
    }
}

/// The host of a join, and the others through it.
pub(super) struct ThroughHost<'a, 'c> {
    pub peer: &'a mut Connection,
    pub membership: &'a mut Membership,
    pub cx: &'a mut Cx<'c>,
    /// The join is admitted.
    pub is_in: bool,
}

impl Outlet for ThroughHost<'_, '_> {
    fn peers(&mut self) -> Vec<i32> {
        if self.is_in { self.membership.others.keys().copied().collect() } else { Vec::new() }
    }

    fn has_room(&mut self, _: i32, bytes: usize) -> bool {
        self.peer.has_room(bytes + super::scene::packet::RELAY_HEAD)
    }

    fn put(&mut self, peers: &[i32], packet: &[u8]) -> bool {
        peers.iter().all(|to| {
            if !self.has_room(*to, packet.len()) {
                return false;
            }
            self.membership.scratch.clear();
            put_head(&mut self.membership.scratch, *to);
            self.membership.scratch.extend_from_slice(packet);
            !matches!(self.peer.put(self.cx, false, &self.membership.scratch), Sent::Full | Sent::NoMemory)
        })
    }

    fn is_spent(&mut self) -> bool {
        self.cx.budget.spend(TELL)
    }
}
