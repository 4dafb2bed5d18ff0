//! One accepted connection, and what its server notes after anything was done to it.

use super::{Handles, Server};
use crate::heap::Discarded;
use crate::net::CancelToken;
use crate::peer::{Cx, Peer};
use crate::status::{Cause, State, Text};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

/// One accepted connection.
pub(super) struct Client {
    pub(super) peer: Peer,
    /// Tells this client from earlier ones in its place.
    pub(super) serial: u32,
    /// Its opening handshake is under way.
    pub(super) pending: bool,
    /// It used up its slice lately: until that second it is served behind the others.
    pub(super) busy_until: u32,
    /// The transport may have something to read.
    pub(super) readable: bool,
    /// Marks of its queue that were counted.
    pub(super) marks: u32,
    /// When its timers are judged next.
    pub(super) timer: Option<Instant>,
    /// Its end was noted.
    pub(super) ended: bool,
    /// Its last event was taken.
    pub(super) done: bool,
}

/// One whose TLS handshake is under way.
pub(super) struct Securing {
    pub(super) serial: u32,
    pub(super) address: SocketAddr,
    pub(super) since: Instant,
    pub(super) _token: CancelToken,
}

impl Discarded for Client {
    fn empty(&mut self, keep: &mut usize) {
        self.peer.empty(keep);
    }
}

impl Client {
    /// Whether it is served behind the others.
    pub(super) fn is_busy(&self, second: u32) -> bool {
        second < self.busy_until
    }

    /// Nothing of it is left to take: its handle retires.
    pub(super) fn is_over(&self) -> bool {
        self.done && (self.peer.handle == 0 || self.peer.inbox.is_empty())
    }

    /// Where it comes from, for the limits; clients in memory come from here.
    pub(super) fn address(&self) -> IpAddr {
        self.peer.info.remote.get().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip().to_canonical())
    }
}

/// Clients from one address.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FromThere {
    pub(super) connected: u32,
    /// Their opening handshakes, that of TLS included, are under way.
    pub(super) pending: u32,
}

/// Counts a client from `address`, or counts it no longer.
pub(super) fn count(per_address: &mut HashMap<IpAddr, FromThere>, address: IpAddr, change: impl FnOnce(&mut FromThere)) {
    let there = per_address.entry(address).or_default();
    change(there);
    if *there == FromThere::default() {
        per_address.remove(&address);
    }
}

/// A place in the table of clients.
pub(super) enum Slot {
    Free,
    /// The TLS handshake is under way on the worker.
    Securing(Box<Securing>),
    Client(Box<Client>),
}

impl Server {
    /// An option of a client has changed: its timers and its transport are looked at in the next poll.
    pub fn look_soon(&mut self, key: u32, now: Instant) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        client.timer = Some(now);
        self.timers.push(Reverse((now, key, client.serial)));
        self.ready.push(key);
    }

    /// After anything was done to a client: its queue, its output and its end are noted. `handles` where it may have opened.
    pub fn after(&mut self, cx: &mut Cx<'_>, key: u32, handles: Option<&dyn Handles>) {
        let place = key as usize;
        let Some(Slot::Client(client)) = self.slots.get_mut(place) else { return };
        let state = client.peer.state();
        if client.pending && state != State::Connecting && (client.peer.may_put() || client.peer.inbox.marks() > 0 || state == State::Closed) {
            client.pending = false;
            self.pending -= 1;
            count(&mut self.per_address, client.address(), |there| there.pending -= 1);
            let opened = client.peer.inbox.marks() > 0 && client.peer.info.http_status == 101;
            if opened {
                match handles.and_then(|handles| handles.give(key)) {
                    Some(handle) => {
                        client.peer.handle = handle;
                        self.connected += 1;
                        count(&mut self.per_address, client.address(), |there| there.connected += 1);
                        // Its heartbeat begins.
                        client.timer = Some(cx.now);
                        self.timers.push(Reverse((cx.now, key, client.serial)));
                    }
                    None => client.peer.close(cx, -1, ""),
                }
            } else {
                self.refused += 1;
                let (address, status) = (&client.peer.info.remote, client.peer.info.http_status);
                match client.peer.info.end.as_deref().map(|mark| mark.cause) {
                    // A probe that says nothing, or our own doing.
                    Some(Cause::PeerGone | Cause::Reset | Cause::ServerClosed | Cause::ClosedByHost) | None => {}
                    Some(_) => {
                        let sentence = client.peer.info.text(Text::Error);
                        self.refusals.tell(cx.now, || format!("{address} was refused with {status}: {sentence}"));
                    }
                }
            }
        }
        let state = client.peer.state();
        if state == State::Closed && !client.ended {
            client.ended = true;
            self.live -= 1;
            if client.peer.handle != 0 {
                self.connected -= 1;
                count(&mut self.per_address, client.address(), |there| there.connected -= 1);
                self.finished.push_back((key, client.serial));
                if client.peer.inbox.counted() > 0 {
                    self.ended_unread.push((key, client.serial));
                }
            } else {
                // It never opened: nobody knows of it, and nobody takes its events.
                client.peer.inbox.drop_marks();
                client.done = true;
                self.retiring.push_back(key);
            }
        }
        if client.done && client.peer.inbox.is_empty() {
            // Its last event collapsed while messages of it waited to be inspected, and these were dropped.
            self.retiring.push_back(key);
        }
        let marks = client.peer.inbox.marks() as u32;
        self.lifecycle = self.lifecycle + marks as usize - client.marks as usize;
        client.marks = marks;
        let shows = self.above.shows(&client.peer);
        if shows && !client.peer.inbox.is_empty() {
            self.waiting.push(key);
        }
        if shows && client.peer.inbox.has_messages() {
            self.talking.push(key);
        }
        if client.peer.inbox.has_fresh() {
            self.fresh.push(key);
        }
        if self.above.watches && client.peer.handle != 0 && (client.peer.peer_id == 0 || client.peer.inbox.held() > 0 || state == State::Closed) {
            self.above.touched.push(key);
        }
        if client.peer.can_send_on() || (client.peer.has_failed() && state != State::Closed && !client.peer.reading_rests()) {
            let busy = client.is_busy(cx.second());
            self.ready.enter(key, busy);
        }
        if let Some(deadline) = client.peer.close_deadline()
            && client.timer.is_none_or(|at| at > deadline)
        {
            client.timer = Some(deadline);
            self.timers.push(Reverse((deadline, key, client.serial)));
        }
        if self.lifecycle > MAX_LIFECYCLE {
            self.collapse(cx);
        }
    }

    /// Ended clients whose messages nobody has read, those from `address` or all: they count for the limits of clients, so that a host that does not
    /// read holds no more messages of clients than the limits allow. Whoever comes then gives way.
    pub(super) fn unread_ended(&mut self, address: Option<IpAddr>) -> u64 {
        let Server { slots, ended_unread, .. } = self;
        let mut count = 0;
        ended_unread.retain(|(key, serial)| {
            let Slot::Client(client) = &slots[*key as usize] else { return false };
            let holds = client.serial == *serial && client.peer.inbox.counted() > 0;
            count += u64::from(holds && address.is_none_or(|address| address == client.address()));
            holds
        });
        count
    }

    pub(super) fn client(&mut self, key: u32) -> Option<&mut Client> {
        match self.slots.get_mut(key as usize) {
            Some(Slot::Client(client)) => Some(client),
            _ => None,
        }
    }

    pub(super) fn drop_securing(&mut self, key: u32) {
        if let Some(Slot::Securing(securing)) = self.slots.get(key as usize) {
            count(&mut self.per_address, securing.address.ip().to_canonical(), |there| there.pending -= 1);
        }
        self.slots[key as usize] = Slot::Free;
        self.free.push(key);
        self.pending -= 1;
        self.live -= 1;
    }

    pub(super) fn remove(&mut self, cx: &Cx<'_>, key: u32) {
        if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
            self.past.add(&client.peer.totals());
            if client.peer.peer_id != 0 {
                self.above.gone.push(client.peer.peer_id);
            }
            self.lifecycle -= client.marks as usize;
            if let Slot::Client(client) = std::mem::replace(&mut self.slots[key as usize], Slot::Free)
                && client.peer.is_large()
            {
                cx.services.discard(client);
            }
            self.free.push(key);
        }
    }
}

/// Lifecycle events that may wait.
pub(super) const MAX_LIFECYCLE: usize = 4_096;
