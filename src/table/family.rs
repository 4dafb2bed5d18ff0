//! A family: what shares one lock. A connection alone, the two ends of a pair, or a server with its clients.

use crate::net::{MemoryEnd, Services, Stream};
use crate::peer::{Arena, Budget, Cx, Peer, SystemClock};
use crate::server::Server;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// One lock and what it guards.
pub struct Family {
    /// Never held across a wait.
    pub body: Mutex<Body>,
    /// ws_config.owner.
    pub owner: u32,
}

/// Which object of its family a handle means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// A connection of its own.
    Only,
    /// One end of a pair: 0 the server's, 1 the client's.
    End(usize),
    /// The server itself.
    Server,
    /// A server's client, by its place.
    Client(u32),
}

impl Member {
    /// Its place in what a family keeps by member for pairs.
    pub fn end(self) -> usize {
        match self {
            Member::End(end) => end,
            _ => 0,
        }
    }
}

/// The objects of a family.
pub enum Kind {
    /// ws_connect.
    Client(Box<Peer>),
    /// ws_pair; an end that was freed is gone.
    Pair([Option<Box<Peer>>; 2]),
    /// ws_attach: the connection, and the host's end of its transport.
    Attached(Box<Peer>, MemoryEnd),
    /// ws_listen.
    Server(Box<Server>),
    /// Freed, or retired after a panic.
    Gone,
}

/// What a lock guards.
pub struct Body {
    /// The objects.
    pub kind: Kind,
    /// Their read buffers.
    pub arena: Arena,
    /// When the family was last polled, by member for pairs.
    pub polled: [Option<Instant>; 2],
    /// Duration of the last and of the longest poll.
    pub poll_times: (Duration, Duration),
    /// When timers want the next poll, by member for pairs.
    pub next_timer: [Option<Instant>; 2],
    /// The last poll left work behind, by member for pairs.
    pub more: [bool; 2],
    /// Bytes that had been read, and when that last changed.
    pub active: (u64, Option<Instant>),
}

static CLOCK: SystemClock = SystemClock;

impl Body {
    /// The parts that work goes on with: the objects apart from what they work with.
    pub fn parts<'a>(&'a mut self, services: &'a Services, epoch: Instant, now: Instant, budget: Option<Duration>) -> (&'a mut Kind, Cx<'a>) {
        let cx = Cx { services, arena: &mut self.arena, now, epoch, budget: Budget::new(&CLOCK, now, budget) };
        (&mut self.kind, cx)
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

    /// Whether a member is still the one that had this handle: a client may have gone since the handle was looked up, and another one come.
    pub fn is_still(&self, member: Member, handle: u32) -> bool {
        match (self, member) {
            (Kind::Gone, _) => false,
            (Kind::Server(server), Member::Client(key)) => server.handle_of(key) == Some(handle),
            _ => true,
        }
    }

    /// The connection that a handle means, whatever its kind.
    pub fn peer(&mut self, member: Member) -> Option<&mut Peer> {
        match (self, member) {
            (Kind::Client(peer) | Kind::Attached(peer, _), Member::Only) => Some(peer),
            (Kind::Pair(ends), Member::End(end)) => ends[end].as_deref_mut(),
            (Kind::Server(server), Member::Client(key)) => server.peer(key),
            _ => None,
        }
    }
}
