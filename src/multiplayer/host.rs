//! The host's side: gives ids, and in Godot 3's format tells of those who come and go and passes on what is for others.

use super::scene::packet::{RAW_HEAD, about, put_raw};
use super::scene_host::{SceneHost, not_admitted};
use super::scene_packets::{SceneSettings, note};
use super::wire::{self, Message3, Wire};
use super::{HOST_ID, Target, breach, kept};
use crate::codes::*;
use crate::error::{Error, Failure};
use crate::heap;
use crate::peer::{Cx, Mark, Sent};
use crate::server::{Handles, Line, Server, Spread};
use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Messages of one client that are looked at in its turn.
const TURN: u32 = 64;

/// What makes a server a host.
pub struct Host {
    wire: Wire,
    /// By id.
    pub(super) players: HashMap<i32, Player>,
    /// Places with messages to look at, in turn.
    pub(super) behind: Line,
    pub(super) scratch: Vec<u8>,
    /// With Wire::Scene.
    pub(super) scene: Option<SceneHost>,
}

pub(super) struct Player {
    /// Its place in the server.
    key: u32,
    /// It has not ended.
    pub(super) here: bool,
}

impl Host {
    /// Makes a host of a server that nobody has reached yet.
    pub fn new(wire: Wire, scene: SceneSettings, server: &mut Server) -> Host {
        server.above.watches = true;
        server.above.holds = wire != Wire::Godot4;
        let scene = (wire == Wire::Scene).then(|| SceneHost::new(scene));
        Host { wire, players: HashMap::new(), behind: Line::default(), scratch: Vec::new(), scene }
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

    /// When `poll` wants to judge the time.
    pub fn next_timer(&self) -> Option<Instant> {
        self.scene.as_ref().and_then(SceneHost::next_timer)
    }

    /// Moves the server on, greets those who came, and looks at what they sent. True: there is more to do.
    pub fn poll(&mut self, server: &mut Server, cx: &mut Cx<'_>, handles: &dyn Handles, gap: Duration) -> bool {
        self.meet(server, cx);
        // What came faster than it could be looked at goes first, so that reading more cannot starve it.
        let half = cx.budget.half();
        let whole = std::mem::replace(&mut cx.budget, half);
        self.catch_up(server, cx);
        cx.budget = whole;
        let mut more = server.poll(cx, handles, gap);
        self.meet(server, cx);
        more |= self.catch_up(server, cx);
        if let Some(of_scene) = &mut self.scene {
            of_scene.judge_time(server, cx, gap);
        }
        server.write_dirty(cx);
        more
    }

    /// Puts to a target: a result as the boundary tells it, WS_ERR_FULL and WS_ERR_STATE included, or what is wrong with the target.
    pub fn put(&mut self, server: &mut Server, cx: &mut Cx<'_>, target: Target, text: bool, payload: &[u8]) -> Result<i32, Error> {
        let reach = self.reach(target)?;
        if server.state() != WS_OPEN {
            return Ok(WS_ERR_STATE);
        }
        let framed = self.frame(target.encode(), text, payload)?;
        let result = match reach {
            Reach::One(key) if server.peer(key).is_some_and(|peer| peer.apart) => return Err(not_admitted(target.encode())),
            Reach::One(key) => code(server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload))),
            Reach::AllBut(except) => server.put_all(cx, text, framed.as_deref().unwrap_or(payload), except),
        };
        self.scratch = kept(cx, framed.unwrap_or_default());
        Ok(result)
    }

    /// Puts to the client in one place, by its own handle.
    pub fn put_one(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32, text: bool, payload: &[u8]) -> Result<i32, Error> {
        let (to, is_apart) = server.peer(key).map_or((0, false), |peer| (peer.peer_id, peer.apart));
        if is_apart {
            return Err(not_admitted(to));
        }
        let framed = self.frame(to, text, payload)?;
        let result = code(server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload)));
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
            HOST_ID => Error::new(WS_ERR_TARGET, "1 is the host itself, which has no connection to itself: open one with ws_join_local"),
            _ => Error::new(WS_ERR_TARGET, format!("no peer {id} is here: it may have gone")),
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

    /// Takes note of those who came, went or sent since the last look.
    fn meet(&mut self, server: &mut Server, cx: &mut Cx<'_>) {
        self.forget_gone(server, cx);
        let mut touched = std::mem::take(&mut server.above.touched);
        for key in touched.drain(..) {
            let Some(peer) = server.peer(key) else { continue };
            if peer.handle == 0 {
                continue;
            }
            if peer.peer_id == 0 {
                self.admit(server, cx, key);
            }
            let Some(peer) = server.peer(key) else { continue };
            let (id, state) = (peer.peer_id, peer.state());
            let held = peer.inbox.held();
            if held > 0 && self.hears(server, key) {
                self.behind.push(key);
            } else if state == WS_CLOSED {
                self.part(server, cx, id);
            }
        }
        touched.append(&mut server.above.touched);
        server.above.touched = touched;
    }

    /// Gives a new client its id, before anything else is sent to it.
    fn admit(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) {
        let id = self.draw_id();
        let Some(peer) = server.peer(key) else { return };
        peer.peer_id = id;
        match self.wire {
            Wire::Godot4 | Wire::Scene => tell(server, cx, key..key + 1, &[], &wire::id_message(id)),
            Wire::Godot3 => {
                tell(server, cx, key..key + 1, &[], &wire::about(Message3::Id(id)));
                tell(server, cx, key..key + 1, &[], &wire::about(Message3::Add(HOST_ID)));
                // In the order of their places, so that a game begins alike each time.
                let mut there: Vec<_> = self.players.iter().filter(|(_, player)| player.here).map(|(id, player)| (player.key, *id)).collect();
                there.sort_unstable();
                for (_, other) in there {
                    tell(server, cx, key..key + 1, &[], &wire::about(Message3::Add(other)));
                }
                tell(server, cx, 0..u32::MAX, &[key], &wire::about(Message3::Add(id)));
            }
        }
        self.players.insert(id, Player { key, here: true });
        if self.wire == Wire::Scene {
            self.meet_in_scene(server, cx, key, id);
        }
    }

    /// One has ended: the others hear of it, but in the plain format of Godot 4.
    fn part(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32) {
        let Some(player) = self.players.get_mut(&id).filter(|player| player.here) else { return };
        player.here = false;
        let key = player.key;
        if let Some(peer) = server.peer(key).filter(|peer| peer.peer_id == id && peer.apart) {
            peer.drop_held(cx);
            server.after(cx, key, None);
        }
        let was_told = self.scene.as_mut().is_none_or(|of_scene| of_scene.part(id));
        if !was_told || server.state() != WS_OPEN {
            return;
        }
        match self.wire {
            Wire::Godot4 => {}
            Wire::Scene => tell(server, cx, 0..u32::MAX, &[key], &about(id, false)),
            Wire::Godot3 => tell(server, cx, 0..u32::MAX, &[key], &wire::about(Message3::Del(id))),
        }
    }

    /// An id that nobody has, and nobody can guess.
    fn draw_id(&self) -> i32 {
        let mut random = 0_u32;
        loop {
            // A system without randomness has guessable ids, and an end to this.
            random = getrandom::u32().unwrap_or(random.wrapping_add(1));
            let id = (random & 0x7FFF_FFFF) as i32;
            if id > HOST_ID && !self.players.contains_key(&id) {
                return id;
            }
        }
    }

    /// Looks at held messages, in turn, until the budget ends; at one at least. True: there are more.
    fn catch_up(&mut self, server: &mut Server, cx: &mut Cx<'_>) -> bool {
        let mut over = false;
        while !over && let Some(key) = self.behind.pop() {
            let mut left = TURN;
            while !over && left > 0 && self.look(server, cx, key) {
                left -= 1;
                over = cx.budget.look();
            }
            // What became the host's is there for it now, and the queue may have room again.
            server.after(cx, key, None);
            server.read_on(key);
            let Some(peer) = server.peer(key) else { continue };
            let (held, state, id) = (peer.inbox.held(), peer.state(), peer.peer_id);
            if held > 0 && self.hears(server, key) {
                self.behind.push(key);
            } else if state == WS_CLOSED {
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
        let own = peer.peer_id;
        let Some((text, bytes)) = peer.inbox.first_held(cx.arena) else { return false };
        let target = match wire::read3(text, bytes) {
            Ok(Message3::Payload { from, to }) if from == own => Target::decode(to).map_err(Error::into_sentence),
            Ok(Message3::Payload { from, .. }) => Err(format!("it says that {from} sent what {own} has sent")),
            Ok(_) => Err("it sent what only a host may send".to_owned()),
            Err(why) => Err(why),
        };
        match target {
            Ok(Target::One(HOST_ID)) => peer.inbox.release(wire::HEADER as u32, 0),
            Ok(target) => {
                let mut message = std::mem::take(&mut self.scratch);
                message.clear();
                if !heap::append(&mut message, bytes) {
                    close_for_memory(server, cx, key);
                    return true;
                }
                match target {
                    Target::One(_) | Target::AllBut(HOST_ID) => peer.inbox.drop_held(),
                    Target::All | Target::AllBut(_) => peer.inbox.release(wire::HEADER as u32, 0),
                }
                self.pass_on(server, cx, key, target, &message);
                self.scratch = kept(cx, message);
            }
            Err(why) => close_for(server, cx, key, format!("peer {own} broke the multiplayer format: {why}")),
        }
        true
    }

    /// Sends what one client said to the others that it is for, unchanged.
    pub(super) fn pass_on(&mut self, server: &mut Server, cx: &mut Cx<'_>, from: u32, target: Target, message: &[u8]) {
        let on_full = server.options.raw(WS_OPT_ON_FULL).unwrap_or(WS_FULL_DISCONNECT);
        let (keys, except) = match self.reach(target) {
            Ok(Reach::One(key)) if key != from && server.peer(key).is_some_and(|peer| peer.may_put() && !peer.apart) => (key..key + 1, [from, from]),
            Ok(Reach::AllBut(except)) => (0..u32::MAX, [from, except.unwrap_or(from)]),
            _ => return note_lost(server, cx, from, target.encode()),
        };
        if server.put_spread(cx, Spread { text: false, payload: message, keys, except: &except, on_full, now: false }) == WS_ERR_LIMIT {
            close_for_memory(server, cx, from);
        }
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
        _ if text => Err(Error::new(WS_ERR_ARG, "a scene has no text: put it as WS_BINARY, or as an argument of a call")),
        [] => Err(Error::new(WS_ERR_ARG, "a scene has no empty packets: Godot would refuse it")),
        _ => Ok(()),
    }
}

/// A message behind the header of Godot 3.
pub(super) fn frame3(mut memory: Vec<u8>, from: i32, to: i32, text: bool, payload: &[u8]) -> Result<Vec<u8>, Error> {
    if text {
        return Err(Error::new(WS_ERR_ARG, "Godot 3's format has no text: put it as WS_BINARY"));
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
    let failure = Failure::of_protocol(1009, "there is no memory left to pass a message on: lower max_message_bytes");
    close_with(server, cx, key, Failure { cause: WS_CAUSE_RESOURCES, ..failure });
    server.after(cx, key, None);
}

fn close_with(server: &mut Server, cx: &mut Cx<'_>, key: u32, failure: Failure) {
    let Some(peer) = server.peer(key) else { return };
    peer.drop_held(cx);
    if peer.state() == WS_CLOSED && peer.apart {
        return;
    }
    if peer.state() == WS_CLOSED {
        let mut mark = Mark { kind: WS_EVENT_ERROR, phase: failure.phase, cause: failure.cause, time_ns: cx.time_ns(), ..Mark::default() };
        mark.set_text(&failure.sentence);
        peer.inbox.push_mark_here(mark);
    } else {
        peer.fail(cx, failure);
        peer.write(cx);
        peer.finish(cx);
    }
}

/// What one client sent to another that is not here is counted in one event until the host takes it.
fn note_lost(server: &mut Server, cx: &mut Cx<'_>, from: u32, to: i32) {
    let Some(peer) = server.peer(from) else { return };
    let why = format!("peer {} sent to peer {to}, who is not here: it may have gone a moment ago", peer.peer_id);
    note(&mut peer.inbox, 0, WS_CAUSE_NO_PEER, &why, cx.time_ns());
}

pub(super) fn code(sent: Sent) -> i32 {
    match sent {
        Sent::Taken => WS_OK,
        Sent::Full => WS_ERR_FULL,
        Sent::NotOpen => WS_ERR_STATE,
        Sent::NoMemory => WS_ERR_LIMIT,
    }
}
