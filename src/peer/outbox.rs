//! What waits to be written: encoded frames, our own or shared with other connections.

use super::arena::Chunk;
use crate::net::Stream;
use crate::protocol::{Lead, MaskKeys, Role, copy_masked, extend_masked, frame_room, write_frame};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

/// Our own segments are closed at this size, so that what was written is freed piece by piece.
const SEGMENT_BYTES: usize = (256 << 10) + 512;
/// A kept empty segment is not larger than this; an idle connection keeps none.
const SPARE_BYTES: usize = 2 << 20;
/// A buffer that grows is initialised for so much more than it needs.
const GROWN_AHEAD: usize = 4 << 10;
/// Segments handed to one system call.
const MAX_SLICES: usize = 16;

enum Segment {
    Own(Buffer),
    Shared(Chunk),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Segment::Own(buffer) => buffer.filled(),
            Segment::Shared(bytes) => bytes,
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
    /// Unwritten bytes.
    bytes: usize,
    /// Place in the outgoing stream up to which bytes were written.
    written: u64,
    /// Places in the outgoing stream at which unwritten messages end.
    ends: VecDeque<u64>,
}

/// How far writing came.
pub enum Wrote {
    /// The queue is empty.
    All,
    /// The transport takes no more now.
    Blocked,
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
        debug_assert!(skip == 0 || self.bytes == 0);
        self.close_open();
        if self.bytes == 0 {
            self.head = skip;
            self.written += skip as u64;
        }
        self.earlier.get_or_insert_default().segments.push_back(Segment::Shared(frame.clone()));
        self.bytes += frame.len() - skip;
        self.count(counts);
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

    /// A message was taken whole by the stream, which has not sent all of it.
    pub fn note_unsent(&mut self) {
        self.ends.push_back(self.written);
    }

    /// Forgets the messages that were written whole, once the stream holds nothing back (`all_left`).
    pub fn acknowledge(&mut self, all_left: bool) {
        if all_left {
            if self.bytes == 0 {
                self.ends.clear();
            }
            while self.ends.front().is_some_and(|end| *end <= self.written) {
                self.ends.pop_front();
            }
        }
    }

    /// Notes bytes that were written without having been queued.
    pub fn passed_by(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// Writes until all is written or the transport takes no more.
    pub fn write_to(&mut self, stream: &mut Stream) -> io::Result<Wrote> {
        while self.bytes > 0 {
            let (slices, count) = self.slices();
            let result = match &slices[..count] {
                [one] => stream.write(one),
                several => stream.write_vectored(several),
            };
            match result {
                Ok(0) => return Ok(Wrote::Blocked),
                Ok(count) => self.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Wrote::Blocked),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Wrote::All)
    }

    /// What is written next, and how many places it lies in.
    fn slices(&self) -> ([IoSlice<'_>; MAX_SLICES], usize) {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let open = Some(self.open.filled()).filter(|bytes| !bytes.is_empty());
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(self.segments().iter().map(Segment::bytes).chain(open)) {
            *slice = IoSlice::new(&bytes[if count == 0 { self.head } else { 0 }..]);
            count += 1;
        }
        (slices, count)
    }

    /// Unwritten bytes.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Place in the outgoing stream up to which bytes were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Place in the outgoing stream at which the queue ends.
    pub fn end(&self) -> u64 {
        self.written + self.bytes as u64
    }

    /// Messages of the host that are not written whole.
    pub fn messages(&self) -> usize {
        self.ends.len()
    }

    /// Gives memory back when nothing waits.
    pub fn shrink(&mut self) {
        if self.bytes == 0 {
            self.open = Buffer::default();
            self.earlier = None;
            self.ends = VecDeque::new();
            self.head = 0;
        }
    }

    #[inline]
    fn count(&mut self, counts: bool) {
        if counts {
            self.ends.push_back(self.end());
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
        self.bytes += count;
    }

    /// Begins a new segment behind what waits.
    #[cold]
    fn close_open(&mut self) {
        if self.bytes > 0 && self.open.filled > 0 {
            let Earlier { segments, spare } = &mut **self.earlier.get_or_insert_default();
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
            self.open = Buffer::default();
        }
    }

    fn advance(&mut self, count: usize) {
        self.written += count as u64;
        self.bytes -= count;
        self.head += count;
        if self.bytes == 0 {
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
        let Some(segment) = self.segments.pop_front() else { return false };
        if let Segment::Own(buffer) = segment
            && (self.spare.bytes.len() + 1..=SPARE_BYTES).contains(&buffer.bytes.len())
        {
            self.spare = Buffer { filled: 0, ..buffer };
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
        let piece = (payload.len() - done).min(stream.piece_bytes());
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
