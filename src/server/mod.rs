//! A listening server and its clients: accepting, limits, fairness, broadcast. A client is identified by its key, the
//! index of its slot, and by a serial number, as slots are reused.

mod above;
mod accept;
mod broadcast;
mod ceiling;
mod certificate;
mod client;
mod downloads;
mod drain;
mod idle;
mod items;
mod key_queue;
mod memory;
mod proxies;
mod refusals;
mod requests;
mod serve;
mod sessions;
mod sims;
mod timers;
mod topics;
mod turns;

pub use above::Above;
pub use broadcast::{Spread, Whom};
pub use items::{Origin, is_last};
pub use key_queue::KeyQueue;
pub use proxies::Proxies;
pub use refusals::RefusedCounts;
pub use topics::check_topic;

use crate::connection::Connection;
use crate::endpoint::{Counters, Endpoint, Options};
use crate::error::{Error, Failure};
use crate::heap::Discarded;
use crate::net::{Mailbox, Schedule, Stream, TlsServer, prefix};
use crate::protocol::{Accept, Allowed};
use crate::status::{ErrorCode, EventKind, State};
use crate::work::{Chunk, Cx};
use ceiling::Ceiling;
use client::{Client, FromThere, Slot};
use downloads::Downloads;
use drain::Drain;
use idle::Idle;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use refusals::Refusals;
use sessions::Sessions;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use timers::Timers;
use topics::Topics;
use turns::Turns;

/// Tokens below this one belong to listeners.
const FIRST_CLIENT: usize = 8;
/// Maximum readiness events fetched at a time: each takes about a microsecond, and the clock is not read in between.
const EVENTS: usize = 256;

/// Allocates handles for clients.
pub trait Handles {
    /// Allocates a handle for the client `key`; `None`: none is left.
    fn give(&self, key: u32) -> Option<u32>;
    /// Frees the handle of a client that has been removed.
    fn retire(&self, handle: u32);
}

/// Settings with which a server is opened.
pub struct ServerSettings {
    /// Scheme and host of the URL: "ws" or "wss", and the host as given.
    pub url_start: String,
    /// Path and query of the URL, "" or "/…".
    pub url_path: String,
    /// TLS configuration; `None` for ws://.
    pub tls: Option<Arc<TlsServer>>,
    /// Which requests are accepted, and with what answer.
    pub accept: Arc<Accept>,
    /// Which requests are allowed by their Host and Origin.
    pub allowed: Allowed,
    /// The proxies that are trusted; `None`: no client is behind one.
    pub proxies: Option<Proxies>,
    /// Number of leading bits in which two IPv6 addresses are equal that count as one for the limits per address.
    pub ipv6_prefix_bits: u32,
    /// Maximum bytes of a request's header.
    pub max_header_bytes: usize,
    /// Options of the server and its clients.
    pub options: Arc<Options>,
}

impl ServerSettings {
    /// An address as the limits per address count it.
    fn limited(&self, address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            address @ IpAddr::V6(_) => prefix(address, self.ipv6_prefix_bits),
            address => address,
        }
    }
}

/// A listening server and its clients.
pub struct Server {
    /// The part that the host sees. Its queue has the server's events. Clients share its options until theirs are
    /// changed.
    pub endpoint: Endpoint,
    /// State for the layer above.
    pub above: Above,
    settings: ServerSettings,
    state: State,
    listening: Listening,
    /// Slots of clients; some are free.
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Serial number of the client accepted last.
    serial: u32,
    queues: Queues,
    counts: Counts,
    refusals: Refusals,
    /// Set once files are served.
    downloads: Option<Box<Downloads>>,
    /// There are `downloads` or `lines`, which a poll has to look at.
    has_extras: bool,
    /// When the simulated lines of clients have to be served. Set once there is one.
    lines: Option<Arc<Schedule>>,
    /// Clients that wait for another request.
    idle: Idle,
    sessions: Sessions,
    /// Who has subscribed to what.
    topics: Topics,
    /// What the clients hold.
    ceiling: Ceiling,
    /// A drain in progress.
    drain: Option<Box<Drain>>,
    reuse: Reuse,
    /// Number of certificates that it has had.
    certificates: u32,
    /// The addresses of trusted proxies whose requests report the client's, by the key of the connection, until it opens
    /// a WebSocket or ends.
    proxied: HashMap<u32, SocketAddr>,
    /// An untrusted client's claim to be behind a proxy has been logged.
    claim_logged: bool,
    /// A close in progress: its code, its reason, and the key of the client to close next.
    closing: Option<(i32, String, usize)>,
    /// The last poll did more than query readiness.
    pub worked: bool,
    /// The host takes events through the server's handle.
    pub reads_events: bool,
    /// The program decides on requests.
    pub asks: bool,
    /// Plain HTTP requests are accepted too, with bodies of up to max_body_bytes.
    pub plain: bool,
}

/// Listening sockets, and the sources of readiness: the system and the worker.
struct Listening {
    listeners: Vec<TcpListener>,
    /// Connections may be waiting in the listen backlog.
    accept_ready: bool,
    /// When accepting is resumed after it failed, usually for lack of file descriptors.
    accept_after: Option<Instant>,
    poll: Poll,
    events: Events,
    /// TLS handshakes that the worker has finished.
    mailbox: Arc<Mailbox<Result<Stream, Failure>>>,
    address: SocketAddr,
}

/// Queues of clients, by key.
#[derive(Default)]
struct Queues {
    /// Clients to serve: there may be bytes to read or write.
    ready: Turns,
    /// Clients with items for the host, in round-robin order.
    waiting: KeyQueue,
    /// Clients with messages for the host, in round-robin order. A separate queue, so that a host that takes only
    /// messages does not step over events.
    with_messages: KeyQueue,
    /// Items taken from the first client of `waiting`, and messages taken from the first of `with_messages`, in its current
    /// turn.
    served: (u32, u32),
    /// Clients with output of the host that has not been written yet.
    to_flush: KeyQueue,
    /// Clients to which the corked call in progress has put messages.
    corked: KeyQueue,
    /// Clients with output caused by other clients. It is written within the poll's budget.
    later: KeyQueue,
    /// Clients with messages in the arena.
    fresh: KeyQueue,
    /// Clients whose last event has been taken.
    retiring: VecDeque<u32>,
    /// Ended clients whose events have not been taken, oldest first: key and serial number.
    finished: VecDeque<(u32, u32)>,
    /// Ended clients with unread messages (key and serial number). Some may have none any more: see `unread_ended`.
    ended_unread: Vec<(u32, u32)>,
    timers: Timers,
    /// Clients whose timers are due, but which have more to read first.
    unread: KeyQueue,
    /// Clients served in the current period. When it ends, clients of `served_before` that are not in it free memory.
    served_lately: KeyQueue,
    /// Clients served in the previous period.
    served_before: KeyQueue,
}

/// Numbers of clients, as ws_get_stats() reports them.
#[derive(Clone, Copy, Default)]
pub struct ClientCounts {
    /// Open clients that have a handle.
    pub connected: u64,
    /// Clients in the opening handshake.
    pub pending: u64,
    /// Accepted since the server was opened.
    pub accepted: u64,
    /// Turned away since the server was opened.
    pub refused: RefusedCounts,
    /// REFUSED events that have not been taken.
    pub refused_waiting: u64,
    /// Requests on which the program has to decide.
    pub requests: u64,
    /// Clients that have lost their link, and whose session waits to be resumed.
    pub lost: u64,
}

/// Client counts.
#[derive(Default)]
struct Counts {
    per_address: HashMap<IpAddr, FromThere>,
    /// Open clients that have a handle.
    connected: usize,
    /// Clients that have had their last event, and whose link is still being closed.
    leaving: usize,
    /// Clients in the opening handshake, including the TLS handshake.
    pending: usize,
    /// Clients among them on whose request to open a WebSocket the program decides: their seats are kept free.
    seats: usize,
    /// Clients that have not ended.
    live: usize,
    /// Accepted since the start.
    accepted: u64,
    /// Counters of removed clients.
    removed: Counters,
    /// Number of lifecycle events queued for the host.
    lifecycle: usize,
    /// Number of events at the last `has_news`: a waiting host has been woken for these.
    reported: usize,
}

/// Memory kept for reuse, and when it is freed.
#[derive(Default)]
struct Reuse {
    /// When the read buffers are freed if no client is served before.
    idle_at: Option<Instant>,
    /// When the current period of `served_lately` ends.
    period_end: Option<Instant>,
    /// Storage of messages for which several clients wait.
    passed: Vec<Chunk>,
    /// The first of them to look at next.
    passed_at: usize,
    /// The last frame that was sent to several clients.
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
    /// Makes a server on sockets that are already listening.
    pub fn new(mut listeners: Vec<TcpListener>, settings: ServerSettings) -> Result<Server, Error> {
        let system = |error: std::io::Error| {
            Error::new(ErrorCode::Limit, format!("cannot create the event queue or read the socket's address: {error}"))
        };
        let poll = Poll::new().map_err(system)?;
        let address = listeners
            .first()
            .ok_or_else(|| Error::new(ErrorCode::Address, "there is no address to listen on"))?
            .local_addr()
            .map_err(system)?;
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
            queues: Queues::default(),
            counts: Counts::default(),
            refusals: Refusals::default(),
            downloads: None,
            has_extras: false,
            lines: None,
            idle: Idle::default(),
            sessions: Sessions::default(),
            topics: Topics::default(),
            ceiling: Ceiling::default(),
            drain: None,
            reuse: Reuse::default(),
            certificates: 0,
            proxied: HashMap::new(),
            claim_logged: false,
            closing: None,
            worked: false,
            reads_events: false,
            asks: false,
            plain: false,
        })
    }

    /// Polls all clients within the budget. True: there is more to do.
    pub fn poll(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles, gap: Duration) -> bool {
        if !gap.is_zero() {
            self.shift(gap);
        }
        let mut more = self.retire(cx, handles);
        self.sweep();
        self.drop_passed(cx);
        self.leave_arena(cx);
        if self.tight_share().is_some() {
            more |= self.keep_ceiling(cx);
        }
        self.queues.ready.begin_poll();
        let mut all_ready = self.collect_readiness(|| cx.second());
        self.collect_local();
        self.write_own(cx);
        if self.drain.is_some() {
            more |= self.go_on_draining(cx);
        }
        more |= self.go_on_closing(cx);
        more |= self.accept(cx, handles);
        if self.has_extras {
            more |= self.take_blocks(cx);
            more |= self.collect_lines(cx);
        }
        self.worked = more || !self.queues.ready.is_empty();
        if self.queues.ready.is_empty() {
            self.free_idle_buffers(cx);
        } else {
            self.reuse.idle_at = None;
            more |= self.serve_ready(cx, handles);
        }
        while !all_ready && !cx.budget.is_spent() {
            all_ready = self.collect_readiness(|| cx.second());
            more |= self.serve_ready(cx, handles);
        }
        more |= !all_ready;
        if !self.queues.unread.is_empty() {
            self.time_read(cx.now);
        }
        self.judge_timers(cx, handles);
        self.pass_refusals(cx.now);
        more |= self.keep_ceiling(cx);
        self.note_closed(cx);
        if !self.queues.served_lately.is_empty() || !self.queues.served_before.is_empty() {
            self.give_memory_back(cx);
        }
        if !self.above.watches && !self.queues.to_flush.is_empty() {
            more |= cx.budget.is_spent() || self.write_later(cx, true);
        }
        more
    }

    /// WS_OPEN, WS_CLOSING or WS_CLOSED.
    pub fn state(&self) -> State {
        self.state
    }

    /// The bound address, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The URL with the real port.
    pub fn url(&self) -> String {
        format!("{}:{}{}", self.settings.url_start, self.listening.address.port(), self.settings.url_path)
    }

    /// The readiness queue, to wait on.
    pub fn readiness(&self) -> &Poll {
        &self.listening.poll
    }

    /// Fetches readiness events, on systems where nothing else can wait for them. `second`: `Cx::second`.
    #[cfg(not(unix))]
    pub fn fetch_readiness(&mut self, second: u32) {
        self.collect_readiness(|| second);
    }

    /// Whether a poll has work that no readiness event announces.
    pub fn has_work(&mut self) -> bool {
        let accepts = self.may_accept() && self.listening.accept_after.is_none();
        accepts
            || !self.queues.ready.is_empty()
            || self.has_marked()
            || !self.queues.retiring.is_empty()
            || !self.listening.mailbox.is_empty()
            || self.downloads.as_ref().is_some_and(|downloads| downloads.has_arrived())
            || self.has_local_work()
            || self.has_news()
    }

    /// When the next timer needs a poll.
    pub fn next_timer(&self) -> Option<Instant> {
        let accept_after = self.listening.accept_after.filter(|_| self.may_accept());
        [self.queues.timers.first(), accept_after, self.drain_deadline(), self.next_line()].into_iter().flatten().min()
    }

    /// Starts to close the server: it accepts no more clients and closes each one, within the budget of the following
    /// polls. Code 0 means 1001.
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

    /// Handles of all clients, including those that are not visible to the host yet.
    pub fn all_handles(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Client(client) if client.peer.endpoint.handle != 0 => Some(client.peer.endpoint.handle),
            _ => None,
        })
    }

    /// Handles of the clients that are visible to the host, by key.
    pub fn handles(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Client(client) if self.above.shows(&client.peer) => Some(client.peer.endpoint.handle),
            _ => None,
        })
    }

    /// Keys of the clients that are visible to the host.
    pub fn keys(&self) -> impl Iterator<Item = u32> {
        let open = |slot: &Slot| matches!(slot, Slot::Client(client) if self.above.shows(&client.peer));
        self.slots.iter().enumerate().filter(move |(_, slot)| open(slot)).map(|(key, _)| key as u32)
    }

    /// The connection of a client.
    pub fn peer(&mut self, key: u32) -> Option<&mut Connection> {
        self.client(key).map(|client| &mut client.peer)
    }

    /// Counters including those of removed clients; queued messages and bytes in and out; and the numbers of clients.
    pub fn totals(&self) -> (Counters, [u64; 4], ClientCounts) {
        let mut sum = self.counts.removed;
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
        (
            sum,
            queued,
            ClientCounts {
                connected: self.counts.connected as u64,
                pending: self.counts.pending as u64,
                accepted: self.counts.accepted,
                refused: self.refusals.counts,
                refused_waiting: self.endpoint.inbox.marks_of(EventKind::Refused) as u64,
                requests: self.pending_requests() as u64,
                lost: self.sessions.lost() as u64,
            },
        )
    }

    /// Number of files that are being sent, and of requests for files that were answered.
    pub fn downloads(&self) -> [u64; 2] {
        self.downloads.as_ref().map_or([0; 2], |downloads| downloads.counts())
    }

    /// Number of entries in all queues and timers. It stays proportional to the number of slots.
    pub fn footprint(&self) -> usize {
        let written = self.queues.to_flush.len() + self.queues.later.len();
        let queues = self.queues.ready.len()
            + self.queues.waiting.len()
            + self.queues.with_messages.len()
            + written
            + self.queues.fresh.len()
            + self.queues.retiring.len();
        queues
            + self.queues.finished.len()
            + self.queues.ended_unread.len()
            + self.queues.timers.len()
            + self.queues.unread.len()
            + self.lines.as_ref().map_or(0, |lines| lines.entries())
    }

    /// Bytes kept for all clients outside their queues.
    pub fn kept_bytes(&self) -> usize {
        let of = |slot: &Slot| if let Slot::Client(client) = slot { client.peer.kept_bytes() } else { 0 };
        self.slots.iter().map(of).sum()
    }

    /// Heap bytes of the permessage-deflate contexts of all clients. Shared contexts count once.
    pub fn deflate_memory(&self) -> usize {
        let peers = || {
            self.slots.iter().filter_map(|slot| match slot {
                Slot::Client(client) => Some(&client.peer),
                _ => None,
            })
        };
        let own: usize =
            peers().filter_map(|peer| peer.compression()).map(|compression| compression.heap_bytes()).sum();
        let shared: HashMap<_, _> = peers().flat_map(|peer| peer.shared_contexts()).collect();
        own + shared.values().sum::<usize>()
    }

    /// Takes the sockets of all clients, for the caller to close.
    pub fn take_streams(&mut self) -> Vec<Stream> {
        self.state = State::Closed;
        self.listening.listeners.clear();
        let clients = self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Client(client) => client.peer.take_out_stream(),
            _ => None,
        });
        clients.collect()
    }

    /// Closes the listening sockets. The port is free when this returns.
    pub fn stop_listening(&mut self) {
        self.listening.listeners.clear();
    }

    /// Drops and removes a client whose handle is being freed.
    pub fn forget(&mut self, cx: &mut Cx<'_>, key: u32) {
        self.act(cx, key, |peer, cx| {
            if peer.is_asked() {
                peer.close(cx, 0, "");
            }
            peer.write(cx);
            peer.close(cx, -1, "");
        });
        if let Some(client) = self.client(key) {
            client.done = true;
        }
        self.remove(cx, key);
    }

    /// Moves every deadline by the length of a gap between polls.
    fn shift(&mut self, gap: Duration) {
        self.shift_drain(gap);
        for slot in &mut self.slots {
            match slot {
                Slot::Client(client) => client.peer.shift(gap),
                Slot::Preparing(preparing) => preparing.source.since += gap,
                Slot::Free => {}
            }
        }
    }
}
