//! The outbound queue: encoded frames, our own or shared with other connections. Every position is an offset in the
//! outgoing byte stream.

use crate::heap::Discarded;
use crate::net::Stream;
use crate::protocol::{Lead, MaskKeys, Role, copy_masked, extend_masked, frame_room, write_frame};
use crate::work::{Chunk, MUCH};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

/// A segment that we fill is closed before it exceeds this size (only a longer frame does), so that written bytes are
/// freed piece by piece.
const SEGMENT_BYTES: usize = (256 << 10) + 512;
/// Maximum size of an empty segment kept for reuse. An idle connection keeps none.
const SPARE_BYTES: usize = 2 << 20;
/// Bytes that a growing buffer initialises beyond what it needs.
const GROWN_AHEAD: usize = 4 << 10;
/// Below this size, a piece to be masked is not halved again when memory is short.
const LEAST_PIECE: usize = 64 << 10;
/// Maximum segments in one system call.
const MAX_SLICES: usize = 16;
/// Maximum bytes in one system call: about 100 µs.
pub(super) const WRITE_BYTES: usize = SEGMENT_BYTES;

enum Segment {
    Own(Buffer),
    Shared(Chunk),
    /// The bytes from an offset on.
    Part(Chunk, usize),
}

impl Discarded for Segment {
    fn empty(&mut self, keep: &mut usize) {
        match self {
            Segment::Own(buffer) => buffer.bytes.empty(keep),
            Segment::Shared(bytes) | Segment::Part(bytes, _) => bytes.empty(keep),
        }
    }
}

impl Segment {
    /// Heap bytes that are freed with the segment.
    fn heap_bytes(&self) -> usize {
        match self {
            Segment::Own(buffer) => buffer.bytes.capacity(),
            Segment::Shared(bytes) | Segment::Part(bytes, _) => bytes.capacity(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Segment::Own(buffer) => buffer.filled(),
            Segment::Shared(bytes) => bytes,
            Segment::Part(bytes, start) => &bytes[*start..],
        }
    }
}

/// A buffer that is filled from the front. The bytes after `filled` are initialised, so that a frame is written in
/// place without checking the capacity for each part.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Room for `len` more bytes. The caller then adds the number of bytes written to `filled`.
    #[inline]
    fn room(&mut self, len: usize) -> &mut [u8] {
        let end = self.filled + len;
        if end > self.bytes.len() {
            self.grow(end);
        }
        &mut self.bytes[self.filled..end]
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        self.bytes.reserve(end - self.bytes.len());
        // Initialises only a little more than needed, so that unused pages are not touched.
        let len = self.bytes.capacity().min(end + GROWN_AHEAD);
        self.bytes.resize(len, 0);
    }
}

/// Closed segments, and memory of written ones.
#[derive(Default)]
struct Earlier {
    segments: VecDeque<Segment>,
    spare: Buffer,
    /// Large segments that have been written, to be freed by the worker.
    spent: Vec<Segment>,
}

/// Large memory of written segments, to be freed.
pub struct Spent(Vec<Segment>);

impl Discarded for Spent {
    fn empty(&mut self, keep: &mut usize) {
        self.0.empty(keep);
    }
}

/// The outbound queue of a connection.
#[derive(Default)]
pub struct Outbox {
    /// `None` on an idle connection.
    queue: Option<Box<Queue>>,
    /// Position up to which the system has taken the bytes.
    left: u64,
    /// Position up to which the transport has taken the bytes. TLS may still buffer those after `left`.
    written: u64,
    /// Position at which the queue ends.
    end: u64,
}

/// Queued bytes, and memory for the next ones. A cursor moves through them, so that a partial write moves no bytes.
#[derive(Default)]
struct Queue {
    /// The last segment, to which frames are appended.
    open: Buffer,
    /// The segments before it. `None` on most connections.
    earlier: Option<Box<Earlier>>,
    /// Bytes of the first segment that have been written. Without `earlier` segments, `open` is the first.
    head: usize,
    /// The host's messages that the system has not taken completely.
    ends: Ends,
}

/// End positions of messages, in order. Those taken from the front are removed when the memory is full, and at `clear`.
#[derive(Default)]
struct Ends {
    positions: Vec<u64>,
    /// Number of positions taken from the front.
    taken: usize,
}

impl Ends {
    #[inline]
    fn push(&mut self, end: u64) {
        if self.positions.len() == self.positions.capacity() {
            self.remove_taken();
        }
        self.positions.push(end);
    }

    /// Makes room, if that moves no more positions than it removes.
    #[cold]
    fn remove_taken(&mut self) {
        if self.taken > self.len() {
            self.positions.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Takes the positions up to `left`.
    fn take(&mut self, left: u64) {
        self.taken += self.positions[self.taken..].iter().take_while(|end| **end <= left).count();
    }

    fn clear(&mut self) {
        self.positions.clear();
        self.taken = 0;
    }

    #[inline]
    fn len(&self) -> usize {
        self.positions.len() - self.taken
    }
}

/// Result of a write.
pub enum Wrote {
    /// The queue is empty.
    All,
    /// The transport would block.
    Blocked,
    /// The budget is exhausted.
    Later,
}

impl Discarded for Outbox {
    fn empty(&mut self, keep: &mut usize) {
        let Some(queue) = &mut self.queue else { return };
        queue.open.bytes.empty(keep);
        if let Some(earlier) = &mut queue.earlier {
            earlier.segments.empty(keep);
            earlier.spare.bytes.empty(keep);
            earlier.spent.empty(keep);
        }
    }
}

/// Queueing.
impl Outbox {
    /// Reserves memory for the next `len` bytes. False: there is none.
    pub fn reserve(&mut self, len: usize) -> bool {
        let is_behind = self.unwritten() > 0;
        let queue = self.queue.get_or_insert_default();
        if queue.open.filled + len > SEGMENT_BYTES {
            queue.close_open(is_behind);
        }
        let missing = (queue.open.filled + len).saturating_sub(queue.open.bytes.len());
        queue.open.bytes.try_reserve(missing).is_ok()
    }

    /// Appends one frame. `counts`: the frame ends a message of the host.
    #[inline(always)]
    pub fn push_frame(&mut self, role: Role, keys: &mut MaskKeys, lead: Lead, payload: &[u8], counts: bool) {
        let is_behind = self.unwritten() > 0;
        let queue = self.queue.get_or_insert_default();
        let count = write_frame(queue.room(frame_room(payload.len()), is_behind), role, keys, lead, payload);
        queue.open.filled += count;
        self.end += count as u64;
        if counts {
            queue.ends.push(self.end);
        }
    }

    /// Appends raw bytes (opening handshake, rest of a frame).
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.add(bytes.len());
    }

    /// Appends an encoded frame shared with other connections. Its first `skip` bytes have already been written.
    /// `counts` as in `push_frame`.
    pub fn push_shared(&mut self, frame: &Chunk, skip: usize, counts: bool) {
        let is_behind = self.unwritten() > 0;
        debug_assert!(skip == 0 || !is_behind);
        let queue = self.queue.get_or_insert_default();
        if queue.open.filled > 0 {
            queue.close_open(is_behind);
        }
        if !is_behind {
            queue.head = skip;
            self.written += skip as u64;
        }
        queue.earlier.get_or_insert_default().segments.push_back(Segment::Shared(frame.clone()));
        self.end += frame.len() as u64;
        if counts {
            queue.ends.push(self.end);
        }
    }

    /// Appends a frame shared with other connections: `head`, followed by `storage` from `start` on.
    pub fn push_parts(&mut self, head: &Chunk, storage: &Chunk, start: usize) {
        self.push_shared(head, 0, false);
        let queue = self.queue.get_or_insert_default();
        queue.earlier.get_or_insert_default().segments.push_back(Segment::Part(storage.clone(), start));
        self.end += (storage.len() - start) as u64;
        queue.ends.push(self.end);
    }

    /// Appends the rest of a frame whose first bytes were written directly.
    pub fn push_rest(&mut self, rest: &[u8]) {
        self.push_bytes(rest);
        self.count();
    }

    /// As `push_rest`, and masks the bytes; `offset` is the offset of `rest` in the payload.
    pub fn push_masked_rest(&mut self, rest: &[u8], key: [u8; 4], offset: usize) {
        copy_masked(self.room(rest.len()), rest, key, offset);
        self.add(rest.len());
        self.count();
    }

    /// Records the end of a message that the transport has taken without queueing.
    pub fn end_message(&mut self) {
        if self.end > self.left {
            self.count();
        }
    }

    /// Records an accepted message that is lost. A byte that is never written stands for it; nothing else is written
    /// afterwards.
    pub fn note_lost(&mut self) {
        self.end += 1;
        self.count();
    }

    /// Counts bytes that were written without queueing. The queue must have been empty of unwritten bytes.
    pub fn passed_by(&mut self, bytes: usize, stream: &Stream) {
        self.written += bytes as u64;
        self.end += bytes as u64;
        self.acknowledge(stream);
    }

    /// Records the end of a message of the host.
    fn count(&mut self) {
        self.queue.get_or_insert_default().ends.push(self.end);
    }

    /// Room at the end of the queue. The caller then calls `add` with the number of bytes written.
    fn room(&mut self, len: usize) -> &mut [u8] {
        let is_behind = self.unwritten() > 0;
        self.queue.get_or_insert_default().room(len, is_behind)
    }

    fn add(&mut self, count: usize) {
        self.queue.get_or_insert_default().open.filled += count;
        self.end += count as u64;
    }
}

/// Writing.
impl Outbox {
    /// Writes until the queue is empty, the transport would block, the position `stop` is reached, or `is_over` returns
    /// true after a write; then updates `left`. `stop` is not below `written`.
    pub fn write_to(&mut self, stream: &mut Stream, stop: u64, is_over: impl FnMut() -> bool) -> io::Result<Wrote> {
        let mut result = self.write_segments_to(stream, stop, is_over);
        if matches!(result, Ok(Wrote::All)) {
            result = match stream.flush() {
                Ok(()) => Ok(Wrote::All),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Wrote::Blocked),
                Err(error) => Err(error),
            };
        }
        self.acknowledge(stream);
        result
    }

    fn write_segments_to(
        &mut self,
        stream: &mut Stream,
        stop: u64,
        mut is_over: impl FnMut() -> bool,
    ) -> io::Result<Wrote> {
        while self.written < self.end {
            // Without a queue nothing is unwritten.
            let Some(queue) = &mut self.queue else { break };
            match queue.write(stream, (stop - self.written).min(WRITE_BYTES as u64) as usize) {
                Ok(0) => return Ok(Wrote::Blocked),
                Ok(count) => {
                    self.written += count as u64;
                    queue.advance(count, self.written == self.end);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Wrote::Blocked),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.written < self.end && (self.written >= stop || is_over()) {
                return Ok(Wrote::Later);
            }
        }
        Ok(Wrote::All)
    }

    /// Updates `left` from the stream. Called after every write.
    #[inline]
    pub fn acknowledge(&mut self, stream: &Stream) {
        self.left = stream.left(self.written, self.end);
        match &mut self.queue {
            Some(queue) if self.left == self.end => queue.ends.clear(),
            Some(queue) => queue.ends.take(self.left),
            None => {}
        }
    }

    /// Takes the large memory of written segments.
    #[inline]
    pub fn take_spent(&mut self) -> Option<Spent> {
        let spent = &mut self.queue.as_mut()?.earlier.as_mut()?.spent;
        if spent.is_empty() { None } else { Some(Spent(std::mem::take(spent))) }
    }

    /// Frees the memory that unwritten bytes and messages under way do not need.
    pub fn shrink(&mut self) {
        match &mut self.queue {
            Some(_) if self.left == self.end => self.queue = None,
            Some(queue) if self.written == self.end => {
                queue.open = Buffer::default();
                queue.earlier = None;
                queue.head = 0;
            }
            _ => {}
        }
    }
}

/// Positions, and what is queued.
impl Outbox {
    /// Bytes that the system has not taken.
    #[inline]
    pub fn bytes(&self) -> usize {
        (self.end - self.left) as usize
    }

    /// Bytes that the transport has not taken.
    #[inline]
    pub fn unwritten(&self) -> usize {
        (self.end - self.written) as usize
    }

    /// Position up to which the transport has taken the bytes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Position up to which the system has taken the bytes.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Position at which the queue ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Number of the host's messages that the system has not taken completely.
    #[inline]
    pub fn messages(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.ends.len())
    }
}

impl Queue {
    /// Writes the first of the unwritten bytes, at most `most`.
    fn write(&self, stream: &mut Stream, most: usize) -> io::Result<usize> {
        match self.only_segment() {
            Some(rest) => stream.write(&rest[..rest.len().min(most)]),
            None => self.write_segments(stream, most),
        }
    }

    /// The unwritten bytes, if one segment has all of them: no list of slices is needed to write it.
    #[inline]
    fn only_segment(&self) -> Option<&[u8]> {
        let (segments, open) = (self.segments(), self.open.filled());
        match segments.front() {
            None => Some(&open[self.head..]),
            Some(only) if segments.len() == 1 && open.is_empty() => Some(&only.bytes()[self.head..]),
            Some(_) => None,
        }
    }

    /// Writes from several segments, at most `most` bytes.
    fn write_segments(&self, stream: &mut Stream, most: usize) -> io::Result<usize> {
        let (slices, count) = self.slices(most);
        stream.write_vectored(&slices[..count])
    }

    /// Slices of at most `most` bytes to write next, and the number of them in use.
    fn slices(&self, most: usize) -> ([IoSlice<'_>; MAX_SLICES], usize) {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let open = Some(self.open.filled()).filter(|bytes| !bytes.is_empty());
        let (mut count, mut left) = (0, most);
        for (slice, bytes) in slices.iter_mut().zip(self.segments().iter().map(Segment::bytes).chain(open)) {
            let bytes = &bytes[if count == 0 { self.head } else { 0 }..];
            let bytes = &bytes[..bytes.len().min(left)];
            *slice = IoSlice::new(bytes);
            count += 1;
            left -= bytes.len();
            if left == 0 {
                break;
            }
        }
        (slices, count)
    }

    /// Room at the end of the open segment. The caller then adds the number of bytes written to `open.filled`.
    /// `is_behind`: there are unwritten bytes.
    #[inline]
    fn room(&mut self, len: usize, is_behind: bool) -> &mut [u8] {
        if self.open.filled + len > SEGMENT_BYTES {
            self.close_open(is_behind);
        }
        self.open.room(len)
    }

    /// Closes the open segment and begins a new one, if it has unwritten bytes.
    #[cold]
    fn close_open(&mut self, is_behind: bool) {
        if is_behind && self.open.filled > 0 {
            let Earlier { segments, spare, .. } = &mut **self.earlier.get_or_insert_default();
            segments.push_back(Segment::Own(std::mem::replace(&mut self.open, std::mem::take(spare))));
        }
    }

    /// Moves the cursor by `count` written bytes. `all`: everything has been written.
    fn advance(&mut self, count: usize, all: bool) {
        self.head += count;
        if all {
            self.clear_written();
            return;
        }
        let Some(earlier) = &mut self.earlier else { return };
        while let Some(len) = earlier.segments.front().map(|segment| segment.bytes().len())
            && len <= self.head
        {
            self.head -= len;
            earlier.pass_first();
        }
    }

    /// Frees segments after everything was written. Keeps at most a small empty one.
    fn clear_written(&mut self) {
        self.head = 0;
        if let Some(earlier) = &mut self.earlier {
            while earlier.pass_first() {}
        }
        self.open.filled = 0;
        if self.open.bytes.len() > SPARE_BYTES {
            let open = Segment::Own(std::mem::take(&mut self.open));
            self.earlier.get_or_insert_default().spent.push(open);
        }
    }

    fn segments(&self) -> &VecDeque<Segment> {
        static NONE: VecDeque<Segment> = VecDeque::new();
        self.earlier.as_ref().map_or(&NONE, |earlier| &earlier.segments)
    }
}

impl Earlier {
    /// Removes the first segment, which has been written, and keeps its memory for reuse if it is small. False: there
    /// is none.
    fn pass_first(&mut self) -> bool {
        match self.segments.pop_front() {
            Some(Segment::Own(buffer)) if (self.spare.bytes.len() + 1..=SPARE_BYTES).contains(&buffer.bytes.len()) => {
                self.spare = Buffer { filled: 0, ..buffer };
            }
            Some(segment) if segment.heap_bytes() > MUCH => self.spent.push(segment),
            Some(_) => {}
            None => return false,
        }
        true
    }
}

/// Masks `payload` piece by piece into `scratch` and writes it after `header`. Returns the number of bytes written.
pub fn write_masked(
    stream: &mut Stream,
    header: &[u8],
    payload: &[u8],
    key: [u8; 4],
    scratch: &mut Vec<u8>,
) -> io::Result<usize> {
    let mut written = 0;
    let mut done = 0;
    scratch.clear();
    scratch.extend_from_slice(header);
    loop {
        let mut piece = (payload.len() - done).min(stream.piece_bytes());
        while piece > LEAST_PIECE && scratch.try_reserve(piece).is_err() {
            piece /= 2;
        }
        extend_masked(scratch, &payload[done..done + piece], key, done);
        match stream.write(scratch) {
            Ok(count) => {
                written += count;
                if count < scratch.len() {
                    return Ok(written);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(written),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(written),
            Err(error) => return Err(error),
        }
        done += piece;
        scratch.clear();
        if done == payload.len() {
            return Ok(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_taken_from_the_front_do_not_accumulate() {
        let mut ends = Ends::default();
        let mut next = 0;
        for left in 0..10_000 {
            while next < left + 5 {
                next += 1;
                ends.push(next);
            }
            ends.take(left);
            assert_eq!(ends.len() as u64, next - left);
        }
        assert!(ends.positions.capacity() <= 32, "{}", ends.positions.capacity());
        ends.clear();
        assert_eq!(ends.len(), 0);
    }
}
