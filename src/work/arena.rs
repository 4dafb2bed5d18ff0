//! The memory that sockets are read into, shared by all connections of a family, and the loans out of it.

use crate::heap::Discarded;
use crate::net::LEAST_READ;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A piece of memory that messages lie in. Whoever lends it to the host holds a clone; it is written again only when nobody does.
pub type Chunk = Arc<Vec<u8>>;

/// Below this much free room a read goes into another chunk.
const MIN_SPACE: usize = LEAST_READ;
/// Chunks kept from one poll to the next: the host may hold one while the other is read into.
const KEPT_CHUNKS: usize = 2;
/// Buffers of messages kept for the next ones, and of what size at most.
const KEPT_SPARES: usize = 4;
const MAX_SPARE: usize = 4 << 20;
/// Those that served no message for this long are given back.
const SPARE_TIME: Duration = Duration::from_secs(5);

/// Read buffers. Each poll starts it anew, after the messages still queued in it were moved away.
#[derive(Default)]
pub struct Arena {
    chunks: Vec<Chunk>,
    used: usize,
    chunk_bytes: usize,
    scratch: Vec<u8>,
    /// Storage of messages that the host has done with: fresh memory costs a page fault every 4 KiB.
    spares: Vec<Vec<u8>>,
    /// How many of them, at least, have lain there since a time.
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
    /// Allocates nothing yet.
    pub fn new(chunk_bytes: usize) -> Arena {
        Arena { chunk_bytes, ..Arena::default() }
    }

    /// Starts a poll. No queued message may lie here any more.
    #[inline]
    pub fn renew(&mut self) {
        self.used = 0;
        if self.chunks.len() > 1 || self.chunks.first().is_some_and(|chunk| !is_free(chunk)) {
            self.sort_out();
        }
    }

    /// Keeps few chunks, a free one last, where the next read looks for it.
    #[cold]
    fn sort_out(&mut self) {
        self.chunks.sort_by_key(is_free);
        let surplus = self.chunks.len().saturating_sub(KEPT_CHUNKS);
        self.chunks.drain(..surplus);
    }

    /// Memory for a message, in use before if there is any. Its content and length are left as they were.
    #[inline]
    pub fn take_spare(&mut self) -> Option<Vec<u8>> {
        self.spares.pop()
    }

    /// What was taken serves a message.
    pub fn note_use(&mut self) {
        if let Some((unused, _)) = &mut self.unused {
            *unused = self.spares.len().min(*unused);
        }
    }

    /// Takes out the memory for messages that served none for a while.
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

    /// Memory of a message that the host has done with. What is not kept comes back.
    pub fn give_spare(&mut self, spare: Vec<u8>) -> Option<Vec<u8>> {
        if self.spares.len() < KEPT_SPARES && (MIN_SPACE..=MAX_SPARE).contains(&spare.capacity()) {
            self.spares.push(spare);
            return None;
        }
        Some(spare)
    }

    /// Takes out the memory; the next read allocates again.
    pub fn take_out(&mut self) -> Arena {
        let empty = Arena::new(self.chunk_bytes);
        std::mem::replace(self, empty)
    }

    /// Free room to read into, at most `most` bytes, with its place.
    pub fn space(&mut self, most: usize) -> (&mut [u8], Place) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() - self.used < MIN_SPACE || !is_free(chunk)) {
            self.add_chunk();
        }
        let place = Place { chunk: self.chunks.len() as u32 - 1, start: self.used as u32 };
        (self.last_space(most), place)
    }

    /// Keeps the first `bytes` of the last space for the messages in it.
    pub fn keep(&mut self, bytes: usize) {
        self.used += bytes;
    }

    /// Memory for one call, to mask into.
    pub fn scratch(&mut self) -> &mut Vec<u8> {
        &mut self.scratch
    }

    /// The last space again, and memory for one call beside it.
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

    /// The chunk that a place is in.
    pub fn chunk(&self, index: u32) -> &Chunk {
        &self.chunks[index as usize]
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        self.chunks.len() * self.chunk_bytes + self.scratch.capacity() + self.spares.iter().map(Vec::capacity).sum::<usize>()
    }
}

/// Whether nobody else holds it: clones are made under the family's lock alone.
pub(crate) fn is_free(chunk: &Chunk) -> bool {
    Arc::strong_count(chunk) == 1
}

/// The free room of the last chunk, which nobody else holds, at most `most` bytes.
#[inline]
fn space_in(chunks: &mut [Chunk], used: usize, most: usize) -> &mut [u8] {
    let Some(chunk) = chunks.last_mut().and_then(Arc::get_mut) else { return &mut [] };
    let end = chunk.len().min(used.saturating_add(most));
    chunk.get_mut(used..end).unwrap_or_default()
}

/// Where a space begins.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Which chunk.
    pub chunk: u32,
    /// First byte in it.
    pub start: u32,
}
