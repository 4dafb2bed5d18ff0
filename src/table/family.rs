//! A family: what shares one lock. A connection alone, the two ends of a pair, or a server with its clients.

use super::{Registry, registry};
use crate::connection::Connection;
use crate::error::Error;
use crate::heap::Discarded;
use crate::net::{MemoryEnd, Stream};
use crate::role::{Place, Role};
use crate::server::Server;
use crate::work::{Arena, Budget, Codecs, Cx, LONG_GAP, MUCH, SystemClock};
use parking_lot::Mutex;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

/// One lock and what it guards. Families live as long as the process and are used again, so that whoever has found one may lock it: what a
/// handle means is known only under the lock (`Kind::is_current`).
pub struct Family {
    /// Never held across a wait.
    pub body: Mutex<Body>,
    /// ws_config.owner.
    pub owner: AtomicU32,
}

impl Family {
    /// With nothing in it.
    pub fn new() -> Family {
        Family { body: Mutex::new(Body::default()), owner: AtomicU32::new(0) }
    }
}

/// Which object of its family a handle means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// A connection of its own.
    Only,
    /// One end of a pair: 0 the server's, 1 the client's.
    End(u8),
    /// The server itself.
    Server,
    /// A server's client, by its place.
    Client(u32),
}

impl Member {
    /// Its place in what a family keeps by member for pairs.
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
    /// ws_connect.
    Client(Box<Connection>),
    /// ws_attach: the connection, and the host's end of its transport.
    Attached(Box<Connection>, MemoryEnd),
    /// ws_pair; an end that was freed is gone.
    Pair([Option<Box<Connection>>; 2]),
    /// ws_listen.
    Server(Box<Server>),
    /// Freed, or retired after a panic.
    #[default]
    Gone,
}

/// What a lock guards.
#[derive(Default)]
pub struct Body {
    /// The objects.
    pub kind: Kind,
    /// What makes them a host or a join.
    pub role: Role,
    /// What they work with.
    pub shared: Shared,
    /// When the family was last polled, by member for pairs.
    pub polled: [Option<Instant>; 2],
    /// When the host last polled or waited, by member for pairs; before that, when it was opened. Longer ago than `LONG_GAP`: it comes late.
    pub attended: [Option<Instant>; 2],
    /// Duration of the last and of the longest poll.
    pub poll_times: (Duration, Duration),
    /// When timers want the next poll, by member for pairs.
    pub next_timer: [Option<Instant>; 2],
    /// The last poll left work behind, by member for pairs.
    pub more: [bool; 2],
    /// Bytes that had been read, and until when memory is kept if no more are.
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

/// What the objects of a family work with.
#[derive(Default)]
pub struct Shared {
    /// Their read buffers.
    pub arena: Arena,
    /// Their compressors that hold no context.
    pub codecs: Codecs,
}

static CLOCK: SystemClock = SystemClock;

impl Shared {
    /// Allocates nothing yet; reads take up to so many bytes.
    pub fn new(chunk_bytes: usize) -> Shared {
        Shared { arena: Arena::new(chunk_bytes), codecs: Codecs::default() }
    }

    /// For work that begins now and may take so many microseconds.
    #[inline]
    pub fn cx(&mut self, now: Instant, budget: Option<u32>) -> Cx<'_> {
        let Registry { services, epoch, .. } = registry();
        Cx { services, arena: &mut self.arena, codecs: &mut self.codecs, now, epoch: *epoch, budget: Budget::new(&CLOCK, now, budget) }
    }

    /// For work that reads no clock: the last poll is time enough for what it tells.
    #[cold]
    pub fn cx_since(&mut self, polled: Option<Instant>) -> Cx<'_> {
        self.cx(polled.unwrap_or(registry().epoch), None)
    }

    /// Gives memory back.
    pub fn shrink(&mut self) {
        let arena = self.arena.take_out();
        if arena.heap_bytes() > MUCH {
            registry().services.discard(Box::new(arena));
        }
        self.codecs.shrink();
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        self.arena.heap_bytes() + self.codecs.heap_bytes()
    }
}

impl Body {
    /// The parts that work goes on with: the objects apart from what they work with.
    #[inline]
    pub fn parts(&mut self, now: Instant, budget: Option<u32>) -> (&mut Kind, Cx<'_>) {
        (&mut self.kind, self.shared.cx(now, budget))
    }

    /// As `parts`, with the role.
    #[inline]
    pub fn parts_with_role(&mut self, now: Instant, budget: Option<u32>) -> (&mut Role, &mut Kind, Cx<'_>) {
        (&mut self.role, &mut self.kind, self.shared.cx(now, budget))
    }

    /// For how long the host has looked away, if that is a gap that moves deadlines.
    #[inline]
    pub fn gap(&self, end: usize, now: Instant) -> Option<Duration> {
        let gap = now.saturating_duration_since(self.attended[end]?);
        (gap > LONG_GAP).then_some(gap)
    }

    /// A host that waits does not look away, unless it had before `since`: then its next poll comes late.
    pub fn attend(&mut self, end: usize, since: Instant, now: Instant) {
        if self.gap(end, since).is_none() {
            self.attended[end] = Some(now);
        }
    }

    /// Whether bytes go to another family of this process: whoever waits there has to be woken.
    pub fn talks_in_memory(&mut self) -> bool {
        match &mut self.kind {
            Kind::Pair(_) | Kind::Attached(..) => true,
            // A player of a host in this process; nobody else has a pipe.
            Kind::Client(peer) => self.role.has_peers() && matches!(peer.stream_mut(), Some(Stream::Memory(_))),
            Kind::Server(server) => server.has_local(),
            Kind::Gone => false,
        }
    }
}

impl Kind {
    /// The sockets, to be closed elsewhere.
    pub fn take_streams(&mut self) -> Vec<Stream> {
        match self {
            Kind::Client(peer) | Kind::Attached(peer, _) => peer.take_out_stream().into_iter().collect(),
            Kind::Pair(ends) => ends.iter_mut().flatten().filter_map(|peer| peer.take_out_stream()).collect(),
            Kind::Server(server) => server.take_streams(),
            Kind::Gone => Vec::new(),
        }
    }

    /// Whether a member still has the handle that it was found by: something else may be in its place by now.
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

    /// What a handle means, for the role.
    pub fn place(&mut self, member: Member) -> Result<Place<'_>, Error> {
        match (self, member) {
            (Kind::Server(server), Member::Server) => Ok(Place::Server(server)),
            (Kind::Server(server), Member::Client(key)) => Ok(Place::Client(server, key)),
            (kind, member) => kind.peer(member).map(Place::Peer).ok_or_else(Error::gone),
        }
    }

    /// The connection that a handle means, whatever its kind.
    #[inline]
    pub fn peer(&mut self, member: Member) -> Option<&mut Connection> {
        match self {
            // Nothing else is in its family.
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
