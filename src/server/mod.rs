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

use crate::connection::Connection;
use crate::endpoint::{Counters, Endpoint, Options};
use crate::error::{Error, Failure};
use crate::heap::Discarded;
use crate::net::{Mailbox, Stream, TlsServer};
use crate::protocol::Accept;
use crate::status::{ErrorCode, State};
use crate::work::{Chunk, Cx};
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
    /// What the host holds. Its queue has the server's own events, its counters are those of clients that are gone; clients share its options until
    /// theirs are changed.
    pub endpoint: Endpoint,
    /// For the layer above.
    pub above: Above,
    settings: ServerSettings,
    state: State,
    listening: Listening,
    /// Places of clients, some of them free.
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Serial number of the client that came last.
    serial: u32,
    lines: Lines,
    counts: Counts,
    refusals: Refusals,
    reuse: Reuse,
    /// A close under way: its code, its reason, and the place of the client that is closed next.
    closing: Option<(i32, String, usize)>,
    /// The last poll did more than to ask for readiness.
    pub worked: bool,
    /// The host takes events by the server's handle.
    pub reads_events: bool,
}

/// Sockets that listen, and how the system and the worker report readiness.
struct Listening {
    listeners: Vec<TcpListener>,
    /// Connections may wait in the system's queue.
    accept_ready: bool,
    /// Accepting failed for lack of descriptors: it rests until then.
    accept_after: Option<Instant>,
    poll: Poll,
    events: Events,
    /// TLS handshakes that the worker has finished.
    mailbox: Arc<Mailbox<Result<Stream, Failure>>>,
    address: SocketAddr,
}

/// Clients that wait for something, by their places.
#[derive(Default)]
struct Lines {
    /// With something to read or write, in turn.
    ready: Turns,
    /// With items for the host, in turn.
    waiting: Line,
    /// With messages for the host, in turn: a host that takes messages alone passes over no events.
    talking: Line,
    /// Items taken from the first of `waiting`, and messages from the first of `talking`, in its turn.
    served: (u32, u32),
    /// With output of the host's that nothing has tried to write yet.
    dirty: Line,
    /// With output that other clients caused: writing it has the poll's budget.
    later: Line,
    /// With messages in the arena.
    fresh: Line,
    /// Whose last event was taken.
    retiring: VecDeque<u32>,
    /// Ended, whose events nobody took, oldest first; with their serial numbers.
    finished: VecDeque<(u32, u32)>,
    /// Ended with messages that nobody has read, and some that have none any more: see `unread_ended`.
    ended_unread: Vec<(u32, u32)>,
    /// When timers are checked, with place and serial number.
    timers: BinaryHeap<Reverse<(Instant, u32, u32)>>,
    /// Whose timers were due and that have more to read first.
    unread: Line,
    /// Served since memory was given back last; who is not among them next time gives memory back.
    served_lately: Line,
    /// Served before that.
    served_before: Line,
}

/// Numbers of clients.
#[derive(Default)]
struct Counts {
    per_address: HashMap<IpAddr, FromThere>,
    /// Open, with a handle.
    connected: usize,
    /// With an opening handshake under way, that of TLS included.
    pending: usize,
    /// That have not ended.
    live: usize,
    /// Accepted since the start.
    accepted: u64,
    /// Refused since the start.
    refused: u64,
    /// Lifecycle events that wait for the host.
    lifecycle: usize,
    /// How many of them a waiting host was woken for.
    told: usize,
}

/// Memory that serves again, and when it goes back.
#[derive(Default)]
struct Reuse {
    /// Read buffers go back then, if no client was served until then.
    rest_at: Option<Instant>,
    /// When clients that were not served lately give memory back.
    look_at: Option<Instant>,
    /// Storages of long messages that were passed on.
    passed: Vec<Chunk>,
    /// The frame that was put to several clients last.
    frame: Option<Chunk>,
}

impl Discarded for Server {
    fn empty(&mut self, keep: &mut usize) {
        for slot in &mut self.slots {
            if let Slot::Client(client) = slot {
                client.empty(keep);
            }
        }
        self.endpoint.loan.empty(keep);
        self.reuse.passed.empty(keep);
        self.reuse.frame.empty(keep);
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
            endpoint: Endpoint::new(settings.options.clone()),
            above: Above::default(),
            settings,
            state: State::Open,
            listening: Listening {
                listeners,
                accept_ready: true,
                accept_after: None,
                poll,
                events: Events::with_capacity(EVENTS),
                mailbox: Arc::new(Mailbox::new()),
                address,
            },
            slots: Vec::new(),
            free: Vec::new(),
            serial: 0,
            lines: Lines::default(),
            counts: Counts::default(),
            refusals: Refusals::default(),
            reuse: Reuse::default(),
            closing: None,
            worked: false,
            reads_events: false,
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
        self.lines.ready.begin_poll();
        let mut all_ready = self.collect_readiness(cx.second());
        self.collect_local();
        self.write_own(cx);
        more |= self.go_on_closing(cx);
        more |= self.accept(cx, handles);
        self.worked = more || !self.lines.ready.is_empty();
        if self.lines.ready.is_empty() {
            self.rest(cx);
        } else {
            self.reuse.rest_at = None;
            more |= self.serve_ready(cx, handles);
        }
        while !all_ready && !cx.budget.look() {
            all_ready = self.collect_readiness(cx.second());
            more |= self.serve_ready(cx, handles);
        }
        more |= !all_ready;
        if !self.lines.unread.is_empty() {
            self.time_read(cx.now);
        }
        self.judge_timers(cx, handles);
        self.refusals.pass(cx.now);
        self.note_closed(cx);
        if !self.lines.served_lately.is_empty() || !self.lines.served_before.is_empty() {
            self.give_memory_back(cx);
        }
        if !self.above.watches && !self.lines.dirty.is_empty() {
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
        self.listening.address
    }

    /// The URL with the real port.
    pub fn url(&self) -> String {
        format!("{}:{}{}", self.settings.url_start, self.listening.address.port(), self.settings.url_path)
    }

    /// The poll that tells of readiness, to wait for it.
    pub fn readiness(&self) -> &Poll {
        &self.listening.poll
    }

    /// Asks the system for events, where nothing else can wait for them. `second`: `Cx::second`.
    #[cfg(not(unix))]
    pub fn look(&mut self, second: u32) {
        self.collect_readiness(second);
    }

    /// Whether a poll would do something without any event of the system's.
    pub fn has_work(&mut self) -> bool {
        let accepts = self.may_accept() && self.listening.accept_after.is_none();
        accepts
            || !self.lines.ready.is_empty()
            || self.has_dirty()
            || !self.lines.retiring.is_empty()
            || !self.listening.mailbox.is_empty()
            || self.has_local_work()
            || self.has_news()
    }

    /// When timers want a poll.
    pub fn next_timer(&self) -> Option<Instant> {
        let timer = self.lines.timers.peek().map(|Reverse((at, ..))| *at);
        [timer, self.listening.accept_after.filter(|_| self.may_accept())].into_iter().flatten().min()
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
        self.listening.listeners.clear();
        self.closing = Some((if code == 0 { 1001 } else { code }, reason.to_owned(), 0));
        self.go_on_closing(cx);
        self.note_closed(cx);
    }

    /// Handles that were given to clients, those included that are not shown yet.
    pub fn all_handles(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Client(client) if client.peer.endpoint.handle != 0 => Some(client.peer.endpoint.handle),
            _ => None,
        })
    }

    /// Handles of the open clients, in the order of their places.
    pub fn handles(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Client(client) if self.above.shows(&client.peer) => Some(client.peer.endpoint.handle),
            _ => None,
        })
    }

    /// Places of the open clients.
    pub fn keys(&self) -> impl Iterator<Item = u32> {
        let open = |slot: &Slot| matches!(slot, Slot::Client(client) if self.above.shows(&client.peer));
        self.slots.iter().enumerate().filter(move |(_, slot)| open(slot)).map(|(key, _)| key as u32)
    }

    /// A client by its place.
    pub fn peer(&mut self, key: u32) -> Option<&mut Connection> {
        self.client(key).map(|client| &mut client.peer)
    }

    /// What was counted, past clients included, and (connected, pending, accepted, refused).
    pub fn totals(&self) -> (Counters, [u64; 4], [u64; 4]) {
        let mut sum = self.endpoint.counters;
        let mut queued = [0; 4];
        for slot in &self.slots {
            if let Slot::Client(client) = slot {
                sum.add(&client.peer.totals());
                let [packets_in, bytes_in] = client.peer.endpoint.queued_in();
                queued[0] += packets_in;
                queued[1] += bytes_in;
                queued[2] += client.peer.queued_messages() as u64;
                queued[3] += client.peer.queued_bytes() as u64;
            }
        }
        (sum, queued, [self.counts.connected as u64, self.counts.pending as u64, self.counts.accepted, self.counts.refused])
    }

    /// Entries of all queues and of the timers: in proportion to the places, whatever came and went.
    pub fn footprint(&self) -> usize {
        let written = self.lines.dirty.len() + self.lines.later.len();
        let queues = self.lines.ready.len()
            + self.lines.waiting.len()
            + self.lines.talking.len()
            + written
            + self.lines.fresh.len()
            + self.lines.retiring.len();
        queues + self.lines.finished.len() + self.lines.ended_unread.len() + self.lines.timers.len() + self.lines.unread.len()
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
        let own: usize = peers().filter_map(|peer| peer.compression()).map(|compression| compression.heap_bytes()).sum();
        let shared: HashMap<_, _> = peers().flat_map(|peer| peer.shared_contexts()).collect();
        own + shared.values().sum::<usize>()
    }

    /// The sockets of all clients, to be closed elsewhere.
    pub fn take_streams(&mut self) -> Vec<Stream> {
        self.state = State::Closed;
        self.listening.listeners.clear();
        let clients = self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Client(client) => client.peer.take_out_stream(),
            _ => None,
        });
        clients.collect()
    }

    /// Closes the listening sockets: the port is free when this returns.
    pub fn stop_listening(&mut self) {
        self.listening.listeners.clear();
    }

    /// Ends one client because its handle is freed: it is dropped and forgotten.
    pub fn forget(&mut self, cx: &mut Cx<'_>, key: u32) {
        self.act(cx, key, |peer, cx| {
            peer.write(cx);
            peer.close(cx, -1, "");
        });
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
