//! Queries and settings of the object behind a handle.

use super::family::{Kind, Member};
use super::verbs::peer_of;
use super::{Body, wake, with};
use crate::codes::*;
use crate::endpoint::{Counters, Mark, Refused, Scope, definition, shown_address};
use crate::error::Error;
use crate::names::Name;
use crate::net::TlsServer;
use crate::server::{ClientCounts, Server};
use crate::status::{ErrorCode, State, Text};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// ws_get_state.
pub fn state(handle: u32) -> Result<State, Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Server) => Ok(server.state()),
        (kind, member) => {
            let peer = peer_of(kind, member)?;
            Ok(body.role.state(peer))
        }
    })
}

/// ws_get_text.
pub fn text(handle: u32, what: Text) -> Result<String, Error> {
    with(handle, |body, member| {
        if let (Kind::Server(server), Member::Server) = (&mut body.kind, member) {
            return match what {
                Text::Url => Ok(server.url()),
                Text::LocalAddress => Ok(server.address().to_string()),
                _ => Err(Error::wrong_kind(
                    "a server has only WS_GET_URL and WS_GET_LOCAL_ADDRESS; ask its clients for the rest",
                )),
            };
        }
        let peer = peer_of(&mut body.kind, member)?;
        let info = &peer.endpoint.info;
        Ok(match what {
            Text::Url => info.url(),
            Text::Path => info.path().to_owned(),
            Text::Method => info.method().to_owned(),
            Text::CloseReason => peer.close_reason().to_owned(),
            Text::LocalAddress => shown_address(info.local()),
            Text::RemoteAddress => shown_address(info.remote()),
            Text::PeerAddress => info.peer_address(),
            Text::Query | Text::Subprotocol | Text::Error | Text::Body | Text::Tls | Text::Extensions => {
                info.text(what).to_owned()
            }
        })
    })
}

/// ws_get_header; `None` if there is no such header.
pub fn header(handle: u32, name: &str, index: u32) -> Result<Option<String>, Error> {
    with(handle, |body, member| {
        let peer = peer_of(&mut body.kind, member)?;
        Ok(peer.endpoint.info.headers.get(name, index as usize).map(str::to_owned))
    })
}

/// ws_get_end: the connection, its user value and peer, and its last event; `None` if the connection has not ended.
pub fn end(handle: u32) -> Result<Option<(u32, u64, i32, Mark)>, Error> {
    with(handle, |body, member| {
        let peer = peer_of(&mut body.kind, member)?;
        Ok(peer
            .endpoint
            .info
            .end()
            .map(|mark| (peer.endpoint.handle, peer.endpoint.user, peer.endpoint.label, mark.clone())))
    })
}

/// The values of ws_get_stats.
pub struct Stats {
    /// Number of open connections.
    pub connections: u32,
    /// Totals since the opening.
    pub totals: Counters,
    /// Queued: inbound messages and bytes, outbound messages and bytes.
    pub queued: [u64; 4],
    /// Round-trip time of the last ping, in microseconds.
    pub rtt_us: u64,
    /// Duration of the last and of the longest poll.
    pub poll_times: (Duration, Duration),
    /// A server's clients.
    pub clients: ClientCounts,
    /// Files that a server is sending, and requests for files that it has answered.
    pub downloads: [u64; 2],
    /// Messages of sessions that are not acknowledged, and their bytes.
    pub unacknowledged: [u64; 2],
    /// Heap bytes of permessage-deflate contexts.
    pub deflate_memory: u64,
    /// Heap bytes kept for peers, beside the queues.
    pub kept: u64,
    /// Bytes that simulated lines hold, and packets that were lost on them.
    pub lines: [u64; 2],
    /// Topics with subscribers, and subscriptions.
    pub topics: [u64; 2],
    /// Bytes that are held, the most that were, and clients that were ended for it.
    pub held: [u64; 3],
}

/// ws_get_stats.
pub fn stats(handle: u32) -> Result<Stats, Error> {
    with(handle, |body, member| {
        let poll_times = body.poll_times;
        if let (Kind::Server(server), Member::Server) = (&mut body.kind, member) {
            let (totals, queued, server_counts) = server.totals();
            let deflate_memory = (server.deflate_memory() + body.shared.codecs.heap_bytes()) as u64;
            let kept = (server.kept_bytes() + body.role.kept_bytes()) as u64;
            let (downloads, lines) = (server.downloads(), server.line_counts());
            return Ok(Stats {
                connections: server_counts.connected as u32,
                totals,
                queued,
                rtt_us: 0,
                poll_times,
                clients: server_counts,
                downloads,
                unacknowledged: server.unacknowledged(),
                deflate_memory,
                kept,
                lines,
                topics: server.topic_counts(),
                held: server.ceiling_counts(),
            });
        }
        let topics = match (&body.kind, member) {
            (Kind::Server(server), Member::Client(key)) => server.topics_of(key),
            _ => 0,
        };
        let peer = peer_of(&mut body.kind, member)?;
        let (early, early_bytes) = peer.early();
        let out = [peer.queued_messages() + early, peer.queued_bytes() + early_bytes].map(|count| count as u64);
        let [packets_in, bytes_in] = peer.endpoint.queued_in();
        let queued = [packets_in, bytes_in, out[0], out[1]];
        let connections = u32::from(peer.state() == State::Open);
        let (totals, rtt_us, lines) = (peer.totals(), peer.endpoint.rtt_us, peer.line_counts());
        let kept = peer.kept_bytes();
        let own = peer.compression().map_or(0, |compression| compression.heap_bytes());
        let deflate_memory =
            (own + if matches!(member, Member::Client(_)) { 0 } else { body.shared.codecs.heap_bytes() }) as u64;
        let of_game = if matches!(member, Member::Client(_)) { 0 } else { body.role.kept_bytes() };
        let kept = (kept + of_game) as u64;
        Ok(Stats {
            connections,
            totals,
            queued,
            rtt_us,
            poll_times,
            clients: ClientCounts::default(),
            downloads: [0; 2],
            unacknowledged: peer.unacknowledged(),
            deflate_memory,
            kept,
            lines,
            topics: [0, topics],
            held: [peer.held_bytes(), 0, 0],
        })
    })
}

/// ws_get_option.
pub fn option(handle: u32, option: i32) -> Result<u32, Error> {
    with(handle, |body, member| {
        check_option(body, member, option)?;
        let unknown = || no_option(option);
        if let (Kind::Server(server), Member::Server) = (&mut body.kind, member) {
            return match option {
                WS_OPT_PORT => Ok(u32::from(server.address().port())),
                _ => server.endpoint.options.raw(option).ok_or_else(unknown),
            };
        }
        let peer = peer_of(&mut body.kind, member)?;
        match option {
            WS_OPT_PORT => Ok(peer.endpoint.info.local().map_or(0, |address| u32::from(address.port()))),
            _ => peer.endpoint.options.raw(option).ok_or_else(unknown),
        }
    })
}

fn no_option(option: i32) -> Error {
    Error::new(ErrorCode::Arg, format!("{option} is no WS_OPT_*"))
}

/// Checks that the option applies to the handle.
fn check_option(body: &Body, member: Member, option: i32) -> Result<(), Error> {
    let is_server = matches!((&body.kind, member), (Kind::Server(_), Member::Server));
    let is_multiplayer = matches!(member, Member::Server | Member::Only) && body.role.has_peers();
    match definition(option).ok_or_else(|| no_option(option))?.scope {
        Scope::Server if !is_server => Err(Error::wrong_kind("this is an option of servers")),
        Scope::Multiplayer if !is_multiplayer => Err(Error::wrong_kind("this is an option of hosts and joins")),
        _ => Ok(()),
    }
}

/// ws_set_option. A server's options apply to clients that connect later.
pub fn set_option(handle: u32, option: i32, value: u32) -> Result<(), Error> {
    with(handle, |body, member| {
        check_option(body, member, option)?;
        let refused = |refused| match (refused, definition(option)) {
            (Refused::Value(why), Some(definition)) => {
                Error::new(ErrorCode::Arg, format!("{} cannot be {value}: it {why}", Name(definition.name)))
            }
            _ => no_option(option),
        };
        if let (Kind::Server(server), Member::Server) = (&mut body.kind, member) {
            return Arc::make_mut(&mut server.endpoint.options).set(option, value).map_err(refused);
        }
        let peer = peer_of(&mut body.kind, member)?;
        let had_heartbeat = peer.endpoint.options.time(WS_OPT_HEARTBEAT_MS).is_some_and(|interval| !interval.is_zero());
        Arc::make_mut(&mut peer.endpoint.options).set(option, value).map_err(refused)?;
        if option == WS_OPT_HEARTBEAT_MS && !had_heartbeat {
            peer.ping_soon(Instant::now());
        }
        if option == WS_OPT_NO_DELAY
            && let Some(stream) = peer.stream_mut()
        {
            stream.set_no_delay(value == 1);
        }
        if let (Kind::Server(server), Member::Client(key)) = (&mut body.kind, member) {
            server.look_soon(key, Instant::now());
        }
        // A changed timer or limit may need a poll, so waiting threads are woken.
        body.more[member.end()] = true;
        wake::all();
        Ok(())
    })
}

/// ws_set_certificate: TLS handshakes that begin from now on use it.
pub fn set_certificate(handle: u32, cert_pem: &str, key_pem: &str) -> Result<(), Error> {
    with(handle, |body, member| server_with_tls(body, member).map(drop))?;
    // Takes longer than other calls may hold the lock.
    let tls = TlsServer::new(cert_pem, key_pem)?;
    tls.check_expiry()?;
    let replaced =
        with(handle, |body, member| Ok(server_with_tls(body, member)?.set_certificate(Arc::new(tls), Instant::now())))?;
    drop(replaced);
    Ok(())
}

/// The server of a handle, if it has a certificate and accepts clients.
fn server_with_tls(body: &mut Body, member: Member) -> Result<&mut Server, Error> {
    let (Kind::Server(server), Member::Server) = (&mut body.kind, member) else {
        return Err(Error::wrong_kind("only a server's handle has a certificate to replace"));
    };
    if !server.has_tls() {
        return Err(Error::wrong_kind("this server has no TLS: open it with wss:// instead of ws://"));
    }
    match server.state() {
        State::Open => Ok(server),
        _ => Err(Error::new(ErrorCode::State, "the server is closing and accepts no more clients")),
    }
}

/// ws_set_user.
pub fn set_user(handle: u32, user: u64) -> Result<(), Error> {
    with(handle, |body, member| {
        match (&mut body.kind, member) {
            (Kind::Server(server), Member::Server) => server.endpoint.user = user,
            (kind, member) => peer_of(kind, member)?.endpoint.user = user,
        }
        Ok(())
    })
}

/// ws_get_conns: the handles of a server's clients.
pub fn conns(handle: u32) -> Result<Vec<u32>, Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Server) => Ok(server.handles().collect()),
        _ => Err(Error::wrong_kind("only a server's handle has clients")),
    })
}

/// ws_get_waiting: the handles of a server's clients that have items to take.
pub fn waiting(handle: u32) -> Result<Vec<u32>, Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Server) => Ok(server.handles_waiting()),
        _ => Err(Error::wrong_kind("only a server's handle has clients")),
    })
}

impl Stats {
    /// Microseconds of the last poll and the longest.
    pub fn poll_us(&self) -> (u64, u64) {
        (self.poll_times.0.as_micros() as u64, self.poll_times.1.as_micros() as u64)
    }
}
