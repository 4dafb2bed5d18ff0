//! What a packet of the scene does where it arrives, on a host and on a join alike.

use super::scene::packet::{self, CHECKSUM, Packet, RAW_HEAD};
use super::scene::{Cache, Call, Fault, other_methods};
use crate::codes::*;
use crate::endpoint::{Inbox, Mark, Options};
use crate::error::{Error, shown};
use crate::names::{AUTH, MAX_CALL_BYTES, SCENE};
use crate::status::{Cause, ErrorCode, EventKind, MessageType, Phase};
use crate::work::Arena;

/// Authentication data that the program has not taken, at most.
const MAX_AUTH_UNREAD: usize = 64;
/// The longest data of one message of the authentication.
const MAX_AUTH_BYTES: usize = 64 << 10;

/// How ws_host and ws_join were told to treat the scene.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SceneSettings {
    /// WS_AUTH.
    pub auth: bool,
    /// Not WS_NO_RELAY.
    pub relay: bool,
}

/// The authentication of one peer with WS_AUTH, on a host and on a join alike. This is the rule about who is heard:
///
/// - Until the program has completed the authentication, nothing of the peer is read but its authentication, whatever stands in front of that.
///   Other packets wait held: they are not delivered, passed on, told or counted.
/// - Once the program has completed it, the peer is admitted by its own completion or its next packet, whichever comes first.
/// - What is held when the connection of a peer that is not admitted ends is dropped, whatever ended it. So is all that comes after the time for
///   the authentication has passed. Both count as `skipped` and not as messages received.
///
/// Two rules hold for every peer, admitted or not: after `Connection::disconnect` nothing of it is delivered but its last event, and after `Connection::close`
/// what had arrived stays readable.
#[derive(Default)]
pub struct Admission {
    /// The program has completed it.
    pub local: bool,
    /// The other side has.
    pub remote: bool,
    /// How many held packets, the first ones, are none of the authentication and wait.
    pub waiting: usize,
    /// The time for it has passed.
    pub refused: bool,
}

impl Admission {
    /// Whether one of so many held packets of a peer that is not admitted is to be inspected.
    pub fn hears(&self, held: usize) -> bool {
        !self.refused && held > if self.local { 0 } else { self.waiting }
    }
}

/// What both sides keep of a scene.
pub struct Scene {
    /// As it was opened.
    pub settings: SceneSettings,
    /// What is known of nodes.
    pub cache: Cache,
}

/// Where a packet comes from.
#[derive(Clone, Copy)]
pub struct Source {
    /// Who sent it.
    pub peer: i32,
    /// As messages and marks tell it: 0 for the one at the other end.
    pub told: i32,
    /// Where in the message it begins.
    pub head: usize,
    /// When it came.
    pub time_ns: u64,
    /// What its calls may be.
    pub limits: CallLimits,
}

/// The limits of remote calls.
#[derive(Clone, Copy)]
pub struct CallLimits {
    bytes: u64,
    items: u64,
}

/// Bytes that a packet of a call may have beside what the program has of it.
const CALL_HEAD: usize = 16;

impl CallLimits {
    /// As the options say.
    pub fn of(options: &Options) -> CallLimits {
        CallLimits { bytes: options.limit(WS_OPT_MAX_CALL_BYTES), items: options.limit(WS_OPT_MAX_CALL_ITEMS) }
    }

    /// Whether a packet is a call that is too long. `Err`: it is.
    pub fn check(self, packet: &[u8]) -> Result<(), String> {
        if packet::is_call(packet) && packet.len() as u64 > self.bytes {
            return Err(format!("its call has {} bytes: {MAX_CALL_BYTES} is {}", packet.len(), self.bytes));
        }
        Ok(())
    }

    /// Reads a call of the program's own.
    pub fn read(self, bytes: &[u8]) -> Result<Call<'_>, Error> {
        let too_big = |why: String| Error::new(ErrorCode::TooBig, format!("{why}: send less, or raise it at both ends"));
        if (bytes.len() + CALL_HEAD) as u64 > self.bytes {
            return Err(too_big(format!("the call has {} bytes and needs {CALL_HEAD} more: {MAX_CALL_BYTES} is {}", bytes.len(), self.bytes)));
        }
        match Call::read_within(bytes, self.items) {
            Ok((call, _)) => Ok(call),
            Err(Fault::TooMany(why)) => Err(too_big(why)),
            Err(fault) => Err(not_a_call(&fault.sentence())),
        }
    }
}

/// What is put as WS_CALL is none.
fn not_a_call(why: &str) -> Error {
    Error::new(ErrorCode::Arg, format!("this is no call of ws_encode_call(): {why}"))
}

/// What is to be done with the message.
enum Effect {
    Raw,
    Call(Vec<u8>),
    Reply(Option<[u8; 6]>, Option<(Cause, String)>),
    Lost(Cause, String),
}

impl Scene {
    /// Nothing is known yet.
    pub fn new(settings: SceneSettings) -> Scene {
        Scene { settings, cache: Cache::default() }
    }

    /// Declares a node; see ws_declare_node().
    pub fn declare(&mut self, path: &str, methods: Option<&str>) -> Result<(), Error> {
        match methods {
            Some(methods) => self.cache.declare(path, methods),
            None => self.cache.forget(path),
        }
    }

    /// Does what the packet in the first held message says; what is to be answered to its sender. `Err`: no peer would send that; the message is left.
    pub fn take(&mut self, inbox: &mut Inbox, arena: &Arena, source: Source) -> Result<Option<[u8; 6]>, String> {
        let effect = match inbox.first_held(arena) {
            Some((false, bytes)) => self.effect(source, bytes.get(source.head..).unwrap_or_default())?,
            Some((true, _)) => return Err("a message is text, and the scene has none".to_owned()),
            None => return Ok(None),
        };
        let (reply, lost) = match effect {
            Effect::Raw => {
                inbox.release((source.head + RAW_HEAD) as u32, source.told);
                return Ok(None);
            }
            Effect::Call(bytes) => {
                inbox.release_as(MessageType::Call, bytes, source.told);
                return Ok(None);
            }
            Effect::Reply(reply, lost) => (reply, lost),
            Effect::Lost(cause, why) => (None, Some((cause, why))),
        };
        inbox.drop_held();
        if let Some((cause, why)) = lost {
            note(inbox, source.told, cause, &why, source.time_ns);
        }
        Ok(reply)
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
                            format!("peer {from} called {}, and there is no memory left to take the call: lower {MAX_CALL_BYTES}", of()),
                        ),
                        Err(Fault::Malformed(why) | Fault::TooMany(why)) => return Err(format!("its call of {} cannot be read: {why}", of())),
                        Err(Fault::Unsupported(why)) => {
                            Effect::Lost(Cause::Unsupported, format!("peer {from} called {} with an argument that cannot be read: {why}", of()))
                        }
                    }
                }
                Err((cause, why)) => Effect::Lost(cause, why),
            },
            Packet::Simplify { checksum, id, path } => self.simplify(from, id, path, checksum)?,
            Packet::Confirm { same, id } => {
                let other = self.cache.confirm(from, id, same)?;
                Effect::Reply(None, other.map(|path| (Cause::Checksum, other_methods(from, path))))
            }
            Packet::Replication => {
                let why = format!(
                    "peer {from} replicates nodes (MultiplayerSpawner, MultiplayerSynchronizer), which a program without Godot does not read"
                );
                Effect::Lost(Cause::Unsupported, why)
            }
            // A last word after all was said.
            Packet::Auth([]) => Effect::Reply(None, None),
            Packet::Auth(_) if self.settings.auth => {
                Effect::Lost(Cause::Unsupported, format!("peer {from} sent authentication data after the end of it"))
            }
            Packet::Auth(_) => Effect::Lost(Cause::Unsupported, format!("peer {from} wants an authentication, and {AUTH} is not set here")),
            Packet::Add(_) | Packet::Del(_) | Packet::Relay { .. } => return Err("it sent what only a host may send".to_owned()),
        })
    }

    fn simplify(&mut self, from: i32, id: u32, path: &str, checksum: &[u8; CHECKSUM]) -> Result<Effect, String> {
        let same = self.cache.simplify(from, id, path, checksum)?;
        let lost = (same == Some(false)).then(|| (Cause::Checksum, other_methods(from, path)));
        Ok(Effect::Reply(same.map(|same| packet::confirm_path(same, id)), lost))
    }
}

/// Inspects the first held message behind those that wait, of a peer whose authentication the program has not completed: what is part of that is
/// told, and all else waits. `Err`: more authentication data than may wait for the program.
pub fn take_auth(inbox: &mut Inbox, arena: &Arena, admission: &mut Admission, told: i32, time_ns: u64) -> Result<(), String> {
    let Some((text, bytes)) = inbox.held_at(admission.waiting, arena) else { return Ok(()) };
    let (false, Ok(Packet::Auth(data))) = (text, packet::read(bytes)) else {
        admission.waiting += 1;
        return Ok(());
    };
    if data.is_empty() {
        admission.remote = true;
    } else {
        if data.len() > MAX_AUTH_BYTES || inbox.marks() >= MAX_AUTH_UNREAD {
            return Err(format!("it sent more authentication data than {MAX_AUTH_UNREAD} messages of {MAX_AUTH_BYTES} bytes before it was answered"));
        }
        let mut mark = Mark { label: told, ..Mark::new(EventKind::Auth, time_ns) };
        mark.set_bytes(data);
        inbox.push_mark_here(mark);
    }
    inbox.drop_held_at(admission.waiting);
    Ok(())
}

/// What does not reach the program is told by one ERROR for each sender and cause until that is taken, with a count.
pub fn note(inbox: &mut Inbox, told: i32, cause: Cause, why: &str, time_ns: u64) {
    if let Some(mark) = inbox.find_mark(|mark| mark.kind == EventKind::Error && mark.cause == cause && mark.label == told) {
        mark.count += 1;
        return;
    }
    let phase = if cause == Cause::Multiplayer { Phase::Websocket } else { Phase::App };
    let mut mark = Mark { label: told, phase, cause, count: 1, ..Mark::new(EventKind::Error, time_ns) };
    mark.set_text(why);
    inbox.push_mark_here(mark);
}

/// Raw bytes of a scene are binary and never empty, as in Godot.
pub fn check_raw(text: bool, payload: &[u8]) -> Result<(), Error> {
    match payload {
        _ if text => Err(Error::new(ErrorCode::Arg, "a scene has no text: put it as WS_BINARY, or as an argument of a call")),
        [] => Err(Error::new(ErrorCode::Arg, "a scene has no empty packets: Godot would refuse it")),
        _ => Ok(()),
    }
}

/// WS_CALL or the authentication without WS_SCENE.
pub fn not_a_scene() -> Error {
    Error::new(ErrorCode::Kind, format!("remote calls and authentication need {SCENE} in the flags of the config"))
}

/// The authentication has ended.
pub fn over(id: i32) -> Error {
    Error::new(ErrorCode::State, format!("the authentication of peer {id} was completed already: no more can be sent"))
}

/// Nothing but its authentication goes to this one.
pub fn not_admitted(id: i32) -> Error {
    Error::new(ErrorCode::State, format!("peer {id} is not admitted yet: complete its authentication on both sides and wait for CONNECTED"))
}
