//! The players of a host: their ids, their pending notifications about each other, and relayed messages.

use super::ids::Ids;
use super::news::{Known, News, Notice};
use super::relay::{Passed, close_for_memory, note_lost, note_too_big, send_to_clients};
use super::scene::packet::about;
use super::wire::{self, Message3, Wire};
use super::{FEW, HOST_ID, Target, kept};
use crate::codes::*;
use crate::error::Error;
use crate::heap;
use crate::link::Sent;
use crate::names::said::JOIN_LOCAL;
use crate::server::{Server, Spread, Whom};
use crate::status::{ErrorCode, State};
use crate::work::Cx;
use std::collections::BTreeMap;
use std::ops::Range;

/// The players of a host.
pub struct Roster {
    pub(super) wire: Wire,
    ids: Ids,
    /// By id. A tree, which grows in small steps.
    players: BTreeMap<i32, Player>,
    /// Joins and departures that players have yet to be notified of.
    news: News,
    /// Scratch buffer for the next message.
    pub(super) scratch: Vec<u8>,
}

struct Player {
    /// Its key in the server.
    key: u32,
    /// Its connection has not ended.
    connected: bool,
    /// The players that it has been notified of.
    known: Known,
}

/// The clients that a target selects, by key.
pub(super) enum Reach {
    One(u32),
    AllBut(Option<u32>),
    /// The clients with these keys, but one.
    These(Vec<u32>, Option<u32>),
}

impl Reach {
    /// The clients that are selected, if they are several, and the key of the one that is not.
    pub(super) fn several(&self) -> (Whom<'_>, Option<u32>) {
        match self {
            Reach::One(key) => (Whom::one(*key), None),
            Reach::AllBut(except) => (Whom::ALL, *except),
            Reach::These(keys, except) => (Whom::These(keys), *except),
        }
    }
}

impl Roster {
    /// A roster without players.
    pub fn new(wire: Wire) -> Roster {
        Roster { wire, ids: Ids::new(), players: BTreeMap::new(), news: News::default(), scratch: Vec::new() }
    }

    /// Heap bytes kept about the players.
    pub fn kept_bytes(&self) -> usize {
        let known: usize = self.players.values().map(|player| player.known.heap_bytes()).sum();
        heap::tree_bytes::<(i32, Player)>(self.players.len()) + known
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.players.len() > FEW
    }

    /// Returns the key of a client by its id.
    pub fn place(&self, id: i32) -> Result<u32, Error> {
        self.players.get(&id).map(|player| player.key).ok_or_else(|| match id {
            HOST_ID => Error::new(
                ErrorCode::Target,
                format!("1 is the host itself, which has no connection to itself: open one with {JOIN_LOCAL}"),
            ),
            _ => Error::new(ErrorCode::Target, format!("no peer {id} is connected: it may have gone")),
        })
    }

    /// Returns the keys of the clients that a target selects.
    pub fn places(&self, server: &Server, target: Target) -> Result<Vec<u32>, Error> {
        Ok(match self.reach(target)? {
            Reach::One(key) => vec![key],
            Reach::AllBut(except) => server.keys().filter(|key| Some(*key) != except).collect(),
            Reach::These(keys, _) => keys,
        })
    }

    pub(super) fn reach(&self, target: Target) -> Result<Reach, Error> {
        Ok(match target {
            Target::One(id) => Reach::One(self.place(id)?),
            Target::All => Reach::AllBut(None),
            Target::AllBut(id) => Reach::AllBut(self.players.get(&id).map(|player| player.key)),
        })
    }

    /// Assigns an id to a new client and sends it, before anything else.
    pub fn assign_id(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) -> Option<i32> {
        let id = self.draw_id();
        server.peer(key)?.endpoint.label = id;
        match self.wire {
            Wire::Godot4 | Wire::Scene => server.greet(cx, key, &[&wire::id_message(id)]),
            Wire::Godot3 => {
                server.greet(cx, key, &[&wire::about(Message3::Id(id)), &wire::about(Message3::Add(HOST_ID))])
            }
        }
        self.players.insert(id, Player { key, connected: true, known: Known::default() });
        Some(id)
    }

    /// Marks a client as gone. Returns its key, or `None` if it was marked before.
    pub fn leave(&mut self, id: i32) -> Option<u32> {
        let player = self.players.get_mut(&id).filter(|player| player.connected)?;
        player.connected = false;
        Some(player.key)
    }

    /// Queues the departure of a client for the others.
    pub fn queue_departure(&mut self, server: &Server, id: i32) {
        if self.wire != Wire::Godot4
            && server.state() == State::Open
            && let Some(player) = self.players.get_mut(&id)
        {
            self.news.leave(&mut player.known);
        }
    }

    /// Forgets a client whose slot was freed.
    pub fn forget(&mut self, id: i32) {
        self.players.remove(&id);
    }

    /// Queues notifications of a newcomer for the others, and of the others for the newcomer.
    pub(super) fn introduce(&mut self, id: i32) {
        if let Some(player) = self.players.get_mut(&id) {
            self.news.arrive(&mut player.known, id);
        }
        for player in self.players.values().filter(|player| player.connected && player.known.is_in()) {
            self.news.waiting.push(player.key);
        }
    }

    /// Sends notifications of joins and departures, as far as outbound queues have room: at least one, then until the
    /// budget is exhausted. True: there is more to do.
    pub fn notify(&mut self, server: &mut Server, cx: &mut Cx<'_>) -> bool {
        if self.take_leave(cx) {
            return true;
        }
        let mut has_sent = false;
        for _ in 0..self.news.waiting.len() {
            let Some(key) = self.news.waiting.pop() else { break };
            let id = server.peer(key).map_or(0, |peer| peer.endpoint.label);
            let Some(player) = self.players.get_mut(&id).filter(|player| player.key == key && player.connected) else {
                continue;
            };
            if !server.peer(key).is_some_and(|peer| peer.may_put()) {
                continue;
            }
            let has_room = |server: &mut Server| server.peer(key).is_some_and(|peer| peer.has_room_beside(NEWS_BYTES));
            let (mut over, mut knows_all) = (false, false);
            while !over && !knows_all {
                if !has_room(server) {
                    server.flush_one(cx, key);
                    if !has_room(server) {
                        break;
                    }
                }
                match self.news.pop(&mut player.known) {
                    Some(notice) => send_to_clients(server, cx, key..key + 1, &[], &about_player(self.wire, notice)),
                    None => knows_all = true,
                }
                has_sent |= !knows_all;
                over = cx.budget.spend_frame();
            }
            if !knows_all {
                // It is retried after the other players, or when there is room.
                self.news.waiting.push(key);
            }
            if over || cx.budget.is_spent() {
                return has_sent && !self.news.waiting.is_empty();
            }
        }
        false
    }

    /// Records departures for the players that know of them: at least one, then until the budget is exhausted. Players
    /// that do not know of a departed client by then are never notified. Returns true if departures are left.
    fn take_leave(&mut self, cx: &mut Cx<'_>) -> bool {
        while let Some(left) = self.news.next_left() {
            for player in self.players.values_mut() {
                if player.connected && player.known.lose(left) {
                    self.news.waiting.push(player.key);
                }
            }
            if cx.budget.is_spent() {
                return true;
            }
        }
        false
    }

    /// Announces the sender of a message to those of its recipients that do not know of it yet, ahead of their other
    /// notifications. Returns the keys of recipients without room for that.
    fn announce(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        from: u32,
        keys: &Range<u32>,
        on_full: u32,
    ) -> Vec<u32> {
        let mut full = Vec::new();
        let id = server.peer(from).map_or(0, |peer| peer.endpoint.label);
        let Some(mut of) = self.players.get_mut(&id).map(|player| std::mem::take(&mut player.known)) else {
            return full;
        };
        let message = about_player(self.wire, Notice::Joined(id));
        for key in self.news.waiting.iter().filter(|key| keys.contains(key)) {
            let to = server.peer(key).map_or(0, |peer| peer.endpoint.label);
            let Some(player) = self.players.get_mut(&to).filter(|player| player.key == key && player.known.lacks(&of))
            else {
                continue;
            };
            let spread =
                Spread { text: false, payload: &message, whom: Whom::one(key), except: &[], on_full, now: false };
            if server.put_spread(cx, spread) == Sent::Taken {
                player.known.learn_early(&of);
            } else {
                full.push(key);
            }
        }
        if let Some(player) = self.players.get_mut(&id) {
            player.known = std::mem::take(&mut of);
        }
        full
    }

    /// Relays a client's message to the other clients that its target selects.
    pub(super) fn pass_on(&mut self, server: &mut Server, cx: &mut Cx<'_>, from: u32, target: Target, passed: Passed) {
        let on_full = server.endpoint.options.raw(WS_OPT_ON_FULL).unwrap_or(WS_FULL_DISCONNECT);
        let (keys, except) = match self.reach(target) {
            Ok(Reach::One(key))
                if key != from && server.peer(key).is_some_and(|peer| peer.may_put() && peer.endpoint.admitted) =>
            {
                (key..key + 1, [from, from])
            }
            Ok(Reach::AllBut(except)) => (0..u32::MAX, [from, except.unwrap_or(from)]),
            _ => return note_lost(server, cx, from, target.encode()),
        };
        if passed.len() as u64 > server.endpoint.options.max_put() {
            let to: Vec<u32> = server.keys().filter(|key| keys.contains(key) && !except.contains(key)).collect();
            if !server.are_local(&to) {
                return note_too_big(server, cx, from, passed.len());
            }
        }
        let mut except = except.to_vec();
        if !self.news.waiting.is_empty() {
            except.extend(self.announce(server, cx, from, &keys, on_full));
        }
        let spread = |payload| Spread {
            text: false,
            payload,
            whom: Whom::Range(keys.clone()),
            except: &except,
            on_full,
            now: false,
        };
        let result = match passed {
            Passed::Short(message) => {
                let result = server.put_spread(cx, spread(&message));
                self.scratch = kept(cx, message);
                result
            }
            Passed::Long { head, storage, start } => server.put_parts(cx, spread(&head), &storage, start),
        };
        if result == Sent::NoMemory {
            close_for_memory(server, cx, from);
        }
    }

    /// Draws an unpredictable id that no player has.
    fn draw_id(&mut self) -> i32 {
        loop {
            let id = self.ids.draw();
            if !self.players.contains_key(&id) {
                return id;
            }
        }
    }
}

/// Bytes of the longest notification.
const NEWS_BYTES: usize = wire::HEADER + 4;

/// Encodes a notification about a player.
fn about_player(wire: Wire, notice: Notice) -> Vec<u8> {
    match (wire, notice) {
        (Wire::Godot3, Notice::Joined(id)) => wire::about(Message3::Add(id)).to_vec(),
        (Wire::Godot3, Notice::Left(id)) => wire::about(Message3::Del(id)).to_vec(),
        (Wire::Godot4 | Wire::Scene, Notice::Joined(id)) => about(id, true).to_vec(),
        (Wire::Godot4 | Wire::Scene, Notice::Left(id)) => about(id, false).to_vec(),
    }
}
