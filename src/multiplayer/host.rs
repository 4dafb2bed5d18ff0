//! The host's side: takes note of those who come and go, and reads what they send, by the rules of its format.

use super::relay::{Passed, close_for, close_for_memory};
use super::roster::{Reach, Roster};
use super::scene::packet::{RAW_HEAD, put_raw};
use super::scene_host::SceneHost;
use super::scene_packets::{CallLimits, SceneSettings, check_raw, not_a_scene, not_admitted};
use super::wire::{self, Message3, Wire};
use super::{HOST_ID, LONG, Target, kept};
use crate::error::Error;
use crate::heap;
use crate::link::Sent;
use crate::server::{Handles, Line, Server};
use crate::status::State;
use crate::work::Cx;
use std::time::{Duration, Instant};

/// Messages of one client that are looked at in its turn.
const TURN: u32 = 64;

/// What makes a server a host.
pub struct Host {
    roster: Roster,
    /// Places with messages to look at, in turn.
    behind: Line,
    /// A long message is to be looked at by the next poll, before all else.
    is_late: bool,
    /// With Wire::Scene.
    scene: Option<SceneHost>,
}

impl Host {
    /// Makes a host of a server that nobody has reached yet.
    pub fn new(wire: Wire, scene: SceneSettings, server: &mut Server) -> Host {
        server.above.watches = true;
        server.above.holds = wire != Wire::Godot4;
        let scene = (wire == Wire::Scene).then(|| SceneHost::new(scene));
        Host { roster: Roster::new(wire), behind: Line::default(), is_late: false, scene }
    }

    /// Its format.
    pub fn wire(&self) -> Wire {
        self.roster.wire
    }

    /// How it treats its scene.
    pub fn scene_settings(&self) -> SceneSettings {
        self.scene.as_ref().map(|of_scene| of_scene.scene.settings).unwrap_or_default()
    }

    /// Bytes that the format puts in front of each message.
    pub fn header_bytes(&self) -> usize {
        match self.roster.wire {
            Wire::Godot4 => 0,
            Wire::Scene => RAW_HEAD,
            Wire::Godot3 => wire::HEADER,
        }
    }

    /// Bytes that are kept of what the players said, and have to hear.
    pub fn kept_bytes(&self) -> usize {
        self.roster.kept_bytes() + self.scene.as_ref().map_or(0, |of_scene| of_scene.scene.cache.bytes())
    }

    /// Whether taking it apart takes its time.
    pub fn is_large(&self) -> bool {
        self.roster.is_large() || self.scene.as_ref().is_some_and(|of_scene| of_scene.scene.cache.is_large())
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
        self.roster.inform(server, cx);
        cx.budget = whole;
        let mut more = server.poll(cx, handles, gap);
        more |= self.meet(server, cx);
        more |= self.catch_up(server, cx, false);
        more |= self.roster.inform(server, cx);
        if let Some(of_scene) = &mut self.scene {
            of_scene.judge_time(server, cx, gap);
        }
        more | server.write_later(cx, true)
    }

    /// Puts to a target; an error says what is wrong with the target or the message.
    pub fn put(&mut self, server: &mut Server, cx: &mut Cx<'_>, target: Target, text: bool, payload: &[u8]) -> Result<Sent, Error> {
        let reach = self.roster.reach(target)?;
        if server.state() != State::Open {
            return Ok(Sent::NotOpen);
        }
        let framed = self.frame(target.encode(), text, payload)?;
        let result = match reach {
            Reach::One(key) if server.peer(key).is_some_and(|peer| !peer.endpoint.admitted) => return Err(not_admitted(target.encode())),
            Reach::One(key) => server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload)),
            Reach::AllBut(except) => server.put_all(cx, text, framed.as_deref().unwrap_or(payload), except),
        };
        self.roster.scratch = kept(cx, framed.unwrap_or_default());
        Ok(result)
    }

    /// Puts to the client in one place, by its own handle.
    pub fn put_one(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32, text: bool, payload: &[u8]) -> Result<Sent, Error> {
        let (to, admitted) = server.peer(key).map_or((0, true), |peer| (peer.endpoint.label, peer.endpoint.admitted));
        if !admitted {
            return Err(not_admitted(to));
        }
        let framed = self.frame(to, text, payload)?;
        let result = server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload));
        self.roster.scratch = kept(cx, framed.unwrap_or_default());
        Ok(result)
    }

    /// Puts a call to a target.
    pub fn put_call(&mut self, server: &mut Server, cx: &mut Cx<'_>, target: Target, bytes: &[u8]) -> Result<Sent, Error> {
        let reach = self.roster.reach(target)?;
        let call = CallLimits::of(&server.endpoint.options).read(bytes)?;
        self.scene()?.put_call(server, cx, reach, &call)
    }

    /// As `put_call`, to the client in one place.
    pub fn put_call_one(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32, bytes: &[u8]) -> Result<Sent, Error> {
        let call = CallLimits::of(&server.endpoint.options).read(bytes)?;
        self.scene()?.put_call(server, cx, Reach::One(key), &call)
    }

    /// Sends data for the authentication of a peer.
    pub fn send_auth(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32, data: &[u8]) -> Result<Sent, Error> {
        self.scene()?.send_auth(server, cx, id, data)
    }

    /// The authentication of a peer is complete on this side.
    pub fn complete_auth(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32) -> Result<Sent, Error> {
        let of_scene = self.scene.as_mut().ok_or_else(not_a_scene)?;
        let (sent, key) = of_scene.complete_auth(&mut self.roster, server, cx, id)?;
        // What waited is looked at in the next poll.
        if sent == Sent::Taken && server.peer(key).is_some_and(|peer| peer.endpoint.inbox.held() > 0) {
            self.behind.push(key);
        }
        Ok(sent)
    }

    /// Declares a node; see ws_declare_node().
    pub fn declare(&mut self, path: &str, methods: Option<&str>) -> Result<(), Error> {
        self.scene()?.scene.declare(path, methods)
    }

    /// Places of the clients that a target means.
    pub fn places(&self, server: &Server, target: Target) -> Result<Vec<u32>, Error> {
        self.roster.places(server, target)
    }

    /// The place of a client by its id.
    pub fn place(&self, id: i32) -> Result<u32, Error> {
        self.roster.place(id)
    }

    fn scene(&mut self) -> Result<&mut SceneHost, Error> {
        self.scene.as_mut().ok_or_else(not_a_scene)
    }

    /// The message behind its header, in memory of ours, where the format has one.
    fn frame(&mut self, to: i32, text: bool, payload: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.roster.wire {
            Wire::Godot4 => Ok(None),
            Wire::Scene => {
                check_raw(text, payload)?;
                let mut memory = std::mem::take(&mut self.roster.scratch);
                memory.clear();
                put_raw(&mut memory);
                if heap::append(&mut memory, payload) { Ok(Some(memory)) } else { Err(heap::lacks()) }
            }
            Wire::Godot3 => wire::frame3(std::mem::take(&mut self.roster.scratch), HOST_ID, to, text, payload).map(Some),
        }
    }

    /// Forgets those whose places were given back. Call it before a place can be taken again, as their ids must not mean who takes it.
    pub fn forget_gone(&mut self, server: &mut Server, cx: &mut Cx<'_>) {
        for id in std::mem::take(&mut server.above.gone) {
            self.part(server, cx, id);
            self.roster.forget(id);
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
            if peer.endpoint.label == 0 {
                self.admit(server, cx, key);
                // From now on it is there for the program.
                server.take_account(cx, key);
            }
            let Some(peer) = server.peer(key) else { continue };
            let (id, state) = (peer.endpoint.label, peer.state());
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

    /// Gives a new client its id, and has it meet the others, or be authenticated first.
    fn admit(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) {
        let Some(id) = self.roster.welcome(server, cx, key) else { return };
        match (&mut self.scene, self.roster.wire) {
            (Some(of_scene), _) => of_scene.meet(&mut self.roster, server, cx, key, id),
            (None, Wire::Godot3) => self.roster.introduce(id),
            (None, _) => {}
        }
    }

    /// One has ended: the others hear of it, but in the plain format of Godot 4.
    fn part(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32) {
        let Some(key) = self.roster.leave(id) else { return };
        if let Some(peer) = server.peer(key).filter(|peer| peer.endpoint.label == id && !peer.endpoint.admitted) {
            peer.endpoint.drop_held(cx);
            server.take_account(cx, key);
        }
        if self.scene.as_mut().is_none_or(|of_scene| of_scene.part(id)) {
            self.roster.tell_of_end(server, id);
        }
    }

    /// Whether the held messages of a client may be inspected; see `Admission`. Outside a scene, those of everyone who has an id.
    fn hears(&self, server: &mut Server, key: u32) -> bool {
        let Some(peer) = server.peer(key).filter(|peer| peer.endpoint.label != 0) else { return false };
        peer.endpoint.admitted || self.scene.as_ref().is_some_and(|of_scene| of_scene.hears(peer.endpoint.label, peer.endpoint.inbox.held()))
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
            let (held, state, id) = (peer.endpoint.inbox.held(), peer.state(), peer.endpoint.label);
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
        if let Some(of_scene) = &mut self.scene {
            return of_scene.look(&mut self.roster, server, cx, key);
        }
        let Some(peer) = server.peer(key) else { return false };
        let own = peer.endpoint.label;
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
                let Some(passed) = Passed::first_of(&peer.endpoint.inbox, cx.arena, &[], 0, &mut self.roster.scratch) else {
                    close_for_memory(server, cx, key);
                    return true;
                };
                match target {
                    Target::One(_) | Target::AllBut(HOST_ID) => peer.endpoint.inbox.drop_held(),
                    Target::All | Target::AllBut(_) => peer.endpoint.inbox.release(wire::HEADER as u32, 0),
                }
                self.roster.pass_on(server, cx, key, target, passed);
            }
            Err(why) => close_for(server, cx, key, format!("peer {own} broke the multiplayer format: {why}")),
        }
        true
    }
}

/// Whether the next message of a client is a long one, and the poll too old for it.
fn is_late(server: &mut Server, cx: &Cx<'_>, key: u32) -> bool {
    server.peer(key).is_some_and(|peer| peer.endpoint.inbox.first_held_len() > LONG) && cx.budget.is_half_spent()
}
