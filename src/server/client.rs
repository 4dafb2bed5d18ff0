//! An accepted connection, and the server's bookkeeping after each change of it.

use super::refusals::TurnedAway;
use super::{Above, Handles, Queues, Server};
use crate::connection::{Changed, Connection};
use crate::endpoint::{Asked, Endpoint, shown_address};
use crate::error::Failure;
use crate::heap::Discarded;
use crate::net::CancelToken;
use crate::status::{Cause, Phase, State, Text};
use crate::work::{Cx, Moment};
use mio::net::TcpStream;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

/// An accepted connection.
pub(super) struct Client {
    pub(super) peer: Connection,
    /// Distinguishes this client from earlier ones in its slot.
    pub(super) serial: u32,
    /// Whether its opening handshake is in progress.
    pub(super) progress: Handshaking,
    /// Until this second it is served after the others, because it used up its slice of the budget.
    pub(super) busy_until: u32,
    /// The transport may have bytes to read.
    pub(super) readable: bool,
    /// Number of its marks included in `Counts::lifecycle`.
    pub(super) marks: u32,
    /// When its timers are checked next.
    pub(super) timer: Option<Moment>,
    /// Its last event has been taken.
    pub(super) done: bool,
    /// What it counts as.
    pub(super) standing: Standing,
    /// KiB that it makes the server hold; 0: few.
    pub(super) holds: u32,
}

/// What a client counts as, in one byte, as a server has it for every client.
#[derive(Clone, Copy, Default)]
pub(super) struct Standing(u8);

impl Standing {
    /// Its address counts for the limits: `Source::known`.
    pub(super) const KNOWN: Standing = Standing(1);
    /// A seat is kept free for it: it counts in `Counts::seats`.
    pub(super) const SEATED: Standing = Standing(2);
    /// Its last event has been queued, and its link is still being closed: it counts in `Counts::leaving`.
    pub(super) const LEFT: Standing = Standing(4);

    /// Whether it counts as that.
    pub(super) fn is(self, what: Standing) -> bool {
        self.0 & what.0 != 0
    }

    /// From now on it counts as that, or not. Returns whether it did.
    pub(super) fn set(&mut self, what: Standing, is_so: bool) -> bool {
        let was_so = self.is(what);
        self.0 = if is_so { self.0 | what.0 } else { self.0 & !what.0 };
        was_so
    }
}

/// How far a client is with its opening handshake. One byte, as a server has it for every client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Handshaking {
    /// In progress.
    Pending,
    /// In progress again, after a plain request was answered.
    PendingAgain,
    /// The last response to plain requests is being sent. It counts as in progress until the connection ends.
    Answered,
    /// A file is being sent to the client. It is served after the others, and is no pending handshake.
    Served,
    /// It has been completed, or has failed.
    Over,
}

/// Where a client comes from.
#[derive(Clone, Copy)]
pub(super) struct Source {
    /// Address of the socket.
    pub(super) peer: SocketAddr,
    /// Address of the client: that of the socket, or the one that a PROXY header reported.
    pub(super) address: SocketAddr,
    /// The address counts for the limits per address. False: a proxy's request has yet to report the client's.
    pub(super) known: bool,
    /// When it was accepted.
    pub(super) since: Instant,
}

/// A client whose transport is not ready for its request.
pub(super) struct Preparing {
    pub(super) serial: u32,
    pub(super) source: Source,
    pub(super) stage: Stage,
}

/// What a transport needs before the request.
pub(super) enum Stage {
    /// The PROXY header, of which some bytes have been received.
    Introducing(TcpStream, Vec<u8>),
    /// The TLS handshake on the worker.
    Securing(#[expect(dead_code, reason = "its drop cancels")] CancelToken),
}

impl Discarded for Client {
    fn empty(&mut self, keep: &mut usize) {
        self.peer.empty(keep);
    }
}

impl Client {
    /// Whether its opening handshake is in progress.
    pub(super) fn is_pending(&self) -> bool {
        matches!(self.progress, Handshaking::Pending | Handshaking::PendingAgain | Handshaking::Answered)
    }

    /// Whether messages to several clients are put to it, if there is room.
    #[inline]
    pub(super) fn receives(&self, above: &Above) -> bool {
        self.progress == Handshaking::Over
            && self.peer.may_put()
            && (!above.watches || self.peer.endpoint.label != 0)
            && self.peer.endpoint.admitted
    }

    /// Whether a file is being sent to it.
    #[inline]
    pub(super) fn is_served(&self) -> bool {
        self.progress == Handshaking::Served
    }

    /// Whether it is served after the others.
    #[inline]
    pub(super) fn is_busy(&self, second: impl FnOnce() -> u32) -> bool {
        (self.busy_until != 0 && second() < self.busy_until) || self.is_served()
    }

    /// Has its timers checked at `at`. `key` is its own.
    pub(super) fn set_timer(&mut self, key: u32, at: Instant, queues: &mut Queues) {
        self.timer = Some(at.into());
        queues.timers.push(at, key, self.serial);
    }

    /// Whether it can be removed: its last event and all its messages have been taken.
    pub(super) fn is_over(&self) -> bool {
        self.done && (self.peer.endpoint.handle == 0 || self.peer.endpoint.inbox.is_empty())
    }

    /// Its address; the loopback address for clients in this process.
    pub(super) fn address(&self) -> IpAddr {
        self.peer.endpoint.info.remote().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
    }
}

/// Numbers of clients from one address.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FromThere {
    pub(super) connected: u32,
    /// Clients in the opening handshake, including the TLS handshake.
    pub(super) pending: u32,
    /// Clients among them that count in `Counts::seats`.
    pub(super) seats: u32,
}

/// Changes the client counts of `address`.
pub(super) fn count(
    per_address: &mut HashMap<IpAddr, FromThere>,
    address: IpAddr,
    change: impl FnOnce(&mut FromThere),
) {
    let there = per_address.entry(address).or_default();
    change(there);
    if *there == FromThere::default() {
        per_address.remove(&address);
    }
}

/// A slot in the table of clients.
pub(super) enum Slot {
    Free,
    /// Its transport is not ready for the request.
    Preparing(Box<Preparing>),
    Client(Box<Client>),
}

impl Server {
    /// Has the next poll check a client's timers and transport, because an option has changed.
    pub fn look_soon(&mut self, key: u32, now: Instant) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        client.set_timer(key, now, &mut self.queues);
        self.queues.ready.push(key);
    }

    /// Calls `act` on a client, then updates the server's bookkeeping. `None`: no such client.
    pub fn act<R>(
        &mut self,
        cx: &mut Cx<'_>,
        key: u32,
        act: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let result = act(&mut self.client(key)?.peer, cx);
        self.take_changes(cx, key, None);
        Some(result)
    }

    /// Updates the bookkeeping after the layer above changed a client's queue.
    pub fn take_account(&mut self, cx: &mut Cx<'_>, key: u32) {
        self.take_changes(cx, key, None);
    }

    /// Updates the bookkeeping after a change of a client. `handles`: needed if the client may have opened.
    pub(super) fn take_changes(&mut self, cx: &mut Cx<'_>, key: u32, handles: Option<&dyn Handles>) {
        let Some(client) = self.client(key) else { return };
        let changed = client.peer.take_changed();
        if changed.opened || changed.left || changed.ended {
            self.take_lifecycle(cx, key, changed, handles);
        }
        if self.sessions.terms.is_some() {
            self.note_lost(cx, key);
        }
        self.note_changes(cx, key);
        self.weigh(key);
        if self.counts.lifecycle > MAX_LIFECYCLE {
            self.collapse(cx);
        }
    }

    #[inline(never)]
    fn take_lifecycle(&mut self, cx: &mut Cx<'_>, key: u32, mut changed: Changed, handles: Option<&dyn Handles>) {
        if changed.opened {
            changed.ended |= !self.opened(cx, key, handles);
        } else {
            self.note_refused(cx, key);
        }
        if changed.left {
            self.left(key);
        }
        if changed.ended {
            self.ended(key);
        }
    }

    /// Assigns a handle to a client that has opened. False: none was left, and the client has ended.
    fn opened(&mut self, cx: &mut Cx<'_>, key: u32, handles: Option<&dyn Handles>) -> bool {
        self.leave_pending(key);
        self.leave_seat(key);
        self.proxied.remove(&key);
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return true };
        if std::mem::replace(&mut client.peer.endpoint.asked, Asked::Nothing) != Asked::Nothing {
            // It has its handle since the program was asked.
        } else if let Some(handle) = handles.and_then(|handles| handles.give(key)) {
            client.peer.endpoint.handle = handle;
        } else {
            client.peer.close(cx, -1, "");
            let ended = client.peer.take_changed().ended;
            let address = client.peer.endpoint.info.remote();
            let away = TurnedAway { address, failure: no_handle(), status: 101 };
            self.turn_away(cx, away, |away| {
                format!("{} was dropped: {}", shown_address(address), away.failure.message)
            });
            return !ended;
        }
        self.counts.connected += 1;
        let limited = self.settings.limited(client.address());
        count(&mut self.counts.per_address, limited, |there| there.connected += 1);
        // Starts its heartbeat.
        client.set_timer(key, cx.now, &mut self.queues);
        self.watch_line(key);
        true
    }

    /// Counts a client that ended before it opened as refused.
    fn note_refused(&mut self, cx: &Cx<'_>, key: u32) {
        let progress = self.client(key).map(|client| client.progress);
        if !self.leave_pending(key) {
            return;
        }
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        // The answer to a plain request refuses nobody.
        if client.peer.endpoint.asked == Asked::Request {
            return;
        }
        let info = &client.peer.endpoint.info;
        let left =
            matches!(info.end().map(|mark| mark.cause), Some(Cause::PeerGone | Cause::Reset | Cause::CloseTimeout));
        if progress == Some(Handshaking::Answered) || (progress == Some(Handshaking::PendingAgain) && left) {
            // All its requests were plain, and answered.
            return;
        }
        let failure = info.end().map_or_else(Failure::default, |end| Failure {
            phase: end.phase,
            cause: end.cause,
            os_error: end.os_error,
            message: info.text(Text::Error).to_owned(),
            ..Failure::default()
        });
        let away = TurnedAway { address: info.remote(), failure, status: info.http_status };
        self.turn_away(cx, away, |away| {
            let TurnedAway { address, failure, status } = away;
            format!("{} was refused with {status}: {}", shown_address(*address), failure.message)
        });
    }

    /// Ends the pending state of a client. False: it was not pending.
    pub(super) fn leave_pending(&mut self, key: u32) -> bool {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return false };
        let was_pending = client.is_pending();
        if was_pending {
            self.idle.remove(key);
            client.progress = Handshaking::Over;
            self.counts.pending -= 1;
            if client.standing.is(Standing::KNOWN) {
                let limited = self.settings.limited(client.address());
                count(&mut self.counts.per_address, limited, |there| there.pending -= 1);
            }
        }
        was_pending
    }

    /// Handles the last event of a client whose link is still being closed: it no longer counts as connected, but for
    /// the limits until the link has ended.
    fn left(&mut self, key: u32) {
        self.topics.leave_all(key);
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        client.standing.set(Standing::LEFT, true);
        self.counts.connected -= 1;
        self.counts.leaving += 1;
        self.queues.finished.push_back((key, client.serial));
    }

    /// The last event of a client whose link is still being closed has been taken: the program forgets it now.
    pub(super) fn let_go(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        client.done = false;
        client.peer.endpoint.handle = 0;
        let label = std::mem::take(&mut client.peer.endpoint.label);
        if label != 0 {
            self.above.gone.push(label);
        }
    }

    /// Handles the end of a client: it no longer counts as connected, and its handle retires once its items have been
    /// taken.
    pub(super) fn ended(&mut self, key: u32) {
        self.proxied.remove(&key);
        self.leave_seat(key);
        self.forget_session(key);
        self.topics.leave_all(key);
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        self.counts.live -= 1;
        let has_left = client.standing.set(Standing::LEFT, false);
        if has_left {
            self.counts.leaving -= 1;
            let limited = self.settings.limited(client.address());
            count(&mut self.counts.per_address, limited, |there| there.connected -= 1);
        }
        if client.is_served()
            && let Some(downloads) = &mut self.downloads
        {
            downloads.remove(key);
        }
        if client.peer.endpoint.handle == 0 {
            // It never opened, so the host does not know it and its events are dropped; or it has been let go.
            client.peer.endpoint.inbox.drop_marks();
            client.done = true;
            self.queues.retiring.push_back(key);
            return;
        }
        if has_left {
            return;
        }
        if client.peer.endpoint.asked == Asked::Nothing {
            self.counts.connected -= 1;
            let limited = self.settings.limited(client.address());
            count(&mut self.counts.per_address, limited, |there| there.connected -= 1);
        }
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        self.queues.finished.push_back((key, client.serial));
        if client.peer.endpoint.inbox.counted() > 0 {
            self.queues.ended_unread.push((key, client.serial));
        }
    }

    /// Puts a client into the queues of clients with items for the host or the layer above, or with output that no
    /// readiness event will announce, and sets the timer of its close.
    fn note_changes(&mut self, cx: &Cx<'_>, key: u32) {
        let Server { slots, queues, counts, above, .. } = self;
        let Some(Slot::Client(client)) = slots.get_mut(key as usize) else { return };
        let Endpoint { inbox, handle, label, asked, .. } = &client.peer.endpoint;
        let marks = inbox.marks() as u32;
        if marks != client.marks {
            counts.lifecycle = counts.lifecycle + marks as usize - client.marks as usize;
            client.marks = marks;
        }
        if inbox.is_empty() {
            if client.done {
                // Its last event was merged into SKIPPED while its messages awaited inspection, and these have been
                // dropped.
                queues.retiring.push_back(key);
            }
        } else {
            if above.shows(&client.peer) {
                queues.waiting.push(key);
                if inbox.has_messages() {
                    queues.with_messages.push(key);
                }
            }
            if inbox.has_fresh() {
                queues.fresh.push(key);
            }
        }
        if above.watches
            && *handle != 0
            && *asked == Asked::Nothing
            && (*label == 0 || inbox.held() > 0 || client.peer.state() == State::Closed)
        {
            above.touched.push(key);
        }
        if client.peer.can_send_on() || (client.peer.has_failed() && !client.peer.is_reading_paused()) {
            queues.ready.enter(key, client.is_busy(|| cx.second()));
        }
        if let Some(deadline) = client.peer.due_at()
            && client.timer.is_none_or(|at| at > deadline.into())
        {
            client.set_timer(key, deadline, queues);
        }
    }

    /// Number of ended clients with unread messages, from `address` (as limited) or all. They count towards the client limits, so
    /// that a host that does not read cannot accumulate messages without bound: new clients are refused.
    pub(super) fn unread_ended(&mut self, address: Option<IpAddr>) -> u64 {
        let Server { slots, settings, queues: Queues { ended_unread, .. }, .. } = self;
        let mut count = 0;
        ended_unread.retain(|(key, serial)| {
            let Slot::Client(client) = &slots[*key as usize] else { return false };
            let holds = client.serial == *serial && client.peer.endpoint.inbox.counted() > 0;
            count += u64::from(holds && address.is_none_or(|address| address == settings.limited(client.address())));
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

    pub(super) fn drop_preparing(&mut self, key: u32) {
        if let Some(Slot::Preparing(preparing)) = self.slots.get(key as usize)
            && preparing.source.known
        {
            let limited = self.settings.limited(preparing.source.address.ip());
            count(&mut self.counts.per_address, limited, |there| there.pending -= 1);
        }
        self.slots[key as usize] = Slot::Free;
        self.free.push(key);
        self.counts.pending -= 1;
        self.counts.live -= 1;
    }

    pub(super) fn remove(&mut self, cx: &Cx<'_>, key: u32) {
        self.forget_weight(key);
        if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
            self.counts.removed.add(&client.peer.totals());
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

/// Why a client ends for which no handle is left.
pub(super) fn no_handle() -> Failure {
    Failure::new(Phase::Http, Cause::Resources, "the library has no handle left for it")
}

/// Maximum number of queued lifecycle events.
pub(super) const MAX_LIFECYCLE: usize = 4_096;
