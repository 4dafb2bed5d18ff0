//! A message received in pieces: as several frames, or as one frame over several reads (RFC 6455 section 5.4).

use super::received::{Limits, Received};
use super::utf8::Utf8;
use super::violation::not_utf8;
use crate::error::Failure;
use crate::heap::{Discarded, MOVE_SLICE, Move, Moved};
use crate::names::{MAX_FRAGMENTS, MAX_MESSAGE_BYTES};
use crate::status::Cause;

/// Bytes reserved ahead of those received, at most, unless more have been received: an announced length costs little
/// memory.
const MAX_RESERVE: u64 = 64 << 10;
/// Bytes received, or storage available, from which on reads go directly into the message.
const MIN_FILLED: usize = 20 << 10;
/// Maximum bytes of such a read. It is also limited to the bytes received or the storage available, so that an
/// announced length costs no memory.
const MAX_FILL: usize = 256 << 10;
/// Maximum bytes that one read brings. Room for them is made before the read, so that nothing is moved during it.
const MOST_OF_A_READ: usize = (256 << 10) + (4 << 10);
/// Growth factor of storage that is too small.
const GROWTH: usize = 4;

/// The message being received.
pub(super) struct Assembly {
    pub(super) text: bool,
    /// Its pieces are passed on as they are received, and nothing is assembled here.
    pub(super) compressed: bool,
    /// Total length of its frames so far, the current one included.
    pub(super) announced: u64,
    fragments: u32,
    utf8: Utf8,
    /// Storage, whose first `filled` bytes are the message so far.
    bytes: Vec<u8>,
    filled: usize,
    moving: Move,
}

impl Discarded for Assembly {
    fn empty(&mut self, keep: &mut usize) {
        self.bytes.empty(keep);
        self.moving.empty(keep);
    }
}

impl Assembly {
    /// An empty message. `bytes` is storage of any content.
    pub(super) fn new(text: bool, compressed: bool, bytes: Vec<u8>) -> Assembly {
        Assembly {
            text,
            compressed,
            announced: 0,
            fragments: 0,
            utf8: Utf8::new(),
            bytes,
            filled: 0,
            moving: Move::default(),
        }
    }

    /// Bytes of its storage that are in use: more is reserved, and costs nothing before it is.
    pub(super) fn used_bytes(&self) -> usize {
        self.bytes.len() + self.moving.moved()
    }

    /// Starts a frame of `len` payload bytes.
    pub(super) fn start_fragment(&mut self, len: u64, limits: &Limits) -> Result<(), Failure> {
        self.fragments += 1;
        self.announced += len;
        if self.fragments > limits.max_fragments {
            let why = format!("a message has more fragments than {MAX_FRAGMENTS} ({})", limits.max_fragments);
            return Err(Failure { close_code: 1008, ..Failure::of_protocol(1009, why) });
        }
        Ok(())
    }

    /// Appends an unmasked piece. `left` bytes of its frame were outstanding before it.
    pub(super) fn append(&mut self, piece: &[u8], left: u64) -> Result<(), Failure> {
        if self.text && self.utf8.feed(piece).is_err() {
            return Err(not_utf8());
        }
        // Overwrites what the storage held before, then extends it.
        let (over, behind) = piece.split_at(piece.len().min(self.bytes.len() - self.filled));
        self.bytes[self.filled..self.filled + over.len()].copy_from_slice(over);
        if !behind.is_empty() {
            self.reserve(left, behind.len())?;
            self.bytes.extend_from_slice(behind);
        }
        self.filled += piece.len();
        Ok(())
    }

    /// Call before a read, until nothing is left to move. Moves a slice of the message to larger storage if there may
    /// be no room for what the read brings: the rest of the current frame and, unless that is the last one, what
    /// follows it.
    pub(super) fn move_on(&mut self, frame: Option<(u64, bool)>, max_message: u64) -> Moved {
        if !self.moving.is_under_way() {
            if self.filled <= MOVE_SLICE {
                return Moved::Nothing;
            }
            let most = max_message.saturating_sub(self.filled as u64);
            let left = match frame {
                Some((left, true)) => left.min(most),
                _ => most,
            };
            let need = left.min(MOST_OF_A_READ as u64) as usize;
            let capacity = self.bytes.capacity();
            if capacity - self.filled >= need {
                return Moved::Nothing;
            }
            let whole = (self.filled as u64).saturating_add(left);
            let size = whole.min(capacity.saturating_mul(GROWTH) as u64).max((self.filled + need) as u64);
            // Without memory, the next append reports it, if it needs more.
            if !usize::try_from(size).is_ok_and(|size| self.moving.begin(size)) {
                return Moved::Nothing;
            }
        }
        self.moving.step(&mut self.bytes, self.filled)
    }

    /// Storage that the next bytes may be read into; `left` bytes of the frame are outstanding. Then call `filled`.
    pub(super) fn room(&mut self, left: u64) -> Option<&mut [u8]> {
        let most = self.filled.max(self.bytes.len() - self.filled).min(MAX_FILL);
        if most < MIN_FILLED {
            return None;
        }
        let count = left.min(most as u64) as usize;
        let end = self.filled + count;
        if self.bytes.len() < end {
            // A TLS read may fill only part of the room, so the storage may be longer than what was filled.
            self.reserve(left, end - self.bytes.len()).ok()?;
            self.bytes.resize(end, 0);
        }
        Some(&mut self.bytes[self.filled..end])
    }

    /// Accounts for `count` bytes that were read into `room`, and applies `unmask` to them.
    pub(super) fn filled(&mut self, count: usize, unmask: impl FnOnce(&mut [u8])) -> Result<(), Failure> {
        let piece = &mut self.bytes[self.filled..self.filled + count];
        unmask(piece);
        if self.text && self.utf8.feed(piece).is_err() {
            return Err(not_utf8());
        }
        self.filled += count;
        Ok(())
    }

    /// Completes the message after its last byte.
    pub(super) fn finish(self) -> Result<Received, Failure> {
        if !self.utf8.is_complete() {
            return Err(not_utf8());
        }
        let Assembly { text, mut bytes, filled, .. } = self;
        bytes.truncate(filled);
        Ok(Received::Assembled { text, bytes })
    }

    /// Its storage, of any content, and the larger storage of a move in progress.
    pub(super) fn into_storage(mut self) -> [Vec<u8>; 2] {
        let place = self.moving.abandon();
        [self.bytes, place]
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.moving.heap_bytes()
    }

    /// Reserves room for `count` more bytes; `left` bytes of the frame are outstanding.
    fn reserve(&mut self, left: u64, count: usize) -> Result<(), Failure> {
        if self.bytes.capacity() - self.bytes.len() < count {
            let ahead = left.min(MAX_RESERVE.max(self.bytes.len() as u64)) as usize;
            if self.bytes.try_reserve(ahead.max(count)).is_err() {
                let failure = Failure::of_protocol(
                    1009,
                    format!("there is no memory left for a message: lower {MAX_MESSAGE_BYTES}"),
                );
                return Err(Failure { cause: Cause::Resources, ..failure });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Receives a message in one frame, by reads that fill only part of the room, as over TLS. Returns how often it was
    /// moved.
    fn read(whole: usize, part: impl Fn(usize) -> usize) -> usize {
        let mut assembly = Assembly::new(false, false, Vec::new());
        let first = vec![0; (30 << 10).min(whole)];
        assembly.start_fragment(whole as u64, &Limits { max_message: u64::MAX, max_fragments: 1 }).unwrap();
        assembly.append(&first, whole as u64).unwrap();
        let mut moves = 0;
        while assembly.filled < whole {
            let left = (whole - assembly.filled) as u64;
            loop {
                let before = assembly.moving.moved();
                match assembly.move_on(Some((left, true)), u64::MAX) {
                    Moved::Nothing => break,
                    Moved::Slice => assert_eq!(assembly.moving.moved(), before + MOVE_SLICE),
                    Moved::All(_) => {
                        assert!(assembly.filled - before <= MOVE_SLICE);
                        moves += 1;
                    }
                }
            }
            let place = assembly.bytes.as_ptr();
            let count = match assembly.room(left) {
                Some(room) => part(room.len()),
                None => 0,
            };
            if count > 0 {
                assembly.filled(count, |_| ()).unwrap();
            } else {
                let piece = vec![0; left.min(10 << 10) as usize];
                assembly.append(&piece, left).unwrap();
            }
            assert!(
                assembly.filled <= 128 << 10 || assembly.bytes.as_ptr() == place,
                "all {} bytes were moved at once",
                assembly.filled
            );
        }
        assert!(assembly.bytes.capacity() <= whole.max(128 << 10), "{} bytes for {whole}", assembly.bytes.capacity());
        moves
    }

    #[test]
    fn a_growing_message_is_moved_at_most_six_times() {
        for whole in [1 << 20, (4 << 20) + 1, 16 << 20, (64 << 20) - 1] {
            for divisor in [1, 2, 7] {
                let moves = read(whole, |room| room / divisor);
                assert!((2..=6).contains(&moves), "{moves} moves for {whole} bytes");
            }
        }
    }
}
