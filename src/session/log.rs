//! The messages that a session has accepted and that the peer has not acknowledged, uncompressed and unmasked, in order.

use crate::heap::{self, Discarded};
use crate::work::{MUCH, Payload};
use std::collections::VecDeque;
use std::sync::Arc;

/// A message up to this size is copied behind the others; a longer one has storage of its own.
const PACKED: usize = 4 << 10;
/// Size of the storage for short messages, except that it begins small.
const SEGMENT: usize = 16 << 10;
const FIRST_SEGMENT: usize = 512;
/// What a message counts besides its payload against session_bytes.
pub const EACH: u64 = 64;

/// The messages.
#[derive(Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    /// Storage of the short messages, in order.
    segments: VecDeque<Segment>,
    /// Bytes of all short messages since the start.
    packed: u64,
    /// Payload bytes of all messages since the start, and of the removed ones among them.
    total: u64,
    removed: u64,
}

struct Entry {
    text: bool,
    len: u32,
    /// Payload bytes since the start, up to and with this message.
    end: u64,
    stored: Stored,
}

enum Stored {
    /// In `Log::segments`, from this position of `Log::packed` on.
    Packed(u64),
    Apart(Payload),
    /// A newer message with the same key takes its place until it is handed to a link.
    Latest(Box<(u64, Payload)>),
}

struct Segment {
    /// Position of its first byte.
    start: u64,
    bytes: Vec<u8>,
}

/// A message as it is handed to a link.
#[allow(missing_docs)] // The variants say what their fields are.
pub enum Kept<'a> {
    Short(&'a [u8]),
    Long(Payload),
}

impl Discarded for Log {
    fn empty(&mut self, keep: &mut usize) {
        for entry in &mut self.entries {
            match &mut entry.stored {
                Stored::Apart(payload) => payload.empty(keep),
                Stored::Latest(latest) => latest.1.empty(keep),
                Stored::Packed(_) => {}
            }
        }
    }
}

impl Log {
    /// Appends a copy of a message. False: there is no memory for it.
    pub fn push(&mut self, text: bool, payload: &[u8]) -> bool {
        let stored = if payload.len() <= PACKED {
            let Some(at) = self.pack(payload) else { return false };
            Stored::Packed(at)
        } else {
            let Some(copy) = heap::copy(payload) else { return false };
            Stored::Apart(Payload::whole(Arc::new(copy)))
        };
        self.add(text, payload.len(), stored)
    }

    /// Appends a message by reference. False: there is no memory for it.
    pub fn push_shared(&mut self, text: bool, payload: Payload) -> bool {
        self.add(text, payload.len(), Stored::Apart(payload))
    }

    /// Appends a message that can be replaced. False: there is no memory for it.
    pub fn push_latest(&mut self, key: u64, text: bool, payload: Payload) -> bool {
        self.add(text, payload.len(), Stored::Latest(Box::new((key, payload))))
    }

    /// The key of the message at an index, and its length; `None`: it cannot be replaced.
    pub fn latest(&self, index: usize) -> Option<(u64, usize)> {
        match self.entries.get(index)? {
            Entry { stored: Stored::Latest(latest), len, .. } => Some((latest.0, *len as usize)),
            _ => None,
        }
    }

    /// Replaces the message at an index. Its cost grows with the number of messages behind it if the length changes.
    pub fn replace(&mut self, index: usize, key: u64, text: bool, payload: Payload) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        let (before, after) = (u64::from(entry.len), payload.len() as u64);
        (entry.text, entry.len) = (text, after as u32);
        entry.stored = Stored::Latest(Box::new((key, payload)));
        if before != after {
            self.total = self.total - before + after;
            self.entries.range_mut(index..).for_each(|entry| entry.end = entry.end - before + after);
        }
    }

    /// Takes back the message that was appended last.
    pub fn pop_last(&mut self) {
        let Some(entry) = self.entries.pop_back() else { return };
        self.total -= u64::from(entry.len);
        let Stored::Packed(at) = entry.stored else { return };
        // Segments whose messages were all taken back.
        while self.segments.back().is_some_and(|last| last.start > at) {
            self.segments.pop_back();
        }
        if let Some(last) = self.segments.back_mut() {
            last.bytes.truncate((at - last.start) as usize);
            self.packed = at;
        }
    }

    /// Removes the first message. Returns its storage if it is large and nobody else holds it.
    pub fn pop_first(&mut self) -> Option<Payload> {
        let entry = self.entries.pop_front()?;
        self.removed = entry.end;
        match entry.stored {
            Stored::Packed(at) => {
                self.free_until(at + u64::from(entry.len));
                None
            }
            Stored::Apart(payload) => payload.is_last_of(MUCH).then_some(payload),
            Stored::Latest(latest) => latest.1.is_last_of(MUCH).then_some(latest.1),
        }
    }

    /// The message at an index: whether it is text, and its payload.
    pub fn get(&self, index: usize) -> Option<(bool, Kept<'_>)> {
        let entry = self.entries.get(index)?;
        let kept = match &entry.stored {
            Stored::Apart(payload) => Kept::Long(payload.clone()),
            Stored::Latest(latest) => Kept::Long(latest.1.clone()),
            Stored::Packed(at) => {
                let after = self.segments.partition_point(|segment| segment.start <= *at);
                let segment = self.segments.get(after.checked_sub(1)?)?;
                let from = (at - segment.start) as usize;
                Kept::Short(segment.bytes.get(from..from + entry.len as usize)?)
            }
        };
        Some((entry.text, kept))
    }

    /// Payload bytes of the messages from an index on.
    pub fn bytes_from(&self, index: usize) -> u64 {
        let before = index.checked_sub(1).and_then(|last| self.entries.get(last));
        self.total - before.map_or(self.removed, |entry| entry.end)
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes as session_bytes counts them: the payloads, and `EACH` for each message.
    pub fn bytes(&self) -> u64 {
        self.bytes_from(0) + EACH * self.entries.len() as u64
    }

    /// Frees the memory that an empty log does not need.
    pub fn shrink(&mut self) {
        if self.entries.is_empty() {
            (self.entries, self.segments) = (VecDeque::new(), VecDeque::new());
        }
    }

    fn add(&mut self, text: bool, len: usize, stored: Stored) -> bool {
        if self.entries.try_reserve(1).is_err() {
            return false;
        }
        self.total += len as u64;
        self.entries.push_back(Entry { text, len: len as u32, end: self.total, stored });
        true
    }

    /// Copies a short message behind the others. Returns its position; `None`: there is no memory for it.
    fn pack(&mut self, payload: &[u8]) -> Option<u64> {
        let fits = |last: &Segment| last.bytes.len() + payload.len() <= SEGMENT;
        if !self.segments.back().is_some_and(fits) {
            let size = if self.segments.is_empty() { FIRST_SEGMENT } else { SEGMENT };
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(size.max(payload.len())).ok()?;
            self.segments.try_reserve(1).ok()?;
            self.segments.push_back(Segment { start: self.packed, bytes });
        }
        let at = self.packed;
        let last = self.segments.back_mut()?;
        if !heap::append(&mut last.bytes, payload) {
            return None;
        }
        self.packed += payload.len() as u64;
        Some(at)
    }

    /// Frees the storage of the short messages before a position.
    fn free_until(&mut self, position: u64) {
        while self.segments.len() > 1 && self.segments[1].start <= position {
            self.segments.pop_front();
        }
        if position == self.packed
            && let [only] = self.segments.make_contiguous()
        {
            only.start = self.packed;
            only.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(log: &Log, index: usize) -> (bool, Vec<u8>) {
        match log.get(index).expect("there is a message") {
            (text, Kept::Short(bytes)) => (text, bytes.to_vec()),
            (text, Kept::Long(payload)) => (text, payload.piece(0, usize::MAX).to_vec()),
        }
    }

    /// Pushes, pops at both ends, and compares all with a model.
    #[test]
    fn a_log_is_a_queue_of_messages() {
        let mut random = 1_u64;
        let mut draw = |most: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % most
        };
        let (mut log, mut model) = (Log::default(), VecDeque::new());
        for step in 0..20_000_u64 {
            match draw(10) {
                0..=4 => {
                    let len = if draw(20) == 0 { draw(3 * PACKED as u64) } else { draw(200) };
                    let (text, message) = (draw(2) == 0, vec![step as u8; len as usize]);
                    if draw(5) == 0 {
                        assert!(log.push_shared(text, Payload::whole(Arc::new(message.clone()))));
                    } else {
                        assert!(log.push(text, &message));
                    }
                    model.push_back((text, message));
                }
                5 if !model.is_empty() => {
                    log.pop_last();
                    model.pop_back();
                }
                6 => {
                    log.shrink();
                }
                _ => {
                    log.pop_first();
                    model.pop_front();
                }
            }
            let total: u64 = model.iter().map(|(_, message): &(bool, Vec<u8>)| message.len() as u64 + EACH).sum();
            assert_eq!((log.len(), log.bytes()), (model.len(), total));
            for index in [0, model.len() / 2, model.len().saturating_sub(1)] {
                if let Some(message) = model.get(index) {
                    let after: usize = model.iter().skip(index).map(|(_, message)| message.len()).sum();
                    assert_eq!((&bytes(&log, index), log.bytes_from(index)), (message, after as u64));
                }
            }
        }
        while !log.is_empty() {
            log.pop_first();
        }
        // Whatever it held, an empty log keeps one segment, and after `shrink` nothing.
        assert!(log.segments.len() <= 1);
        log.shrink();
        assert_eq!((log.segments.capacity(), log.entries.capacity(), log.bytes()), (0, 0, 0));
    }
}
