//! What a poll works with: the time it may take, memory to read into, and compressors, shared by the connections of a family.

mod arena;
mod budget;
mod codecs;

pub(crate) use arena::is_free;
pub use arena::{Arena, Chunk, Place};
pub use budget::{Budget, Clock, SystemClock};
pub use codecs::Codecs;

use crate::heap::Discarded;
use crate::net::Services;
use std::time::{Duration, Instant};

/// A gap between two polls that moves every deadline: a loading screen, a breakpoint, a suspended phone.
pub const LONG_GAP: Duration = Duration::from_secs(1);
/// Read in one round, so that no connection keeps the others waiting: messages of 256 KiB together, and their headers.
pub const ROUND_BYTES: usize = (256 << 10) + (4 << 10);

/// The system takes noticeable time to take this much memory back: it is given back by the worker.
pub const MUCH: usize = 1 << 20;

/// What a connection needs from around it while it is polled.
pub struct Cx<'a> {
    /// Threads of ours.
    pub services: &'a Services,
    /// Read buffers of the family.
    pub arena: &'a mut Arena,
    /// Compressors and decompressors of the family.
    pub codecs: &'a mut Codecs,
    /// The time of this poll.
    pub now: Instant,
    /// What `time_ns` counts from.
    pub epoch: Instant,
    /// The time this poll may take.
    pub budget: Budget<'a>,
}

impl Cx<'_> {
    /// The time of this poll as events tell it.
    pub fn time_ns(&self) -> u64 {
        self.now.saturating_duration_since(self.epoch).as_nanos() as u64
    }

    /// Drops something that has so many bytes of heap: through the worker if that is much.
    pub fn discard(&self, bytes: usize, thing: impl Discarded + 'static) {
        if bytes > MUCH {
            self.services.discard(Box::new(thing));
        }
    }

    /// Begins a poll with the read buffers, in which no queued message may lie any more.
    pub fn renew(&mut self) {
        self.arena.renew();
        if let Some(unused) = self.arena.take_unused(self.now) {
            self.discard(unused.iter().map(Vec::capacity).sum(), unused);
        }
    }

    /// Memory of a message that serves the next one, or goes back.
    pub fn give_back(&mut self, spare: Vec<u8>) {
        if let Some(surplus) = self.arena.give_spare(spare) {
            self.discard(surplus.capacity(), surplus);
        }
    }

    /// The second of this poll, in whole ones since the same start.
    pub fn second(&self) -> u32 {
        self.now.saturating_duration_since(self.epoch).as_secs() as u32
    }
}
