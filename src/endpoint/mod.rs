//! The host's part of a connection or server: handle, options, inbound queue, loans and counters. It outlives the link
//! below it.

mod counters;
mod inbox;
mod info;
mod item;
mod loan;
pub mod options;

pub use counters::{Counters, Tally};
pub use inbox::{Dropped, Inbox};
pub use info::{Info, shown_address};
pub use item::{Item, Mark, Message};
pub use loan::{Loan, Spent};
pub use options::{MAX_LEN, Options, Refused, Scope, definition};

use crate::codes::*;
use crate::heap::Discarded;
use crate::status::{EventKind, Phase};
use crate::work::{Arena, Cx, MUCH};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

/// A connection or server as the host sees it.
pub struct Endpoint {
    /// The host's handle; 0: a server's client that is not open yet.
    pub handle: u32,
    /// The host's user value, reported with each item.
    pub user: u64,
    /// Number that the layer above assigned to the remote peer, reported with each item; 0: none.
    pub label: i32,
    /// False while the layer above withholds the peer: nothing that it sends is counted or delivered.
    pub admitted: bool,
    /// A server's client: its first and last events are CONNECTED and DISCONNECTED. False: OPEN and CLOSED.
    pub of_server: bool,
    /// A server's client on whose request the program decides, or has decided without opening a WebSocket.
    pub asked: Asked,
    /// SKIPPED has been reported, and there has been no room since.
    skipping: bool,
    /// Length + 1 of the longest message refused for lack of room since WRITABLE was last reported.
    owes_writable: Option<NonZeroU32>,
    /// Options, shared with others until changed.
    pub options: Arc<Options>,
    /// Inbound queue: items for the host.
    pub inbox: Inbox,
    /// Memory lent to the host through `handle`.
    pub loan: Loan,
    /// What `ws_get_text` and similar functions return.
    pub info: Info,
    /// Counters since the endpoint was made, over all its links.
    pub counters: Tally,
    /// Last round-trip time in microseconds; 0: none was measured.
    pub rtt_us: u64,
}

/// What the program was asked about a server's client that is not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// It was not asked.
    Nothing,
    /// A plain request, or one whose answer is known.
    Request,
    /// A request to open a WebSocket, for which a seat is kept free.
    Seat,
}

impl Discarded for Endpoint {
    fn empty(&mut self, keep: &mut usize) {
        self.inbox.empty(keep);
        self.loan.empty(keep);
    }
}

impl Endpoint {
    /// Makes an endpoint without a link.
    pub fn new(options: Arc<Options>) -> Endpoint {
        Endpoint {
            handle: 0,
            user: 0,
            label: 0,
            admitted: true,
            of_server: false,
            asked: Asked::Nothing,
            skipping: false,
            owes_writable: None,
            options,
            inbox: Inbox::default(),
            loan: Loan::default(),
            info: Info::default(),
            counters: Tally::default(),
            rtt_us: 0,
        }
    }

    /// Prepares the endpoint for a new link.
    pub fn begin_again(&mut self) {
        self.inbox.begin_again();
        self.info.forget_link();
        self.skipping = false;
        self.inbox.take_close_request();
    }

    /// The counters as ws_get_stats reports them: without messages that arrived while the peer was not admitted.
    pub fn totals(&self) -> Counters {
        let mut counters = self.counters.snapshot();
        if self.admitted {
            let (messages, bytes) = self.inbox.refused();
            counters.messages_in = counters.messages_in.saturating_sub(messages);
            counters.bytes_in = counters.bytes_in.saturating_sub(bytes);
        } else {
            (counters.messages_in, counters.bytes_in) = self.inbox.admitted_before();
        }
        counters.rare.skipped += self.inbox.dropped();
        counters.rare.compressed_in = counters.rare.compressed_in.min(counters.messages_in);
        counters
    }

    /// Number and bytes of the queued messages and AUTH events. Messages of a peer that is not admitted do not count.
    pub fn queued_in(&self) -> [u64; 2] {
        let (packets, bytes) = (self.inbox.counted() as u64, self.inbox.bytes());
        if !self.admitted {
            [packets - self.inbox.held() as u64, bytes - self.inbox.held_bytes()]
        } else {
            [packets, bytes]
        }
    }

    /// Bytes not counted in the queue: texts of events, and messages of a peer that is not admitted.
    pub fn kept_bytes(&self) -> usize {
        let held = if !self.admitted { self.inbox.held_bytes() as usize } else { 0 };
        self.inbox.text_bytes() + held
    }

    /// Whether the inbound queue has reached a limit, held messages included.
    #[inline]
    pub fn is_full(&self) -> bool {
        let waiting = self.inbox.counted() as u64;
        waiting > 0 && self.reaches_limits(waiting)
    }

    #[inline]
    fn reaches_limits(&self, waiting: u64) -> bool {
        waiting >= self.options.limit(WS_OPT_INBOUND_PACKETS)
            || self.inbox.bytes() >= self.options.limit(WS_OPT_INBOUND_BYTES)
    }

    /// When a close that begins now times out (`close_timeout_ms`); `None`: never.
    pub fn close_deadline(&self, now: Instant) -> Option<Instant> {
        self.options.time(WS_OPT_CLOSE_TIMEOUT_MS).map(|time| now + time)
    }

    /// Number of messages and bytes received.
    pub fn received(&self) -> [u64; 2] {
        [self.counters.messages_in, self.counters.bytes_in]
    }

    /// Messages and bytes that the peer may send per second; `None`: unlimited.
    pub fn rate_limits(&self) -> Option<[u64; 2]> {
        let most = [self.options.limit(WS_OPT_MAX_MESSAGES_PER_S), self.options.limit(WS_OPT_MAX_BYTES_PER_S)];
        (most != [u64::MAX; 2]).then_some(most)
    }

    /// Counts the messages queued since `before`, a result of `Inbox::arrived`. None may have been taken in between.
    #[inline]
    pub fn count_received(&mut self, before: (u64, u64)) {
        let (messages, bytes) = self.inbox.arrived();
        self.counters.messages_in += messages - before.0;
        self.counters.bytes_in += bytes - before.1;
    }

    /// Counts a message of `len` bytes as accepted for sending.
    #[inline]
    pub fn count_sent(&mut self, len: usize) {
        self.counters.messages_out += 1;
        self.counters.bytes_out += len as u64;
    }

    /// Counts a message as `count_sent`, which may have replaced an older one.
    pub fn count_latest(&mut self, len: usize, replaces: bool) {
        self.count_sent(len);
        if replaces {
            self.counters.rare().replaced += 1;
        }
    }

    /// Queues an event without a text.
    pub fn report(&mut self, cx: &Cx<'_>, kind: EventKind) {
        let http_status = i32::from(self.info.http_status);
        self.inbox.push_mark(Mark { http_status, ..Mark::new(kind, cx.time_ns()) });
    }

    /// As `report`, behind the first `place` messages since the start; `None`: behind all.
    pub fn report_at(&mut self, cx: &Cx<'_>, kind: EventKind, place: Option<u64>) {
        let http_status = i32::from(self.info.http_status);
        let mark = Mark { http_status, ..Mark::new(kind, cx.time_ns()) };
        self.inbox.push_mark_at(place.unwrap_or(u64::MAX), mark);
    }

    /// Queues an ERROR event.
    pub fn report_error(&mut self, cx: &Cx<'_>, phase: Phase, cause: crate::status::Cause, why: &str) {
        let mut mark = Mark { phase, cause, ..Mark::new(EventKind::Error, cx.time_ns()) };
        mark.set_text(why);
        self.inbox.push_mark(mark);
    }

    /// Reports that the peer began the closing handshake, once the peer is admitted.
    pub fn request_close(&mut self, cx: &Cx<'_>, code: u16, reason: &str) {
        let mut mark = Mark { code: i32::from(code), ..Mark::new(EventKind::CloseRequest, cx.time_ns()) };
        mark.set_text(reason);
        if !self.admitted {
            self.inbox.keep_close_request(mark);
        } else {
            self.inbox.push_mark(mark);
        }
    }

    /// Withholds the peer: only its AUTH events and its end are reported until it is admitted.
    pub fn withhold(&mut self) {
        self.admitted = false;
        if let Some(mark) = self.inbox.take_mark(EventKind::CloseRequest) {
            self.inbox.keep_close_request(mark);
        }
    }

    /// As `withhold`, for a new link: what the peer sent before stays counted and readable.
    pub fn withhold_again(&mut self) {
        if self.admitted {
            let Counters { messages_in, bytes_in, .. } = self.totals();
            self.inbox.keep_admitted((messages_in, bytes_in));
            self.admitted = false;
        }
    }

    /// Admits the peer.
    pub fn admit(&mut self, cx: &Cx<'_>) {
        self.admitted = true;
        if let Some(mark) = self.inbox.take_close_request() {
            self.inbox.push_mark(Mark { time_ns: cx.time_ns(), ..mark });
        }
    }

    /// Records that a message of `len` bytes was refused: WRITABLE is reported once there is room for it.
    pub fn owe_writable(&mut self, len: usize) {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        self.owes_writable = self.owes_writable.max(Some(NonZeroU32::MIN.saturating_add(len)));
    }

    /// Length of the message for which WRITABLE is to be reported.
    #[inline]
    pub fn owed_writable(&self) -> Option<u32> {
        self.owes_writable.map(|len| len.get() - 1)
    }

    /// Reports that there is room for the refused message.
    pub fn report_writable(&mut self, cx: &Cx<'_>) {
        self.owes_writable = None;
        self.skipping = false;
        // A WRITABLE that is still queued is enough.
        if !self.inbox.add_to(EventKind::Writable, 0) {
            self.report(cx, EventKind::Writable);
        }
    }

    /// Counts a message to several targets that skipped this one. SKIPPED is reported once until there is room again.
    pub fn skip(&mut self, cx: &Cx<'_>) {
        self.counters.rare().skipped += 1;
        let waits = self.inbox.add_to(EventKind::Skipped, 1);
        if !waits && !self.skipping {
            self.inbox.push_mark(Mark { count: 1, ..Mark::new(EventKind::Skipped, cx.time_ns()) });
        }
        self.skipping = true;
    }

    /// Drops all queued messages, and later ones on arrival.
    pub fn refuse_messages(&mut self, cx: &mut Cx<'_>) {
        self.inbox.refuse_messages();
        self.drop_refused(cx);
    }

    /// Drops the held messages.
    pub fn drop_held(&mut self, cx: &mut Cx<'_>) {
        let dropped = self.inbox.drop_all_held(!self.admitted);
        discard(cx, dropped);
    }

    /// Drops the received messages, if messages are refused.
    #[inline]
    pub fn drop_refused(&mut self, cx: &mut Cx<'_>) {
        if let Some(dropped) = self.inbox.drop_refused(!self.admitted) {
            discard(cx, dropped);
        }
    }

    /// Drops those of the last `count` messages that exceed `room`.
    pub fn drop_excess(&mut self, cx: &mut Cx<'_>, count: usize, room: [u64; 2]) {
        let dropped = self.inbox.drop_excess(count, room, !self.admitted);
        discard(cx, dropped);
    }

    /// Copies messages that are still in the arena into storage of this endpoint, at the start of a poll.
    pub fn leave_arena(&mut self, arena: &Arena) {
        self.inbox.leave_arena(arena);
    }
}

/// Frees messages, on the worker if they have many bytes.
fn discard(cx: &Cx<'_>, dropped: Dropped) {
    if dropped.iter().map(Message::len).sum::<usize>() > MUCH {
        cx.services.discard(Box::new(dropped));
    }
}
