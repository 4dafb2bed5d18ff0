//! Accepting clients: from a connection in the listen backlog to CONNECTED, or to a refusal with an HTTP status.

use super::client::{Client, Handshaking, Preparing, Slot, Source, Stage, Standing, count};
use super::refusals::TurnedAway;
use super::{FIRST_CLIENT, Handles, Server};
use crate::codes::*;
use crate::connection::Connection;
use crate::endpoint::{MAX_LEN, Mark};
use crate::error::Failure;
use crate::journal;
use crate::names::MAX_CLIENTS;
use crate::net::Stream;
use crate::protocol::{Refusal, Request, ServerHandshake};
use crate::status::{Cause, EventKind, Level, Phase};
use crate::work::Cx;
use mio::net::TcpStream;
use mio::{Interest, Token};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long accepting pauses after it failed, usually for lack of file descriptors.
const REST: Duration = Duration::from_millis(100);

/// Refusal for exceeding max_clients_per_address.
const CROWDED: &str = "too many clients from this address";
/// Refusal because ended clients with unread messages count towards a limit.
const UNREAD: &str = "the server has not read the messages of clients that have ended";

fn busy(what: &str) -> Refusal {
    Refusal::new(503, Cause::Limit, format!("{what}; try again later"))
}

impl Server {
    /// Takes finished TLS handshakes and accepts new connections, for at most half of the budget.
    pub(super) fn accept(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles) -> bool {
        if !self.listening.mailbox.is_empty() {
            for (key, result) in self.listening.mailbox.take() {
                self.secured(cx, key, result);
            }
        }
        if !self.listening.accept_ready || self.listening.accept_after.is_some_and(|after| cx.now < after) {
            return false;
        }
        self.listening.accept_after = None;
        let mut half = cx.budget.half();
        let mut index = 0;
        while index < self.listening.listeners.len() {
            if !self.may_accept() {
                return false;
            }
            let Some(in_place_of) = self.find_place() else { return false };
            match self.listening.listeners[index].accept() {
                Ok((stream, address)) => {
                    if let Some(idle) = in_place_of {
                        self.end_idle(cx, idle);
                    }
                    if self.settings.tls.is_some() {
                        // The TLS handshake consists of small messages. The no_delay option is applied after it.
                        let _ = stream.set_nodelay(true);
                    }
                    self.welcome(cx, stream, address, handles);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    index += 1;
                    continue;
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Interrupted
                            | ErrorKind::ConnectionAborted
                            | ErrorKind::ConnectionReset
                            | ErrorKind::NotConnected
                    ) => {}
                Err(error) => {
                    self.listening.accept_after = Some(cx.now + REST);
                    journal::note(Level::Error, || format!("accepting failed: {error}"));
                    if self.endpoint.inbox.marks() == 0 {
                        let mut mark = Mark {
                            phase: Phase::Tcp,
                            cause: Cause::Resources,
                            os_error: error.raw_os_error().unwrap_or(0),
                            ..Mark::new(EventKind::Error, cx.now.saturating_duration_since(cx.epoch).as_nanos() as u64)
                        };
                        mark.set_text(&format!(
                            "accepting a client failed and is tried again: {error}; raise the limit of open files or lower {MAX_CLIENTS}"
                        ));
                        self.endpoint.inbox.push_mark(mark);
                    }
                    return false;
                }
            }
            if half.is_spent() {
                // The next poll begins with the next listener.
                self.listening.listeners.rotate_left(1);
                return true;
            }
        }
        self.listening.accept_ready = false;
        false
    }

    /// Whether connections may be waiting in the listen backlog, and one more pending handshake is permitted, or may be
    /// in place of a connection that waits for another request.
    pub(super) fn may_accept(&self) -> bool {
        self.listening.accept_ready
            && !self.endpoint.options.is_on(WS_OPT_HOLD_NEW)
            && !self.listening.listeners.is_empty()
            && (self.has_place() || !self.idle.is_empty())
    }

    /// Accepts or refuses a client's request, by the limits and settings, or has the program decide. True: there is more
    /// to read.
    pub(super) fn decide(&mut self, cx: &mut Cx<'_>, key: u32, handles: &dyn Handles) -> bool {
        let most = self.endpoint.options.limit(WS_OPT_MAX_CLIENTS);
        let most_per_address = self.endpoint.options.limit(WS_OPT_MAX_CLIENTS_PER_ADDRESS);
        let accept = self.settings.accept.clone();
        let connected = (self.counts.connected + self.counts.leaving + self.counts.seats) as u64;
        let asks = self.asks;
        let refuses = [WS_OPT_REFUSE_NEW, WS_OPT_HOLD_NEW].iter().any(|option| self.endpoint.options.is_on(*option));
        let located = if self.settings.proxies.is_some() { self.locate(key) } else { Ok(()) };
        let comes_back = match self.slots.get(key as usize) {
            Some(Slot::Client(client)) => client.peer.request().is_some_and(|request| self.comes_back(request)),
            _ => false,
        };
        let drained = match &self.drain {
            Some(drain) if !comes_back => Err(busy("the server is drained").retry_after(drain.retry_s())),
            _ => Ok(()),
        };
        let allowed = drained.and(located).and_then(|()| match self.slots.get(key as usize) {
            Some(Slot::Client(client)) => {
                let default_port = if self.settings.tls.is_some() { 443 } else { 80 };
                let check = |request: &Request| self.settings.allowed.check(&request.headers, default_port);
                client.peer.request().map_or(Ok(()), check)
            }
            _ => Ok(()),
        });
        if self.downloads.is_some()
            && allowed.is_ok()
            && let Some(more) = self.begin_download(cx, key)
        {
            return more;
        }
        let Some(Slot::Client(client)) = self.slots.get(key as usize) else { return false };
        let address = self.settings.limited(client.address());
        let there = self.counts.per_address.get(&address).copied().unwrap_or_default();
        let from_there = u64::from(there.connected + there.seats);
        let has_room = self.has_room_beside(connected, most, None)
            && self.has_room_beside(from_there, most_per_address, Some(address));
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return false };
        let Some(request) = client.peer.request() else { return false };
        let has_seat = comes_back;
        let judged = allowed.and_then(|()| match &request.opening {
            _ if !asks || has_seat => accept.answer(request).map(Some),
            Some(opening) => accept.check(request, opening).map(|_| None),
            None => Ok(None),
        });
        let answer = match judged {
            Err(refusal) => Err(refusal),
            Ok(Some(answer)) if has_seat => Ok(answer),
            Ok(_) if refuses => Err(busy("the server takes no new clients")),
            Ok(_) if connected >= most => Err(busy("the server is full")),
            Ok(_) if from_there >= most_per_address => Err(busy(CROWDED)),
            Ok(_) if !has_room => Err(busy(UNREAD)),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => {
                self.ask(cx, key, handles);
                // Reads on, to notice a client that leaves.
                return self.client(key).is_some_and(|client| client.peer.pump(cx));
            }
        };
        let takes_seat = !has_seat && answer.as_ref().is_ok_and(|agreement| agreement.may_begin_session());
        client.peer.decide(cx, answer);
        if takes_seat {
            self.take_seat(key);
        }
        let Some(client) = self.client(key) else { return false };
        // Bytes sent after the request may have arrived already, and the answer is written now.
        client.peer.pump(cx) || client.peer.request().is_some()
    }

    /// Whether a limit of `most` clients permits one more, if `count` and the ended clients with unread messages are
    /// counted.
    fn has_room_beside(&mut self, count: u64, most: u64, address: Option<IpAddr>) -> bool {
        count + (self.queues.ended_unread.len() as u64) < most || count + self.unread_ended(address) < most
    }

    fn welcome(&mut self, cx: &mut Cx<'_>, stream: TcpStream, peer: SocketAddr, handles: &dyn Handles) {
        let mut source = Source { peer, address: peer, known: true, since: cx.now };
        if let Some(proxies) = &self.settings.proxies {
            if proxies.send_header(peer.ip()) {
                return self.expect_header(cx, stream, source, handles);
            }
            source.known = !proxies.send_request_header(peer.ip());
        }
        self.admit(cx, None, stream, source, Some(handles));
    }

    /// Goes on with a client whose address is known, or will be with its request. `place`: the slot that it has, in
    /// which it does not count for the limits per address yet.
    pub(super) fn admit(
        &mut self,
        cx: &mut Cx<'_>,
        place: Option<(u32, u32)>,
        stream: TcpStream,
        source: Source,
        handles: Option<&dyn Handles>,
    ) {
        let limited = source.known.then(|| self.settings.limited(source.address.ip()));
        let most = self.endpoint.options.limit(WS_OPT_MAX_CLIENTS_PER_ADDRESS);
        let there = limited.and_then(|limited| self.counts.per_address.get(&limited).copied()).unwrap_or_default();
        let tls = self.settings.tls.clone();
        // Pending handshakes count too, so that one address cannot occupy all of them. With TLS only these count here,
        // so that a client with too many open connections is refused with an HTTP status.
        // The same where files are served, as the request may be for one of them.
        // And where sessions are kept, as it may come back for its own, beside handshakes of others.
        let keeps = self.sessions.terms.is_some();
        let later = tls.is_some() || self.downloads.is_some() || keeps;
        let counted = u64::from(there.pending) + if later { 0 } else { u64::from(there.connected) };
        let returning = if keeps { u64::from(there.connected) } else { 0 };
        let most_at_once = most.saturating_add(self.downloads_of_one()).saturating_add(returning);
        let crowded = limited.is_some() && counted >= most_at_once;
        if crowded && tls.is_some() {
            match place {
                Some((key, _)) => self.drop_preparing(key),
                None => self.counts.accepted += 1,
            }
            let away = TurnedAway::before_http(source.address, Phase::Tcp, Cause::Limit, CROWDED);
            self.turn_away(cx, away, |_| format!("{} was refused before TLS: {CROWDED}", source.address));
            return;
        }
        let (key, serial) = match (place, limited) {
            (None, limited) => self.take_place(limited),
            (Some(place), Some(limited)) => {
                count(&mut self.counts.per_address, limited, |there| there.pending += 1);
                place
            }
            (Some(place), None) => place,
        };
        match tls {
            Some(tls) => {
                let mail_key = u64::from(serial) << 32 | u64::from(key);
                let token = cx.services.accept_tls(stream, tls, &self.listening.mailbox, mail_key);
                self.prepare(key, Preparing { serial, source, stage: Stage::Securing(token) });
            }
            None if crowded => {
                let mut peer = self.answering(Stream::Tcp(stream), source);
                peer.refuse_request(cx, &busy(CROWDED));
                self.fill_slot(key, serial, peer, source.since, source.known);
                self.take_changes(cx, key, handles);
            }
            None => self.begin(cx, key, serial, Stream::Tcp(stream), source, handles),
        }
    }

    /// Puts a client whose transport is not ready into its slot.
    pub(super) fn prepare(&mut self, key: u32, preparing: Preparing) {
        if let Some(time) = self.endpoint.options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS) {
            self.queues.timers.push(preparing.source.since + time, key, preparing.serial);
        }
        self.slots[key as usize] = Slot::Preparing(Box::new(preparing));
    }

    /// Takes a slot for a client: its key and serial number. `limited`: the address that it counts for.
    pub(super) fn take_place(&mut self, limited: Option<IpAddr>) -> (u32, u32) {
        let key = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            (self.slots.len() - 1) as u32
        });
        self.serial = self.serial.wrapping_add(1);
        self.counts.accepted += 1;
        self.counts.pending += 1;
        if let Some(limited) = limited {
            count(&mut self.counts.per_address, limited, |there| there.pending += 1);
        }
        self.counts.live += 1;
        (key, self.serial)
    }

    fn secured(&mut self, cx: &mut Cx<'_>, mail_key: u64, result: Result<Stream, Failure>) {
        let (key, serial) = (mail_key as u32, (mail_key >> 32) as u32);
        let Some(Slot::Preparing(preparing)) = self.slots.get(key as usize) else { return };
        let Preparing { serial: current, source, .. } = **preparing;
        if current != serial {
            return;
        }
        match result {
            Ok(stream) => self.begin(cx, key, serial, stream, source, None),
            Err(failure) => {
                let away = TurnedAway { address: Some(source.address), failure, status: 0 };
                self.turn_away(cx, away, |away| {
                    format!("TLS with {} failed: {}", source.address, away.failure.message)
                });
                self.drop_preparing(key);
            }
        }
    }

    /// Starts to read the request, once the transport is ready.
    fn begin(
        &mut self,
        cx: &mut Cx<'_>,
        key: u32,
        serial: u32,
        stream: Stream,
        source: Source,
        handles: Option<&dyn Handles>,
    ) {
        let mut peer = self.answering(stream, source);
        let mut registered = false;
        if let Some(tcp) = peer.stream_mut().and_then(Stream::tcp) {
            let interest = Interest::READABLE | Interest::WRITABLE;
            // Reports out-of-band bytes, at which a read stops: see `Connection::read_on`.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            let interest = interest | Interest::PRIORITY;
            registered =
                self.listening.poll.registry().register(tcp, Token(FIRST_CLIENT + key as usize), interest).is_ok();
        }
        if !registered {
            let why = "the system has no resources to watch its socket";
            peer.close_because(cx, -1, "", Some(Failure::new(Phase::Tcp, Cause::Resources, why)));
        }
        self.fill_slot(key, serial, peer, source.since, source.known);
        self.take_changes(cx, key, handles);
    }

    fn answering(&self, stream: Stream, source: Source) -> Connection {
        let timeout = self.endpoint.options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS);
        let handshake = ServerHandshake::new(self.settings.max_header_bytes);
        let max_body_bytes = self.endpoint.options.limit(WS_OPT_MAX_BODY_BYTES).min(MAX_LEN as u64) as usize;
        let mut peer = Connection::answer_on(
            stream,
            None,
            if self.plain { handshake.with_plain(max_body_bytes) } else { handshake },
            self.endpoint.options.clone(),
            timeout,
            false,
            source.since,
        );
        peer.endpoint.info.set_remote(source.peer, source.address);
        peer
    }

    /// Puts a client in its slot and queues it for serving.
    pub(super) fn fill_slot(&mut self, key: u32, serial: u32, mut peer: Connection, since: Instant, known: bool) {
        peer.endpoint.of_server = true;
        peer.endpoint.user = self.endpoint.user;
        peer.endpoint.inbox.holds = self.above.holds;
        if !known && let Some(proxy) = peer.endpoint.info.remote() {
            self.proxied.insert(key, proxy);
        }
        let mut client = Box::new(Client {
            peer,
            serial,
            progress: Handshaking::Pending,
            busy_until: 0,
            readable: true,
            marks: 0,
            timer: None,
            done: false,
            standing: if known { Standing::KNOWN } else { Standing::default() },
            holds: 0,
        });
        if let Some(time) = self.endpoint.options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS) {
            client.set_timer(key, since + time, &mut self.queues);
        }
        self.slots[key as usize] = Slot::Client(client);
        self.queues.ready.push(key);
    }
}
