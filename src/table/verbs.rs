//! The operations of the C functions on the object behind a handle.

use super::family::{Body, Family, Kind, Member};
use super::leave::{Leaving, What, drop_peer};
use super::place::Place;
use super::{ClientHandles, PanicWatch, Registry, registry, stale, wake, with, with_any, with_family};
use crate::connection::{Connection, LONGEST_WAIT};
use crate::error::Error;
use crate::heap;
use crate::link::{Sent, check_close};
use crate::multiplayer::Target;
use crate::names::said::RETRY_MS;
use crate::names::{OUTBOUND_BYTES, OUTBOUND_PACKETS, QUEUE_BEFORE_OPEN};
use crate::protocol::LONGEST_DRAIN_URL;
use crate::role::{Packet, Role, check_size};
use crate::status::{ErrorCode, MessageType, Success};
use crate::work::{Cx, Latest};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Idle time after which a connection releases its read buffer.
const IDLE: Duration = Duration::from_secs(5);

/// ws_poll. Returns true if the budget ended with work left.
pub fn poll(handle: u32) -> Result<bool, Error> {
    let registry = registry();
    with_family(handle, |family, body, member| {
        // Checked before the poll: a pipe that ends in it is gone afterwards, and threads that wait for its other end
        // must be woken.
        let in_memory = body.is_in_memory();
        let budget = budget_of(&mut body.kind, member);
        let (now, budget) = body.clock_of(in_memory, budget);
        let end = member.end();
        let gap = body.gap(end, now).unwrap_or_default();
        body.polled[end] = Some(now);
        body.attended[end] = Some(now);
        let Body { kind, role, redial, shared, .. } = body;
        let mut cx = shared.cx(now, budget);
        let (more, moved, next_timer);
        match (kind, member) {
            (Kind::Server(server), Member::Server | Member::Client(_)) => {
                let handles = ClientHandles { registry, family };
                (more, next_timer) = role.poll_server(server, &mut cx, &handles, gap);
                moved = server.worked;
            }
            (kind, member) => {
                if let Kind::Pair(ends) = kind {
                    // Messages of both ends may be in the shared arena.
                    ends.iter_mut().flatten().for_each(|peer| peer.leave_arena(cx.arena));
                }
                let peer = peer_of(kind, member)?;
                peer.leave_arena(cx.arena);
                cx.renew();
                if !gap.is_zero() {
                    peer.shift(gap);
                }
                if let Some(redial) = redial {
                    redial.begin(peer, role, &mut cx, gap);
                }
                role.before_poll(peer, &mut cx);
                let before = peer.endpoint.counters.wire_in + peer.endpoint.counters.wire_out;
                let goes_on = peer.pump(&mut cx);
                let timer = peer.check_timers(&mut cx, !goes_on);
                let (behind, role_timer) = role.after_poll(peer, &mut cx, gap);
                next_timer = match redial {
                    None => [timer, role_timer].into_iter().flatten().min(),
                    Some(redial) => redial.settle(peer, role, &mut cx, [timer, role_timer]),
                };
                let read = peer.endpoint.counters.wire_in;
                moved = read + peer.endpoint.counters.wire_out != before || goes_on;
                more = goes_on || behind || peer.has_backlog();
                rest(body, read, now, member);
            }
        }
        body.next_timer[end] = next_timer;
        body.more[end] = more;
        // A poll that moves no byte counts as taking no time, which saves a read of the clock.
        let took = if moved && !body.has_manual_time() { now.elapsed() } else { Duration::ZERO };
        body.poll_times = (took, body.poll_times.1.max(took));
        if in_memory {
            wake::all();
        }
        Ok(more)
    })
}

/// ws_put_packet: sends to the peer, or from a server to all clients.
#[inline]
pub fn put(handle: u32, text: bool, payload: &[u8]) -> Result<Success, Error> {
    with_any(handle, |family, body, member| {
        // Kept short for connections without a multiplayer role: every message takes this path.
        let Body { kind, role: Role::Plain, shared, polled, .. } = body else {
            return put_with_role(family, body, member, handle, text, payload);
        };
        if let (Kind::Server(server), Member::Client(key)) = (&mut *kind, member)
            && server.refuses_put(key, handle, payload.len())
        {
            return accepted(Sent::Full);
        }
        let Some(peer) = kind.peer(member) else {
            return put_with_role(family, body, member, handle, text, payload);
        };
        if peer.endpoint.handle != handle {
            return Err(stale(handle));
        }
        check_size(&peer.endpoint.options, payload, 0)?;
        let sent = peer.put_with(|| shared.cx_since(polled[0]), text, payload);
        match (kind, member) {
            (Kind::Server(server), Member::Client(key)) if sent == Sent::Taken => {
                server.mark_for_flush(key, true);
                if wake::is_awaited() && server.has_marked() {
                    wake::all();
                }
            }
            // A message that was written completely needs no poll.
            (kind, _) => {
                if wake::is_awaited() && !matches!(&*kind, Kind::Client(peer) if !peer.has_output()) {
                    wake::all();
                }
            }
        }
        accepted(sent)
    })
}

/// ws_put_packet on a handle whose family has a multiplayer role, or on a server's.
#[inline(never)]
fn put_with_role(
    family: &Family,
    body: &mut Body,
    member: Member,
    handle: u32,
    text: bool,
    payload: &[u8],
) -> Result<Success, Error> {
    if !body.kind.is_current(member, handle) {
        return Err(stale(handle));
    }
    put_by_role(family, body, member, None, None, text, payload)
}

/// ws_put_packet_to: sends from a server, a host or a join to one peer, all (0) or all but one (negative).
pub fn put_to(handle: u32, target: i32, text: bool, payload: &[u8]) -> Result<Success, Error> {
    with_family(handle, |family, body, member| put_by_role(family, body, member, Some(target), None, text, payload))
}

/// ws_put_latest. `target` as in ws_put_packet_to, or `None` for where ws_put_packet sends it.
pub fn put_latest(
    handle: u32,
    target: Option<i32>,
    latest: Latest,
    text: bool,
    payload: &[u8],
) -> Result<Success, Error> {
    with_family(handle, |family, body, member| put_by_role(family, body, member, target, Some(latest), text, payload))
}

/// Sends a message by the rules of the role. `latest`: it replaces an older one.
#[inline(never)]
fn put_by_role(
    family: &Family,
    body: &mut Body,
    member: Member,
    target: Option<i32>,
    latest: Option<Latest>,
    text: bool,
    payload: &[u8],
) -> Result<Success, Error> {
    // A send to several clients has a budget; a send to a single one is short enough without.
    let several = member == Member::Server && target.is_none_or(|target| target <= 0);
    let (now, budget) = match &body.kind {
        Kind::Server(server) if several => (Instant::now(), server.endpoint.options.budget()),
        _ => (body.polled[0].unwrap_or(registry().epoch), None),
    };
    let (role, kind, mut cx) = body.parts_with_role(now, budget);
    cx.latest = latest;
    let sent = role.put(kind.place(member)?, &mut cx, target, text, payload, &|handle| client_of(family, handle))?;
    wake_for_output(body);
    accepted(sent)
}

/// The messages of a ws_put_packets.
pub trait Packets {
    /// Number of messages.
    fn count(&self) -> usize;
    /// The message at an index below `count`, or what is wrong with it.
    fn get(&self, index: usize) -> Result<Packet<'_>, Error>;
}

/// ws_put_packets: puts messages in order, up to the first that is not accepted. `taken` is increased by one for each
/// accepted message. What they have queued is written at the end.
pub fn put_several(handle: u32, packets: &impl Packets, taken: &mut usize) -> Result<Success, Error> {
    with_family(handle, |family, body, member| {
        // Writing to the clients of a server has a budget; writing to one peer is short enough without.
        let budget = if member == Member::Server { budget_of(&mut body.kind, member) } else { None };
        let (now, budget) = body.clock(budget);
        let (role, kind, mut cx) = body.parts_with_role(now, budget);
        cx.corked = true;
        let mut result = put_plainly(role, kind, member, &mut cx, packets, taken);
        while *taken < packets.count() && result.is_ok() {
            let sent = packets.get(*taken).and_then(|packet| {
                cx.corked_bytes = cx.corked_bytes.wrapping_add(packet.bytes.len());
                role.put_packet(kind.place(member)?, &mut cx, packet, &|handle| client_of(family, handle))
            });
            match sent.and_then(accepted) {
                Ok(Success::Ok) => *taken += 1,
                Ok(partial) => {
                    result = Ok(partial);
                    *taken += 1;
                }
                Err(error) => result = Err(error),
            }
        }
        match kind {
            Kind::Server(server) => server.uncork(&mut cx),
            kind => peer_of(kind, member)?.uncork(&mut cx),
        }
        wake_for_output(body);
        result
    })
}

/// The part of `put_several` for a connection without a multiplayer role, kept short, as every message takes this path.
/// Stops at the first packet that is a call or has a target, or is not accepted.
#[inline(always)]
fn put_plainly(
    role: &Role,
    kind: &mut Kind,
    member: Member,
    cx: &mut Cx<'_>,
    packets: &impl Packets,
    taken: &mut usize,
) -> Result<Success, Error> {
    if !matches!(role, Role::Plain) {
        return Ok(Success::Ok);
    }
    if let (Kind::Server(server), Member::Client(key)) = (&mut *kind, member) {
        server.mark_corked(key);
    }
    let Some(peer) = kind.peer(member) else { return Ok(Success::Ok) };
    while *taken < packets.count() {
        let Packet { target, kind, bytes } = packets.get(*taken)?;
        if target.is_some() || kind == MessageType::Call {
            break;
        }
        check_size(&peer.endpoint.options, bytes, 0)?;
        cx.corked_bytes = cx.corked_bytes.wrapping_add(bytes.len());
        accepted(peer.put(cx, kind == MessageType::Text, bytes))?;
        *taken += 1;
    }
    Ok(Success::Ok)
}

/// ws_flush.
pub fn flush(handle: u32) -> Result<(), Error> {
    with(handle, |body, member| {
        let in_memory = body.is_in_memory();
        let budget = budget_of(&mut body.kind, member);
        let (now, budget) = body.clock(budget);
        let (kind, mut cx) = body.parts(now, budget);
        match (&mut *kind, member) {
            (Kind::Server(server), Member::Server) => server.write_marked(&mut cx),
            (Kind::Server(server), Member::Client(key)) => server.flush_one(&mut cx, key),
            (kind, member) => peer_of(kind, member)?.write(&mut cx),
        }
        if in_memory {
            wake::all();
        }
        Ok(())
    })
}

/// ws_close.
pub fn close(handle: u32, code: i32, reason: &str) -> Result<(), Error> {
    check_close(code, reason)?;
    with(handle, |body, member| {
        body.more[member.end()] = true;
        let (now, budget) = body.clock(Some(1_000));
        let (kind, mut cx) = body.parts(now, budget);
        match (&mut *kind, member) {
            (Kind::Server(server), Member::Server) => server.close(&mut cx, code, reason),
            (Kind::Server(server), Member::Client(key)) => {
                server.act(&mut cx, key, |peer, cx| peer.close(cx, code, reason));
            }
            (kind, member) => {
                let peer = peer_of(kind, member)?;
                peer.close(&mut cx, code, reason);
                peer.finish(&mut cx);
            }
        }
        wake::all();
        Ok(())
    })
}

/// ws_drain.
pub fn drain(handle: u32, window: Duration, retry: Duration, url: &str) -> Result<(), Error> {
    with(handle, |body, member| {
        let (Kind::Server(server), Member::Server) = (&mut body.kind, member) else {
            return Err(Error::wrong_kind("only a server or host can be drained"));
        };
        if retry > LONGEST_WAIT {
            let why =
                format!("{RETRY_MS} is {} ms: at most {} ms are kept to", retry.as_millis(), LONGEST_WAIT.as_millis());
            return Err(Error::new(ErrorCode::Arg, why));
        }
        if url.len() > LONGEST_DRAIN_URL {
            return Err(Error::new(
                ErrorCode::Url,
                format!("the URL has {} bytes: {LONGEST_DRAIN_URL} fit", url.len()),
            ));
        }
        if !url.is_empty() {
            let place = Place::parse(url)?;
            place.host_and_port()?;
            if place.authorization().is_some() {
                let why = "the URL has a user name or password, with which no client follows it";
                return Err(Error::new(ErrorCode::Url, why));
            }
        }
        if !server.drain(Instant::now(), window, retry, url) {
            return Err(Error::new(ErrorCode::State, "the server is closed or closing already"));
        }
        body.more[member.end()] = true;
        wake::all();
        Ok(())
    })
}

/// ws_disconnect: closes one client of a server, all (0) or all but one (negative).
pub fn disconnect(handle: u32, target: i32, code: i32, reason: &str) -> Result<(), Error> {
    check_close(code, reason)?;
    with_family(handle, |family, body, member| {
        let (Kind::Server(_), Member::Server) = (&body.kind, member) else {
            return Err(Error::wrong_kind("only a server's handle has clients to disconnect; use ws_close"));
        };
        let target = Target::decode(target)?;
        let (now, budget) = body.clock(Some(1_000));
        let (role, kind, mut cx) = body.parts_with_role(now, budget);
        let Kind::Server(server) = kind else { return Err(Error::gone()) };
        let keys = role.targets(server, target, &|handle| client_of(family, handle))?;
        // After the budget is exhausted, clients are still closed, and later polls write their output.
        for key in keys {
            server.act(&mut cx, key, |peer, cx| peer.disconnect(cx, code, reason));
        }
        wake::all();
        Ok(())
    })
}

/// ws_free. Stale handles are harmless.
pub fn free(handle: u32) {
    free_since(handle, Instant::now());
}

/// Like `free`, in a call that began at `now`: everything that the call frees shares one budget.
fn free_since(handle: u32, now: Instant) {
    let registry = registry();
    let Some((family, member)) = registry.remove(handle) else { return };
    let mut body = family.body.lock();
    if !body.kind.is_current(member, handle) {
        return;
    }
    {
        let mut watch = PanicWatch::new(family, &mut body);
        #[cfg(feature = "inject-panics")]
        crate::quiet::inject::pass(crate::quiet::inject::Place::Locked);
        drop_member(registry, watch.body(), member, now);
        watch.done();
    }
    if matches!(body.kind, Kind::Gone) {
        // Large read buffers and large role state are freed by the worker.
        body.shared.shrink();
        let role = std::mem::take(&mut body.role);
        if role.is_large() {
            registry.services.discard(Box::new(role));
        }
        *body = Body::default();
        drop(body);
        registry.slots.write().give_family(family);
    }
    wake::all();
}

fn drop_member(registry: &Registry, body: &mut Body, member: Member, now: Instant) {
    let mut left = None;
    let (role, kind, mut cx) = body.parts_with_role(now, Some(1_000));
    match (&mut *kind, member) {
        (Kind::Server(server), Member::Client(key)) => {
            server.forget(&mut cx, key);
            role.forget_gone(server, &mut cx);
        }
        (Kind::Pair(ends), Member::End(end)) => {
            if let Some(peer) = ends[usize::from(end)].take() {
                drop_peer(peer, &mut cx);
            }
            if ends.iter().all(Option::is_none) {
                *kind = Kind::Gone;
            }
        }
        (Kind::Gone, _) => {}
        _ => match std::mem::replace(kind, Kind::Gone) {
            Kind::Client(peer) | Kind::Attached(peer, _) => {
                left = drop_peer(peer, &mut cx).map(|peer| What::Peer(Some(peer)))
            }
            Kind::Server(mut server) => {
                registry.remove_all(server.all_handles());
                // Done here, not by the worker: the program may listen on the port again at once, and the caller wakes
                // threads that wait for a pipe.
                server.stop_listening();
                server.drop_local(&mut cx);
                server.write_last(&mut cx, false);
                // Writing to thousands of clients and dropping them takes milliseconds.
                left = Some(What::Server(server));
            }
            other => *kind = other,
        },
    }
    if let Some(what) = left {
        let shared = std::mem::take(&mut body.shared);
        registry.services.discard(Box::new(Leaving { what, shared }));
    }
}

/// ws_free_owner.
pub fn free_owner(owner: u32) {
    if owner != 0 {
        free_where(|_, of| of == owner);
    }
}

/// ws_shutdown.
pub fn shutdown() {
    free_where(|_, _| true);
    registry().services.shutdown();
}

fn free_where(wanted: impl Fn(Member, u32) -> bool) {
    let registry = registry();
    let roots = |member: Member| !matches!(member, Member::Client(_));
    let handles = registry
        .slots
        .read()
        .handles(|family, member| roots(member) && wanted(member, family.owner.load(Ordering::Relaxed)));
    let now = Instant::now();
    handles.into_iter().for_each(|handle| free_since(handle, now));
}

/// ws_feed: accepts bytes received by the program's transport, and returns how many were taken. `None`: the transport
/// has ended.
pub fn feed(handle: u32, bytes: Option<&[u8]>) -> Result<usize, Error> {
    with(handle, |body, _| match (&mut body.kind, bytes) {
        (Kind::Attached(_, host_end), Some(bytes)) => match host_end.write(bytes) {
            Ok(count) => Ok(count),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(0),
            Err(_) => Err(Error::new(ErrorCode::State, "the connection has ended; take its last output and free it")),
        },
        (Kind::Attached(_, host_end), None) => {
            host_end.finish();
            Ok(0)
        }
        _ => Err(Error::wrong_kind("only a handle from ws_attach takes input")),
    })
    .inspect(|_| wake::all())
}

/// ws_take_output: takes bytes for the program's transport to send.
pub fn take_output(handle: u32, buffer: &mut [u8]) -> Result<usize, Error> {
    with(handle, |body, _| match &mut body.kind {
        Kind::Attached(_, host_end) => Ok(host_end.read(buffer).unwrap_or(0)),
        _ => Err(Error::wrong_kind("only a handle from ws_attach has output to take")),
    })
}

/// The connection that a handle refers to. An error for a server's own handle.
pub(super) fn peer_of(kind: &mut Kind, member: Member) -> Result<&mut Connection, Error> {
    if matches!((&*kind, member), (Kind::Server(_), Member::Server)) {
        return Err(Error::wrong_kind(
            "a server's handle cannot do this; call it with the handle of one of its clients",
        ));
    }
    kind.peer(member).ok_or_else(Error::gone)
}

/// The key of a server's client by its handle; `None` if the handle is no client in this family.
pub(super) fn client_of(family: &Family, handle: u32) -> Option<u32> {
    match registry().slots.read().find(handle) {
        Some((of, Member::Client(key))) if std::ptr::eq(of, family) => Some(key),
        _ => None,
    }
}

#[inline]
fn budget_of(kind: &mut Kind, member: Member) -> Option<u32> {
    match (kind, member) {
        (Kind::Server(server), _) => server.endpoint.options.budget(),
        (kind, member) => kind.peer(member).and_then(|peer| peer.endpoint.options.budget()),
    }
}

/// Converts the result of a send. An error says what to do about it.
#[inline]
pub(super) fn accepted(sent: Sent) -> Result<Success, Error> {
    match sent {
        Sent::Taken => Ok(Success::Ok),
        Sent::Full => Err(full()),
        Sent::NotOpen => Err(not_open()),
        Sent::NoMemory => Err(heap::lacks()),
        Sent::Partial => Ok(Success::Partial),
    }
}

#[cold]
pub(super) fn not_open() -> Error {
    Error::new(
        ErrorCode::State,
        format!(
            "the connection is not OPEN: before OPEN a message needs {QUEUE_BEFORE_OPEN}, and once it closes none is taken, so open another"
        ),
    )
}

#[cold]
pub(super) fn full() -> Error {
    Error::new(
        ErrorCode::Full,
        format!(
            "the outbound queue is full: poll and put it again after the WRITABLE event, or raise {OUTBOUND_BYTES} or {OUTBOUND_PACKETS}"
        ),
    )
}

/// After a poll: releases memory that an idle connection does not need.
#[inline]
fn rest(body: &mut Body, read: u64, now: Instant, member: Member) {
    match body.active {
        (before, Some(until)) if before == read && now <= until => {}
        (before, Some(_)) if before == read && member == Member::Only && body.shared.heap_bytes() > 0 => {
            let Some(peer) = body.kind.peer(member).filter(|peer| !peer.endpoint.inbox.has_fresh()) else { return };
            peer.shrink();
            body.shared.shrink();
            body.active = (read, None);
        }
        _ => body.active = (read, Some(now + IDLE)),
    }
}

/// After a send: wakes waiting threads if output is left, because they may have made their plan before it was queued.
pub(super) fn wake_for_output(body: &mut Body) {
    let waits = match &mut body.kind {
        Kind::Client(peer) => peer.has_output(),
        Kind::Server(server) => server.has_marked(),
        _ => false,
    };
    if waits || body.is_in_memory() {
        wake::all();
    }
}
