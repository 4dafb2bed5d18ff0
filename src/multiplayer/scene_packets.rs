//! Processing of received scene packets, on a host and on a join.

use super::scene::packet::{self, CHECKSUM, Packet, RAW_HEAD};
use super::scene::replication::{Declared, Outlet, Own, Received, Taken};
use super::scene::{Cache, Call, Fault, other_methods, relative};
use crate::codes::*;
use crate::endpoint::{Inbox, Mark, Options};
use crate::error::{Error, shown};
use crate::names::said::BINARY;
use crate::names::{AUTH, MAX_CALL_BYTES, RAW_REPLICATION, SCENE};
use crate::status::{Cause, ErrorCode, EventKind, MessageType, Phase};
use crate::work::{Arena, Cx};
use std::collections::BTreeSet;

/// Authentication data is refused while this many events are unread.
const MAX_AUTH_UNREAD: usize = 64;
/// Maximum bytes of one authentication message.
const MAX_AUTH_BYTES: usize = 64 << 10;

/// Scene settings of ws_host and ws_join.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SceneSettings {
    /// WS_AUTH.
    pub auth: bool,
    /// WS_NO_RELAY is not set.
    pub relay: bool,
    /// WS_RAW_REPLICATION.
    pub raw_replication: bool,
}

/// The authentication of one peer with WS_AUTH, on a host and on a join. These rules decide what is processed:
///
/// - Until the program has completed the authentication, only the peer's authentication packets are processed, whatever
///   was received before them. Other packets are held: they are not delivered, relayed, reported or counted.
/// - Once the program has completed it, the peer is admitted by its own completion or its next packet, whichever comes
///   first.
/// - If the connection of a peer that is not admitted ends, for whatever reason, its held packets are dropped. So is
///   everything received after the authentication deadline. Both count as `skipped`, not as messages received.
///
/// Two rules hold for every peer, admitted or not: after `Connection::disconnect` only its last event is delivered, and
/// after `Connection::close` everything received before stays readable.
#[derive(Default)]
pub struct Admission {
    /// The program has completed it.
    pub local: bool,
    /// The remote peer has completed it.
    pub remote: bool,
    /// Number of held packets at the front that are not authentication packets.
    pub waiting: usize,
    /// The deadline has passed.
    pub refused: bool,
}

impl Admission {
    /// Whether one of `held` held packets of a peer that is not admitted may be processed.
    pub fn may_process(&self, held: usize) -> bool {
        !self.refused && held > if self.local { 0 } else { self.waiting }
    }
}

/// The scene state that a host and a join share.
pub struct Scene {
    /// As given when the scene was opened.
    pub settings: SceneSettings,
    /// Declared nodes, and the numbers that stand for them.
    pub cache: Cache,
    /// Declared scenes of spawners, and synchronizers.
    pub declared: Declared,
    /// The nodes that other peers have spawned here.
    pub received: Received,
    /// The nodes that this program has spawned.
    pub own: Own,
    /// Peers and causes for which an ERROR about replication was reported: one is enough, as packets come all the time.
    reported: BTreeSet<(i32, Cause)>,
}

/// The origin of a packet.
#[derive(Clone, Copy)]
pub struct Source {
    /// The sender's id.
    pub peer: i32,
    /// The sender as messages and events report it: 0 for the remote peer of the connection.
    pub label: i32,
    /// Offset of the packet in its message, in bytes.
    pub head: usize,
    /// Timestamp of events about it.
    pub time_ns: u64,
    /// Limits of its remote calls.
    pub limits: CallLimits,
}

/// The limits of remote calls.
#[derive(Clone, Copy)]
pub struct CallLimits {
    bytes: u64,
    items: u64,
}

/// Bytes by which the packet of a call may exceed the call as the program encoded it.
pub(crate) const CALL_HEAD: usize = 16;

impl CallLimits {
    /// The limits in the options.
    pub fn of(options: &Options) -> CallLimits {
        CallLimits { bytes: options.limit(WS_OPT_MAX_CALL_BYTES), items: options.limit(WS_OPT_MAX_CALL_ITEMS) }
    }

    /// `Err`: the packet is a remote call or one of replication, and exceeds the limit in bytes.
    pub fn check(self, packet: &[u8]) -> Result<(), String> {
        let what = match packet {
            _ if packet::is_call(packet) => "call",
            _ if packet::is_replication(packet) => "packet of replication",
            _ => return Ok(()),
        };
        if packet.len() as u64 > self.bytes {
            return Err(format!("its {what} has {} bytes: {MAX_CALL_BYTES} is {}", packet.len(), self.bytes));
        }
        Ok(())
    }

    /// Reads a call that the program encoded.
    pub fn read(self, bytes: &[u8]) -> Result<Call<'_>, Error> {
        let too_big =
            |why: String| Error::new(ErrorCode::TooBig, format!("{why}: send less, or raise it at both ends"));
        if (bytes.len() + CALL_HEAD) as u64 > self.bytes {
            return Err(too_big(format!(
                "the call has {} bytes and needs {CALL_HEAD} more: {MAX_CALL_BYTES} is {}",
                bytes.len(),
                self.bytes
            )));
        }
        match Call::read_within(bytes, self.items) {
            Ok((call, _)) => Ok(call),
            Err(Fault::TooMany(why)) => Err(too_big(why)),
            Err(fault) => Err(not_a_call(&fault.message())),
        }
    }
}

/// The error for bytes put as WS_CALL that are not a call.
fn not_a_call(why: &str) -> Error {
    Error::new(ErrorCode::Arg, format!("this is no call of ws_encode_call(): {why}"))
}

/// How a received packet is handled.
enum Effect {
    Raw,
    RawReplication,
    Replication(Taken),
    Call(Vec<u8>),
    Reply(Option<[u8; 6]>, Option<(Cause, String)>),
    Lost(Cause, String),
}

impl Scene {
    /// A scene without nodes.
    pub fn new(settings: SceneSettings) -> Scene {
        Scene {
            settings,
            cache: Cache::default(),
            declared: Declared::default(),
            received: Received::default(),
            own: Own::default(),
            reported: BTreeSet::new(),
        }
    }

    /// Declares a node; see ws_declare_node().
    pub fn declare(&mut self, path: &str, methods: Option<&str>) -> Result<(), Error> {
        match methods {
            Some(methods) => self.cache.declare(path, methods),
            None => self.cache.forget(path),
        }
    }

    /// Processes the packet in the first held message. Returns the reply to its sender. `Err`: the packet breaks the
    /// format, and the message stays held.
    pub fn take(&mut self, inbox: &mut Inbox, arena: &Arena, source: Source) -> Result<Option<[u8; 6]>, String> {
        let effect = match inbox.first_held(arena) {
            Some((false, bytes)) => self.effect(source, bytes.get(source.head..).unwrap_or_default())?,
            Some((true, _)) => return Err("a message is text, and the scene has none".to_owned()),
            None => return Ok(None),
        };
        let (reply, lost) = match effect {
            Effect::Raw => {
                inbox.release((source.head + RAW_HEAD) as u32, source.label);
                return Ok(None);
            }
            Effect::Call(bytes) => {
                inbox.release_as(MessageType::Call, bytes, source.label);
                return Ok(None);
            }
            Effect::RawReplication => {
                inbox.release_raw(MessageType::Replication, source.head as u32, source.label);
                return Ok(None);
            }
            Effect::Replication(Taken { message, lost }) => {
                match message {
                    Some((kind, bytes)) => inbox.release_as(kind, bytes, source.label),
                    None => inbox.drop_held(),
                }
                if let Some((cause, why)) = lost {
                    self.note_replication(inbox, source, cause, &why);
                }
                return Ok(None);
            }
            Effect::Reply(reply, lost) => (reply, lost),
            Effect::Lost(cause, why) => (None, Some((cause, why))),
        };
        inbox.drop_held();
        if let Some((cause, why)) = lost {
            note(inbox, source.label, cause, &why, source.time_ns);
        }
        Ok(reply)
    }

    /// Declares a scene of a spawner, or forgets it; see ws_declare_scene(). An authority of 0 is this program.
    pub fn declare_scene(&mut self, path: &str, authority: i32, scene: u8, list: Option<&str>) -> Result<(), Error> {
        self.check_replication(authority)?;
        self.reported.clear();
        let path = relative(path);
        let Some(list) = list else { return self.declared.forget(path, scene) };
        self.cache.declare_path(path)?;
        self.declared.declare(path, authority, scene, list)
    }

    /// Declares a synchronizer by path, or forgets it; see ws_declare_synchronizer(). Returns its number, if this program
    /// is its authority.
    pub fn declare_synchronizer(
        &mut self,
        outlet: &mut dyn Outlet,
        path: &str,
        authority: i32,
        list: Option<&str>,
    ) -> Result<u32, Error> {
        self.check_replication(authority)?;
        self.reported.clear();
        let path = relative(path);
        let Some(list) = list else {
            self.own.forget_path(path);
            return self.declared.forget_lone(path).map(|()| 0);
        };
        let number = self.cache.declare_path(path)?;
        self.declared.declare_lone(path, authority, list)?;
        match authority {
            0 => self.own.add_by_path(&mut self.declared, &mut self.cache, outlet, path, number),
            _ => Ok(0),
        }
    }

    fn check_replication(&self, authority: i32) -> Result<(), Error> {
        if self.settings.raw_replication {
            return Err(Error::new(
                ErrorCode::Kind,
                format!("{RAW_REPLICATION} is set here: the program reads the packets of replication itself"),
            ));
        }
        if authority < 0 {
            return Err(Error::new(ErrorCode::Arg, format!("{authority} is not the id of a peer")));
        }
        Ok(())
    }

    fn note_replication(&mut self, inbox: &mut Inbox, source: Source, cause: Cause, why: &str) {
        let is_its = |mark: &Mark| mark.kind == EventKind::Error && mark.cause == cause && mark.label == source.label;
        if self.reported.insert((source.peer, cause)) || inbox.find_mark(is_its).is_some() {
            note(inbox, source.label, cause, why, source.time_ns);
        }
    }

    /// All peers have gone. Declarations and the program's nodes stay.
    pub fn leave_all(&mut self, cx: &Cx<'_>) {
        self.own.leave_all();
        self.declared.leave(None);
        self.reported.clear();
        let is_large = self.is_large();
        let (known, spawned) = (self.cache.leave_all(), self.received.leave_all());
        if is_large {
            cx.services.discard(Box::new(known));
            cx.services.discard(Box::new(spawned));
        }
    }

    /// A peer has gone.
    pub fn leave(&mut self, cx: &Cx<'_>, peer: i32) {
        self.cache.leave(peer);
        self.declared.leave(Some(peer));
        self.own.leave(peer);
        if !self.reported.is_empty() {
            self.reported.retain(|(of, _)| *of != peer);
        }
        let is_large = self.received.is_large();
        let gone = self.received.leave(peer);
        if is_large {
            cx.services.discard(Box::new(gone));
        }
    }

    /// Heap bytes kept about the peers.
    pub fn kept_bytes(&self) -> usize {
        self.cache.bytes() + self.received.bytes() + self.own.bytes()
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.cache.is_large() || self.received.is_large() || self.own.is_large()
    }

    fn effect(&mut self, source: Source, bytes: &[u8]) -> Result<Effect, String> {
        let from = source.peer;
        source.limits.check(bytes)?;
        Ok(match packet::read(bytes)? {
            Packet::Raw(_) => Effect::Raw,
            Packet::Call(rpc) => match self.cache.resolve(from, &rpc) {
                Ok((path, method)) => {
                    let of = || format!("{} on {}", shown(method), shown(path));
                    match rpc.expand_within(path, method, source.limits.items) {
                        Ok(Some(bytes)) => Effect::Call(bytes),
                        Ok(None) => Effect::Lost(
                            Cause::Resources,
                            format!(
                                "peer {from} called {}, and there is no memory left to take the call: lower {MAX_CALL_BYTES}",
                                of()
                            ),
                        ),
                        Err(Fault::Malformed(why) | Fault::TooMany(why)) => {
                            return Err(format!("its call of {} cannot be read: {why}", of()));
                        }
                        Err(Fault::Unsupported(why)) => Effect::Lost(
                            Cause::Unsupported,
                            format!("peer {from} called {} with an argument that cannot be read: {why}", of()),
                        ),
                    }
                }
                Err((cause, why)) => Effect::Lost(cause, why),
            },
            Packet::Simplify { checksum, id, path } => self.simplify(from, id, path, checksum)?,
            Packet::Confirm { same, id } => {
                self.own.confirmed(from, id);
                let other = self.cache.confirm(from, id, same)?;
                Effect::Reply(None, other.map(|path| (Cause::Checksum, other_methods(from, path))))
            }
            Packet::Replication if self.settings.raw_replication => Effect::RawReplication,
            Packet::Replication if self.declared.is_empty() => {
                let why = format!(
                    "peer {from} replicates nodes (MultiplayerSpawner, MultiplayerSynchronizer), and no scene is declared: use ws_declare_scene"
                );
                Effect::Replication(Taken { message: None, lost: Some((Cause::Unsupported, why)) })
            }
            Packet::Replication => {
                let path_of = |number| self.cache.path_of(from, number);
                Effect::Replication(self.received.take(
                    &mut self.declared,
                    path_of,
                    from,
                    source.limits.items,
                    bytes,
                )?)
            }
            // A completion after admission needs no action.
            Packet::Auth([]) => Effect::Reply(None, None),
            Packet::Auth(_) if self.settings.auth => {
                Effect::Lost(Cause::Unsupported, format!("peer {from} sent authentication data after the end of it"))
            }
            Packet::Auth(_) => Effect::Lost(
                Cause::Unsupported,
                format!("peer {from} wants an authentication, and {AUTH} is not set here"),
            ),
            Packet::Add(_) | Packet::Del(_) | Packet::Relay { .. } => {
                return Err("it sent what only a host may send".to_owned());
            }
        })
    }

    fn simplify(&mut self, from: i32, id: u32, path: &str, checksum: &[u8; CHECKSUM]) -> Result<Effect, String> {
        let same = self.cache.simplify(from, id, path, checksum)?;
        let lost = (same == Some(false)).then(|| (Cause::Checksum, other_methods(from, path)));
        Ok(Effect::Reply(same.map(|same| packet::confirm_path(same, id)), lost))
    }
}

/// Processes the next held message of a peer whose authentication the program has not completed: authentication data is
/// reported, any other packet waits. `Err`: too much authentication data is unread.
pub fn take_auth(
    inbox: &mut Inbox,
    arena: &Arena,
    admission: &mut Admission,
    label: i32,
    time_ns: u64,
) -> Result<(), String> {
    let Some((text, bytes)) = inbox.held_at(admission.waiting, arena) else { return Ok(()) };
    let (false, Ok(Packet::Auth(data))) = (text, packet::read(bytes)) else {
        admission.waiting += 1;
        return Ok(());
    };
    if data.is_empty() {
        admission.remote = true;
    } else {
        // Events of earlier links may be unread too, and are not the peer's.
        let unread = inbox.auths() + inbox.marks_of(EventKind::Authenticating);
        if data.len() > MAX_AUTH_BYTES || unread >= MAX_AUTH_UNREAD {
            return Err(format!(
                "it sent more authentication data than {MAX_AUTH_UNREAD} messages of {MAX_AUTH_BYTES} bytes before it was answered"
            ));
        }
        let mut mark = Mark { label, ..Mark::new(EventKind::Auth, time_ns) };
        mark.set_bytes(data);
        inbox.push_mark_here(mark);
    }
    inbox.drop_held_at(admission.waiting);
    Ok(())
}

/// Reports a packet that does not reach the program: one ERROR per sender and cause, which counts repeats until it is
/// taken.
pub fn note(inbox: &mut Inbox, label: i32, cause: Cause, why: &str, time_ns: u64) {
    if let Some(mark) =
        inbox.find_mark(|mark| mark.kind == EventKind::Error && mark.cause == cause && mark.label == label)
    {
        mark.count += 1;
        return;
    }
    let phase = if cause == Cause::Multiplayer { Phase::Websocket } else { Phase::App };
    let mut mark = Mark { label, phase, cause, count: 1, ..Mark::new(EventKind::Error, time_ns) };
    mark.set_text(why);
    inbox.push_mark_here(mark);
}

/// Checks raw bytes of a scene: binary and not empty, as in Godot.
pub fn check_raw(text: bool, payload: &[u8]) -> Result<(), Error> {
    match payload {
        _ if text => Err(Error::new(
            ErrorCode::Arg,
            format!("a scene has no text messages: send it as {BINARY}, or as an argument of a call"),
        )),
        [] => Err(Error::new(ErrorCode::Arg, "a scene has no empty packets: Godot refuses them")),
        _ => Ok(()),
    }
}

/// The error for WS_CALL or authentication without WS_SCENE.
pub fn not_a_scene() -> Error {
    Error::new(
        ErrorCode::Kind,
        format!("remote calls, authentication and replication need {SCENE} in the flags of the config"),
    )
}

/// The error for authentication packets after the completion.
pub fn over(id: i32) -> Error {
    Error::new(ErrorCode::State, format!("the authentication of peer {id} was completed already: no more can be sent"))
}

/// The error for other packets to a peer that is not admitted.
pub fn not_admitted(id: i32) -> Error {
    Error::new(
        ErrorCode::State,
        format!("peer {id} is not admitted yet: complete its authentication on both sides and wait for CONNECTED"),
    )
}
