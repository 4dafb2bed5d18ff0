//! A join's scene: authentication of the host, other peers through the host, and remote calls.

use super::deadline::Deadline;
use super::membership::{Membership, Other, greet};
use super::scene::Call;
use super::scene::packet::{self, Packet, RELAY_HEAD};
use super::scene_packets::{Admission, CallLimits, Scene, SceneSettings, Source, note, over, take_auth};
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

/// The scene state of a join.
pub struct SceneJoin {
    /// The state that a host has too.
    pub scene: Scene,
    /// The host is admitted.
    pub is_in: bool,
    /// The authentication of the host.
    pub admission: Admission,
    /// When the authentication must be complete.
    pub deadline: Option<Deadline>,
}

impl SceneJoin {
    /// The state before the id is received.
    pub fn new(settings: SceneSettings) -> SceneJoin {
        SceneJoin { scene: Scene::new(settings), is_in: false, admission: Admission::default(), deadline: None }
    }

    /// Forgets what it knows of peers. Declared nodes stay.
    pub fn leave(&mut self, cx: &Cx<'_>) {
        self.is_in = false;
        self.admission = Admission::default();
        self.deadline = None;
        self.scene.leave_all(cx);
    }

    /// Whether one of `held` held messages of the host may be processed.
    pub fn may_process(&self, held: usize) -> bool {
        self.is_in || self.admission.may_process(held)
    }

    /// Stores the id, then admits the host or starts its authentication.
    pub fn enter(&mut self, membership: &mut Membership, peer: &mut Connection, cx: &Cx<'_>, id: i32) {
        membership.id = id;
        peer.endpoint.inbox.drop_held();
        if !self.scene.settings.auth {
            return self.be_admitted(membership, peer, cx);
        }
        let timeout = peer.endpoint.options.time(WS_OPT_AUTH_TIMEOUT_MS);
        self.deadline = timeout.map(|timeout| Deadline::after(timeout, peer, cx.now));
        peer.endpoint
            .inbox
            .push_mark_here(Mark { label: HOST_ID, ..Mark::new(EventKind::Authenticating, cx.time_ns()) });
    }

    /// Processes the next held message; `Err`: the host broke the format.
    pub fn process_held(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
    ) -> Result<(), String> {
        let time_ns = cx.time_ns();
        if !self.is_in {
            if !self.admission.local {
                return take_auth(&mut peer.endpoint.inbox, cx.arena, &mut self.admission, HOST_ID, time_ns);
            }
            // The program has completed the authentication, so the host's next packet admits it.
            self.be_admitted(membership, peer, cx);
        }
        let Some((_, bytes)) = peer.endpoint.inbox.first_held(cx.arena) else { return Ok(()) };
        let from = match packet::read(bytes) {
            Ok(Packet::Add(id)) => return self.note_other(membership, peer, cx, id, true),
            Ok(Packet::Del(id)) => return self.note_other(membership, peer, cx, id, false),
            Ok(Packet::Relay { peer: from, .. }) => Some(from),
            _ => None,
        };
        let (marks, messages) = (peer.endpoint.inbox.marks(), peer.endpoint.inbox.ready());
        match from {
            Some(from) => {
                self.take_relayed(membership, peer, cx, from)?;
                if peer.endpoint.inbox.ready() > messages {
                    membership.note_message(from);
                }
            }
            None => self.take_packet(membership, peer, cx, HOST_ID, 0)?,
        }
        membership.limit_errors(peer, cx, marks);
        Ok(())
    }

    fn note_other(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &Cx<'_>,
        id: i32,
        is_here: bool,
    ) -> Result<(), String> {
        if !self.scene.settings.relay {
            self.refuse_relay(peer, cx);
            return Ok(());
        }
        if is_here {
            membership.check_newcomer(id)?;
        }
        if is_here {
            if membership.greet(peer, cx, id) {
                self.scene.own.meet(id);
            }
        } else if membership.part(peer, cx, id) {
            self.scene.leave(cx, id);
        }
        peer.endpoint.inbox.drop_held();
        Ok(())
    }

    fn take_relayed(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        from: i32,
    ) -> Result<(), String> {
        if !self.scene.settings.relay {
            self.refuse_relay(peer, cx);
            return Ok(());
        }
        if from == HOST_ID || !membership.others.contains_key(&from) {
            return Err(format!("it passed on what {from} sent, who is not there"));
        }
        // The host relays without inspection, so it is not at fault for a malformed packet.
        if let Err(why) = self.take_packet(membership, peer, cx, from, RELAY_HEAD) {
            peer.endpoint.inbox.drop_held();
            let why = format!("peer {from} broke the format of the scene: {why}");
            note(&mut peer.endpoint.inbox, from, Cause::Multiplayer, &why, cx.time_ns());
        }
        Ok(())
    }

    fn take_packet(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        from: i32,
        head: usize,
    ) -> Result<(), String> {
        let source = Source {
            peer: from,
            label: from,
            head,
            time_ns: cx.time_ns(),
            limits: CallLimits::of(&peer.endpoint.options),
        };
        if let Some(reply) = self.scene.take(&mut peer.endpoint.inbox, cx.arena, source)? {
            // Without this reply the peer keeps sending the path, which works as well.
            membership.scratch.clear();
            put_head(&mut membership.scratch, from);
            membership.scratch.extend_from_slice(&reply);
            peer.put(cx, false, &membership.scratch);
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

    /// Sends raw bytes, like Godot's send_bytes, to a target that was checked; with `replicates` a packet of replication
    /// that the program made.
    pub fn put_raw(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        target: Target,
        replicates: bool,
        payload: &[u8],
    ) -> Sent {
        let relays = self.scene.settings.relay;
        if !relays && target == Target::AllBut(HOST_ID) {
            // Without relaying there are no other peers.
            return if peer.may_put() { Sent::Taken } else { Sent::NotOpen };
        }
        membership.scratch.clear();
        put_head(&mut membership.scratch, if relays { target.encode() } else { HOST_ID });
        if !replicates {
            packet::put_raw(&mut membership.scratch);
        }
        if !heap::append(&mut membership.scratch, payload) {
            return Sent::NoMemory;
        }
        let sent = peer.put(cx, false, &membership.scratch);
        membership.scratch = kept(cx, std::mem::take(&mut membership.scratch));
        sent
    }

    /// Sends a remote call to a target.
    pub fn put_call(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        target: Target,
        call: &Call<'_>,
    ) -> Result<Sent, Error> {
        if !self.is_in || !peer.may_put() {
            return Ok(Sent::NotOpen);
        }
        membership.check(Some(target))?;
        let mut route = self.scene.cache.route(call)?;
        let targets: Vec<i32> = match target {
            Target::One(id) => vec![id],
            Target::All => membership.others.keys().copied().collect(),
            Target::AllBut(except) => membership.others.keys().copied().filter(|id| *id != except).collect(),
        };
        for id in &targets {
            if route.is_sent(*id) {
                continue;
            }
            membership.scratch.clear();
            put_head(&mut membership.scratch, *id);
            membership.scratch.extend_from_slice(&route.announcement());
            match peer.put(cx, false, &membership.scratch) {
                Sent::Taken => route.note_sent(*id),
                other => return Ok(other),
            }
        }
        if let [id] = targets[..] {
            membership.scratch.clear();
            put_head(&mut membership.scratch, id);
            if !route.reserve(&mut membership.scratch, call) {
                return Ok(Sent::NoMemory);
            }
            let is_known = route.is_known(id);
            route.put(&mut membership.scratch, call, is_known, is_known);
            let sent = peer.put(cx, false, &membership.scratch);
            membership.scratch = kept(cx, std::mem::take(&mut membership.scratch));
            return Ok(sent);
        }
        let all_know = targets.iter().all(|id| route.is_known(*id));
        let calls: Option<Vec<Vec<u8>>> = targets
            .iter()
            .map(|id| {
                let mut packet = Vec::new();
                put_head(&mut packet, *id);
                if !route.reserve(&mut packet, call) {
                    return None;
                }
                route.put(&mut packet, call, route.is_known(*id), all_know);
                Some(packet)
            })
            .collect();
        Ok(calls.map_or(Sent::NoMemory, |calls| peer.put_together(cx, &calls)))
    }

    /// Sends data for the authentication of the host.
    pub fn send_auth(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        id: i32,
        data: &[u8],
    ) -> Result<Sent, Error> {
        self.check_authenticating(membership, id)?;
        if self.admission.local || self.admission.remote {
            return Err(over(id));
        }
        membership.scratch.clear();
        packet::put_auth(&mut membership.scratch, data);
        Ok(peer.put(cx, false, &membership.scratch))
    }

    /// Marks the authentication of the host as complete on this side.
    pub fn complete_auth(
        &mut self,
        membership: &mut Membership,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        id: i32,
    ) -> Result<Sent, Error> {
        self.check_authenticating(membership, id)?;
        if self.admission.local {
            return Err(over(id));
        }
        membership.scratch.clear();
        packet::put_auth(&mut membership.scratch, &[]);
        let sent = peer.put(cx, false, &membership.scratch);
        self.admission.local |= sent == Sent::Taken;
        if self.admission.local && self.admission.remote {
            self.be_admitted(membership, peer, cx);
        }
        Ok(sent)
    }

    fn check_authenticating(&self, membership: &Membership, id: i32) -> Result<(), Error> {
        let known = membership.id != 0;
        if id != HOST_ID || self.is_in || !known || !self.scene.settings.auth {
            return Err(Error::new(
                ErrorCode::Target,
                format!("peer {id} is not being authenticated: one who joins knows AUTHENTICATING of peer 1 alone"),
            ));
        }
        Ok(())
    }

    /// Admits the host, and queues OPEN and CONNECTED.
    fn be_admitted(&mut self, membership: &mut Membership, peer: &mut Connection, cx: &Cx<'_>) {
        self.is_in = true;
        self.deadline = None;
        membership.others.insert(HOST_ID, Other::default());
        membership.open(peer, membership.id);
        greet(peer, cx, HOST_ID);
        peer.endpoint.admit(cx);
        self.scene.own.meet(HOST_ID);
    }
}

/// Appends the relay header, unless the packet is for the host alone.
pub(super) fn put_head(out: &mut Vec<u8>, to: i32) {
    if to != HOST_ID {
        packet::put_relay(out, to);
    }
}
