//! A message that comes in pieces: of several frames, or of one that was cut (RFC 6455 section 5.4).

use super::breach::not_utf8;
use super::received::{Limits, Received};
use super::utf8::Utf8;
use crate::error::Failure;
use crate::heap::{Discarded, MOVE_SLICE, Move, Moved};
use crate::names::{MAX_FRAGMENTS, MAX_MESSAGE_BYTES};
use crate::status::Cause;

/// Reserved ahead of what has arrived, at most: a length alone costs the peer nothing.
const MAX_RESERVE: u64 = 64 << 10;
/// With this much of a message or of storage there, the rest is read to where it belongs.
const MIN_FILLED: usize = 20 << 10;
/// Read there at a time, at most; and no more than what is there or what storage there is, so that an announced length costs no memory.
const MAX_FILL: usize = 256 << 10;
/// What one read may bring, at most: so much room is made before it, so that nothing is moved in the middle of it.
const MOST_OF_A_READ: usize = (256 << 10) + (4 << 10);
/// A place that is outgrown is followed by one so many times as large.
const GROWTH: usize = 4;

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
    moving: Move,
}

impl Discarded for Assembly {
    fn empty(&mut self, keep: &mut usize) {
        self.bytes.empty(keep);
        self.moving.empty(keep);
    }
}

impl Assembly {
    /// Nothing has come yet. `bytes` is storage, whatever is in it.
    pub(super) fn new(text: bool, compressed: bool, bytes: Vec<u8>) -> Assembly {
        Assembly { text, compressed, announced: 0, fragments: 0, utf8: Utf8::new(), bytes, filled: 0, moving: Move::default() }
    }

    /// A frame of that length begins.
    pub(super) fn start_fragment(&mut self, len: u64, limits: &Limits) -> Result<(), Failure> {
        self.fragments += 1;
        self.announced += len;
        if self.fragments > limits.max_fragments {
            let sentence = format!("a message has more fragments than {MAX_FRAGMENTS} ({})", limits.max_fragments);
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

    /// Before a read: moves a slice of the message on to a larger place where there may be no room for all that the read brings, the rest of the frame
    /// under way and, unless that is the last one, what follows. Call it until nothing is left to move.
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
            // Where there is no memory the next append says so, if it needs it.
            if !usize::try_from(size).is_ok_and(|size| self.moving.begin(size)) {
                return Moved::Nothing;
            }
        }
        self.moving.step(&mut self.bytes, self.filled)
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
            // Over TLS less comes than there was room for, so that storage may be longer than what was filled.
            self.reserve(left, end - self.bytes.len()).ok()?;
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

    /// Its storage, whatever is in it, and the larger one that it was on the way to.
    pub(super) fn into_storage(mut self) -> [Vec<u8>; 2] {
        let place = self.moving.abandon();
        [self.bytes, place]
    }

    /// Bytes of heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.moving.heap_bytes()
    }

    /// Room for `count` more bytes, of `left` that are announced.
    fn reserve(&mut self, left: u64, count: usize) -> Result<(), Failure> {
        if self.bytes.capacity() - self.bytes.len() < count {
            let ahead = left.min(MAX_RESERVE.max(self.bytes.len() as u64)) as usize;
            if self.bytes.try_reserve(ahead.max(count)).is_err() {
                let failure = Failure::of_protocol(1009, format!("there is no memory left for a message: lower {MAX_MESSAGE_BYTES}"));
                return Err(Failure { cause: Cause::Resources, ..failure });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a message of so many bytes in one frame, each time only a part of what there is room for, as over TLS. How often it was moved.
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
            assert!(assembly.filled <= 128 << 10 || assembly.bytes.as_ptr() == place, "all {} bytes were moved at once", assembly.filled);
        }
        assert!(assembly.bytes.capacity() <= whole.max(128 << 10), "{} bytes for {whole}", assembly.bytes.capacity());
        moves
    }

    #[test]
    fn a_message_grows_by_slices_into_places_that_it_fits_in() {
        for whole in [1 << 20, (4 << 20) + 1, 16 << 20, (64 << 20) - 1] {
            for divisor in [1, 2, 7] {
                let moves = read(whole, |room| room / divisor);
                assert!((2..=6).contains(&moves), "{moves} moves for {whole} bytes");
            }
        }
    }
}
