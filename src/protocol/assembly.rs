//! A message that comes in pieces: of several frames, or of one that was cut (RFC 6455 section 5.4).

use super::decode::{Limits, Received, not_utf8};
use super::utf8::Utf8;
use crate::codes::WS_CAUSE_RESOURCES;
use crate::error::Failure;

/// Reserved ahead of what has arrived, at most: a length alone costs the peer nothing.
const MAX_RESERVE: u64 = 64 << 10;
/// With this much of a message or of storage there, the rest is read to where it belongs.
const MIN_FILLED: usize = 20 << 10;
/// Read there at a time, at most; and no more than what is there or what storage there is, so that an announced length costs no memory.
const MAX_FILL: usize = 256 << 10;

/// The message under way.
pub(super) struct Assembly {
    pub(super) text: bool,
    /// Its pieces are handed out as they come, and nothing is assembled here.
    pub(super) compressed: bool,
    /// Length of its frames so far, the one under way included.
    pub(super) announced: u64,
    fragments: u32,
    utf8: Utf8,
    /// Storage, of which the first `filled` bytes are the message so far.
    bytes: Vec<u8>,
    filled: usize,
}

impl Assembly {
    /// Nothing has come yet. `bytes` is storage, whatever is in it.
    pub(super) fn new(text: bool, compressed: bool, bytes: Vec<u8>) -> Assembly {
        Assembly { text, compressed, announced: 0, fragments: 0, utf8: Utf8::new(), bytes, filled: 0 }
    }

    /// A frame of that length begins.
    pub(super) fn start_fragment(&mut self, len: u64, limits: &Limits) -> Result<(), Failure> {
        self.fragments += 1;
        self.announced += len;
        if self.fragments > limits.max_fragments {
            let sentence = format!("a message has more fragments than max_fragments ({})", limits.max_fragments);
            return Err(Failure { close_code: 1008, ..Failure::of_protocol(1009, sentence) });
        }
        Ok(())
    }

    /// Adds a piece, unmasked. `left` bytes of its frame had yet to come before it.
    pub(super) fn append(&mut self, piece: &[u8], left: u64) -> Result<(), Failure> {
        if self.text && self.utf8.feed(piece).is_err() {
            return Err(not_utf8());
        }
        // Over what the storage held before, then behind it.
        let (over, behind) = piece.split_at(piece.len().min(self.bytes.len() - self.filled));
        self.bytes[self.filled..self.filled + over.len()].copy_from_slice(over);
        if !behind.is_empty() {
            self.reserve(left, behind.len())?;
            self.bytes.extend_from_slice(behind);
        }
        self.filled += piece.len();
        Ok(())
    }

    /// Where the next bytes may be read to, of `left` that have yet to come of the frame. Then call `filled`.
    pub(super) fn room(&mut self, left: u64) -> Option<&mut [u8]> {
        let most = self.filled.max(self.bytes.len() - self.filled).min(MAX_FILL);
        if most < MIN_FILLED {
            return None;
        }
        let count = left.min(most as u64) as usize;
        let end = self.filled + count;
        if self.bytes.len() < end {
            self.reserve(left, count).ok()?;
            self.bytes.resize(end, 0);
        }
        Some(&mut self.bytes[self.filled..end])
    }

    /// So many bytes were read to `room`; `unmask` is done to them.
    pub(super) fn filled(&mut self, count: usize, unmask: impl FnOnce(&mut [u8])) -> Result<(), Failure> {
        let piece = &mut self.bytes[self.filled..self.filled + count];
        unmask(piece);
        if self.text && self.utf8.feed(piece).is_err() {
            return Err(not_utf8());
        }
        self.filled += count;
        Ok(())
    }

    /// Its last byte has come.
    pub(super) fn finish(self) -> Result<Received, Failure> {
        if !self.utf8.is_complete() {
            return Err(not_utf8());
        }
        let Assembly { text, mut bytes, filled, .. } = self;
        bytes.truncate(filled);
        Ok(Received::Assembled { text, bytes })
    }

    /// Its storage, whatever is in it.
    pub(super) fn into_storage(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes of heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Room for `count` more bytes, of `left` that are announced.
    fn reserve(&mut self, left: u64, count: usize) -> Result<(), Failure> {
        if self.bytes.capacity() - self.bytes.len() < count {
            let ahead = left.min(MAX_RESERVE.max(self.bytes.len() as u64)) as usize;
            if self.bytes.try_reserve(ahead.max(count)).is_err() {
                let failure = Failure::of_protocol(1009, "there is no memory left for a message: lower max_message_bytes");
                return Err(Failure { cause: WS_CAUSE_RESOURCES, ..failure });
            }
        }
        Ok(())
    }
}
