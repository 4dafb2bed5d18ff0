//! Resources of a poll: its time budget, read buffers, and compressors, shared by the connections of a family.

mod arena;
mod budget;
mod codecs;
mod moment;
mod payload;

pub(crate) use arena::is_free;
pub use arena::{Arena, Chunk, Place};
pub(crate) use budget::FRAMES_PER_CHECK;
pub use budget::{Budget, Clock, SystemClock};
pub use codecs::Codecs;
pub use moment::Moment;
pub use payload::Payload;

use crate::heap::{self, Discarded};
use crate::net::{Services, Unsent};
use std::time::{Duration, Instant};

/// A longer gap between two polls moves every deadline: a loading screen, a breakpoint, a suspended phone.
pub const LONG_GAP: Duration = Duration::from_secs(1);
/// Maximum bytes read from a connection in one round, so that it does not delay the others: 256 KiB of messages, and
/// their headers.
pub const ROUND_BYTES: usize = (256 << 10) + (4 << 10);
/// Maximum bytes of one read: what fits the second-level cache together with its copy in the system.
pub const READ_BYTES: usize = ROUND_BYTES / 2;

/// Memory above this size is freed by the worker thread, as unmapping it takes noticeable time.
pub const MUCH: usize = 1 << 20;

/// Whether memory of this size is freed by the worker thread: above `MUCH`, and under pressure what gives pages back.
pub fn is_much(bytes: usize) -> bool {
    bytes > MUCH || heap::gives_back(bytes)
}

/// The context in which a connection is polled.
pub struct Cx<'a> {
    /// The library's worker threads.
    pub services: &'a Services,
    /// Read buffers of the family.
    pub arena: &'a mut Arena,
    /// Spare compressors and decompressors of the family.
    pub codecs: &'a mut Codecs,
    /// The time at which this poll began.
    pub now: Instant,
    /// The zero of `time_ns`.
    pub epoch: Instant,
    /// The time that this poll may take.
    pub budget: Budget<'a>,
    /// Messages that are put are written together when the call ends (ws_put_packets), not each by its put.
    pub corked: bool,
    /// Bytes of the messages that such a call has put.
    pub corked_bytes: usize,
    /// Messages that are put take the place of one that has not left (ws_put_latest).
    pub latest: Option<Latest>,
}

/// How messages replace older ones.
#[derive(Clone, Copy)]
pub struct Latest {
    /// The one with the same key is replaced.
    pub key: u64,
    /// Asks the system how much it has not sent.
    pub unsent: Unsent,
}

impl Cx<'_> {
    /// The time of this poll in nanoseconds, as events report it.
    pub fn time_ns(&self) -> u64 {
        self.now.saturating_duration_since(self.epoch).as_nanos() as u64
    }

    /// Drops an object with `bytes` bytes of heap, on the worker if they are much.
    pub fn discard(&self, bytes: usize, thing: impl Discarded + 'static) {
        if is_much(bytes) {
            self.services.discard(Box::new(thing));
        }
    }

    /// Resets the read buffers for a new poll. No queued message may be in them any more.
    pub fn renew(&mut self) {
        self.arena.renew();
        if let Some(unused) = self.arena.take_unused(self.now) {
            self.discard(unused.iter().map(Vec::capacity).sum(), unused);
        }
    }

    /// Keeps the buffer of a message for reuse, or frees it.
    pub fn give_back(&mut self, spare: Vec<u8>) {
        if let Some(surplus) = self.arena.give_spare(spare) {
            self.discard(surplus.capacity(), surplus);
        }
    }

    /// The time of this poll in whole seconds, from the same zero.
    pub fn second(&self) -> u32 {
        self.now.saturating_duration_since(self.epoch).as_secs() as u32
    }
}
