//! From the host to the stream: putting messages, writing, back-pressure.

use super::arena::Chunk;
use super::outbox::{Wrote, write_masked};
use super::{Cx, Mark, Peer, Stage};
use crate::codes::*;
use crate::error::Failure;
use crate::protocol::{Role, server_frame_header};
use std::io::{ErrorKind, IoSlice};

/// With WS_COALESCE, what waits is written at this size.
const COALESCE_BYTES: usize = 16 << 10;
/// A message above this is written from the host's memory when nothing waits before it.
const DIRECT_BYTES: usize = 16 << 10;
/// Opcodes (section 5.2).
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;

/// What became of a put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// Accepted.
    Taken,
    /// No room; WRITABLE follows.
    Full,
    /// Not OPEN.
    NotOpen,
}

impl Peer {
    /// Puts one message. Its size and UTF-8 have been checked.
    pub fn put(&mut self, cx: &mut Cx<'_>, text: bool, payload: &[u8]) -> Sent {
        if !matches!(self.stage, Stage::Open) || self.closing.is_some() {
            return match self.closing.is_none().then(|| self.queue_early(text, payload)).flatten() {
                Some(true) => self.accepted(payload.len()),
                Some(false) => {
                    self.owe_writable(payload.len());
                    Sent::Full
                }
                None => Sent::NotOpen,
            };
        }
        if !self.has_room(payload.len()) {
            self.owe_writable(payload.len());
            return Sent::Full;
        }
        let coalesce = self.options.is_on(WS_OPT_COALESCE);
        if !coalesce && payload.len() > DIRECT_BYTES && !self.has_output() {
            self.put_direct(cx, text, payload);
        } else {
            self.push_message(text, payload);
            if !coalesce || self.outbox.bytes() >= COALESCE_BYTES {
                self.write(cx);
            }
        }
        self.accepted(payload.len())
    }

    /// Puts a frame that goes to several connections, encoded once. `now`: write it at once when nothing waits.
    pub fn put_shared(&mut self, cx: &mut Cx<'_>, frame: &Chunk, payload_len: usize, now: bool) -> Sent {
        if !matches!(self.stage, Stage::Open) || self.closing.is_some() {
            return Sent::NotOpen;
        }
        if !self.has_room(payload_len) {
            self.owe_writable(payload_len);
            return Sent::Full;
        }
        if now && !self.has_output() && !self.options.is_on(WS_OPT_COALESCE) {
            let result = self.stream.as_mut().map(|stream| stream.write(frame));
            let written = self.note_written(cx, result);
            if written < frame.len() {
                self.outbox.push_shared(frame, written);
            } else {
                self.outbox.passed_by(written);
                self.note_inside_tls();
            }
        } else {
            self.outbox.push_shared(frame, 0);
        }
        self.accepted(payload_len)
    }

    /// Room for one more message: an empty queue takes any.
    pub fn has_room(&self, len: usize) -> bool {
        let waiting = self.queued_out();
        waiting == 0
            || ((waiting + len) as u64 <= self.options.limit(WS_OPT_OUTBOUND_BYTES)
                && (self.outbox.messages() as u64) < self.options.limit(WS_OPT_OUTBOUND_PACKETS))
    }

    /// Whether a message could be put now if there were room.
    pub fn may_put(&self) -> bool {
        matches!(self.stage, Stage::Open) && self.closing.is_none()
    }

    /// A put of so many bytes was refused: WRITABLE follows when there is room for it.
    pub fn owe_writable(&mut self, len: usize) {
        self.owes_writable = self.owes_writable.max(Some(len));
    }

    /// Notes that a put to several targets left this one out. True: tell the host, once a stall.
    pub fn skip(&mut self, cx: &Cx<'_>) {
        self.counters.skipped += 1;
        let waits = self.inbox.add_to(WS_EVENT_SKIPPED, 1);
        if !waits && !self.skipping {
            let mark = Mark { kind: WS_EVENT_SKIPPED, count: 1, time_ns: cx.time_ns(), ..Mark::default() };
            self.inbox.push_mark(mark);
        }
        self.skipping = true;
    }

    /// Writes what waits.
    pub fn write(&mut self, cx: &mut Cx<'_>) {
        let Some(stream) = &mut self.stream else { return };
        if self.write_failure.is_some() || (self.outbox.bytes() == 0 && stream.unsent() == 0) {
            return;
        }
        let before = self.outbox.bytes();
        let result = self.outbox.write_to(stream).and_then(|wrote| match wrote {
            Wrote::All => stream.flush(),
            Wrote::Blocked => Ok(()),
        });
        self.outbox.acknowledge(stream.unsent() == 0);
        self.counters.wire_out += (before - self.outbox.bytes()) as u64;
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => self.write_failed(&error),
        }
        if let Some(len) = self.owes_writable
            && self.state() == WS_OPEN
        {
            let room = self.options.limit(WS_OPT_OUTBOUND_BYTES) / 2;
            let packets = self.options.limit(WS_OPT_OUTBOUND_PACKETS) / 2;
            if self.queued_out() as u64 <= room && self.outbox.messages() as u64 <= packets && self.has_room(len) {
                self.owes_writable = None;
                self.skipping = false;
                // One that still waits says as much.
                if !self.inbox.add_to(WS_EVENT_WRITABLE, 0) {
                    self.mark(cx, WS_EVENT_WRITABLE);
                }
            }
        }
    }

    /// Appends a message to the queue.
    pub(super) fn push_message(&mut self, text: bool, payload: &[u8]) {
        self.outbox.push_frame(self.role, &mut self.keys, if text { TEXT } else { BINARY }, false, payload, true);
    }

    /// Appends a control frame to the queue.
    pub(super) fn put_control(&mut self, opcode: u8, payload: &[u8]) {
        self.outbox.push_frame(self.role, &mut self.keys, opcode, false, payload, false);
    }

    /// Writes from the host's memory; what the transport does not take is queued.
    fn put_direct(&mut self, cx: &mut Cx<'_>, text: bool, payload: &[u8]) {
        let opcode = if text { TEXT } else { BINARY };
        let mut header = [0; 14];
        let mut header_len = server_frame_header(opcode, false, payload.len(), &mut header);
        let mut key = None;
        if self.role == Role::Client {
            let bytes = self.keys.draw();
            header[1] |= 0x80;
            header[header_len..header_len + 4].copy_from_slice(&bytes);
            header_len += 4;
            key = Some(bytes);
        }
        let header = &header[..header_len];
        let result = self.stream.as_mut().map(|stream| match key {
            Some(key) => write_masked(stream, header, payload, key, cx.arena.scratch()),
            None => stream.write_vectored(&[IoSlice::new(header), IoSlice::new(payload)]),
        });
        let written = self.note_written(cx, result);
        self.outbox.passed_by(written);
        if written < header_len {
            self.outbox.push_bytes(&header[written..]);
        }
        let done = written.saturating_sub(header_len);
        match key {
            _ if written == header_len + payload.len() => self.note_inside_tls(),
            Some(key) => self.outbox.push_masked_rest(&payload[done..], key, done),
            None => self.outbox.push_rest(&payload[done..]),
        }
        if self.has_output() {
            self.write(cx);
        }
    }

    fn note_written(&mut self, _cx: &mut Cx<'_>, result: Option<std::io::Result<usize>>) -> usize {
        let written = match result {
            Some(Ok(count)) => count,
            Some(Err(error)) => {
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
                    self.write_failed(&error);
                }
                0
            }
            None => 0,
        };
        self.counters.wire_out += written as u64;
        written
    }

    /// A message all of which the stream took may still wait inside TLS.
    fn note_inside_tls(&mut self) {
        if self.stream.as_ref().is_some_and(|stream| stream.unsent() > 0) {
            self.outbox.note_unsent();
        }
    }

    fn accepted(&mut self, len: usize) -> Sent {
        self.counters.messages_out += 1;
        self.counters.bytes_out += len as u64;
        Sent::Taken
    }

    fn write_failed(&mut self, error: &std::io::Error) {
        let failure = Failure::of_io(self.phase(), WS_CAUSE_RESET, "the connection was lost while writing", error);
        self.write_failure.get_or_insert(Box::new(failure));
    }
}
