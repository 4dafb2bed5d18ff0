//! One accepted connection, and what its server notes after anything was done to it.

use super::{Handles, Lines, Server};
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::heap::Discarded;
use crate::net::CancelToken;
use crate::status::{Cause, State, Text};
use crate::work::Cx;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

/// One accepted connection.
pub(super) struct Client {
    pub(super) peer: Connection,
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
        self.done && (self.peer.endpoint.handle == 0 || self.peer.endpoint.inbox.is_empty())
    }

    /// Where it comes from, for the limits; clients in memory come from here.
    pub(super) fn address(&self) -> IpAddr {
        self.peer.endpoint.info.remote.get().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip().to_canonical())
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
        self.lines.timers.push(Reverse((now, key, client.serial)));
        self.lines.ready.push(key);
    }

    /// Does something to a client, and takes account of what that changed. `None`: there is no such client.
    pub fn act<R>(&mut self, cx: &mut Cx<'_>, key: u32, act: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R) -> Option<R> {
        let result = act(&mut self.client(key)?.peer, cx);
        self.take_changes(cx, key, None);
        Some(result)
    }

    /// Takes account of what the layer above has changed in a client's queue.
    pub fn take_account(&mut self, cx: &mut Cx<'_>, key: u32) {
        self.take_changes(cx, key, None);
    }

    /// Takes account of what changed at a client. `handles`: where it may have opened.
    pub(super) fn take_changes(&mut self, cx: &mut Cx<'_>, key: u32, handles: Option<&dyn Handles>) {
        let Some(client) = self.client(key) else { return };
        let mut changed = client.peer.take_changed();
        if changed.opened {
            changed.ended |= !self.opened(cx, key, handles);
        } else if changed.ended {
            self.note_refused(cx, key);
        }
        if changed.ended {
            self.ended(key);
        }
        self.note_items(key);
        self.note_output(cx, key);
        if self.counts.lifecycle > MAX_LIFECYCLE {
            self.collapse(cx);
        }
    }

    /// A client has opened: it gets its handle. False: there is none left, and it has ended.
    fn opened(&mut self, cx: &mut Cx<'_>, key: u32, handles: Option<&dyn Handles>) -> bool {
        self.leave_pending(key);
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return true };
        let Some(handle) = handles.and_then(|handles| handles.give(key)) else {
            client.peer.close(cx, -1, "");
            return !client.peer.take_changed().ended;
        };
        client.peer.endpoint.handle = handle;
        self.counts.connected += 1;
        count(&mut self.counts.per_address, client.address(), |there| there.connected += 1);
        // Its heartbeat begins.
        client.timer = Some(cx.now);
        self.lines.timers.push(Reverse((cx.now, key, client.serial)));
        true
    }

    /// A client that has ended without having opened was refused, unless it is the host's or the peer's own doing.
    fn note_refused(&mut self, cx: &Cx<'_>, key: u32) {
        if !self.leave_pending(key) {
            return;
        }
        self.counts.refused += 1;
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let info = &client.peer.endpoint.info;
        let (address, status) = (&info.remote, info.http_status);
        match info.end.as_deref().map(|mark| mark.cause) {
            Some(Cause::PeerGone | Cause::Reset | Cause::ServerClosed | Cause::ClosedByHost) | None => {}
            Some(_) => {
                let sentence = info.text(Text::Error);
                self.refusals.tell(cx.now, || format!("{address} was refused with {status}: {sentence}"));
            }
        }
    }

    /// The opening handshake of a client is over. False: it was before.
    fn leave_pending(&mut self, key: u32) -> bool {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return false };
        let was_pending = std::mem::take(&mut client.pending);
        if was_pending {
            self.counts.pending -= 1;
            count(&mut self.counts.per_address, client.address(), |there| there.pending -= 1);
        }
        was_pending
    }

    /// A client has ended: it no longer counts as connected, and its handle retires once its items were taken.
    fn ended(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        self.counts.live -= 1;
        if client.peer.endpoint.handle == 0 {
            // It never opened: nobody knows of it, and nobody takes its events.
            client.peer.endpoint.inbox.drop_marks();
            client.done = true;
            self.lines.retiring.push_back(key);
            return;
        }
        self.counts.connected -= 1;
        count(&mut self.counts.per_address, client.address(), |there| there.connected -= 1);
        self.lines.finished.push_back((key, client.serial));
        if client.peer.endpoint.inbox.counted() > 0 {
            self.lines.ended_unread.push((key, client.serial));
        }
    }

    /// Puts a client into the lines of those with items for the host or for the layer above.
    fn note_items(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.done && client.peer.endpoint.inbox.is_empty() {
            // Its last event collapsed while messages of it waited to be inspected, and these were dropped.
            self.lines.retiring.push_back(key);
        }
        let marks = client.peer.endpoint.inbox.marks() as u32;
        self.counts.lifecycle = self.counts.lifecycle + marks as usize - client.marks as usize;
        client.marks = marks;
        let Endpoint { inbox, handle, label, .. } = &client.peer.endpoint;
        if self.above.shows(&client.peer) {
            if !inbox.is_empty() {
                self.lines.waiting.push(key);
            }
            if inbox.has_messages() {
                self.lines.talking.push(key);
            }
        }
        if inbox.has_fresh() {
            self.lines.fresh.push(key);
        }
        if self.above.watches && *handle != 0 && (*label == 0 || inbox.held() > 0 || client.peer.state() == State::Closed) {
            self.above.touched.push(key);
        }
    }

    /// Has a client served that has to send and whose socket will not say so, and has its close end in time.
    fn note_output(&mut self, cx: &Cx<'_>, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.peer.can_send_on() || (client.peer.has_failed() && !client.peer.reading_rests()) {
            let busy = client.is_busy(cx.second());
            self.lines.ready.enter(key, busy);
        }
        if let Some(deadline) = client.peer.close_deadline()
            && client.timer.is_none_or(|at| at > deadline)
        {
            client.timer = Some(deadline);
            self.lines.timers.push(Reverse((deadline, key, client.serial)));
        }
    }

    /// Ended clients whose messages nobody has read, those from `address` or all: they count for the limits of clients, so that a host that does not
    /// read holds no more messages of clients than the limits allow. Whoever comes then gives way.
    pub(super) fn unread_ended(&mut self, address: Option<IpAddr>) -> u64 {
        let Server { slots, lines: Lines { ended_unread, .. }, .. } = self;
        let mut count = 0;
        ended_unread.retain(|(key, serial)| {
            let Slot::Client(client) = &slots[*key as usize] else { return false };
            let holds = client.serial == *serial && client.peer.endpoint.inbox.counted() > 0;
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
            count(&mut self.counts.per_address, securing.address.ip().to_canonical(), |there| there.pending -= 1);
        }
        self.slots[key as usize] = Slot::Free;
        self.free.push(key);
        self.counts.pending -= 1;
        self.counts.live -= 1;
    }

    pub(super) fn remove(&mut self, cx: &Cx<'_>, key: u32) {
        if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
            self.endpoint.counters.add(&client.peer.totals());
            if client.peer.endpoint.label != 0 {
                self.above.gone.push(client.peer.endpoint.label);
            }
            self.counts.lifecycle -= client.marks as usize;
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
