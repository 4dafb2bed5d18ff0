//! A listening server and its clients: accept, limits, fairness, broadcast.

mod above;
mod accept;
mod broadcast;
mod client;
mod items;
mod line;
mod memory;
mod refusals;
mod serve;
mod turns;

pub use above::Above;
pub use broadcast::Spread;
pub use items::{Origin, is_last};
pub use line::Line;

use crate::error::{Error, Failure};
use crate::heap::Discarded;
use crate::net::{Mailbox, Stream, TlsServer};
use crate::peer::{Chunk, Cx, Inbox, Loan, Options, Peer, Totals};
use crate::protocol::Accept;
use crate::status::{ErrorCode, State};
use client::{Client, FromThere, Slot};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use refusals::Refusals;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use turns::Turns;

/// Tokens below are listeners.
const FIRST_CLIENT: usize = 8;
/// Readiness events taken at a time: each costs about a microsecond, and no look at the clock.
const EVENTS: usize = 256;

/// Who gives out handles for clients.
pub trait Handles {
    /// A handle for the client `key`; `None`: none is left.
    fn give(&self, key: u32) -> Option<u32>;
    /// The client is gone.
    fn retire(&self, handle: u32);
}

/// What a server is opened with.
pub struct ServerSettings {
    /// "ws" or "wss" and the host as given, for the URL.
    pub url_start: String,
    /// Path and query of the URL, "" or "/…".
    pub url_path: String,
    /// For wss://.
    pub tls: Option<Arc<TlsServer>>,
    /// How requests are answered.
    pub accept: Arc<Accept>,
    /// Longest request.
    pub max_header_bytes: usize,
    /// For the server and its clients.
    pub options: Arc<Options>,
}

/// A server.
pub struct Server {
    /// Its own handle.
    pub handle: u32,
    /// Of the server; its clients start with it.
    pub user: u64,
    /// Shared with clients that have not changed theirs.
    pub options: Arc<Options>,
    /// What was lent through the server's own handle.
    pub loan: Loan,
    /// For the layer above.
    pub above: Above,
    settings: ServerSettings,
    listeners: Vec<TcpListener>,
    accept_ready: bool,
    accept_after: Option<Instant>,
    poll: Poll,
    events: Events,
    mailbox: Arc<Mailbox<Result<Stream, Failure>>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    serial: u32,
    /// Clients with something to read or write, in turn.
    ready: Turns,
    /// Clients with items for the host, in turn.
    waiting: Line,
    /// Clients with messages for the host, in turn: a host that takes messages alone passes over no events.
    talking: Line,
    /// Items taken from the first of `waiting`, and messages from the first of `talking`, in its turn.
    served: (u32, u32),
    /// The last poll did more than to look.
    pub worked: bool,
    /// When memory is given back if no client was served until then.
    rest_at: Option<Instant>,
    /// Clients that were served since the last look, and those before: who is not among the first gives memory back at the next look.
    served_lately: Line,
    served_before: Line,
    look_at: Option<Instant>,
    /// Clients with output of the host's that nothing has tried to write yet.
    dirty: Line,
    /// Clients with such output that other clients caused: writing it has the poll's budget.
    later: Line,
    /// Storages of long messages that were passed on.
    passed: Vec<Chunk>,
    /// Clients with messages in the arena.
    fresh: Line,
    /// Clients whose last event was taken.
    retiring: VecDeque<u32>,
    /// Ended clients whose events nobody took, oldest first.
    finished: VecDeque<(u32, u32)>,
    /// Clients that ended with messages that nobody has read, and some that have none any more: see `unread_ended`.
    ended_unread: Vec<(u32, u32)>,
    timers: BinaryHeap<Reverse<(Instant, u32, u32)>>,
    /// Clients whose timers were due and that have more to read first.
    unread: Line,
    /// Lifecycle events that wait, and how many of them a waiting host was woken for.
    lifecycle: usize,
    told: usize,
    /// The host takes events by the server's handle.
    pub reads_events: bool,
    /// The server's own events.
    own: Inbox,
    per_address: HashMap<IpAddr, FromThere>,
    refusals: Refusals,
    connected: usize,
    pending: usize,
    /// Clients that have not ended.
    live: usize,
    state: State,
    closing: Option<(i32, String, usize)>,
    past: Totals,
    accepted: u64,
    refused: u64,
    frame: Option<Chunk>,
    address: SocketAddr,
}

impl Discarded for Server {
    fn empty(&mut self, keep: &mut usize) {
        for slot in &mut self.slots {
            if let Slot::Client(client) = slot {
                client.empty(keep);
            }
        }
        self.loan.empty(keep);
        self.passed.empty(keep);
        self.frame.empty(keep);
    }
}

impl Server {
    /// A server on sockets that listen already.
    pub fn new(mut listeners: Vec<TcpListener>, settings: ServerSettings) -> Result<Server, Error> {
        let system = |error: std::io::Error| Error::new(ErrorCode::Limit, format!("the system gives no readiness queue or address: {error}"));
        let poll = Poll::new().map_err(system)?;
        let address =
            listeners.first().ok_or_else(|| Error::new(ErrorCode::Address, "there is no address to listen on"))?.local_addr().map_err(system)?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener, Token(index), Interest::READABLE).map_err(system)?;
        }
        Ok(Server {
            handle: 0,
            user: 0,
            options: settings.options.clone(),
            loan: Loan::default(),
            above: Above::default(),
            settings,
            listeners,
            accept_ready: true,
            accept_after: None,
            poll,
            events: Events::with_capacity(EVENTS),
            mailbox: Arc::new(Mailbox::new()),
            slots: Vec::new(),
            free: Vec::new(),
            serial: 0,
            ready: Turns::default(),
            waiting: Line::default(),
            talking: Line::default(),
            served: (0, 0),
            worked: false,
            rest_at: None,
            served_lately: Line::default(),
            served_before: Line::default(),
            look_at: None,
            dirty: Line::default(),
            later: Line::default(),
            passed: Vec::new(),
            fresh: Line::default(),
            retiring: VecDeque::new(),
            finished: VecDeque::new(),
            ended_unread: Vec::new(),
            timers: BinaryHeap::new(),
            unread: Line::default(),
            lifecycle: 0,
            told: 0,
            reads_events: false,
            own: Inbox::default(),
            per_address: HashMap::new(),
            refusals: Refusals::default(),
            connected: 0,
            pending: 0,
            live: 0,
            state: State::Open,
            closing: None,
            past: Totals::default(),
            accepted: 0,
            refused: 0,
            frame: None,
            address,
        })
    }

    /// Moves everything on within the budget. True: there is more to do.
    pub fn poll(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles, gap: Duration) -> bool {
        if !gap.is_zero() {
            self.shift(gap);
        }
        let mut more = self.retire(cx, handles);
        self.sweep();
        self.drop_passed(cx);
        self.settle(cx);
        self.ready.begin_poll();
        let mut all_ready = self.collect_readiness(cx.second());
        self.collect_local();
        self.write_own(cx);
        more |= self.go_on_closing(cx);
        more |= self.accept(cx, handles);
        self.worked = more || !self.ready.is_empty();
        if self.ready.is_empty() {
            self.rest(cx);
        } else {
            self.rest_at = None;
            more |= self.serve_ready(cx, handles);
        }
        while !all_ready && !cx.budget.look() {
            all_ready = self.collect_readiness(cx.second());
            more |= self.serve_ready(cx, handles);
        }
        more |= !all_ready;
        if !self.unread.is_empty() {
            self.time_read(cx.now);
        }
        self.judge_timers(cx, handles);
        self.refusals.pass(cx.now);
        self.note_closed(cx);
        if !self.served_lately.is_empty() || !self.served_before.is_empty() {
            self.give_memory_back(cx);
        }
        if !self.above.watches && !self.dirty.is_empty() {
            more |= cx.budget.look() || self.write_later(cx, true);
        }
        more
    }

    /// WS_OPEN, WS_CLOSING or WS_CLOSED.
    pub fn state(&self) -> State {
        self.state
    }

    /// The real address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL with the real port.
    pub fn url(&self) -> String {
        format!("{}:{}{}", self.settings.url_start, self.address.port(), self.settings.url_path)
    }

    /// The poll that tells of readiness, to wait for it.
    pub fn readiness(&self) -> &Poll {
        &self.poll
    }

    /// Asks the system for events, where nothing else can wait for them. `second`: `Cx::second`.
    #[cfg(not(unix))]
    pub fn look(&mut self, second: u32) {
        self.collect_readiness(second);
    }

    /// Whether a poll would do something without any event of the system's.
    pub fn has_work(&mut self) -> bool {
        let accepts = self.may_accept() && self.accept_after.is_none();
        accepts
            || !self.ready.is_empty()
            || self.has_dirty()
            || !self.retiring.is_empty()
            || !self.mailbox.is_empty()
            || self.has_local_work()
            || self.has_news()
    }

    /// When timers want a poll.
    pub fn next_timer(&self) -> Option<Instant> {
        let timer = self.timers.peek().map(|Reverse((at, ..))| *at);
        [timer, self.accept_after.filter(|_| self.may_accept())].into_iter().flatten().min()
    }

    /// Starts the end: no more clients, and each one is closed within the budget of coming polls. 0 means 1001.
    pub fn close(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str) {
        if self.state != State::Open {
            if code == -1 && self.state == State::Closing {
                self.closing = Some((-1, String::new(), 0));
            }
            return;
        }
        self.state = State::Closing;
        self.listeners.clear();
        self.closing = Some((if code == 0 { 1001 } else { code }, reason.to_owned(), 0));
        self.go_on_closing(cx);
        self.note_closed(cx);
    }

    /// Handles that were given to clients, those included that are not shown yet.
    pub fn all_handles(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Client(client) if client.peer.handle != 0 => Some(client.peer.handle),
            _ => None,
        })
    }

    /// Handles of the open clients, in the order of their places.
    pub fn handles(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Client(client) if self.above.shows(&client.peer) => Some(client.peer.handle),
            _ => None,
        })
    }

    /// Places of the open clients.
    pub fn keys(&self) -> impl Iterator<Item = u32> {
        let open = |slot: &Slot| matches!(slot, Slot::Client(client) if self.above.shows(&client.peer));
        self.slots.iter().enumerate().filter(move |(_, slot)| open(slot)).map(|(key, _)| key as u32)
    }

    /// A client by its place.
    pub fn peer(&mut self, key: u32) -> Option<&mut Peer> {
        self.client(key).map(|client| &mut client.peer)
    }

    /// What was counted, past clients included, and (connected, pending, accepted, refused).
    pub fn totals(&self) -> (Totals, [u64; 4], [u64; 4]) {
        let mut sum = self.past;
        let mut queued = [0; 4];
        for slot in &self.slots {
            if let Slot::Client(client) = slot {
                sum.add(&client.peer.totals());
                let [packets_in, bytes_in] = client.peer.queued_in();
                queued[0] += packets_in;
                queued[1] += bytes_in;
                queued[2] += client.peer.queued_messages_out() as u64;
                queued[3] += client.peer.queued_out() as u64;
            }
        }
        (sum, queued, [self.connected as u64, self.pending as u64, self.accepted, self.refused])
    }

    /// Entries of all queues and of the timers: in proportion to the places, whatever came and went.
    pub fn footprint(&self) -> usize {
        let written = self.dirty.len() + self.later.len();
        let queues = self.ready.len() + self.waiting.len() + self.talking.len() + written + self.fresh.len() + self.retiring.len();
        queues + self.finished.len() + self.ended_unread.len() + self.timers.len() + self.unread.len()
    }

    /// Bytes that are kept for all clients beside their queues.
    pub fn kept_bytes(&self) -> usize {
        let of = |slot: &Slot| if let Slot::Client(client) = slot { client.peer.kept_bytes() } else { 0 };
        self.slots.iter().map(of).sum()
    }

    /// Bytes of the contexts of permessage-deflate of all clients.
    pub fn deflate_memory(&self) -> usize {
        let peers = || {
            self.slots.iter().filter_map(|slot| match slot {
                Slot::Client(client) => Some(&client.peer),
                _ => None,
            })
        };
        let own: usize = peers().filter_map(|peer| peer.compression.as_ref()).map(|compression| compression.heap_bytes()).sum();
        let shared: HashMap<_, _> = peers().flat_map(|peer| peer.shared_contexts()).collect();
        own + shared.values().sum::<usize>()
    }

    /// The sockets of all clients, to be closed elsewhere.
    pub fn take_streams(&mut self) -> Vec<Stream> {
        self.state = State::Closed;
        self.listeners.clear();
        let clients = self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Client(client) => client.peer.take_out_stream(),
            _ => None,
        });
        clients.collect()
    }

    /// Closes the listening sockets: the port is free when this returns.
    pub fn stop_listening(&mut self) {
        self.listeners.clear();
    }

    /// Ends one client because its handle is freed: it is dropped and forgotten.
    pub fn forget(&mut self, cx: &mut Cx<'_>, key: u32) {
        let Some(client) = self.client(key) else { return };
        client.peer.write(cx);
        client.peer.close(cx, -1, "");
        self.after(cx, key, None);
        if let Some(client) = self.client(key) {
            client.done = true;
        }
        self.remove(cx, key);
    }

    /// Moves every deadline by a gap in polling.
    fn shift(&mut self, gap: Duration) {
        for slot in &mut self.slots {
            match slot {
                Slot::Client(client) => client.peer.shift(gap),
                Slot::Securing(securing) => securing.since += gap,
                Slot::Free => {}
            }
        }
    }
}
