//! The outbound queue compared with a plain list of bytes.

use std::sync::Arc;
use wspeer::internals::heap::Discarded;
use wspeer::internals::link::{Outbox, Wrote};
use wspeer::internals::net::{MemoryEnd, Stream};
use wspeer::internals::protocol::{Lead, MaskKeys, Role, copy_masked, encode_frame};

/// Maximum bytes of one write.
const WRITE_BYTES: usize = (256 << 10) + 512;
/// Maximum segments of one write.
const MAX_SLICES: usize = 16;

/// An outbound queue, its transport, and what both should hold.
struct Model {
    outbox: Outbox,
    stream: Stream,
    remote: MemoryEnd,
    /// All bytes that were queued.
    sent: Vec<u8>,
    received: Vec<u8>,
    /// Positions at which messages of the host end that are not acknowledged.
    ends: Vec<usize>,
    keys: MaskKeys,
}

impl Model {
    fn over(capacity: usize) -> Model {
        let (near, remote) = MemoryEnd::pair(capacity);
        Model {
            outbox: Outbox::default(),
            stream: Stream::Memory(Box::new(near)),
            remote,
            sent: Vec::new(),
            received: Vec::new(),
            ends: Vec::new(),
            keys: MaskKeys::new(),
        }
    }

    fn count(&mut self, counts: bool) {
        self.ends.extend(counts.then_some(self.sent.len()));
    }

    /// A server's frame.
    fn frame(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        encode_frame(&mut frame, Role::Server, &mut self.keys, Lead::whole(2), payload);
        frame
    }

    fn push_frame(&mut self, payload: &[u8], counts: bool) {
        let frame = self.frame(payload);
        assert!(self.outbox.reserve(frame.len() + 4));
        self.outbox.push_frame(Role::Server, &mut self.keys, Lead::whole(2), payload, counts);
        self.sent.extend(frame);
        self.count(counts);
    }

    fn push_shared(&mut self, payload: &[u8], counts: bool) {
        let frame = self.frame(payload);
        self.outbox.push_shared(&Arc::new(frame.clone()), 0, counts);
        self.sent.extend(frame);
        self.count(counts);
    }

    /// A frame of which the transport has taken a part, if nothing was queued before it.
    fn push_begun(&mut self, payload: &[u8], taken: usize) {
        if self.outbox.unwritten() > 0 {
            return self.push_shared(payload, true);
        }
        let frame = self.frame(payload);
        let count = self.stream.write(&frame[..taken]).unwrap_or(0);
        self.outbox.push_shared(&Arc::new(frame.clone()), count, true);
        self.sent.extend(frame);
        self.count(true);
    }

    fn push_parts(&mut self, head: &[u8], storage: &[u8], start: usize) {
        self.outbox.push_parts(&Arc::new(head.to_vec()), &Arc::new(storage.to_vec()), start);
        self.sent.extend_from_slice(head);
        self.sent.extend_from_slice(&storage[start..]);
        self.count(true);
    }

    /// The rest of a frame that was written directly, if nothing was queued before it.
    fn push_rest(&mut self, payload: &[u8], masked: bool) {
        let taken = if self.outbox.unwritten() == 0 { self.stream.write(payload).unwrap_or(0) } else { 0 };
        self.outbox.passed_by(taken, &self.stream);
        self.sent.extend_from_slice(&payload[..taken]);
        if taken == payload.len() {
            self.outbox.end_message();
            self.ends.extend((self.sent.len() > self.outbox.left() as usize).then_some(self.sent.len()));
        } else if masked {
            let mut copy = vec![0; payload.len() - taken];
            copy_masked(&mut copy, &payload[taken..], [1, 2, 3, 4], taken);
            self.outbox.push_masked_rest(&payload[taken..], [1, 2, 3, 4], taken);
            self.sent.extend(copy);
            self.count(true);
        } else {
            self.outbox.push_rest(&payload[taken..]);
            self.sent.extend_from_slice(&payload[taken..]);
            self.count(true);
        }
    }

    /// Writes until the queue is empty or the transport is full, or once. Returns the number of bytes written.
    fn write(&mut self, once: bool) -> usize {
        let before = self.outbox.written();
        let wrote = self.outbox.write_to(&mut self.stream, u64::MAX, || once).unwrap();
        self.ends.retain(|end| *end > self.outbox.left() as usize);
        let is_full = matches!(&self.stream, Stream::Memory(end) if end.room() == 0);
        match wrote {
            Wrote::All => assert_eq!(self.outbox.unwritten(), 0),
            Wrote::Blocked => assert!(is_full && self.outbox.unwritten() > 0),
            Wrote::Later => assert!(once && self.outbox.unwritten() > 0),
        }
        (self.outbox.written() - before) as usize
    }

    fn read(&mut self, most: usize) {
        let mut buffer = vec![0; most];
        let count = self.remote.read(&mut buffer).unwrap_or(0);
        self.received.extend_from_slice(&buffer[..count]);
    }

    /// Compares the counts; `written` bytes of what was queued have left.
    fn check(&self) {
        let left = self.received.len() + self.remote.readable();
        let expected = (self.sent.len(), self.sent.len() - left, self.sent.len() - left, self.ends.len());
        let outbox = &self.outbox;
        assert_eq!((outbox.end() as usize, outbox.bytes(), outbox.unwritten(), outbox.messages()), expected);
        assert_eq!((outbox.written() as usize, outbox.left() as usize), (left, left));
    }
}

/// Bytes that differ at every position, so that none can be lost or exchanged unnoticed.
fn content(seed: u32, len: usize) -> Vec<u8> {
    (0..len as u32).map(|index| (index.wrapping_mul(2_654_435_761).wrapping_add(seed * 97) >> 13) as u8).collect()
}

#[test]
fn queued_bytes_leave_in_order_and_are_counted() {
    for capacity in [7_000, 3 << 20] {
        let mut model = Model::over(capacity);
        let mut random = 0x5EED_0004_u64;
        let mut draw = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        for step in 0..500 {
            let len = match draw(20) {
                0..12 => draw(300),
                12..17 => draw(20_000),
                17..19 => draw(400_000),
                _ if draw(4) == 0 => draw(3 << 20),
                _ => 0,
            };
            let payload = content(step, len);
            if model.sent.len() - model.received.len() > 4 << 20 {
                // Lets the queue become empty from time to time.
                while model.received.len() < model.sent.len() {
                    model.write(false);
                    model.read(capacity);
                }
            }
            match draw(12) {
                0..3 => model.push_frame(&payload, draw(2) == 0),
                3 => model.push_shared(&payload, draw(2) == 0),
                4 => model.push_begun(&payload, draw(len + 2)),
                5 => model.push_parts(&payload[..len / 3], &payload, len / 3),
                6 => model.push_rest(&payload, draw(2) == 0),
                7 => {
                    model.outbox.push_bytes(&payload);
                    model.sent.extend_from_slice(&payload);
                }
                8 => {
                    model.outbox.shrink();
                    drop(model.outbox.take_spent());
                }
                9 => drop(model.write(true)),
                10 => drop(model.write(false)),
                _ => model.read(draw(2 * capacity)),
            }
            model.outbox.acknowledge(&model.stream);
            model.ends.retain(|end| *end > model.outbox.left() as usize);
            model.check();
        }
        while model.received.len() < model.sent.len() {
            model.write(false);
            model.read(capacity);
        }
        assert!(model.received == model.sent, "other bytes arrived than were queued");
        model.check();
        assert_eq!(model.ends.len(), 0);
    }
}

#[test]
fn one_write_has_a_bounded_number_of_bytes_and_segments() {
    let mut model = Model::over(64 << 20);
    // A long frame of ours, first alone and then before another segment.
    model.push_frame(&content(1, 600_000), true);
    let all = model.outbox.unwritten();
    assert_eq!(
        [model.write(true), model.write(true), model.write(true)],
        [WRITE_BYTES, WRITE_BYTES, all - 2 * WRITE_BYTES]
    );
    model.push_frame(&content(2, 600_000), true);
    model.push_shared(&content(3, 100), true);
    let all = model.outbox.unwritten();
    assert_eq!(
        [model.write(true), model.write(true), model.write(true)],
        [WRITE_BYTES, WRITE_BYTES, all - 2 * WRITE_BYTES]
    );
    for index in 0..2 * MAX_SLICES as u32 + 3 {
        model.push_shared(&content(index, 100), true);
    }
    let sixteen = 102 * MAX_SLICES;
    assert_eq!([model.write(true), model.write(true), model.write(true)], [sixteen, sixteen, 3 * 102]);
    // A shared segment and our frame behind it.
    model.push_shared(&content(4, 100), true);
    model.push_frame(&content(5, 100), true);
    assert_eq!(model.write(true), 204);
    model.read(64 << 20);
    assert!(model.received == model.sent);
}

#[test]
fn our_frames_are_written_from_as_few_segments_as_fit() {
    let mut model = Model::over(64 << 20);
    for index in 0..2_000 {
        model.push_frame(&content(index, 100), false);
    }
    assert_eq!(model.write(true), 2_000 * 102, "204,000 bytes fit in one segment");
    for index in 0..20_000 {
        model.push_frame(&content(index, 100), false);
    }
    let mut written = 0;
    while model.outbox.unwritten() > 0 {
        written += model.write(true);
    }
    assert_eq!(written, 20_000 * 102);
    model.read(64 << 20);
    assert!(model.received == model.sent);
}

#[test]
fn large_memory_of_written_segments_is_given_to_the_caller() {
    // The last segment, one before it, and a shared one; each above and below the limit.
    for (len, is_spent) in [((2 << 20) - 10_000, false), ((2 << 20) + 10_000, true)] {
        let mut model = Model::over(64 << 20);
        model.push_frame(&vec![7; len], true);
        assert!(model.outbox.take_spent().is_none());
        model.write(false);
        assert_eq!(model.outbox.take_spent().is_some(), is_spent, "the last segment, {len} bytes");
        assert!(model.outbox.take_spent().is_none(), "once");
        let mut model = Model::over(64 << 20);
        model.push_frame(&vec![7; len], true);
        model.push_frame(&vec![7; len], true);
        model.push_shared(&[7; 10], true);
        model.write(false);
        // One of them is kept for reuse if it is small; the other is above 1 MiB.
        let spent = model.outbox.take_spent();
        assert!(spent.is_some(), "segments before the last, {len} bytes");
        let mut keep = usize::MAX;
        spent.unwrap().empty(&mut keep);
    }
    for (len, is_spent) in [((1 << 20) - 10_000, false), ((1 << 20) + 10_000, true)] {
        let mut model = Model::over(64 << 20);
        model.push_shared(&vec![7; len], true);
        model.write(false);
        assert_eq!(model.outbox.take_spent().is_some(), is_spent, "a shared segment, {len} bytes");
    }
}

#[test]
fn a_lost_message_counts_and_is_never_written() {
    let mut model = Model::over(1_000);
    model.push_frame(b"sent", true);
    model.outbox.note_lost();
    assert_eq!((model.outbox.messages(), model.outbox.bytes()), (2, 7));
    let _ = model.outbox.write_to(&mut model.stream, u64::MAX, || true);
    model.outbox.acknowledge(&model.stream);
    assert_eq!((model.outbox.messages(), model.outbox.bytes(), model.remote.readable()), (1, 1, 6));
}

#[test]
fn memory_that_cannot_be_reserved_is_refused() {
    let mut outbox = Outbox::default();
    assert!(!outbox.reserve(isize::MAX as usize));
    assert!(outbox.reserve(100));
}

#[test]
fn a_limited_write_writes_exactly_that_much_from_any_number_of_segments() {
    for (count, len, most) in [(40, 10, 400), (40, 10, 399), (40, 10, 1), (100, 10, 999), (3, 200_000, 300_000)] {
        let mut model = Model::over(1 << 20);
        for _ in 0..count {
            model.push_shared(&vec![7; len - 2 - 2 * usize::from(len > 125) - 6 * usize::from(len > 65_535)], true);
        }
        let queued = model.outbox.unwritten();
        let wrote = model.outbox.write_to(&mut model.stream, most as u64, || false).unwrap();
        assert_eq!(matches!(wrote, Wrote::Later), most < queued, "{count} of {len}");
        assert_eq!(queued - model.outbox.unwritten(), most.min(queued), "{count} of {len}");
    }
}

#[test]
fn a_write_fails_when_the_transport_has_ended() {
    let mut model = Model::over(1_000);
    model.push_frame(b"x", true);
    model.remote = MemoryEnd::pair(1).0;
    assert!(model.outbox.write_to(&mut model.stream, u64::MAX, || false).is_err());
    assert_eq!((model.outbox.messages(), model.outbox.bytes()), (1, 3));
}
