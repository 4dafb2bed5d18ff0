//! A host's scene: admission of clients, notifications about other peers, relaying, and remote calls.

use super::deadline::Deadline;
use super::relay::{Passed, close_for, close_for_memory};
use super::roster::{Reach, Roster};
use super::scene::packet::{self, Packet, RELAY_HEAD};
use super::scene::{Call, Route};
use super::scene_packets::{Admission, CallLimits, Scene, SceneSettings, Source, not_admitted, note, over, take_auth};
use super::{HOST_ID, Target, kept};
use crate::codes::*;
use crate::connection::Connection;
use crate::endpoint::Mark;
use crate::error::{Error, Failure};
use crate::link::Sent;
use crate::names::{AUTH_TIMEOUT_MS, NO_RELAY};
use crate::server::{Server, Spread, Whom};
use crate::status::{Cause, ErrorCode, EventKind, Phase, State};
use crate::work::Cx;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

/// The scene state of a host.
pub struct SceneHost {
    /// The state that a join has too.
    pub scene: Scene,
    /// Clients that are not admitted yet, by id.
    pending: BTreeMap<i32, Pending>,
    /// Authentication deadlines. Some entries may be of clients that are no longer pending.
    deadlines: BinaryHeap<Reverse<(Instant, i32)>>,
    /// Scratch buffer for the next packet.
    scratch: Vec<u8>,
}

/// A client whose authentication is in progress.
struct Pending {
    /// Its key in the server.
    key: u32,
    admission: Admission,
    deadline: Option<Deadline>,
    /// Its CONNECTED event, kept back until it is admitted.
    opened: Option<Mark>,
}

impl SceneHost {
    /// A scene without clients.
    pub fn new(settings: SceneSettings) -> SceneHost {
        SceneHost {
            scene: Scene::new(settings),
            pending: BTreeMap::new(),
            deadlines: BinaryHeap::new(),
            scratch: Vec::new(),
        }
    }

    /// Removes a client. Returns true if the other players know of it.
    pub fn remove_client(&mut self, cx: &Cx<'_>, id: i32) -> bool {
        self.scene.leave(cx, id);
        self.pending.remove(&id).is_none() && self.scene.settings.relay
    }

    /// The next authentication deadline.
    pub fn next_timer(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// Disconnects clients whose authentication deadline has passed. A `gap` in polling moves the deadlines first.
    pub fn judge_time(&mut self, server: &mut Server, cx: &mut Cx<'_>, gap: Duration) {
        if !gap.is_zero() {
            self.pending.values_mut().filter_map(|pending| pending.deadline.as_mut()).for_each(|it| it.shift(gap));
            self.deadlines =
                self.pending.iter().filter_map(|(id, pending)| Some(Reverse((pending.deadline?.at, *id)))).collect();
        }
        let mut part = cx.budget.eighth();
        while let Some(Reverse((at, id))) = self.deadlines.peek().copied().filter(|Reverse((at, _))| *at <= cx.now) {
            self.deadlines.pop();
            if self.is_late(server, cx, at, id) {
                self.turn_away(server, cx, id);
            }
            if part.is_spent() {
                break;
            }
        }
    }

    /// Whether the authentication of a client was not completed in time. `at`: a deadline that has passed.
    fn is_late(&mut self, server: &mut Server, cx: &Cx<'_>, at: Instant, id: i32) -> bool {
        let Some(pending) = self.pending.get_mut(&id) else { return false };
        let Some(deadline) = pending.deadline.as_mut().filter(|deadline| deadline.at == at) else { return false };
        let Some(peer) = server.peer(pending.key) else { return false };
        if !deadline.is_over(peer, cx.now) {
            let at = deadline.at;
            self.wait_until(at, id);
            return false;
        }
        pending.deadline = None;
        true
    }

    fn turn_away(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        pending.admission.refused = true;
        let Some(peer) = server.peer(pending.key) else { return };
        let why = format!("peer {id} was not authenticated within {AUTH_TIMEOUT_MS}");
        let failure = Failure { close_code: 1008, ..Failure::new(Phase::App, Cause::AuthTimeout, why) };
        peer.close_because(cx, 1008, "not authenticated in time", Some(failure));
        peer.endpoint.refuse_messages(cx);
        server.take_account(cx, pending.key);
    }

    /// Adds an authentication deadline.
    fn wait_until(&mut self, at: Instant, id: i32) {
        if self.deadlines.len() > 64 + 2 * self.pending.len() {
            let is_of = |pending: &Pending, at| pending.deadline.is_some_and(|deadline| deadline.at == at);
            self.deadlines.retain(|Reverse((at, id))| self.pending.get(id).is_some_and(|pending| is_of(pending, *at)));
        }
        self.deadlines.push(Reverse((at, id)));
    }

    /// The pending client with this id.
    fn authenticating(&mut self, id: i32) -> Result<&mut Pending, Error> {
        self.pending.get_mut(&id).ok_or_else(|| {
            Error::new(ErrorCode::Target, format!("peer {id} is not being authenticated: it was admitted, or has gone"))
        })
    }

    /// Whether one of `held` held messages of a client that is not admitted may be processed; see `Admission`.
    pub fn may_process(&self, id: i32, held: usize) -> bool {
        self.pending.get(&id).is_some_and(|pending| pending.admission.may_process(held))
    }

    /// Call after a client was given its id: admits it, or starts its authentication.
    pub fn add_client(&mut self, roster: &mut Roster, server: &mut Server, cx: &mut Cx<'_>, key: u32, id: i32) {
        let timeout = server.endpoint.options.time(WS_OPT_AUTH_TIMEOUT_MS);
        if !self.scene.settings.auth {
            return self.introduce(roster, server, cx, key, id);
        }
        let Some(peer) = server.peer(key) else { return };
        peer.endpoint.withhold();
        let opened = peer.endpoint.inbox.take_mark(EventKind::Connected);
        peer.endpoint.inbox.push_mark_here(Mark::new(EventKind::Authenticating, cx.time_ns()));
        let deadline = timeout.map(|timeout| Deadline::after(timeout, peer, cx.now));
        self.pending.insert(id, Pending { key, admission: Admission::default(), deadline, opened });
        if let Some(deadline) = deadline {
            self.wait_until(deadline.at, id);
        }
        server.take_account(cx, key);
    }

    /// Processes one held message of a client. Returns false if there is none.
    pub fn process_held(&mut self, roster: &mut Roster, server: &mut Server, cx: &mut Cx<'_>, key: u32) -> bool {
        let limits = CallLimits::of(&server.endpoint.options);
        let Some(peer) = server.peer(key) else { return false };
        let own = peer.endpoint.label;
        let time_ns = cx.time_ns();
        if peer.endpoint.inbox.held() == 0 {
            return false;
        }
        match self.pending.get_mut(&own) {
            // The program has completed the authentication, so the client's next packet admits it.
            Some(pending) if pending.admission.local => self.admit_pending(roster, server, cx, own),
            Some(pending) => {
                if let Err(why) = take_auth(&mut peer.endpoint.inbox, cx.arena, &mut pending.admission, 0, time_ns) {
                    close_for(server, cx, key, broken(own, &why));
                }
                return true;
            }
            None => {}
        }
        let Some(peer) = server.peer(key) else { return false };
        let Some((_, bytes)) = peer.endpoint.inbox.first_held(cx.arena) else { return false };
        if let Ok(Packet::Relay { peer: to, packet }) = packet::read(bytes) {
            if let Err(why) = limits.check(packet) {
                close_for(server, cx, key, broken(own, &why));
                return true;
            }
            let mut head = Vec::with_capacity(RELAY_HEAD);
            packet::put_relay(&mut head, own);
            match Passed::first_of(&peer.endpoint.inbox, cx.arena, &head, RELAY_HEAD, &mut roster.scratch) {
                Some(passed) => self.relay(roster, server, cx, key, to, passed),
                None => close_for_memory(server, cx, key),
            }
            return true;
        }
        match self.scene.take(
            &mut peer.endpoint.inbox,
            cx.arena,
            Source { peer: own, label: 0, head: 0, time_ns, limits },
        ) {
            Ok(reply) => answer(server, cx, key, reply),
            Err(why) => close_for(server, cx, key, broken(own, &why)),
        }
        true
    }

    /// Relays the first held message of a client; `passed` is what the recipients get. The host processes it too, if
    /// the target includes the host.
    fn relay(&mut self, roster: &mut Roster, server: &mut Server, cx: &mut Cx<'_>, key: u32, to: i32, passed: Passed) {
        let limits = CallLimits::of(&server.endpoint.options);
        let Some(peer) = server.peer(key) else { return };
        let (own, time_ns) = (peer.endpoint.label, cx.time_ns());
        if !self.scene.settings.relay {
            peer.endpoint.inbox.drop_held();
            return note(
                &mut peer.endpoint.inbox,
                0,
                Cause::Unsupported,
                &format!("peer {own} wants to be passed on, and {NO_RELAY} is set here"),
                time_ns,
            );
        }
        let target = match Target::decode(to) {
            Ok(target) => target,
            Err(error) => return close_for(server, cx, key, broken(own, &error.into_message())),
        };
        if matches!(target, Target::One(_) | Target::AllBut(HOST_ID)) {
            peer.endpoint.inbox.drop_held();
        } else {
            match self.scene.take(
                &mut peer.endpoint.inbox,
                cx.arena,
                Source { peer: own, label: 0, head: RELAY_HEAD, time_ns, limits },
            ) {
                Ok(reply) => answer(server, cx, key, reply),
                Err(why) => return close_for(server, cx, key, broken(own, &why)),
            }
        }
        roster.pass_on(server, cx, key, target, passed);
    }

    /// Sends a remote call to the clients in `reach`.
    pub fn put_call(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        reach: Reach,
        call: &Call<'_>,
    ) -> Result<Sent, Error> {
        let mut route = self.scene.cache.route(call)?;
        if server.state() != State::Open {
            return Ok(Sent::NotOpen);
        }
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        let result = match reach {
            Reach::One(key) => call_one(server, cx, key, call, &mut route, &mut out),
            reach => Ok(call_many(server, cx, &reach, call, &mut route, &mut out)),
        };
        self.scratch = kept(cx, out);
        result
    }

    /// Sends authentication data to a client.
    pub fn send_auth(&mut self, server: &mut Server, cx: &mut Cx<'_>, id: i32, data: &[u8]) -> Result<Sent, Error> {
        let pending = self.authenticating(id)?;
        if pending.admission.local || pending.admission.remote {
            return Err(over(id));
        }
        let key = pending.key;
        self.scratch.clear();
        packet::put_auth(&mut self.scratch, data);
        Ok(server.put_one(cx, key, false, &self.scratch))
    }

    /// Marks the authentication of a client as complete on this side. Returns the client's key too.
    pub fn complete_auth(
        &mut self,
        roster: &mut Roster,
        server: &mut Server,
        cx: &mut Cx<'_>,
        id: i32,
    ) -> Result<(Sent, u32), Error> {
        let pending = self.authenticating(id)?;
        if pending.admission.local {
            return Err(over(id));
        }
        let key = pending.key;
        self.scratch.clear();
        packet::put_auth(&mut self.scratch, &[]);
        let sent = server.put_one(cx, key, false, &self.scratch);
        if sent != Sent::Taken {
            return Ok((sent, key));
        }
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.admission.local = true;
            if pending.admission.remote {
                self.admit_pending(roster, server, cx, id);
            }
        }
        Ok((Sent::Taken, key))
    }

    fn admit_pending(&mut self, roster: &mut Roster, server: &mut Server, cx: &mut Cx<'_>, id: i32) {
        let Some(pending) = self.pending.remove(&id) else { return };
        if let (Some(peer), Some(opened)) = (server.peer(pending.key), pending.opened) {
            peer.endpoint.inbox.push_mark_here(Mark { time_ns: cx.time_ns(), ..opened });
        }
        self.introduce(roster, server, cx, pending.key, id);
        server.take_account(cx, pending.key);
    }

    /// Admits a client. With relaying, it and the others are notified of each other.
    fn introduce(&mut self, roster: &mut Roster, server: &mut Server, cx: &mut Cx<'_>, key: u32, id: i32) {
        let Some(peer) = server.peer(key) else { return };
        peer.endpoint.admit(cx);
        self.scene.own.meet(id);
        if self.scene.settings.relay {
            roster.introduce(id);
        }
    }
}

fn call_one(
    server: &mut Server,
    cx: &mut Cx<'_>,
    key: u32,
    call: &Call<'_>,
    route: &mut Route<'_>,
    out: &mut Vec<u8>,
) -> Result<Sent, Error> {
    let Some(peer) = server.peer(key) else { return Ok(Sent::NotOpen) };
    let id = peer.endpoint.label;
    if !peer.endpoint.admitted {
        return Err(not_admitted(id));
    }
    if !route.reserve(out, call) {
        return Ok(Sent::NoMemory);
    }
    if !route.is_sent(id) {
        let sent = server.put_one(cx, key, false, &route.announcement());
        if sent != Sent::Taken {
            return Ok(sent);
        }
        route.note_sent(id);
    }
    route.put(out, call, route.is_known(id), true);
    Ok(server.put_one(cx, key, false, out))
}

fn call_many(
    server: &mut Server,
    cx: &mut Cx<'_>,
    reach: &Reach,
    call: &Call<'_>,
    route: &mut Route<'_>,
    out: &mut Vec<u8>,
) -> Sent {
    let on_full = server.endpoint.options.raw(WS_OPT_ON_FULL).unwrap_or(WS_FULL_DISCONNECT);
    let (whom, except) = reach.several();
    let mut keys: Vec<u32> = match &whom {
        Whom::These(keys) => keys.to_vec(),
        Whom::Range(_) => server.keys().collect(),
    };
    keys.retain(|key| {
        let may_put = |peer: &mut Connection| peer.endpoint.label != 0 && peer.endpoint.admitted && peer.may_put();
        Some(*key) != except && server.peer(*key).is_some_and(may_put)
    });
    let mut by_path = Vec::new();
    if !route.reserve(&mut by_path, call) || !route.reserve(out, call) {
        return Sent::NoMemory;
    }
    route.put(&mut by_path, call, false, false);
    let announcement = route.announcement();
    if on_full == WS_FULL_ALL_OR_NONE && !have_room(server, cx, &keys, announcement.len() + by_path.len()) {
        return Sent::Full;
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for key in keys {
        let id = server.peer(key).map_or(0, |peer| peer.endpoint.label);
        if !route.is_sent(id) {
            let spread =
                Spread { text: false, payload: &announcement, whom: Whom::one(key), except: &[], on_full, now: true };
            if server.put_spread(cx, spread) == Sent::Taken {
                route.note_sent(id);
            }
        }
        if route.is_known(id) { known.push(key) } else { unknown.push(key) }
    }
    if known.is_empty() || unknown.is_empty() {
        route.put(out, call, unknown.is_empty(), true);
        return server.put_all(cx, false, out, whom, except);
    }
    route.put(out, call, true, false);
    // Allocate both forms before any client gets one.
    let everyone =
        |payload| Spread { text: false, payload, whom: whom.clone(), except: except.as_slice(), on_full, now: true };
    let (by_number, by_path) = (everyone(out), everyone(&by_path));
    let (Some(of_known), Some(of_unknown)) = (server.forms(&by_number), server.forms(&by_path)) else {
        return Sent::NoMemory;
    };
    let mut result = Sent::Taken;
    for (keys, spread, mut forms) in [(known, by_number, of_known), (unknown, by_path, of_unknown)] {
        for key in keys {
            result = match server.put_forms(cx, Spread { whom: Whom::one(key), ..spread.clone() }, &mut forms) {
                Sent::Taken => result,
                _ => Sent::Partial,
            };
        }
        server.finish(cx, forms);
    }
    result
}

/// Whether all these clients have room for `len` bytes. Those that lack it get WRITABLE later.
fn have_room(server: &mut Server, cx: &mut Cx<'_>, keys: &[u32], len: usize) -> bool {
    let mut all = true;
    for key in keys {
        if cx.corked {
            server.act(cx, *key, |peer, cx| peer.make_room(cx, len));
        }
        if let Some(peer) = server.peer(*key).filter(|peer| !peer.has_room(len)) {
            peer.endpoint.owe_writable(len);
            all = false;
        }
    }
    all
}

/// Confirms the number of a node to a client. Without this reply the client keeps sending the path, which works as
/// well.
fn answer(server: &mut Server, cx: &mut Cx<'_>, key: u32, reply: Option<[u8; 6]>) {
    if let Some(reply) = reply {
        server.put_one(cx, key, false, &reply);
    }
}

fn broken(id: i32, why: &str) -> String {
    format!("peer {id} broke the format of the scene: {why}")
}
