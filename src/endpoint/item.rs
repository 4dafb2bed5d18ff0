//! Items of the inbound queue: received messages, and marks for other events.

use crate::error::event_text;
use crate::heap::Discarded;
use crate::status::{Cause, EventKind, MessageType, Phase};
use crate::work::{Arena, Chunk};
use std::sync::Arc;

/// A received message.
pub struct Message {
    /// The type of the message.
    pub kind: MessageType,
    /// Label of its sender; 0: the remote peer itself.
    pub from: i32,
    pub(super) body: Body,
}

/// Where the bytes of a message are stored.
pub(super) enum Body {
    /// In the arena, which the next poll reuses.
    Fresh { chunk: u32, start: u32, len: u32 },
    /// In separate storage, of this message alone or of its batch.
    Kept { storage: Chunk, start: u32, len: u32 },
}

impl Discarded for Mark {}

impl Discarded for Message {
    fn empty(&mut self, keep: &mut usize) {
        if let Body::Kept { storage, .. } = &mut self.body {
            storage.empty(keep);
        }
    }
}

impl Message {
    /// A message whose bytes are in the arena.
    #[inline]
    pub(super) fn fresh(text: bool, chunk: u32, start: u32, len: u32) -> Message {
        Message {
            kind: if text { MessageType::Text } else { MessageType::Binary },
            from: 0,
            body: Body::Fresh { chunk, start, len },
        }
    }

    /// A message that owns its storage.
    pub(super) fn kept(kind: MessageType, from: i32, bytes: Vec<u8>) -> Message {
        let len = bytes.len() as u32;
        Message { kind, from, body: Body::Kept { storage: Arc::new(bytes), start: 0, len } }
    }

    /// The storage, and the bytes of the message in it.
    #[inline]
    pub fn parts<'a>(&'a self, arena: &'a Arena) -> (&'a Chunk, &'a [u8]) {
        match &self.body {
            Body::Fresh { chunk, start, len } => {
                let storage = arena.chunk(*chunk);
                (storage, &storage[*start as usize..(*start + *len) as usize])
            }
            Body::Kept { storage, start, len } => (storage, &storage[*start as usize..(*start + *len) as usize]),
        }
    }

    /// The storage and the offset of the message in it, if the message extends to the end of the storage and sharing
    /// wastes little. `None` if the message has at most 512 KiB and the storage more than twice its length: a copy then
    /// uses less memory.
    pub(super) fn own_storage(&self) -> Option<(&Chunk, usize)> {
        match &self.body {
            Body::Kept { storage, start, len } => {
                let (start, len) = (*start as usize, *len as usize);
                (start + len == storage.len() && (len > SHARED || storage.capacity() <= 2 * len))
                    .then_some((storage, start))
            }
            Body::Fresh { .. } => None,
        }
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Fresh { len, .. } | Body::Kept { len, .. } => *len as usize,
        }
    }

    /// Removes the first `count` bytes.
    pub(super) fn cut(&mut self, count: u32) {
        let (Body::Fresh { start, len, .. } | Body::Kept { start, len, .. }) = &mut self.body;
        *start += count;
        *len -= count;
    }
}

/// An event other than a message.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Type of the event.
    pub kind: EventKind,
    /// Number of this mark in its queue, from 1; set when it is queued.
    pub order: u64,
    /// Label of the peer that the event is about; 0: the remote peer itself.
    pub label: i32,
    /// Close code.
    pub code: i32,
    /// Phase that the connection had reached.
    pub phase: Phase,
    /// Cause of the event.
    pub cause: Cause,
    /// HTTP status.
    pub http_status: i32,
    /// `errno`, or the system's equivalent.
    pub os_error: i32,
    /// Number of messages accepted and not sent.
    pub unsent: u32,
    /// The closing handshake was completed.
    pub clean: bool,
    /// Nanoseconds since the library's first call.
    pub time_ns: u64,
    /// Number of occurrences, for SKIPPED.
    pub count: u64,
    /// NUL-terminated text; `None`: "".
    pub text: Option<Chunk>,
}

impl Mark {
    /// A mark with a type and a time; all other fields are zero or `None`.
    pub fn new(kind: EventKind, time_ns: u64) -> Mark {
        Mark {
            kind,
            order: 0,
            label: 0,
            code: 0,
            phase: Phase::None,
            cause: Cause::None,
            http_status: 0,
            os_error: 0,
            unsent: 0,
            clean: false,
            time_ns,
            count: 0,
            text: None,
        }
    }

    /// Length of the text or data in bytes, without the NUL.
    pub(super) fn text_len(&self) -> u64 {
        self.text.as_ref().map_or(0, |text| text.len() as u64 - 1)
    }

    /// Stores binary data in place of a text.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        self.text = Some(Arc::new([bytes, b"\0"].concat()));
    }

    /// Stores the body of a request.
    pub fn set_body(&mut self, mut body: Vec<u8>) {
        if !body.is_empty() {
            body.push(0);
            self.text = Some(Arc::new(body));
        }
    }

    /// Stores at most 1024 bytes of `text`, without NUL bytes in it, followed by a NUL for C.
    pub fn set_text(&mut self, text: &str) {
        let text = event_text(text);
        if !text.is_empty() {
            let mut bytes = Vec::with_capacity(text.len() + 1);
            bytes.extend(text.bytes().filter(|byte| *byte != 0));
            bytes.push(0);
            self.text = Some(Arc::new(bytes));
        }
    }
}

/// The next item of the queue.
pub enum Item {
    /// A message.
    Message(Message),
    /// Any other event. Boxed, because marks are rare and large.
    Mark(Box<Mark>),
}

/// A message above this size is never copied to be passed on: copying it would take more than 100 µs.
const SHARED: usize = 512 << 10;
