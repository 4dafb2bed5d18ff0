//! The host's side: gives ids, and in Godot 3's format tells of those who come and go and passes on what is for others.

use super::ids::Ids;
use super::news::{Heard, News, Piece};
use super::scene::packet::{RAW_HEAD, about, put_raw};
use super::scene_host::{SceneHost, not_admitted};
use super::scene_packets::{SceneSettings, note};
use super::wire::{self, Message3, Wire};
use super::{FEW, HOST_ID, Target, breach, kept};
use crate::codes::*;
use crate::endpoint::{Inbox, Mark};
use crate::error::{Error, Failure};
use crate::heap;
use crate::link::Sent;
use crate::names::MAX_MESSAGE_BYTES;
use crate::server::{Handles, Line, Server, Spread};
use crate::status::{Cause, ErrorCode, EventKind, State};
use crate::work::{Arena, Chunk, Cx};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Messages of one client that are looked at in its turn.
const TURN: u32 = 64;

/// What makes a server a host.
pub struct Host {
    wire: Wire,
    ids: Ids,
    /// By id. It grows as they come, so in small steps.
    pub(super) players: BTreeMap<i32, Player>,
    /// Places with messages to look at, in turn.
    pub(super) behind: Line,
    pub(super) scratch: Vec<u8>,
    /// What the players have yet to hear of each other.
    news: News,
    /// A long message is to be looked at by the next poll, before all else.
    is_late: bool,
    /// With Wire::Scene.
    pub(super) scene: Option<SceneHost>,
}

pub(super) struct Player {
    /// Its place in the server.
    key: u32,
    /// It has not ended.
    here: bool,
    /// Of whom it has heard.
    heard: Heard,
}

impl Host {
    /// Makes a host of a server that nobody has reached yet.
    pub fn new(wire: Wire, scene: SceneSettings, server: &mut Server) -> Host {
        server.above.watches = true;
        server.above.holds = wire != Wire::Godot4;
        let scene = (wire == Wire::Scene).then(|| SceneHost::new(scene));
        Host {
            wire,
            ids: Ids::new(),
            players: BTreeMap::new(),
            behind: Line::default(),
            scratch: Vec::new(),
            news: News::default(),
            is_late: false,
            scene,
        }
    }

    /// Its format.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// How it treats its scene.
    pub fn scene_settings(&self) -> SceneSettings {
        self.scene.as_ref().map(|of_scene| of_scene.scene.settings).unwrap_or_default()
    }

    /// Bytes that the format puts in front of each message.
    pub fn header_bytes(&self) -> usize {
        match self.wire {
            Wire::Godot4 => 0,
            Wire::Scene => RAW_HEAD,
            Wire::Godot3 => wire::HEADER,
        }
    }

    /// Bytes that are kept of what the players said, and have to hear.
    pub fn kept_bytes(&self) -> usize {
        let heard: usize = self.players.values().map(|player| player.heard.heap_bytes()).sum();
        heap::tree_bytes::<(i32, Player)>(self.players.len()) + heard + self.scene.as_ref().map_or(0, |of_scene| of_scene.scene.cache.bytes())
    }

    /// Whether taking it apart takes its time.
    pub fn is_large(&self) -> bool {
        self.players.len() > FEW || self.scene.as_ref().is_some_and(|of_scene| of_scene.scene.cache.is_large())
    }

    /// When `poll` wants to judge the time.
    pub fn next_timer(&self) -> Option<Instant> {
        self.scene.as_ref().and_then(SceneHost::next_timer)
    }

    /// Moves the server on, greets those who came, and looks at what they sent. True: there is more to do.
    pub fn poll(&mut self, server: &mut Server, cx: &mut Cx<'_>, handles: &dyn Handles, gap: Duration) -> bool {
        // What came faster than it could be looked at goes first, so that reading more cannot starve it.
        if std::mem::take(&mut self.is_late) {
            self.forget_gone(server, cx);
            self.catch_up(server, cx, true);
        }
        let half = cx.budget.half();
        let whole = std::mem::replace(&mut cx.budget, half);
        self.meet(server, cx);
        if !server.write_later(cx, false) {
            self.catch_up(server, cx, false);
        }
        cx.budget = whole;
        let half = cx.budget.half();
        let whole = std::mem::replace(&mut cx.budget, half);
        self.inform(server, cx);
        cx.budget = whole;
        let mut more = server.poll(cx, handles, gap);
        more |= self.meet(server, cx);
        more |= self.catch_up(server, cx, false);
        more |= self.inform(server, cx);
        if let Some(of_scene) = &mut self.scene {
            of_scene.judge_time(server, cx, gap);
        }
        more | server.write_later(cx, true)
    }

    /// Puts to a target; an error says what is wrong with the target or the message.
    pub fn put(&mut self, server: &mut Server, cx: &mut Cx<'_>, target: Target, text: bool, payload: &[u8]) -> Result<Sent, Error> {
        let reach = self.reach(target)?;
        if server.state() != State::Open {
            return Ok(Sent::NotOpen);
        }
        let framed = self.frame(target.encode(), text, payload)?;
        let result = match reach {
            Reach::One(key) if server.peer(key).is_some_and(|peer| peer.endpoint.apart) => return Err(not_admitted(target.encode())),
            Reach::One(key) => server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload)),
            Reach::AllBut(except) => server.put_all(cx, text, framed.as_deref().unwrap_or(payload), except),
        };
        self.scratch = kept(cx, framed.unwrap_or_default());
        Ok(result)
    }

    /// Puts to the client in one place, by its own handle.
    pub fn put_one(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32, text: bool, payload: &[u8]) -> Result<Sent, Error> {
        let (to, is_apart) = server.peer(key).map_or((0, false), |peer| (peer.endpoint.peer_id, peer.endpoint.apart));
        if is_apart {
            return Err(not_admitted(to));
        }
        let framed = self.frame(to, text, payload)?;
        let result = server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload));
        self.scratch = kept(cx, framed.unwrap_or_default());
        Ok(result)
    }

    /// Places of the clients that a target means.
    pub fn places(&self, server: &Server, target: Target) -> Result<Vec<u32>, Error> {
        Ok(match self.reach(target)? {
            Reach::One(key) => vec![key],
            Reach::AllBut(except) => server.keys().filter(|key| Some(*key) != except).collect(),
        })
    }

    /// The place of a client by its id.
    pub fn place(&self, id: i32) -> Result<u32, Error> {
        self.players.get(&id).map(|player| player.key).ok_or_else(|| match id {
            HOST_ID => Error::new(ErrorCode::Target, "1 is the host itself, which has no connection to itself: open one with ws_join_local"),
            _ => Error::new(ErrorCode::Target, format!("no peer {id} is here: it may have gone")),
        })
    }

    pub(super) fn reach(&self, target: Target) -> Result<Reach, Error> {
        Ok(match target {
            Target::One(id) => Reach::One(self.place(id)?),
            Target::All => Reach::AllBut(None),
            Target::AllBut(id) => Reach::AllBut(self.players.get(&id).map(|player| player.key)),
        })
    }

    /// The message behind its header, in memory of ours, where the format has one.
    fn frame(&mut self, to: i32, text: bool, payload: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.wire {
            Wire::Godot4 => Ok(None),
            Wire::Scene => {
                check_raw(text, payload)?;
                let mut memory = std::mem::take(&mut self.scratch);
                memory.clear();
                put_raw(&mut memory);
                if heap::append(&mut memory, payload) { Ok(Some(memory)) } else { Err(heap::lacks()) }
            }
            Wire::Godot3 => frame3(std::mem::take(&mut self.scratch), HOST_ID, to, text, payload).map(Some),
        }
    }

    /// Forgets those whose places were given back. Call it before a place can be taken again, as their ids must not mean who takes it.
    pub fn forget_gone(&mut self, server: &mut Server, cx: &mut Cx<'_>) {
        for id in std::mem::take(&mut server.above.gone) {
            self.part(server, cx, id);
            self.players.remove(&id);
        }
    }

    /// Takes note of those who came, went or sent since the last look, until the budget ends; of one at least. True: there are more.
    fn meet(&mut self, server: &mut Server, cx: &mut Cx<'_>) -> bool {
        self.forget_gone(server, cx);
        let mut over = false;
        // One whose end is noted stands here again.
        for _ in 0..server.above.touched.len() {
            if over {
                return true;
            }
            let Some(key) = server.above.touched.pop() else { break };
            let Some(peer) = server.peer(key) else { continue };
            if peer.endpoint.handle == 0 {
                continue;
            }
            if peer.endpoint.peer_id == 0 {
                self.admit(server, cx, key);
                // From now on it is there for the program.
                server.take_account(cx, key);
            }
            let Some(peer) = server.peer(key) else { continue };
            let (id, state) = (peer.endpoint.peer_id, peer.state());
            let held = peer.endpoint.inbox.held();
            if held > 0 && self.hears(server, key) {
                self.behind.push(key);
            } else if state == State::Closed {
                self.part(server, cx, id);
            }
            over = cx.budget.look();
        }
        false
    }

    /// Gives a new client its id, before anything else is sent to it.
    fn admit(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) {
        let id = self.draw_id();
        let Some(peer) = server.peer(key) else { return };
        peer.endpoint.peer_id = id;
        match self.wire {
            Wire::Godot4 | Wire::Scene => server.greet(cx, key, &[&wire::id_message(id)]),
            Wire::Godot3 => server.greet(cx, key, &[&wire::about(Message3::Id(id)), &wire::about(Message3::Add(HOST_ID))]),
        }
        self.players.insert(id, Player { key, here: true, heard: Heard::default() });
        match self.wire {
            Wire::Godot4 => {}
            Wire::Scene => self.meet_in_scene(server, cx, key, id),
            Wire::Godot3 => self.introduce(id),
        }
    }

    /// The others are to hear of a newcomer, and it of them.
    pub(super) fn introduce(&mut self, id: i32) {
        if let Some(player) = self.players.get_mut(&id) {
            self.news.arrive(&mut player.heard, id);
        }
        for player in self.players.values().filter(|player| player.here && player.heard.is_in()) {
            self.news.waiting.push(player.key);
        }
    }

    /// Notes for the others that some have gone, until the budget ends; one at least. Who has not heard of one by then never does. True: there are more.
    fn take_leave(&mut self, cx: &mut Cx<'_>) -> bool {
        while let Some(left) = self.news.next_left() {
            for player in self.players.values_mut() {
                if player.here && player.heard.lose(left) {
                    self.news.waiting.push(player.key);
                }
            }
            if cx.budget.look() {
                return true;
            }
        }
        false
    }

    /// Tells players of those who came and went, as far as their queues have room, until the budget ends; one of one thing at least. True: there is more.
    fn inform(&mut self, server: &mut Server, cx: &mut Cx<'_>) -> bool {
        if self.take_leave(cx) {
            return true;
        }
        let mut told = false;
        for _ in 0..self.news.waiting.len() {
            let Some(key) = self.news.waiting.pop() else { break };
            let id = server.peer(key).map_or(0, |peer| peer.endpoint.peer_id);
            let Some(player) = self.players.get_mut(&id).filter(|player| player.key == key && player.here) else { continue };
            if !server.peer(key).is_some_and(|peer| peer.may_put()) {
                continue;
            }
            let has_room = |server: &mut Server| server.peer(key).is_some_and(|peer| peer.has_room_beside(NEWS_BYTES));
            let (mut over, mut has_heard_all) = (false, false);
            while !over && !has_heard_all {
                if !has_room(server) {
                    server.flush_one(cx, key);
                    if !has_room(server) {
                        break;
                    }
                }
                match self.news.pop(&mut player.heard) {
                    Some(piece) => tell(server, cx, key..key + 1, &[], &about_player(self.wire, piece)),
                    None => has_heard_all = true,
                }
                told |= !has_heard_all;
                over = cx.budget.spend_frame();
            }
            if !has_heard_all {
                // Its turn comes again when the others have had theirs, or when there is room.
                self.news.waiting.push(key);
            }
            if over || cx.budget.look() {
                return told && !self.news.waiting.is_empty();
            }
        }
        false
    }

    /// Tells those in some places of the sender of what they are about to get, before the news that are ahead of it. Places where there is no room for that.
    fn announce(&mut self, server: &mut Server, cx: &mut Cx<'_>, from: u32, keys: &Range<u32>, on_full: u32) -> Vec<u32> {
        let mut full = Vec::new();
        let id = server.peer(from).map_or(0, |peer| peer.endpoint.peer_id);
        let Some(mut of) = self.players.get_mut(&id).map(|player| std::mem::take(&mut player.heard)) else { return full };
        let message = about_player(self.wire, Piece::Came(id));
        for key in self.news.waiting.iter().filter(|key| keys.contains(key)) {
            let to = server.peer(key).map_or(0, |peer| peer.endpoint.peer_id);
            let Some(player) = self.players.get_mut(&to).filter(|player| player.key == key && player.heard.lacks(&of)) else { continue };
            let spread = Spread { text: false, payload: &message, keys: key..key + 1, except: &[], on_full, now: false };
            if server.put_spread(cx, spread) == Sent::Taken {
                player.heard.hear_early(&of);
            } else {
                full.push(key);
            }
        }
        if let Some(player) = self.players.get_mut(&id) {
            player.heard = std::mem::take(&mut of);
        }
        full
    }

    /// One has ended: the others hear of it, but in the plain format of Godot 4.
    fn part(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32) {
        let Some(player) = self.players.get_mut(&id).filter(|player| player.here) else { return };
        player.here = false;
        let key = player.key;
        if let Some(peer) = server.peer(key).filter(|peer| peer.endpoint.peer_id == id && peer.endpoint.apart) {
            peer.endpoint.drop_held(cx);
            server.take_account(cx, key);
        }
        let was_told = self.scene.as_mut().is_none_or(|of_scene| of_scene.part(id));
        if !was_told || server.state() != State::Open {
            return;
        }
        if self.wire != Wire::Godot4
            && let Some(player) = self.players.get_mut(&id)
        {
            self.news.leave(&mut player.heard);
        }
    }

    /// An id that nobody has or had, and nobody can guess.
    fn draw_id(&mut self) -> i32 {
        loop {
            let id = self.ids.draw();
            if !self.players.contains_key(&id) {
                return id;
            }
        }
    }

    /// Looks at held messages, in turn, until the budget ends; at one at least, which may be long where the poll `begins`
    /// with this: a long call takes about as long as a poll may, so it waits for one that has just begun. True: there are more.
    fn catch_up(&mut self, server: &mut Server, cx: &mut Cx<'_>, begins: bool) -> bool {
        let (mut over, mut begins) = (false, begins);
        while !over && let Some(key) = self.behind.front() {
            if !begins && is_late(server, cx, key) {
                self.is_late = true;
                return true;
            }
            self.behind.pop();
            let mut left = TURN;
            while !over && left > 0 && (begins || !is_late(server, cx, key)) && self.look(server, cx, key) {
                begins = false;
                left -= 1;
                over = cx.budget.look();
            }
            // What became the host's is there for it now, and the queue may have room again.
            server.take_account(cx, key);
            server.read_on(key);
            let Some(peer) = server.peer(key) else { continue };
            let (held, state, id) = (peer.endpoint.inbox.held(), peer.state(), peer.endpoint.peer_id);
            if held > 0 && self.hears(server, key) {
                self.behind.push(key);
            } else if state == State::Closed {
                self.part(server, cx, id);
            }
        }
        !self.behind.is_empty()
    }

    /// Looks at one held message of a client. False: there is none.
    fn look(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) -> bool {
        if !self.hears(server, key) {
            return false;
        }
        if self.wire == Wire::Scene {
            return self.look_in_scene(server, cx, key);
        }
        let Some(peer) = server.peer(key) else { return false };
        let own = peer.endpoint.peer_id;
        let Some((text, bytes)) = peer.endpoint.inbox.first_held(cx.arena) else { return false };
        let target = match wire::read3(text, bytes) {
            Ok(Message3::Payload { from, to }) if from == own => Target::decode(to).map_err(Error::into_sentence),
            Ok(Message3::Payload { from, .. }) => Err(format!("it says that {from} sent what {own} has sent")),
            Ok(_) => Err("it sent what only a host may send".to_owned()),
            Err(why) => Err(why),
        };
        match target {
            Ok(Target::One(HOST_ID)) => peer.endpoint.inbox.release(wire::HEADER as u32, 0),
            Ok(target) => {
                let Some(passed) = Passed::first_of(&peer.endpoint.inbox, cx.arena, &[], 0, &mut self.scratch) else {
                    close_for_memory(server, cx, key);
                    return true;
                };
                match target {
                    Target::One(_) | Target::AllBut(HOST_ID) => peer.endpoint.inbox.drop_held(),
                    Target::All | Target::AllBut(_) => peer.endpoint.inbox.release(wire::HEADER as u32, 0),
                }
                self.pass_on(server, cx, key, target, passed);
            }
            Err(why) => close_for(server, cx, key, format!("peer {own} broke the multiplayer format: {why}")),
        }
        true
    }

    /// Sends what one client said to the others that it is for, unchanged.
    pub(super) fn pass_on(&mut self, server: &mut Server, cx: &mut Cx<'_>, from: u32, target: Target, passed: Passed) {
        let on_full = server.endpoint.options.raw(WS_OPT_ON_FULL).unwrap_or(WS_FULL_DISCONNECT);
        let (keys, except) = match self.reach(target) {
            Ok(Reach::One(key)) if key != from && server.peer(key).is_some_and(|peer| peer.may_put() && !peer.endpoint.apart) => {
                (key..key + 1, [from, from])
            }
            Ok(Reach::AllBut(except)) => (0..u32::MAX, [from, except.unwrap_or(from)]),
            _ => return note_lost(server, cx, from, target.encode()),
        };
        let mut except = except.to_vec();
        if !self.news.waiting.is_empty() {
            except.extend(self.announce(server, cx, from, &keys, on_full));
        }
        let spread = |payload| Spread { text: false, payload, keys: keys.clone(), except: &except, on_full, now: false };
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
}

/// A message as others get it.
pub(super) enum Passed {
    /// A copy.
    Short(Vec<u8>),
    /// With other first bytes than those before `start`; too long for a copy.
    Long { head: Vec<u8>, storage: Chunk, start: usize },
}

impl Passed {
    /// The first held message, with `head` in the place of its first bytes. `None`: there is no memory for it.
    pub(super) fn first_of(inbox: &Inbox, arena: &Arena, head: &[u8], skip: usize, scratch: &mut Vec<u8>) -> Option<Passed> {
        let (_, bytes) = inbox.first_held(arena)?;
        if bytes.len() > COPIED
            && let Some((storage, start)) = inbox.first_held_storage()
        {
            return Some(Passed::Long { head: head.to_vec(), storage: storage.clone(), start: start + skip });
        }
        let mut message = std::mem::take(scratch);
        message.clear();
        (heap::append(&mut message, head) && heap::append(&mut message, &bytes[skip..])).then_some(Passed::Short(message))
    }
}

/// The longest message that is copied in no time.
const COPIED: usize = 64 << 10;

/// A longer message may take a good part of a poll to look at.
pub(super) const LONG: usize = 64 << 10;

/// Whether the next message of a client is a long one, and the poll too old for it.
fn is_late(server: &mut Server, cx: &Cx<'_>, key: u32) -> bool {
    server.peer(key).is_some_and(|peer| peer.endpoint.inbox.first_held_len() > LONG) && cx.budget.is_half_spent()
}

/// Bytes of the longest message about a player.
const NEWS_BYTES: usize = wire::HEADER + 4;

/// The message that tells of a player.
fn about_player(wire: Wire, piece: Piece) -> Vec<u8> {
    match (wire, piece) {
        (Wire::Godot3, Piece::Came(id)) => wire::about(Message3::Add(id)).to_vec(),
        (Wire::Godot3, Piece::Went(id)) => wire::about(Message3::Del(id)).to_vec(),
        (Wire::Godot4 | Wire::Scene, Piece::Came(id)) => about(id, true).to_vec(),
        (Wire::Godot4 | Wire::Scene, Piece::Went(id)) => about(id, false).to_vec(),
    }
}

/// The places that a target means.
pub(super) enum Reach {
    One(u32),
    AllBut(Option<u32>),
}

/// Raw bytes of a scene are binary and never empty, as in Godot.
pub(super) fn check_raw(text: bool, payload: &[u8]) -> Result<(), Error> {
    match payload {
        _ if text => Err(Error::new(ErrorCode::Arg, "a scene has no text: put it as WS_BINARY, or as an argument of a call")),
        [] => Err(Error::new(ErrorCode::Arg, "a scene has no empty packets: Godot would refuse it")),
        _ => Ok(()),
    }
}

/// A message behind the header of Godot 3.
pub(super) fn frame3(mut memory: Vec<u8>, from: i32, to: i32, text: bool, payload: &[u8]) -> Result<Vec<u8>, Error> {
    if text {
        return Err(Error::new(ErrorCode::Arg, "Godot 3's format has no text: put it as WS_BINARY"));
    }
    memory.clear();
    wire::put_header(&mut memory, from, to);
    if heap::append(&mut memory, payload) { Ok(memory) } else { Err(heap::lacks()) }
}

/// Sends a message of the host's own to the clients in some places. One that cannot take it could not go on without it.
pub(super) fn tell(server: &mut Server, cx: &mut Cx<'_>, keys: Range<u32>, except: &[u32], message: &[u8]) {
    server.put_spread(cx, Spread { text: false, payload: message, keys, except, on_full: WS_FULL_DISCONNECT, now: false });
}

/// Closes a client that broke the format; its other messages are not believed.
pub(super) fn close_for(server: &mut Server, cx: &mut Cx<'_>, key: u32, why: String) {
    close_with(server, cx, key, breach(why));
}

/// What one client sent cannot be passed on, for lack of memory: it is told, as it must not believe that the others got it.
pub(super) fn close_for_memory(server: &mut Server, cx: &mut Cx<'_>, key: u32) {
    let failure = Failure::of_protocol(1009, format!("there is no memory left to pass a message on: lower {MAX_MESSAGE_BYTES}"));
    close_with(server, cx, key, Failure { cause: Cause::Resources, ..failure });
    server.take_account(cx, key);
}

fn close_with(server: &mut Server, cx: &mut Cx<'_>, key: u32, failure: Failure) {
    let Some(peer) = server.peer(key) else { return };
    peer.endpoint.drop_held(cx);
    if peer.state() == State::Closed && peer.endpoint.apart {
        return;
    }
    if peer.state() == State::Closed {
        let mut mark = Mark { phase: failure.phase, cause: failure.cause, ..Mark::new(EventKind::Error, cx.time_ns()) };
        mark.set_text(&failure.sentence);
        peer.endpoint.inbox.push_mark_here(mark);
    } else {
        peer.fail(cx, failure);
        peer.write(cx);
        peer.finish(cx);
    }
}

/// What one client sent to another that is not here is counted in one event until the host takes it.
fn note_lost(server: &mut Server, cx: &mut Cx<'_>, from: u32, to: i32) {
    let Some(peer) = server.peer(from) else { return };
    let why = format!("peer {} sent to peer {to}, who is not here: it may have gone a moment ago", peer.endpoint.peer_id);
    note(&mut peer.endpoint.inbox, 0, Cause::NoPeer, &why, cx.time_ns());
}
