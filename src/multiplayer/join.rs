//! A join, which is a client of a multiplayer host (ws_join). It is OPEN once the host has sent it an id. In Godot 3's
//! format and in a scene it also knows the other peers, and reaches them through the host.

use super::deadline::Deadline;
use super::membership::{Membership, greet};
use super::outlets::ThroughHost;
use super::scene::packet::{RAW_HEAD, RELAY_HEAD};
use super::scene::replication::Outlet;
use super::scene_join::SceneJoin;
use super::scene_packets::{CallLimits, Scene, SceneSettings, check_raw, not_a_scene};
use super::wire::{self, Message3, Wire};
use super::{HOST_ID, LONG, Target, kept, violation};
use crate::connection::Connection;
use crate::error::{Error, Failure};
use crate::link::Sent;
use crate::names::{AUTH_TIMEOUT_MS, CONNECT_TIMEOUT_MS};
use crate::status::{Cause, EventKind, Phase, State};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// compared with all of them.
const FEW_MARKS: usize = 64;

/// Bytes. The clock is read after each longer message, not only after every 64th.
const SHORT: usize = 256;

/// What a join has beside its connection to the host. The methods take that connection as `peer`.
pub struct Join {
    membership: Membership,
    /// How long the id may take.
    timeout: Option<Duration>,
    /// When the id must have been received.
    deadline: Option<Deadline>,
    /// A long message is left for the next poll, which processes it before it reads from the connection.
    pub is_late: bool,
    /// In Godot 4's format, messages may be sent before the id is received (WS_QUEUE_BEFORE_OPEN).
    early: bool,
    /// The scene's state, with Wire::Scene only.
    scene: Option<SceneJoin>,
}

impl Join {
    /// Makes a join from a client that is not open yet. The id must be received within `timeout` from `now` on.
    pub fn new(
        wire: Wire,
        scene: SceneSettings,
        peer: &mut Connection,
        timeout: Option<Duration>,
        early: bool,
        now: Instant,
    ) -> Join {
        peer.endpoint.label = HOST_ID;
        // Received messages are held until `look` has inspected them.
        peer.endpoint.inbox.holds = true;
        let deadline = timeout.map(|timeout| Deadline::after(timeout, peer, now));
        if scene.auth {
            peer.endpoint.withhold();
        }
        let scene = (wire == Wire::Scene).then(|| SceneJoin::new(scene));
        Join { membership: Membership::new(wire), timeout, deadline, is_late: false, early, scene }
    }

    /// The next link to the host begins to open.
    pub fn begin_link(&mut self, peer: &mut Connection, cx: &Cx<'_>) {
        self.deadline = self.timeout.map(|timeout| Deadline::after(timeout, peer, cx.now));
        peer.endpoint.inbox.holds = true;
        if self.scene.as_ref().is_some_and(|of_scene| of_scene.scene.settings.auth) {
            peer.endpoint.withhold_again();
        }
    }

    /// After the last message of a lost link: forgets the id and all peers. Declared nodes stay.
    fn leave(&mut self, peer: &mut Connection, cx: &Cx<'_>) {
        if self.membership.opened.is_some() {
            peer.forget_loss();
        }
        self.membership.leave(cx);
        self.deadline = None;
        self.is_late = false;
        if let Some(of_scene) = &mut self.scene {
            of_scene.leave(cx);
        }
    }

    /// Heap bytes kept about other peers, beside queued messages.
    pub fn kept_bytes(&self) -> usize {
        self.membership.kept_bytes() + self.scene.as_ref().map_or(0, |of_scene| of_scene.scene.kept_bytes())
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.membership.is_large() || self.scene.as_ref().is_some_and(|of_scene| of_scene.scene.is_large())
    }

    /// Our id, or 0 before it is received.
    pub fn id(&self) -> i32 {
        self.membership.id
    }

    /// Maximum bytes of framing in front of a message.
    pub fn header_bytes(&self) -> usize {
        match self.membership.wire {
            Wire::Godot4 => 0,
            Wire::Scene => RELAY_HEAD + RAW_HEAD,
            Wire::Godot3 => wire::HEADER,
        }
    }

    /// The connection's state, except that OPEN also requires an id and, in a scene, admission.
    pub fn state(&self, peer: &Connection) -> State {
        match peer.state() {
            State::Open if self.membership.id == 0 || self.scene.as_ref().is_some_and(|of_scene| !of_scene.is_in) => {
                if self.membership.was_open {
                    State::Lost
                } else {
                    State::Connecting
                }
            }
            State::Lost if !self.membership.was_open => State::Connecting,
            state => state,
        }
    }

    /// Processes received messages. Call it after the connection was polled. Returns true if messages are left.
    pub fn process_held(&mut self, peer: &mut Connection, cx: &mut Cx<'_>) -> bool {
        if self.membership.opened.is_none() && self.membership.id == 0 {
            // The program gets OPEN only after the id, from `Membership::open`.
            self.membership.opened = peer.endpoint.inbox.take_own_mark(EventKind::Open);
        }
        let mut begins = std::mem::take(&mut self.is_late);
        while self.may_process(peer)
            && let Some((text, bytes)) = peer.endpoint.inbox.first_held(cx.arena)
        {
            // As on a host: once half of the budget is spent, a long message of a scene waits for the next poll,
            // which begins with it, whatever its budget.
            if !std::mem::take(&mut begins) && self.scene.is_some() && bytes.len() > LONG && cx.budget.is_half_spent() {
                self.is_late = true;
                break;
            }
            let is_long = bytes.len() > SHORT;
            let membership = &mut self.membership;
            let done = match (&mut self.scene, membership.wire) {
                (Some(of_scene), _) if membership.id == 0 => {
                    wire::read_id(text, bytes).map(|id| of_scene.enter(membership, peer, cx, id))
                }
                (Some(of_scene), _) => of_scene.process_held(membership, peer, cx),
                (None, Wire::Godot3) => wire::read3(text, bytes).and_then(|message| self.take(peer, cx, message)),
                (None, _) => wire::read_id(text, bytes).map(|id| self.take_id(peer, cx, id)),
            };
            if let Err(why) = done {
                fail(peer, cx, violation(format!("the host broke the multiplayer format: {why}")));
                peer.endpoint.drop_held(cx);
            }
            // A long message, or many unread events, take long enough to read the clock.
            let is_over = if is_long || peer.endpoint.inbox.marks() > FEW_MARKS {
                cx.budget.is_spent()
            } else {
                cx.budget.spend_frame()
            };
            if is_over {
                break;
            }
        }
        // Packets that wait for the authentication, which can no longer be completed.
        let keeps_session = peer.keeps_session();
        if keeps_session && self.membership.opened.is_some() {
            peer.hide_losses();
        }
        if (peer.state() == State::Closed || (peer.is_resting() && !keeps_session)) && !self.may_process(peer) {
            peer.endpoint.drop_held(cx);
        }
        if peer.has_lost() && !keeps_session && peer.endpoint.inbox.held() == 0 {
            self.leave(peer, cx);
        }
        if self.membership.id == 0
            && (peer.state() == State::Open || peer.has_lost_session())
            && self.deadline.as_mut().is_some_and(|deadline| deadline.is_over(peer, cx.now))
        {
            let why = format!(
                "the host sent no id within {CONNECT_TIMEOUT_MS}: it may not be a multiplayer host, or it speaks the format of another Godot"
            );
            fail(peer, cx, Failure { close_code: 1002, ..Failure::new(Phase::Websocket, Cause::ConnectTimeout, why) });
        }
        let auth_deadline = self.scene.as_mut().and_then(|of_scene| of_scene.deadline.as_mut());
        if (peer.state() == State::Open || peer.has_lost_session())
            && auth_deadline.is_some_and(|deadline| deadline.is_over(peer, cx.now))
        {
            let why = format!(
                "the host was not authenticated within {AUTH_TIMEOUT_MS}: has it completed, and was ws_complete_auth called?"
            );
            fail(peer, cx, Failure { close_code: 1008, ..Failure::new(Phase::App, Cause::AuthTimeout, why) });
            if let Some(of_scene) = &mut self.scene {
                of_scene.admission.refused = true;
            }
            peer.endpoint.refuse_messages(cx);
        }
        peer.endpoint.inbox.held() > 0 && self.may_process(peer)
    }

    /// When `look` has to check the next deadline.
    pub fn next_timer(&self) -> Option<Instant> {
        let of_scene = self.scene.as_ref().and_then(|of_scene| of_scene.deadline);
        self.deadline.filter(|_| self.membership.id == 0).or(of_scene).map(|deadline| deadline.at)
    }

    /// Extends the deadlines by the length of a gap in polling.
    pub fn shift(&mut self, gap: Duration) {
        let of_scene = self.scene.as_mut().and_then(|of_scene| of_scene.deadline.as_mut());
        self.deadline.iter_mut().chain(of_scene).for_each(|deadline| deadline.shift(gap));
    }

    /// Sends to a target. `None` means the host in Godot 4's format, and everyone in a scene and in Godot 3's format.
    pub fn put(
        &mut self,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        target: Option<Target>,
        text: bool,
        payload: &[u8],
    ) -> Result<Sent, Error> {
        if self.membership.id == 0 && !(self.early && self.membership.wire == Wire::Godot4) {
            return Ok(Sent::NotOpen);
        }
        self.membership.check(target)?;
        match &mut self.scene {
            None if self.membership.wire == Wire::Godot4 => return Ok(peer.put(cx, text, payload)),
            Some(of_scene) if !of_scene.is_in => return Ok(Sent::NotOpen),
            Some(of_scene) => {
                check_raw(text, payload)?;
                let target = target.unwrap_or(Target::All);
                return Ok(of_scene.put_raw(&mut self.membership, peer, cx, target, false, payload));
            }
            None => {}
        }
        let to = target.unwrap_or(Target::All).encode();
        self.membership.scratch =
            wire::frame3(std::mem::take(&mut self.membership.scratch), self.membership.id, to, text, payload)?;
        let sent = peer.put(cx, false, &self.membership.scratch);
        self.membership.scratch = kept(cx, std::mem::take(&mut self.membership.scratch));
        Ok(sent)
    }

    /// Sends a remote call to a target; `None` means everyone.
    pub fn put_call(
        &mut self,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        target: Option<Target>,
        bytes: &[u8],
    ) -> Result<Sent, Error> {
        let call = CallLimits::of(&peer.endpoint.options).read(bytes)?;
        self.scene.as_mut().ok_or_else(not_a_scene)?.put_call(
            &mut self.membership,
            peer,
            cx,
            target.unwrap_or(Target::All),
            &call,
        )
    }

    /// Sends a packet of replication that the program made to a target; `None` means everyone.
    pub fn put_replication(
        &mut self,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        target: Option<Target>,
        packet: &[u8],
    ) -> Result<Sent, Error> {
        let of_scene = self.scene.as_mut().ok_or_else(not_a_scene)?;
        if self.membership.id == 0 || !of_scene.is_in {
            return Ok(Sent::NotOpen);
        }
        self.membership.check(target)?;
        Ok(of_scene.put_raw(&mut self.membership, peer, cx, target.unwrap_or(Target::All), true, packet))
    }

    /// Lets `act` replicate nodes.
    pub fn replicate<R>(
        &mut self,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Scene, &mut dyn Outlet) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let SceneJoin { scene, is_in, .. } = self.scene.as_mut().ok_or_else(not_a_scene)?;
        act(scene, &mut ThroughHost { peer, membership: &mut self.membership, cx, is_in: *is_in })
    }

    /// Tells peers of nodes what they have to be told. True: more is left.
    pub fn tell_due(&mut self, peer: &mut Connection, cx: &mut Cx<'_>) -> bool {
        let Some(SceneJoin { scene, is_in: true, .. }) = &mut self.scene else { return false };
        let Scene { own, cache, .. } = scene;
        own.tell_due(cache, &mut ThroughHost { peer, membership: &mut self.membership, cx, is_in: true })
    }

    /// Sends data for the authentication of the host.
    pub fn send_auth(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, id: i32, data: &[u8]) -> Result<Sent, Error> {
        self.scene.as_mut().ok_or_else(not_a_scene)?.send_auth(&mut self.membership, peer, cx, id, data)
    }

    /// Marks the authentication of the host as complete on this side.
    pub fn complete_auth(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, id: i32) -> Result<Sent, Error> {
        self.scene.as_mut().ok_or_else(not_a_scene)?.complete_auth(&mut self.membership, peer, cx, id)
    }

    /// Declares a node; see ws_declare_node().
    pub fn declare(&mut self, path: &str, methods: Option<&str>) -> Result<(), Error> {
        self.scene.as_mut().ok_or_else(not_a_scene)?.scene.declare(path, methods)
    }

    /// Godot 4: stores the id, which is the first message. All later messages go to the program unchanged.
    fn take_id(&mut self, peer: &mut Connection, cx: &Cx<'_>, id: i32) {
        self.membership.open(peer, id);
        greet(peer, cx, HOST_ID);
        peer.endpoint.inbox.drop_held();
        peer.endpoint.inbox.release_all();
    }

    /// Godot 3: processes one message.
    fn take(&mut self, peer: &mut Connection, cx: &Cx<'_>, message: Message3) -> Result<(), String> {
        match message {
            Message3::Id(id) if self.membership.id == 0 => self.membership.open(peer, id),
            Message3::Id(_) => return Err("it gave an id twice".to_owned()),
            _ if self.membership.id == 0 => return Err("its first message gives no id".to_owned()),
            Message3::Payload { from, .. } if from >= HOST_ID => {
                peer.endpoint.inbox.release(wire::HEADER as u32, from);
                self.membership.note_message(from);
                return Ok(());
            }
            Message3::Payload { from, .. } => return Err(format!("{from} is no sender")),
            Message3::Add(id) => {
                self.membership.check_newcomer(id)?;
                self.membership.greet(peer, cx, id);
            }
            Message3::Del(id) => {
                self.membership.part(peer, cx, id);
            }
        }
        peer.endpoint.inbox.drop_held();
        Ok(())
    }

    /// Whether a held message may be processed now; see `Admission`.
    fn may_process(&self, peer: &Connection) -> bool {
        self.scene.as_ref().is_none_or(|of_scene| of_scene.may_process(peer.endpoint.inbox.held()))
    }
}

/// Fails the connection, unless it is closed already.
fn fail(peer: &mut Connection, cx: &mut Cx<'_>, failure: Failure) {
    if peer.state() != State::Closed {
        peer.fail(cx, failure);
        peer.write(cx);
        peer.finish(cx);
    }
}
