//! What a handle is beyond its connections: plain, a multiplayer host, a join or a diagnosis. The role decides which
//! peers a target selects and how messages are framed.

use crate::connection::Connection;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Options;
use crate::error::Error;
use crate::heap::Discarded;
use crate::link::Sent;
use crate::multiplayer::scene::packet::check_replication;
use crate::multiplayer::{CALL_HEAD, HOST_ID, Host, Join, NodeLimit, Outlet, Scene, SceneSettings, Target, Wire};
use crate::names::said::CONNECT;
use crate::names::{MAX_MESSAGE_BYTES, MAX_PUT_BYTES, SCENE};
use crate::net::MemoryEnd;
use crate::server::{Handles, Server, Whom, check_topic};
use crate::status::{ErrorCode, MessageType, State};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// What makes a server a host, or a client a join or a diagnosis.
#[derive(Default)]
pub enum Role {
    /// ws_connect, ws_listen, ws_pair, ws_attach.
    #[default]
    Plain,
    /// ws_host.
    Host(Box<Host>),
    /// ws_join, ws_join_local.
    Join(Box<Join>),
    /// ws_diagnose.
    Diagnosis(Box<Diagnosis>),
}

/// The object that a handle refers to, within its family.
pub enum Place<'a> {
    /// A server; with `Role::Host`, a multiplayer host.
    Server(&'a mut Server),
    /// One of a server's clients, by its key.
    Client(&'a mut Server, u32),
    /// A connection without a server.
    Peer(&'a mut Connection),
}

/// A message of ws_put_packets.
pub struct Packet<'a> {
    /// As in ws_put_packet_to, or `None` for where ws_put_packet sends it.
    pub target: Option<i32>,
    /// Its type. The bytes of a text are valid UTF-8.
    pub kind: MessageType,
    /// The payload.
    pub bytes: &'a [u8],
}

/// Returns the key of a server's client by its handle, or `None` if the handle is no client of this server.
pub type Find<'a> = &'a dyn Fn(u32) -> Option<u32>;

impl Discarded for Role {}

/// Polling.
impl Role {
    /// Polls a server with its clients. Returns whether work is left, and when the role's next timer is due.
    pub fn poll_server(
        &mut self,
        server: &mut Server,
        cx: &mut Cx<'_>,
        handles: &dyn Handles,
        gap: Duration,
    ) -> (bool, Option<Instant>) {
        match self {
            Role::Host(host) => (host.poll(server, cx, handles, gap), host.next_timer()),
            Role::Plain | Role::Join(_) | Role::Diagnosis(_) => (server.poll(cx, handles, gap), None),
        }
    }

    /// Call before a connection is polled: a join processes the long message that the last poll left for a fresh
    /// budget.
    #[inline]
    pub fn before_poll(&mut self, peer: &mut Connection, cx: &mut Cx<'_>) {
        if let Role::Join(join) = self
            && join.is_late
        {
            join.process_held(peer, cx);
        }
    }

    /// Call when a connection that reconnects begins its next try.
    pub fn begin_link(&mut self, peer: &mut Connection, cx: &Cx<'_>) {
        if let Role::Join(join) = self {
            join.begin_link(peer, cx);
        }
    }

    /// Call after a connection was polled: a join processes what was received, a diagnosis reports what happened.
    /// Returns the same as `poll_server`.
    #[inline]
    pub fn after_poll(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, gap: Duration) -> (bool, Option<Instant>) {
        match self {
            Role::Plain | Role::Host(_) => (false, None),
            Role::Join(join) => {
                join.shift(gap);
                let more = join.process_held(peer, cx);
                (join.tell_due(peer, cx) || more, join.next_timer())
            }
            Role::Diagnosis(diagnosis) => diagnosis.after_poll(peer, cx, gap),
        }
    }

    /// Call after the request of a client was accepted: a host assigns its id.
    pub fn accepted(&mut self, server: &mut Server, cx: &mut Cx<'_>, key: u32) {
        if let Role::Host(host) = self {
            host.accepted(server, cx, key);
        }
    }

    /// Call after the slot of a freed client was released: a host forgets that client's id.
    pub fn forget_gone(&mut self, server: &mut Server, cx: &mut Cx<'_>) {
        if let Role::Host(host) = self {
            host.forget_gone(server, cx);
        }
    }
}

/// Sending.
impl Role {
    /// Sends a message. `target` is as in ws_put_packet_to, or `None` for ws_put_packet.
    pub fn put(
        &mut self,
        at: Place<'_>,
        cx: &mut Cx<'_>,
        target: Option<i32>,
        text: bool,
        payload: &[u8],
        find: Find<'_>,
    ) -> Result<Sent, Error> {
        match (self, at) {
            (Role::Plain, Place::Server(server)) => {
                check_size(&server.endpoint.options, payload, 0)?;
                put_to_clients(server, cx, target, text, payload, find)
            }
            (Role::Host(host), Place::Server(server)) => {
                let target = decoded(target)?.unwrap_or(Target::All);
                check_size_at_host(server, payload, host.header_bytes(), |server| host.places(server, target))?;
                host.put(server, cx, target, text, payload)
            }
            (Role::Join(join), Place::Peer(peer)) => {
                let target = decoded(target)?;
                check_size(&peer.endpoint.options, payload, join.header_bytes())?;
                // The same key is another one for each target: they share a connection.
                let to = target.map_or(0, Target::encode);
                if let Some(latest) = &mut cx.latest {
                    latest.key |= u64::from(to as u32) << 32;
                }
                join.put(peer, cx, target, text, payload)
            }
            (_, Place::Client(..) | Place::Peer(_)) if target.is_some() => Err(Error::wrong_kind(NO_TARGETS)),
            (Role::Host(host), Place::Client(server, key)) => {
                check_size_at_host(server, payload, host.header_bytes(), |_| Ok(vec![key]))?;
                host.put_one(server, cx, key, text, payload)
            }
            (_, Place::Client(server, key)) => {
                let Some(peer) = server.peer(key) else { return Err(Error::gone()) };
                check_size(&peer.endpoint.options, payload, 0)?;
                Ok(server.put_one(cx, key, text, payload))
            }
            (Role::Diagnosis(_), Place::Peer(_)) => Err(sends_nothing()),
            (_, Place::Peer(peer)) => {
                check_size(&peer.endpoint.options, payload, 0)?;
                Ok(peer.put(cx, text, payload))
            }
            (Role::Join(_) | Role::Diagnosis(_), Place::Server(_)) => Err(Error::gone()),
        }
    }

    /// Sends a remote call. A `target` of `None` means everyone, or the one client if `at` is a client.
    pub fn put_call(
        &mut self,
        at: Place<'_>,
        cx: &mut Cx<'_>,
        target: Option<Target>,
        bytes: &[u8],
    ) -> Result<Sent, Error> {
        match (self, at) {
            (Role::Host(host), Place::Server(server)) => {
                let target = target.unwrap_or(Target::All);
                check_size_at_host(server, bytes, CALL_HEAD, |server| host.places(server, target))?;
                host.put_call(server, cx, target, bytes)
            }
            (Role::Host(host), Place::Client(server, key)) => {
                check_size_at_host(server, bytes, CALL_HEAD, |_| Ok(vec![key]))?;
                match target {
                    Some(_) => Err(Error::wrong_kind(NO_TARGETS)),
                    None => host.put_call_one(server, cx, key, bytes),
                }
            }
            (Role::Join(join), Place::Peer(peer)) => {
                check_size(&peer.endpoint.options, bytes, join.header_bytes() + CALL_HEAD)?;
                join.put_call(peer, cx, target, bytes)
            }
            _ => Err(no_scene()),
        }
    }

    /// Sends a packet of replication that the program made. A `target` of `None` means everyone.
    pub fn put_replication(
        &mut self,
        at: Place<'_>,
        cx: &mut Cx<'_>,
        target: Option<Target>,
        packet: &[u8],
    ) -> Result<Sent, Error> {
        check_replication(packet)
            .map_err(|why| Error::new(ErrorCode::Arg, format!("this is no packet of replication: {why}")))?;
        match (self, at) {
            (Role::Host(host), Place::Server(server)) => {
                let target = target.unwrap_or(Target::All);
                check_size_at_host(server, packet, host.header_bytes(), |server| host.places(server, target))?;
                host.put_replication(server, cx, target, packet)
            }
            (Role::Join(join), Place::Peer(peer)) => {
                check_size(&peer.endpoint.options, packet, join.header_bytes())?;
                join.put_replication(peer, cx, target, packet)
            }
            (_, Place::Client(..)) => Err(of_client()),
            _ => Err(no_scene()),
        }
    }

    /// Lets `act` declare and replicate nodes. It gets the scene, where packets go, and how long they may be.
    pub fn replicate<R>(
        &mut self,
        at: Place<'_>,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Scene, &mut dyn Outlet, NodeLimit) -> Result<R, Error>,
    ) -> Result<R, Error> {
        match (self, at) {
            (_, Place::Client(..)) => Err(of_client()),
            (Role::Host(host), Place::Server(server)) => {
                let most = NodeLimit::of(&server.endpoint.options);
                host.replicate(server, cx, |scene, outlet| act(scene, outlet, most))
            }
            (Role::Join(join), Place::Peer(peer)) => {
                let most = NodeLimit::of(&peer.endpoint.options);
                join.replicate(peer, cx, |scene, outlet| act(scene, outlet, most))
            }
            _ => Err(no_scene()),
        }
    }

    /// The authority that a program on this end names: 0 is itself, as is its own id.
    pub fn authority(&self, authority: i32) -> i32 {
        let own = match self {
            Role::Host(_) => HOST_ID,
            Role::Join(join) => join.id(),
            Role::Plain | Role::Diagnosis(_) => 0,
        };
        if authority == own { 0 } else { authority }
    }

    /// Sends a message to the subscribers of a topic, but not to its target: a handle, on a host an id.
    pub fn publish(
        &mut self,
        at: Place<'_>,
        cx: &mut Cx<'_>,
        topic: &str,
        packet: Packet<'_>,
        find: Find<'_>,
    ) -> Result<Sent, Error> {
        let Packet { target: except, kind, bytes } = packet;
        let Place::Server(server) = at else { return Err(no_topics()) };
        check_topic(topic)?;
        match self {
            Role::Host(host) => {
                let to = |server: &Server| Ok(server.subscribers(topic).to_vec());
                check_size_at_host(server, bytes, host.header_bytes(), to)?;
                host.publish(server, cx, topic, except, kind, bytes)
            }
            _ if !matches!(kind, MessageType::Text | MessageType::Binary) => Err(no_scene()),
            _ => {
                check_size(&server.endpoint.options, bytes, 0)?;
                check_open(server)?;
                let subscribers = server.subscribers(topic).to_vec();
                if subscribers.is_empty() {
                    return Ok(Sent::Taken);
                }
                let except = except.and_then(|handle| find(handle as u32));
                Ok(server.put_all(cx, kind == MessageType::Text, bytes, Whom::These(&subscribers), except))
            }
        }
    }

    /// Sends a message of ws_put_packets.
    pub fn put_packet(
        &mut self,
        at: Place<'_>,
        cx: &mut Cx<'_>,
        packet: Packet<'_>,
        find: Find<'_>,
    ) -> Result<Sent, Error> {
        let Packet { target, kind, bytes } = packet;
        match kind {
            MessageType::Call => self.put_call(at, cx, decoded(target)?, bytes),
            MessageType::Text | MessageType::Binary => self.put(at, cx, target, kind == MessageType::Text, bytes, find),
            _ => self.put_replication(at, cx, decoded(target)?, bytes),
        }
    }

    /// Returns the keys of the clients that the target of ws_disconnect selects.
    pub fn targets(&self, server: &Server, target: Target, find: Find<'_>) -> Result<Vec<u32>, Error> {
        if let Role::Host(host) = self {
            return host.places(server, target);
        }
        Ok(match target {
            Target::One(client) => vec![find(client as u32).ok_or_else(|| no_client(client))?],
            Target::All => server.keys().collect(),
            Target::AllBut(client) => {
                let except = find(client as u32);
                server.keys().filter(|key| Some(*key) != except).collect()
            }
        })
    }
}

/// Peers with ids.
impl Role {
    /// Whether its peers have ids: a host or a join.
    pub fn has_peers(&self) -> bool {
        matches!(self, Role::Host(_) | Role::Join(_))
    }

    /// The state of a connection as the program sees it.
    pub fn state(&self, peer: &Connection) -> State {
        match self {
            Role::Join(join) => join.state(peer),
            Role::Diagnosis(diagnosis) => diagnosis.state(peer),
            Role::Plain | Role::Host(_) => peer.state(),
        }
    }

    /// Returns 1 for a host, and the assigned id for a host's client or a join: 0 before it is assigned.
    pub fn peer_id(&self, at: Place<'_>) -> Result<i32, Error> {
        match (self, at) {
            (Role::Host(_), Place::Server(_)) => Ok(HOST_ID),
            (Role::Host(_), Place::Client(server, key)) => {
                server.peer(key).map(|peer| peer.endpoint.label).ok_or_else(Error::gone)
            }
            (Role::Join(join), _) => Ok(join.id()),
            _ => Err(no_ids()),
        }
    }

    /// Returns the handle of the connection to a peer. `own` is the handle that was passed in.
    pub fn conn(&self, at: Place<'_>, own: u32, peer_id: i32) -> Result<u32, Error> {
        match (self, at) {
            (Role::Host(host), Place::Server(server)) => {
                server.peer(host.place(peer_id)?).map(|peer| peer.endpoint.handle).ok_or_else(Error::gone)
            }
            (Role::Join(_), _) if peer_id == HOST_ID => Ok(own),
            (Role::Join(_), _) => {
                Err(Error::new(ErrorCode::Target, "a client has a connection only to the host (peer 1)"))
            }
            _ => Err(no_ids()),
        }
    }

    /// Adds a player of this process to a host. Returns the wire format and scene settings that the player must use.
    pub fn accept_local(&self, at: Place<'_>, cx: &mut Cx<'_>, end: MemoryEnd) -> Result<(Wire, SceneSettings), Error> {
        let (Role::Host(host), Place::Server(server)) = (self, at) else {
            return Err(Error::wrong_kind("only a host has players of its own"));
        };
        if server.state() != State::Open {
            return Err(Error::new(ErrorCode::State, "the host is closing or closed"));
        }
        server.accept_local(cx, end);
        Ok((host.wire(), host.scene_settings()))
    }

    /// Sends data for the authentication of a peer.
    pub fn send_auth(&mut self, at: Place<'_>, cx: &mut Cx<'_>, peer_id: i32, data: &[u8]) -> Result<Sent, Error> {
        match (self, at) {
            (_, Place::Client(..)) => Err(of_client()),
            (Role::Host(host), Place::Server(server)) => {
                check_size_at_host(server, data, AUTH_HEAD, |_| Ok(vec![host.place(peer_id)?]))?;
                host.send_auth(server, cx, peer_id, data)
            }
            (Role::Join(join), Place::Peer(peer)) => {
                check_size(&peer.endpoint.options, data, AUTH_HEAD)?;
                join.send_auth(peer, cx, peer_id, data)
            }
            _ => Err(no_scene()),
        }
    }

    /// Marks the authentication of a peer as complete on this side.
    pub fn complete_auth(&mut self, at: Place<'_>, cx: &mut Cx<'_>, peer_id: i32) -> Result<Sent, Error> {
        match (self, at) {
            (_, Place::Client(..)) => Err(of_client()),
            (Role::Host(host), Place::Server(server)) => host.complete_auth(server, cx, peer_id),
            (Role::Join(join), Place::Peer(peer)) => join.complete_auth(peer, cx, peer_id),
            _ => Err(no_scene()),
        }
    }

    /// Declares a node, or forgets it if `methods` is `None`.
    pub fn declare(&mut self, at: Place<'_>, path: &str, methods: Option<&str>) -> Result<(), Error> {
        match (self, at) {
            (_, Place::Client(..)) => Err(of_client()),
            (Role::Host(host), _) => host.declare(path, methods),
            (Role::Join(join), _) => join.declare(path, methods),
            (Role::Plain | Role::Diagnosis(_), _) => Err(no_scene()),
        }
    }
}

/// Memory.
impl Role {
    /// Heap bytes kept about other peers, beside queued messages.
    pub fn kept_bytes(&self) -> usize {
        match self {
            Role::Plain | Role::Diagnosis(_) => 0,
            Role::Host(host) => host.kept_bytes(),
            Role::Join(join) => join.kept_bytes(),
        }
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        match self {
            Role::Plain | Role::Diagnosis(_) => false,
            Role::Host(host) => host.is_large(),
            Role::Join(join) => join.is_large(),
        }
    }
}

/// Sends to clients of a plain server, where a target is a client's handle.
fn put_to_clients(
    server: &mut Server,
    cx: &mut Cx<'_>,
    target: Option<i32>,
    text: bool,
    payload: &[u8],
    find: Find<'_>,
) -> Result<Sent, Error> {
    let except = match decoded(target)?.unwrap_or(Target::All) {
        Target::One(client) => {
            let key = find(client as u32).ok_or_else(|| no_client(client))?;
            return Ok(server.put_one(cx, key, text, payload));
        }
        Target::All => None,
        Target::AllBut(client) => find(client as u32),
    };
    check_open(server)?;
    Ok(server.put_all(cx, text, payload, Whom::ALL, except))
}

fn check_open(server: &Server) -> Result<(), Error> {
    match server.state() {
        State::Open => Ok(()),
        _ => Err(Error::new(ErrorCode::State, "the server is closing or closed")),
    }
}

/// Checks that a message with `header` bytes of framing in front is not longer than may be sent.
#[inline]
pub fn check_size(options: &Options, payload: &[u8], header: usize) -> Result<(), Error> {
    let len = payload.len() + header;
    if len as u64 <= options.max_put() { Ok(()) } else { Err(too_big(options, len)) }
}

/// As `check_size`. What goes only to players in this process, `to`, is not limited by what Godot takes.
fn check_size_at_host(
    server: &mut Server,
    payload: &[u8],
    header: usize,
    to: impl FnOnce(&Server) -> Result<Vec<u32>, Error>,
) -> Result<(), Error> {
    check_size(&server.endpoint.options, payload, header).or_else(|error| {
        let fits = (payload.len() + header) as u64 <= server.endpoint.options.max_message();
        if fits && to(server).is_ok_and(|keys| server.are_local(&keys)) { Ok(()) } else { Err(error) }
    })
}

fn decoded(target: Option<i32>) -> Result<Option<Target>, Error> {
    target.map(Target::decode).transpose()
}

/// Bytes in front of authentication data.
const AUTH_HEAD: usize = 2;
const NO_TARGETS: &str = "only a server, a host or a join has targets; use ws_put_packet";

#[cold]
fn too_big(options: &Options, len: usize) -> Error {
    let most = options.max_put();
    let raise = match most < options.max_message() {
        true => format!("{MAX_PUT_BYTES} if the other end takes more"),
        false => format!("{MAX_MESSAGE_BYTES} at both ends"),
    };
    let why = format!("the message has {len} bytes and at most {most} are allowed: split it, or raise {raise}");
    Error::new(ErrorCode::TooBig, why)
}

#[cold]
fn sends_nothing() -> Error {
    Error::new(ErrorCode::State, format!("a diagnosis sends no messages: open the connection with {CONNECT}"))
}

fn no_client(handle: i32) -> Error {
    Error::new(ErrorCode::Target, format!("{handle} is no client of this server"))
}

/// The error of the functions of topics for a handle that has none.
pub fn no_topics() -> Error {
    Error::wrong_kind("only a server's or host's handle publishes, and only the handle of its client has topics")
}

fn no_ids() -> Error {
    Error::wrong_kind("only hosts and joins have peers with ids")
}

fn no_scene() -> Error {
    Error::wrong_kind(format!("remote calls, authentication and nodes are for ws_host and ws_join with {SCENE}"))
}

fn of_client() -> Error {
    Error::wrong_kind("this is for the host's own handle, with the peer's id")
}
