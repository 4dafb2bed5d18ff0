//! A family: the objects that share one lock. A single connection, the two ends of a pair, or a server with its
//! clients.

use super::redial::Redial;
use super::{Registry, registry};
use crate::connection::Connection;
use crate::error::Error;
use crate::heap::Discarded;
use crate::net::{MemoryEnd, Stream, Time};
use crate::role::{Place, Role};
use crate::server::Server;
use crate::work::{Arena, Budget, Codecs, Cx, LONG_GAP, MUCH, SystemClock};
use parking_lot::Mutex;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

/// One lock and what it guards. Families live as long as the process and are reused, so one that was looked up may
/// always be locked. What a handle refers to is known only under the lock (`Kind::is_current`).
pub struct Family {
    /// Never held across a wait.
    pub body: Mutex<Body>,
    /// ws_config.owner.
    pub owner: AtomicU32,
}

impl Family {
    /// A family without objects.
    pub fn new() -> Family {
        Family { body: Mutex::new(Body::default()), owner: AtomicU32::new(0) }
    }
}

/// The object of a family that a handle refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// A connection without a server or a second end.
    Only,
    /// One end of a pair: 0 the server's, 1 the client's.
    End(u8),
    /// The server itself.
    Server,
    /// A server's client, by its key.
    Client(u32),
}

impl Member {
    /// Index into fields that a pair has per end; 0 for all others.
    pub fn end(self) -> usize {
        match self {
            Member::End(end) => end.into(),
            _ => 0,
        }
    }
}

/// The objects of a family.
#[derive(Default)]
pub enum Kind {
    /// ws_connect, ws_join, ws_join_local.
    Client(Box<Connection>),
    /// ws_attach: the connection, and the program's end of its transport.
    Attached(Box<Connection>, MemoryEnd),
    /// ws_pair; `None` for an end that was freed.
    Pair([Option<Box<Connection>>; 2]),
    /// ws_listen, ws_host.
    Server(Box<Server>),
    /// Freed, or retired after a panic.
    #[default]
    Gone,
}

/// What the lock guards.
#[derive(Default)]
pub struct Body {
    /// The objects.
    pub kind: Kind,
    /// Their multiplayer role.
    pub role: Role,
    /// How a client reconnects; `None`: it does not.
    pub redial: Option<Box<Redial>>,
    /// Their read buffers and compressors.
    pub shared: Shared,
    /// When the family was last polled, per end of a pair.
    pub polled: [Option<Instant>; 2],
    /// When the program last polled or waited, per end of a pair; at first, when it was opened. If that is longer ago
    /// than `LONG_GAP`, deadlines are moved.
    pub attended: [Option<Instant>; 2],
    /// Duration of the last and of the longest poll.
    pub poll_times: (Duration, Duration),
    /// When the next timer needs a poll, per end of a pair.
    pub next_timer: [Option<Instant>; 2],
    /// Whether the last poll left work, per end of a pair.
    pub more: [bool; 2],
    /// The time that its polls and simulated lines follow; `None`: the system's.
    pub time: Option<Time>,
    /// Bytes read so far, and until when memory is kept if no more are read.
    pub active: (u64, Option<Instant>),
}

impl Discarded for Body {
    fn empty(&mut self, keep: &mut usize) {
        match &mut self.kind {
            Kind::Client(peer) | Kind::Attached(peer, _) => peer.empty(keep),
            Kind::Pair(peers) => peers.empty(keep),
            Kind::Server(server) => server.empty(keep),
            Kind::Gone => {}
        }
        self.shared.arena.empty(keep);
    }
}

/// Resources that the objects of a family share.
#[derive(Default)]
pub struct Shared {
    /// Read buffers.
    pub arena: Arena,
    /// Compressors that hold no context.
    pub codecs: Codecs,
}

static CLOCK: SystemClock = SystemClock;

impl Shared {
    /// Allocates nothing yet. Reads take up to `chunk_bytes`.
    pub fn new(chunk_bytes: usize) -> Shared {
        Shared { arena: Arena::new(chunk_bytes), codecs: Codecs::default() }
    }

    /// The context for work that begins at `now` and may take `budget` microseconds.
    #[inline]
    pub fn cx(&mut self, now: Instant, budget: Option<u32>) -> Cx<'_> {
        let Registry { services, epoch, .. } = registry();
        Cx {
            services,
            arena: &mut self.arena,
            codecs: &mut self.codecs,
            now,
            epoch: *epoch,
            budget: Budget::new(&CLOCK, now, budget),
            corked: false,
            corked_bytes: 0,
            latest: None,
        }
    }

    /// The context for work that needs no exact time: the time of the last poll is used. It has no budget.
    #[cold]
    pub fn cx_since(&mut self, polled: Option<Instant>) -> Cx<'_> {
        self.cx(polled.unwrap_or(registry().epoch), None)
    }

    /// Releases memory.
    pub fn shrink(&mut self) {
        let arena = self.arena.take_out();
        if arena.heap_bytes() > MUCH {
            registry().services.discard(Box::new(arena));
        }
        self.codecs.shrink();
    }

    /// Heap bytes.
    pub fn heap_bytes(&self) -> usize {
        self.arena.heap_bytes() + self.codecs.heap_bytes()
    }
}

impl Body {
    /// Splits the body into the objects and the context to work with.
    #[inline]
    pub fn parts(&mut self, now: Instant, budget: Option<u32>) -> (&mut Kind, Cx<'_>) {
        (&mut self.kind, self.shared.cx(now, budget))
    }

    /// Like `parts`, with the role.
    #[inline]
    pub fn parts_with_role(&mut self, now: Instant, budget: Option<u32>) -> (&mut Role, &mut Kind, Cx<'_>) {
        (&mut self.role, &mut self.kind, self.shared.cx(now, budget))
    }

    /// The time now.
    #[inline]
    pub fn now(&self) -> Instant {
        match &self.time {
            None => Instant::now(),
            Some(time) => time.now(),
        }
    }

    /// The time now, and the budget of a call that may take `budget` microseconds. A time that the program advances
    /// stands still during a call, which then has no budget: what happens depends on nothing but the calls.
    #[inline]
    pub fn clock(&self, budget: Option<u32>) -> (Instant, Option<u32>) {
        match &self.time {
            None => (Instant::now(), budget),
            Some(time) => (time.now(), if time.is_manual() { None } else { budget }),
        }
    }

    /// As `clock`, where it is known whether the remote peer is in this process: no other family has a time of its own.
    #[inline]
    pub fn clock_of(&self, in_memory: bool, budget: Option<u32>) -> (Instant, Option<u32>) {
        if in_memory { self.clock(budget) } else { (Instant::now(), budget) }
    }

    /// Whether the program advances the time.
    #[inline]
    pub fn has_manual_time(&self) -> bool {
        self.time.as_ref().is_some_and(Time::is_manual)
    }

    /// How long the program has neither polled nor waited, if that is long enough to move deadlines.
    #[inline]
    pub fn gap(&self, end: usize, now: Instant) -> Option<Duration> {
        let gap = now.saturating_duration_since(self.attended[end]?);
        (gap > LONG_GAP).then_some(gap)
    }

    /// Records that the program waited from `since` to `now`, unless it had a gap before: then its next poll moves
    /// deadlines.
    pub fn attend(&mut self, end: usize, since: Instant, now: Instant) {
        if !self.has_manual_time() && self.gap(end, since).is_none() {
            self.attended[end] = Some(now);
        }
    }

    /// Whether the remote peer is in this process: threads that wait for it have to be woken.
    pub fn is_in_memory(&mut self) -> bool {
        match &mut self.kind {
            Kind::Pair(_) | Kind::Attached(..) => true,
            // The client of ws_join_local. No other client has a pipe.
            Kind::Client(peer) => self.role.has_peers() && peer.stream_mut().is_some_and(|stream| stream.is_memory()),
            Kind::Server(server) => server.has_local(),
            Kind::Gone => false,
        }
    }
}

impl Kind {
    /// Takes the sockets, for the caller to close.
    pub fn take_streams(&mut self) -> Vec<Stream> {
        match self {
            Kind::Client(peer) | Kind::Attached(peer, _) => peer.take_out_stream().into_iter().collect(),
            Kind::Pair(ends) => ends.iter_mut().flatten().filter_map(|peer| peer.take_out_stream()).collect(),
            Kind::Server(server) => server.take_streams(),
            Kind::Gone => Vec::new(),
        }
    }

    /// Whether a member still has the handle it was looked up by: its slot may have been reused.
    #[inline]
    pub fn is_current(&mut self, member: Member, handle: u32) -> bool {
        let current = match self.peer(member) {
            Some(peer) => peer.endpoint.handle,
            None => match self {
                Kind::Server(server) if member == Member::Server => server.endpoint.handle,
                _ => 0,
            },
        };
        current == handle
    }

    /// What a handle refers to, in the role's terms.
    pub fn place(&mut self, member: Member) -> Result<Place<'_>, Error> {
        match (self, member) {
            (Kind::Server(server), Member::Server) => Ok(Place::Server(server)),
            (Kind::Server(server), Member::Client(key)) => Ok(Place::Client(server, key)),
            (kind, member) => kind.peer(member).map(Place::Peer).ok_or_else(Error::gone),
        }
    }

    /// The connection that a handle refers to, if it is one.
    #[inline]
    pub fn peer(&mut self, member: Member) -> Option<&mut Connection> {
        match self {
            // The only connection of its family.
            Kind::Client(peer) | Kind::Attached(peer, _) => Some(peer),
            Kind::Pair(ends) => ends.get_mut(member.end())?.as_deref_mut(),
            Kind::Server(server) => match member {
                Member::Client(key) => server.peer(key),
                _ => None,
            },
            Kind::Gone => None,
        }
    }
}
