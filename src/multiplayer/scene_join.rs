//! A join in a scene: its authentication, the others by way of the host, and calls.

use super::join::{Join, greet};
use super::scene::packet::{self, Packet, RELAY_HEAD};
use super::scene_host::{not_a_scene, over};
use super::scene_packets::{Admission, CallLimits, Scene, SceneSettings, Source, note, take_auth};
use super::{HOST_ID, Target, kept};
use crate::codes::*;
use crate::connection::Connection;
use crate::endpoint::Mark;
use crate::error::Error;
use crate::heap;
use crate::link::Sent;
use crate::names::NO_RELAY;
use crate::status::{Cause, ErrorCode, EventKind};
use crate::work::Cx;
use std::time::Instant;

/// What a join keeps of its scene.
pub struct SceneJoin {
    /// What a host keeps too.
    pub scene: Scene,
    /// The host is there for the program.
    pub is_in: bool,
    /// The authentication of the host.
    pub admission: Admission,
    /// When the authentication must be over.
    pub deadline: Option<Instant>,
}

impl SceneJoin {
    /// Before the id has come.
    pub fn new(settings: SceneSettings) -> SceneJoin {
        SceneJoin { scene: Scene::new(settings), is_in: false, admission: Admission::default(), deadline: None }
    }

    /// Whether one of so many held messages of the host is to be inspected.
    pub fn hears(&self, held: usize) -> bool {
        self.is_in || self.admission.hears(held)
    }
}

impl Join {
    /// The id has come.
    pub(super) fn enter_scene(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) {
        let Some(of_scene) = &mut self.scene else { return };
        self.id = id;
        peer.endpoint.inbox.drop_held();
        if !of_scene.scene.settings.auth {
            return self.be_admitted(peer, cx);
        }
        of_scene.deadline = peer.endpoint.options.time(WS_OPT_AUTH_TIMEOUT_MS).map(|timeout| cx.now + timeout);
        peer.endpoint.inbox.push_mark_here(Mark { peer_id: HOST_ID, ..Mark::new(EventKind::Authenticating, cx.time_ns()) });
    }

    /// Looks at the first held message; `Err`: the host broke the format.
    pub(super) fn look_in_scene(&mut self, peer: &mut Connection, cx: &mut Cx<'_>) -> Result<(), String> {
        let Some(of_scene) = &mut self.scene else { return Ok(()) };
        let time_ns = cx.time_ns();
        if !of_scene.is_in {
            if !of_scene.admission.local {
                return take_auth(&mut peer.endpoint.inbox, cx.arena, &mut of_scene.admission, HOST_ID, time_ns);
            }
            // The host has seen our end: whatever comes now comes from one who is here.
            self.be_admitted(peer, cx);
        }
        let Some((_, bytes)) = peer.endpoint.inbox.first_held(cx.arena) else { return Ok(()) };
        let from = match packet::read(bytes) {
            Ok(Packet::Add(id)) => return self.hear_of(peer, cx, id, true),
            Ok(Packet::Del(id)) => return self.hear_of(peer, cx, id, false),
            Ok(Packet::Relay { peer: from, .. }) => Some(from),
            _ => None,
        };
        let marks = peer.endpoint.inbox.marks();
        match from {
            Some(from) => self.take_relayed(peer, cx, from)?,
            None => self.take_packet(peer, cx, HOST_ID, 0)?,
        }
        // An ERROR, if anything.
        self.ends += peer.endpoint.inbox.marks() - marks;
        Ok(())
    }

    fn hear_of(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32, is_here: bool) -> Result<(), String> {
        let Some(of_scene) = &mut self.scene else { return Ok(()) };
        if !of_scene.scene.settings.relay {
            self.refuse_relay(peer, cx);
            return Ok(());
        }
        if is_here {
            self.check_newcomer(id)?;
        }
        let Some(of_scene) = &mut self.scene else { return Ok(()) };
        if is_here && id != self.id && self.others.insert(id) {
            greet(peer, cx, id);
        } else if !is_here && self.others.remove(&id) {
            of_scene.scene.cache.leave(id);
            self.lose(peer, cx, id);
        }
        peer.endpoint.inbox.drop_held();
        Ok(())
    }

    fn take_relayed(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, from: i32) -> Result<(), String> {
        let Some(of_scene) = &self.scene else { return Ok(()) };
        if !of_scene.scene.settings.relay {
            self.refuse_relay(peer, cx);
            return Ok(());
        }
        if from == HOST_ID || !self.others.contains(&from) {
            return Err(format!("it passed on what {from} sent, who is not there"));
        }
        // The host passes on without a look, so it is not to blame for what it passes on.
        if let Err(why) = self.take_packet(peer, cx, from, RELAY_HEAD) {
            peer.endpoint.inbox.drop_held();
            let why = format!("peer {from} broke the format of the scene: {why}");
            note(&mut peer.endpoint.inbox, from, Cause::Multiplayer, &why, cx.time_ns());
        }
        Ok(())
    }

    fn take_packet(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, from: i32, head: usize) -> Result<(), String> {
        let Some(of_scene) = &mut self.scene else { return Ok(()) };
        let source = Source { peer: from, told: from, head, time_ns: cx.time_ns(), limits: CallLimits::of(&peer.endpoint.options) };
        if let Some(reply) = of_scene.scene.take(&mut peer.endpoint.inbox, cx.arena, source)? {
            // Without it the other goes on to send the path, which serves as well.
            self.scratch.clear();
            put_head(&mut self.scratch, from);
            self.scratch.extend_from_slice(&reply);
            peer.put(|| &mut *cx, false, &self.scratch);
        }
        Ok(())
    }

    fn refuse_relay(&self, peer: &mut Connection, cx: &Cx<'_>) {
        peer.endpoint.inbox.drop_held();
        note(
            &mut peer.endpoint.inbox,
            HOST_ID,
            Cause::Unsupported,
            &format!("the host passes on what others send, and {NO_RELAY} is set here"),
            cx.time_ns(),
        );
    }

    /// Puts bytes of the game's own, as Godot's send_bytes; a target that was checked.
    pub(super) fn put_raw(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, target: Target, payload: &[u8]) -> Sent {
        let relays = self.scene.as_ref().is_some_and(|of_scene| of_scene.scene.settings.relay);
        if !relays && target == Target::AllBut(HOST_ID) {
            // There is nobody else.
            return if peer.may_put() { Sent::Taken } else { Sent::NotOpen };
        }
        self.scratch.clear();
        put_head(&mut self.scratch, if relays { target.encode() } else { HOST_ID });
        packet::put_raw(&mut self.scratch);
        if !heap::append(&mut self.scratch, payload) {
            return Sent::NoMemory;
        }
        let sent = peer.put(|| &mut *cx, false, &self.scratch);
        self.scratch = kept(cx, std::mem::take(&mut self.scratch));
        sent
    }

    /// Puts a call to a target; `None`: to everyone.
    pub fn put_call(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, target: Option<Target>, bytes: &[u8]) -> Result<Sent, Error> {
        let call = CallLimits::of(&peer.endpoint.options).read(bytes)?;
        let target = target.unwrap_or(Target::All);
        let of_scene = self.scene.as_ref().ok_or_else(not_a_scene)?;
        if !of_scene.is_in || !peer.may_put() {
            return Ok(Sent::NotOpen);
        }
        self.check(Some(target))?;
        let of_scene = self.scene.as_mut().ok_or_else(not_a_scene)?;
        let mut route = of_scene.scene.cache.route(&call)?;
        let targets: Vec<i32> = match target {
            Target::One(id) => vec![id],
            Target::All => self.others.iter().copied().collect(),
            Target::AllBut(except) => self.others.iter().copied().filter(|id| *id != except).collect(),
        };
        for id in &targets {
            if route.is_told(*id) {
                continue;
            }
            self.scratch.clear();
            put_head(&mut self.scratch, *id);
            self.scratch.extend_from_slice(&route.announcement());
            match peer.put(|| &mut *cx, false, &self.scratch) {
                Sent::Taken => route.tell(*id),
                other => return Ok(other),
            }
        }
        if let [id] = targets[..] {
            self.scratch.clear();
            put_head(&mut self.scratch, id);
            if !route.reserve(&mut self.scratch, &call) {
                return Ok(Sent::NoMemory);
            }
            let is_known = route.is_known(id);
            route.put(&mut self.scratch, &call, is_known, is_known);
            let sent = peer.put(|| &mut *cx, false, &self.scratch);
            self.scratch = kept(cx, std::mem::take(&mut self.scratch));
            return Ok(sent);
        }
        let all_know = targets.iter().all(|id| route.is_known(*id));
        let calls: Option<Vec<Vec<u8>>> = targets
            .iter()
            .map(|id| {
                let mut packet = Vec::new();
                put_head(&mut packet, *id);
                if !route.reserve(&mut packet, &call) {
                    return None;
                }
                route.put(&mut packet, &call, route.is_known(*id), all_know);
                Some(packet)
            })
            .collect();
        Ok(calls.map_or(Sent::NoMemory, |calls| peer.put_together(cx, &calls)))
    }

    /// Sends data for the authentication of the host.
    pub fn send_auth(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, id: i32, data: &[u8]) -> Result<Sent, Error> {
        let of_scene = self.authenticating(id)?;
        if of_scene.admission.local || of_scene.admission.remote {
            return Err(over(id));
        }
        self.scratch.clear();
        packet::put_auth(&mut self.scratch, data);
        Ok(peer.put(|| &mut *cx, false, &self.scratch))
    }

    /// The authentication of the host is complete on this side.
    pub fn complete_auth(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, id: i32) -> Result<Sent, Error> {
        if self.authenticating(id)?.admission.local {
            return Err(over(id));
        }
        self.scratch.clear();
        packet::put_auth(&mut self.scratch, &[]);
        let sent = peer.put(|| &mut *cx, false, &self.scratch);
        let of_scene = self.authenticating(id)?;
        let admission = &mut of_scene.admission;
        admission.local |= sent == Sent::Taken;
        if admission.local && admission.remote {
            self.be_admitted(peer, cx);
        }
        Ok(sent)
    }

    /// Declares a node; see ws_declare_node().
    pub fn declare(&mut self, path: &str, methods: Option<&str>) -> Result<(), Error> {
        let cache = &mut self.scene.as_mut().ok_or_else(not_a_scene)?.scene.cache;
        match methods {
            Some(methods) => cache.declare(path, methods),
            None => cache.forget(path),
        }
    }

    fn authenticating(&mut self, id: i32) -> Result<&mut SceneJoin, Error> {
        let known = self.id != 0;
        let of_scene = self.scene.as_mut().ok_or_else(not_a_scene)?;
        if id != HOST_ID || of_scene.is_in || !known || !of_scene.scene.settings.auth {
            return Err(Error::new(
                ErrorCode::Target,
                format!("peer {id} is not being authenticated: one who joins knows AUTHENTICATING of peer 1 alone"),
            ));
        }
        Ok(of_scene)
    }

    /// The host is there from now on.
    fn be_admitted(&mut self, peer: &mut Connection, cx: &Cx<'_>) {
        let Some(of_scene) = &mut self.scene else { return };
        of_scene.is_in = true;
        of_scene.deadline = None;
        self.others.insert(HOST_ID);
        self.open(peer, self.id);
        greet(peer, cx, HOST_ID);
        peer.endpoint.let_in(cx);
    }
}

/// The head of a packet to one peer or to several: none for the host alone.
fn put_head(out: &mut Vec<u8>, to: i32) {
    if to != HOST_ID {
        packet::put_relay(out, to);
    }
}
