//! What waits to leave: encoded frames, our own or shared with other connections. All its counts are positions in the outgoing stream.

use crate::heap::Discarded;
use crate::net::Stream;
use crate::protocol::{Lead, MaskKeys, Role, copy_masked, extend_masked, frame_room, write_frame};
use crate::work::{Chunk, MUCH};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

/// Our own segments are closed at this size, so that what was written is freed piece by piece.
const SEGMENT_BYTES: usize = (256 << 10) + 512;
/// A kept empty segment is not larger than this; an idle connection keeps none.
const SPARE_BYTES: usize = 2 << 20;
/// A buffer that grows is initialised for so much more than it needs.
const GROWN_AHEAD: usize = 4 << 10;
/// A piece that is masked at once is made no smaller than this for lack of memory.
const LEAST_PIECE: usize = 64 << 10;
/// Segments handed to one system call.
const MAX_SLICES: usize = 16;
/// Bytes handed to it, at most: what takes some 100 µs.
const WRITE_BYTES: usize = SEGMENT_BYTES;

enum Segment {
    Own(Buffer),
    Shared(Chunk),
    /// From a place on.
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
    /// Bytes of heap that go back with it.
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

/// Memory that is filled from the front. What is behind stays initialised, so that a frame is written to its place without a check for each piece.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Room for so many bytes more. Then add to `filled` what was used of it.
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
        // Pages that are not needed are not touched.
        let len = self.bytes.capacity().min(end + GROWN_AHEAD);
        self.bytes.resize(len, 0);
    }
}

/// Closed segments, and memory of a written one for the next.
#[derive(Default)]
struct Earlier {
    segments: VecDeque<Segment>,
    spare: Buffer,
    /// Large ones that were written: to be given back elsewhere.
    spent: Vec<Segment>,
}

/// Large memory of what was written.
pub struct Spent(Vec<Segment>);

impl Discarded for Spent {
    fn empty(&mut self, keep: &mut usize) {
        self.0.empty(keep);
    }
}

/// The outbound queue of a connection. A cursor moves through it: nothing is ever moved to the front.
#[derive(Default)]
pub struct Outbox {
    /// What is behind all other segments and grows.
    open: Buffer,
    /// What comes before it; rarely anything does.
    earlier: Option<Box<Earlier>>,
    /// Written bytes of the first segment, which is `open` when there is no other.
    head: usize,
    /// Position in the outgoing stream up to which the system has taken the bytes.
    left: u64,
    /// Position up to which the stream has taken them. TLS may hold back what is behind `left`.
    written: u64,
    /// Position at which the queue ends.
    end: u64,
    /// Positions at which the host's messages end that have not left.
    ends: VecDeque<u64>,
}

/// How far writing came.
pub enum Wrote {
    /// The queue is empty.
    All,
    /// The transport takes no more now.
    Blocked,
    /// The time is over.
    Later,
}

impl Discarded for Outbox {
    fn empty(&mut self, keep: &mut usize) {
        self.open.bytes.empty(keep);
        if let Some(earlier) = &mut self.earlier {
            earlier.segments.empty(keep);
            earlier.spare.bytes.empty(keep);
            earlier.spent.empty(keep);
        }
    }
}

impl Outbox {
    /// Whether there is memory for so many bytes more; it is kept for what is appended next.
    pub fn reserve(&mut self, len: usize) -> bool {
        if self.open.filled + len > SEGMENT_BYTES {
            self.close_open();
        }
        let missing = (self.open.filled + len).saturating_sub(self.open.bytes.len());
        self.open.bytes.try_reserve(missing).is_ok()
    }

    /// Appends one frame. `counts`: it ends a message of the host.
    #[inline(always)]
    pub fn push_frame(&mut self, role: Role, keys: &mut MaskKeys, lead: Lead, payload: &[u8], counts: bool) {
        let count = write_frame(self.room(frame_room(payload.len())), role, keys, lead, payload);
        self.add(count);
        self.count(counts);
    }

    /// Appends bytes that are no frame (the opening handshake).
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.add(bytes.len());
    }

    /// Appends an encoded frame that other connections send too; its first `skip` bytes have been written already. `counts`: as `push_frame`.
    pub fn push_shared(&mut self, frame: &Chunk, skip: usize, counts: bool) {
        debug_assert!(skip == 0 || self.unwritten() == 0);
        self.close_open();
        if self.unwritten() == 0 {
            self.head = skip;
            self.written += skip as u64;
        }
        self.earlier.get_or_insert_default().segments.push_back(Segment::Shared(frame.clone()));
        self.end += frame.len() as u64;
        self.count(counts);
    }

    /// Appends a frame that other connections send too: its `head`, and what lies in `storage` from `start` on.
    pub fn push_parts(&mut self, head: &Chunk, storage: &Chunk, start: usize) {
        self.push_shared(head, 0, false);
        self.earlier.get_or_insert_default().segments.push_back(Segment::Part(storage.clone(), start));
        self.end += (storage.len() - start) as u64;
        self.count(true);
    }

    /// Appends what is left of a frame whose first bytes were written directly.
    pub fn push_rest(&mut self, rest: &[u8]) {
        self.push_bytes(rest);
        self.count(true);
    }

    /// As `push_rest`, masking on the way; `offset` is the place of `rest` in its payload.
    pub fn push_masked_rest(&mut self, rest: &[u8], key: [u8; 4], offset: usize) {
        copy_masked(self.room(rest.len()), rest, key, offset);
        self.add(rest.len());
        self.count(true);
    }

    /// A message of the host's ends here, all of which the stream has taken without a queue.
    pub fn end_message(&mut self) {
        if self.end > self.left {
            self.ends.push_back(self.end);
        }
    }

    /// A message that was accepted is lost, and nothing is written any more: one byte that never leaves stands for it.
    pub fn note_lost(&mut self) {
        self.end += 1;
        self.ends.push_back(self.end);
    }

    /// Asks the stream how far it came. Every write is followed by this.
    #[inline]
    pub fn acknowledge(&mut self, stream: &Stream) {
        self.left = stream.left(self.written, self.end);
        if self.left == self.end {
            self.ends.clear();
            return;
        }
        while self.ends.front().is_some_and(|end| *end <= self.left) {
            self.ends.pop_front();
        }
    }

    /// Takes out the large memory of what was written.
    #[inline]
    pub fn take_spent(&mut self) -> Option<Spent> {
        let spent = &mut self.earlier.as_mut()?.spent;
        if spent.is_empty() { None } else { Some(Spent(std::mem::take(spent))) }
    }

    /// Notes bytes that were written without having been queued, when nothing was unwritten.
    pub fn passed_by(&mut self, bytes: usize, stream: &Stream) {
        self.written += bytes as u64;
        self.end += bytes as u64;
        self.acknowledge(stream);
    }

    /// Writes until all is written, the transport takes no more, or the time is over, which is asked after each write; then notes what has left.
    pub fn write_to(&mut self, stream: &mut Stream, is_over: impl FnMut() -> bool) -> io::Result<Wrote> {
        let mut result = self.write_segments_to(stream, is_over);
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

    fn write_segments_to(&mut self, stream: &mut Stream, mut is_over: impl FnMut() -> bool) -> io::Result<Wrote> {
        while self.written < self.end {
            let result = if self.segments().is_empty() {
                let rest = &self.open.filled()[self.head..];
                stream.write(&rest[..rest.len().min(WRITE_BYTES)])
            } else {
                self.write_segments(stream)
            };
            match result {
                Ok(0) => return Ok(Wrote::Blocked),
                Ok(count) => self.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Wrote::Blocked),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.written < self.end && is_over() {
                return Ok(Wrote::Later);
            }
        }
        Ok(Wrote::All)
    }

    /// Writes from several places, or from one that is shared.
    fn write_segments(&self, stream: &mut Stream) -> io::Result<usize> {
        let (slices, count) = self.slices();
        match &slices[..count] {
            [one] => stream.write(one),
            several => stream.write_vectored(several),
        }
    }

    /// What is written next, and how many places it lies in.
    fn slices(&self) -> ([IoSlice<'_>; MAX_SLICES], usize) {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let open = Some(self.open.filled()).filter(|bytes| !bytes.is_empty());
        let (mut count, mut left) = (0, WRITE_BYTES);
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

    /// Bytes that have not left.
    #[inline]
    pub fn bytes(&self) -> usize {
        (self.end - self.left) as usize
    }

    /// Bytes that the stream has not taken.
    #[inline]
    pub fn unwritten(&self) -> usize {
        (self.end - self.written) as usize
    }

    /// Position in the outgoing stream up to which the stream has taken the bytes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Position in the outgoing stream up to which bytes have left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Position in the outgoing stream at which the queue ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Messages of the host that have not left whole.
    #[inline]
    pub fn messages(&self) -> usize {
        self.ends.len()
    }

    /// Gives memory back where nothing is unwritten.
    pub fn shrink(&mut self) {
        if self.unwritten() == 0 {
            self.open = Buffer::default();
            self.earlier = None;
            self.head = 0;
            self.ends.shrink_to_fit();
        }
    }

    #[inline]
    fn count(&mut self, counts: bool) {
        if counts {
            self.ends.push_back(self.end);
        }
    }

    /// Room behind all that is queued. Then `add` what was used of it.
    #[inline]
    fn room(&mut self, len: usize) -> &mut [u8] {
        if self.open.filled + len > SEGMENT_BYTES {
            self.close_open();
        }
        self.open.room(len)
    }

    #[inline]
    fn add(&mut self, count: usize) {
        self.open.filled += count;
        self.end += count as u64;
    }

    /// Begins a new segment behind what waits.
    #[cold]
    fn close_open(&mut self) {
        if self.unwritten() > 0 && self.open.filled > 0 {
            let Earlier { segments, spare, .. } = &mut **self.earlier.get_or_insert_default();
            segments.push_back(Segment::Own(std::mem::replace(&mut self.open, std::mem::take(spare))));
        }
    }

    /// Nothing is unwritten: leaves at most a small empty segment.
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

    fn advance(&mut self, count: usize) {
        self.written += count as u64;
        self.head += count;
        if self.written == self.end {
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

    fn segments(&self) -> &VecDeque<Segment> {
        static NONE: VecDeque<Segment> = VecDeque::new();
        self.earlier.as_ref().map_or(&NONE, |earlier| &earlier.segments)
    }
}

impl Earlier {
    /// The first segment was written; its memory may serve the next one. False: there is none.
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

/// Masks `payload` piece by piece into `scratch` and writes it; how much of it was written, and whether all went.
pub fn write_masked(stream: &mut Stream, header: &[u8], payload: &[u8], key: [u8; 4], scratch: &mut Vec<u8>) -> io::Result<usize> {
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
