//! The arena: memory into which sockets are read, shared by all connections of a family, and lent to the host from
//! there.

use crate::heap::Discarded;
use crate::net::LEAST_READ;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A buffer that holds messages. Each loan to the host holds a clone; the buffer is reused only when there is none.
pub type Chunk = Arc<Vec<u8>>;

/// With less free space than this in a chunk, a read uses another chunk.
const MIN_SPACE: usize = LEAST_READ;
/// Chunks kept between polls: the host may hold one while the other is read into.
const KEPT_CHUNKS: usize = 2;
/// Number of message buffers kept for reuse.
const KEPT_SPARES: usize = 4;
const MAX_SPARE: usize = 4 << 20;
/// A buffer that is not used for this long is freed.
const SPARE_TIME: Duration = Duration::from_secs(5);

/// Read buffers. Each poll reuses them from the start, after messages still queued in them have been copied out.
#[derive(Default)]
pub struct Arena {
    chunks: Vec<Chunk>,
    used: usize,
    chunk_bytes: usize,
    scratch: Vec<u8>,
    /// Buffers of messages that the host has released. Reuse avoids a page fault per 4 KiB of fresh memory.
    spares: Vec<Vec<u8>>,
    /// Number of spares that have not been used since a time.
    unused: Option<(usize, Instant)>,
}

impl Discarded for Arena {
    fn empty(&mut self, keep: &mut usize) {
        self.chunks.empty(keep);
        self.scratch.empty(keep);
        self.spares.empty(keep);
    }
}

impl Arena {
    /// An empty arena: allocates nothing.
    pub fn new(chunk_bytes: usize) -> Arena {
        Arena { chunk_bytes, ..Arena::default() }
    }

    /// Starts a poll. No queued message may be in the arena any more.
    #[inline]
    pub fn renew(&mut self) {
        self.used = 0;
        if self.chunks.len() > 1 || self.chunks.first().is_some_and(|chunk| !is_free(chunk)) {
            self.sort_out();
        }
    }

    /// Frees surplus chunks, and puts a free one last, for the next read.
    fn sort_out(&mut self) {
        if self.chunks.len() > KEPT_CHUNKS {
            self.free_surplus();
        } else if self.chunks.last().is_some_and(|last| !is_free(last)) {
            self.chunks.rotate_left(1);
        }
    }

    #[cold]
    fn free_surplus(&mut self) {
        self.chunks.sort_by_key(is_free);
        let surplus = self.chunks.len().saturating_sub(KEPT_CHUNKS);
        self.chunks.drain(..surplus);
    }

    /// Takes a spare buffer for a message, if there is one. Its content and length are unspecified.
    #[inline]
    pub fn take_spare(&mut self) -> Option<Vec<u8>> {
        self.spares.pop()
    }

    /// Records that a taken buffer holds a message.
    pub fn note_use(&mut self) {
        if let Some((unused, _)) = &mut self.unused {
            *unused = self.spares.len().min(*unused);
        }
    }

    /// Takes the spare buffers that have not been used for `SPARE_TIME`.
    #[inline]
    pub fn take_unused(&mut self, now: Instant) -> Option<Vec<Vec<u8>>> {
        if self.spares.is_empty() { None } else { self.look_for_unused(now) }
    }

    #[cold]
    fn look_for_unused(&mut self, now: Instant) -> Option<Vec<Vec<u8>>> {
        let (unused, since) = *self.unused.get_or_insert((self.spares.len(), now));
        if now < since + SPARE_TIME {
            return None;
        }
        let spares = self.spares.drain(..unused.min(self.spares.len())).collect();
        self.unused = None;
        Some(spares)
    }

    /// Keeps the buffer of a released message as a spare. Returns it if it is not kept.
    pub fn give_spare(&mut self, spare: Vec<u8>) -> Option<Vec<u8>> {
        if self.spares.len() < KEPT_SPARES && (MIN_SPACE..=MAX_SPARE).contains(&spare.capacity()) {
            self.spares.push(spare);
            return None;
        }
        Some(spare)
    }

    /// Takes all memory; the next read allocates again.
    pub fn take_out(&mut self) -> Arena {
        let empty = Arena::new(self.chunk_bytes);
        std::mem::replace(self, empty)
    }

    /// Free space to read into, at most `most` bytes, and its place.
    pub fn space(&mut self, most: usize) -> (&mut [u8], Place) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() - self.used < MIN_SPACE || !is_free(chunk)) {
            self.add_chunk();
        }
        let place = Place { chunk: self.chunks.len() as u32 - 1, start: self.used as u32 };
        (self.last_space(most), place)
    }

    /// Marks the first `bytes` of the last space as used by messages.
    pub fn keep(&mut self, bytes: usize) {
        self.used += bytes;
    }

    /// Scratch memory, for the duration of one call.
    pub fn scratch(&mut self) -> &mut Vec<u8> {
        &mut self.scratch
    }

    /// The last space again, and scratch memory.
    pub fn space_and_scratch(&mut self, most: usize) -> (&mut [u8], &mut Vec<u8>) {
        let Arena { chunks, used, scratch, .. } = self;
        (space_in(chunks, *used, most), scratch)
    }

    /// The last space again.
    #[inline]
    pub fn last_space(&mut self, most: usize) -> &mut [u8] {
        space_in(&mut self.chunks, self.used, most)
    }

    #[cold]
    fn add_chunk(&mut self) {
        self.chunks.push(Arc::new(vec![0; self.chunk_bytes]));
        self.used = 0;
    }

    /// The chunk with this index.
    pub fn chunk(&self, index: u32) -> &Chunk {
        &self.chunks[index as usize]
    }

    /// Heap bytes.
    pub fn heap_bytes(&self) -> usize {
        self.chunks.len() * self.chunk_bytes
            + self.scratch.capacity()
            + self.spares.iter().map(Vec::capacity).sum::<usize>()
    }
}

/// Whether there is no other reference to the chunk. Clones are made only under the family's lock.
pub(crate) fn is_free(chunk: &Chunk) -> bool {
    Arc::strong_count(chunk) == 1
}

/// The free space of the last chunk, at most `most` bytes. There must be no other reference to the chunk.
#[inline]
fn space_in(chunks: &mut [Chunk], used: usize, most: usize) -> &mut [u8] {
    let Some(chunk) = chunks.last_mut().and_then(Arc::get_mut) else { return &mut [] };
    let end = chunk.len().min(used.saturating_add(most));
    chunk.get_mut(used..end).unwrap_or_default()
}

/// Start of a space in the arena.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Index of the chunk.
    pub chunk: u32,
    /// Offset in the chunk.
    pub start: u32,
}
