//! The host: assigns ids, tracks which clients join and leave, and processes their messages by the rules of its wire
//! format.

use super::outlets::ToClients;
use super::relay::{Passed, close_for, close_for_memory};
use super::roster::{Reach, Roster};
use super::scene::packet::{RAW_HEAD, put_raw};
use super::scene::replication::Outlet;
use super::scene_host::SceneHost;
use super::scene_packets::{CallLimits, Scene, SceneSettings, check_raw, not_a_scene, not_admitted};
use super::wire::{self, Message3, Wire};
use super::{HOST_ID, LONG, Target, kept};
use crate::error::Error;
use crate::heap;
use crate::link::Sent;
use crate::server::{Handles, KeyQueue, Server};
use crate::status::{ErrorCode, MessageType, State};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// Number of messages of one client processed per turn.
const TURN: u32 = 64;

/// What makes a server a host.
pub struct Host {
    roster: Roster,
    /// Keys of clients with held messages, in turn.
    behind: KeyQueue,
    /// A long message is left for the next poll, which processes it before all else.
    is_late: bool,
    /// The scene's state, with Wire::Scene only.
    scene: Option<SceneHost>,
}

impl Host {
    /// Makes a host of a server that has no clients yet.
    pub fn new(wire: Wire, scene: SceneSettings, server: &mut Server) -> Host {
        server.above.watches = true;
        server.above.holds = wire != Wire::Godot4;
        let scene = (wire == Wire::Scene).then(|| SceneHost::new(scene));
        Host { roster: Roster::new(wire), behind: KeyQueue::default(), is_late: false, scene }
    }

    /// The wire format.
    pub fn wire(&self) -> Wire {
        self.roster.wire
    }

    /// The scene's settings, or the default without a scene.
    pub fn scene_settings(&self) -> SceneSettings {
        self.scene.as_ref().map(|of_scene| of_scene.scene.settings).unwrap_or_default()
    }

    /// Bytes of framing in front of each message.
    pub fn header_bytes(&self) -> usize {
        match self.roster.wire {
            Wire::Godot4 => 0,
            Wire::Scene => RAW_HEAD,
            Wire::Godot3 => wire::HEADER,
        }
    }

    /// Heap bytes kept about the players, beside queued messages.
    pub fn kept_bytes(&self) -> usize {
        self.roster.kept_bytes() + self.scene.as_ref().map_or(0, |of_scene| of_scene.scene.kept_bytes())
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.roster.is_large() || self.scene.as_ref().is_some_and(|of_scene| of_scene.scene.is_large())
    }

    /// When `poll` has to check the next deadline.
    pub fn next_timer(&self) -> Option<Instant> {
        self.scene.as_ref().and_then(SceneHost::next_timer)
    }

    /// Polls the server, admits new clients and processes their messages. Returns true if work is left.
    pub fn poll(&mut self, server: &mut Server, cx: &mut Cx<'_>, handles: &dyn Handles, gap: Duration) -> bool {
        // Messages left by the last poll go first, so that reading more cannot starve them.
        if std::mem::take(&mut self.is_late) {
            self.forget_gone(server, cx);
            self.catch_up(server, cx, true);
        }
        let half = cx.budget.half();
        let whole = std::mem::replace(&mut cx.budget, half);
        self.process_touched(server, cx);
        if !server.write_later(cx, false) {
            self.catch_up(server, cx, false);
        }
        cx.budget = whole;
        let half = cx.budget.half();
        let whole = std::mem::replace(&mut cx.budget, half);
        self.roster.notify(server, cx);
        cx.budget = whole;
        let mut more = server.poll(cx, handles, gap);
        more |= self.process_touched(server, cx);
        more |= self.catch_up(server, cx, false);
        more |= self.roster.notify(server, cx);
        if let Some(of_scene) = &mut self.scene {
            of_scene.judge_time(server, cx, gap);
            let Scene { own, cache, .. } = &mut of_scene.scene;
            more |= own.tell_due(cache, &mut ToClients { server, roster: &self.roster, cx });
        }
        more | server.write_later(cx, true)
    }

    /// Sends to a target. An error describes what is wrong with the target or the message.
    pub fn put(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        target: Target,
        text: bool,
        payload: &[u8],
    ) -> Result<Sent, Error> {
        let reach = self.roster.reach(target)?;
        if server.state() != State::Open {
            return Ok(Sent::NotOpen);
        }
        let framed = self.frame(target.encode(), text, payload)?;
        let result = match reach {
            Reach::One(key) if server.peer(key).is_some_and(|peer| !peer.endpoint.admitted) => {
                return Err(not_admitted(target.encode()));
            }
            Reach::One(key) => server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload)),
            reach => {
                let (whom, except) = reach.several();
                server.put_all(cx, text, framed.as_deref().unwrap_or(payload), whom, except)
            }
        };
        self.roster.scratch = kept(cx, framed.unwrap_or_default());
        Ok(result)
    }

    /// Sends to the subscribers of a topic, but not to the client `except`.
    pub fn publish(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        topic: &str,
        except: Option<i32>,
        kind: MessageType,
        payload: &[u8],
    ) -> Result<Sent, Error> {
        if kind == MessageType::Call {
            self.scene()?;
        } else if !matches!(kind, MessageType::Text | MessageType::Binary) {
            return Err(Error::new(ErrorCode::Arg, "what is published is text, bytes or a call"));
        }
        if server.state() != State::Open {
            return Ok(Sent::NotOpen);
        }
        let subscribers = server.subscribers(topic).to_vec();
        let reach = Reach::These(subscribers, except.and_then(|id| self.roster.place(id).ok()));
        let (whom, except) = reach.several();
        match kind {
            MessageType::Call => {
                let call = CallLimits::of(&server.endpoint.options).read(payload)?;
                self.scene()?.put_call(server, cx, reach, &call)
            }
            kind => {
                let text = kind == MessageType::Text;
                let framed = self.frame(Target::All.encode(), text, payload)?;
                let result = match server.subscribers(topic).is_empty() {
                    true => Sent::Taken,
                    false => server.put_all(cx, text, framed.as_deref().unwrap_or(payload), whom, except),
                };
                self.roster.scratch = kept(cx, framed.unwrap_or_default());
                Ok(result)
            }
        }
    }

    /// Sends to one client, by its key.
    pub fn put_one(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        key: u32,
        text: bool,
        payload: &[u8],
    ) -> Result<Sent, Error> {
        let (to, admitted) = server.peer(key).map_or((0, true), |peer| (peer.endpoint.label, peer.endpoint.admitted));
        if !admitted {
            return Err(not_admitted(to));
        }
        let framed = self.frame(to, text, payload)?;
        let result = server.put_one(cx, key, text, framed.as_deref().unwrap_or(payload));
        self.roster.scratch = kept(cx, framed.unwrap_or_default());
        Ok(result)
    }

    /// Sends a remote call to a target.
    pub fn put_call(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        target: Target,
        bytes: &[u8],
    ) -> Result<Sent, Error> {
        let reach = self.roster.reach(target)?;
        let call = CallLimits::of(&server.endpoint.options).read(bytes)?;
        self.scene()?.put_call(server, cx, reach, &call)
    }

    /// Like `put_call`, to one client, by its key.
    pub fn put_call_one(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        key: u32,
        bytes: &[u8],
    ) -> Result<Sent, Error> {
        let call = CallLimits::of(&server.endpoint.options).read(bytes)?;
        self.scene()?.put_call(server, cx, Reach::One(key), &call)
    }

    /// Sends data for the authentication of a peer.
    pub fn send_auth(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32, data: &[u8]) -> Result<Sent, Error> {
        self.scene()?.send_auth(server, cx, id, data)
    }

    /// Marks the authentication of a peer as complete on this side.
    pub fn complete_auth(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32) -> Result<Sent, Error> {
        let of_scene = self.scene.as_mut().ok_or_else(not_a_scene)?;
        let (sent, key) = of_scene.complete_auth(&mut self.roster, server, cx, id)?;
        // The next poll processes the messages held during authentication.
        if sent == Sent::Taken && server.peer(key).is_some_and(|peer| peer.endpoint.inbox.held() > 0) {
            self.behind.push(key);
        }
        Ok(sent)
    }

    /// Sends a packet of replication that the program made to a target.
    pub fn put_replication(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        target: Target,
        packet: &[u8],
    ) -> Result<Sent, Error> {
        self.scene()?;
        let reach = self.roster.reach(target)?;
        if server.state() != State::Open {
            return Ok(Sent::NotOpen);
        }
        match reach {
            Reach::One(key) if server.peer(key).is_some_and(|peer| !peer.endpoint.admitted) => {
                Err(not_admitted(target.encode()))
            }
            Reach::One(key) => Ok(server.put_one(cx, key, false, packet)),
            reach => {
                let (whom, except) = reach.several();
                Ok(server.put_all(cx, false, packet, whom, except))
            }
        }
    }

    /// Lets `act` replicate nodes.
    pub fn replicate<R>(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Scene, &mut dyn Outlet) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let of_scene = self.scene.as_mut().ok_or_else(not_a_scene)?;
        act(&mut of_scene.scene, &mut ToClients { server, roster: &self.roster, cx })
    }

    /// Declares a node; see ws_declare_node().
    pub fn declare(&mut self, path: &str, methods: Option<&str>) -> Result<(), Error> {
        self.scene()?.scene.declare(path, methods)
    }

    /// Returns the keys of the clients that a target selects.
    pub fn places(&self, server: &Server, target: Target) -> Result<Vec<u32>, Error> {
        self.roster.places(server, target)
    }

    /// Returns the key of a client by its id.
    pub fn place(&self, id: i32) -> Result<u32, Error> {
        self.roster.place(id)
    }

    fn scene(&mut self) -> Result<&mut SceneHost, Error> {
        self.scene.as_mut().ok_or_else(not_a_scene)
    }

    /// Frames the message in the scratch buffer. `None`: the format has no framing.
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
            Wire::Godot3 => {
                wire::frame3(std::mem::take(&mut self.roster.scratch), HOST_ID, to, text, payload).map(Some)
            }
        }
    }

    /// Forgets the clients whose slots were freed. Call it before a slot can be reused: an old id must not refer to the
    /// slot's next client.
    pub fn forget_gone(&mut self, server: &mut Server, cx: &mut Cx<'_>) {
        for id in std::mem::take(&mut server.above.gone) {
            self.remove_client(server, cx, id);
            self.roster.forget(id);
        }
    }

    /// Processes clients that opened, ended or sent since the last call: at least one, then until the budget is
    /// exhausted. Returns true if some are left.
    fn process_touched(&mut self, server: &mut Server, cx: &mut Cx<'_>) -> bool {
        self.forget_gone(server, cx);
        let mut over = false;
        // Noting the end of a client queues it here again, so only the initial entries are processed.
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
                // From now on the program sees this client.
                server.take_account(cx, key);
            }
            let Some(peer) = server.peer(key) else { continue };
            let (id, state) = (peer.endpoint.label, peer.state());
            let held = peer.endpoint.inbox.held();
            if held > 0 && self.may_process(server, key) {
                self.behind.push(key);
            } else if state == State::Closed {
                self.remove_client(server, cx, id);
            }
            over = cx.budget.is_spent();
        }
        false
    }

    /// Assigns an id to a client whose request the program has accepted, so that CONNECTED has it.
    pub fn accepted(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) {
        // The slots of clients that have been removed may be in use again.
        self.forget_gone(server, cx);
        if server.peer(key).is_some_and(|peer| peer.endpoint.label == 0 && peer.state() == State::Open) {
            self.admit(server, cx, key);
            server.take_account(cx, key);
        }
    }

    /// Assigns an id to a new client, then introduces it to the others or starts its authentication.
    fn admit(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) {
        let Some(id) = self.roster.assign_id(server, cx, key) else { return };
        match (&mut self.scene, self.roster.wire) {
            (Some(of_scene), _) => of_scene.add_client(&mut self.roster, server, cx, key, id),
            (None, Wire::Godot3) => self.roster.introduce(id),
            (None, _) => {}
        }
    }

    /// Notes the end of a client. The others are notified, except in the plain format of Godot 4.
    fn remove_client(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32) {
        let Some(key) = self.roster.leave(id) else { return };
        if let Some(peer) = server.peer(key).filter(|peer| peer.endpoint.label == id && !peer.endpoint.admitted) {
            peer.endpoint.drop_held(cx);
            server.take_account(cx, key);
        }
        if self.scene.as_mut().is_none_or(|of_scene| of_scene.remove_client(cx, id)) {
            self.roster.queue_departure(server, id);
        }
    }

    /// Whether a client's held messages may be processed now; see `Admission`. Without a scene: those of every client
    /// with an id.
    fn may_process(&self, server: &mut Server, key: u32) -> bool {
        let Some(peer) = server.peer(key).filter(|peer| peer.endpoint.label != 0) else { return false };
        peer.endpoint.admitted
            || self
                .scene
                .as_ref()
                .is_some_and(|of_scene| of_scene.may_process(peer.endpoint.label, peer.endpoint.inbox.held()))
    }

    /// Processes held messages, clients in turn: at least one, then until the budget is exhausted. A long call takes
    /// about as long as a poll may, so once half of the budget is spent, long messages wait for a poll that `begins`
    /// with this call. Returns true if messages are left.
    fn catch_up(&mut self, server: &mut Server, cx: &mut Cx<'_>, begins: bool) -> bool {
        let (mut over, mut begins) = (false, begins);
        while !over && let Some(key) = self.behind.front() {
            if !begins && is_late(server, cx, key) {
                self.is_late = true;
                return true;
            }
            self.behind.pop();
            let mut left = TURN;
            while !over && left > 0 && (begins || !is_late(server, cx, key)) && self.process_held(server, cx, key) {
                begins = false;
                left -= 1;
                over = cx.budget.is_spent();
            }
            // Released messages become visible to the program, and the inbound queue may have room again.
            server.take_account(cx, key);
            server.read_on(key);
            let Some(peer) = server.peer(key) else { continue };
            let (held, state, id) = (peer.endpoint.inbox.held(), peer.state(), peer.endpoint.label);
            if held > 0 && self.may_process(server, key) {
                self.behind.push(key);
            } else if state == State::Closed {
                self.remove_client(server, cx, id);
            }
        }
        !self.behind.is_empty()
    }

    /// Processes one held message of a client. Returns false if none may be processed.
    fn process_held(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) -> bool {
        if !self.may_process(server, key) {
            return false;
        }
        if let Some(of_scene) = &mut self.scene {
            return of_scene.process_held(&mut self.roster, server, cx, key);
        }
        let Some(peer) = server.peer(key) else { return false };
        let own = peer.endpoint.label;
        let Some((text, bytes)) = peer.endpoint.inbox.first_held(cx.arena) else { return false };
        let target = match wire::read3(text, bytes) {
            Ok(Message3::Payload { from, to }) if from == own => Target::decode(to).map_err(Error::into_message),
            Ok(Message3::Payload { from, .. }) => Err(format!("it says that {from} sent what {own} has sent")),
            Ok(_) => Err("it sent what only a host may send".to_owned()),
            Err(why) => Err(why),
        };
        match target {
            Ok(Target::One(HOST_ID)) => peer.endpoint.inbox.release(wire::HEADER as u32, 0),
            Ok(target) => {
                let Some(passed) = Passed::first_of(&peer.endpoint.inbox, cx.arena, &[], 0, &mut self.roster.scratch)
                else {
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

/// Whether a client's next message is long and half of the poll's budget is spent.
fn is_late(server: &mut Server, cx: &Cx<'_>, key: u32) -> bool {
    server.peer(key).is_some_and(|peer| peer.endpoint.inbox.first_held_len() > LONG) && cx.budget.is_half_spent()
}
