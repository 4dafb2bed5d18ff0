//! What waits for the host: a message, or something that happened.

use crate::error::sentence;
use crate::heap::Discarded;
use crate::status::{Cause, EventKind, MessageType, Phase};
use crate::work::{Arena, Chunk};
use std::sync::Arc;

/// A received message.
pub struct Message {
    /// The type of the message.
    pub kind: MessageType,
    /// The label of its sender, where that is not the remote peer; 0: it is.
    pub from: i32,
    pub(super) body: Body,
}

/// Where the bytes of a message are.
pub(super) enum Body {
    /// In the arena, until the next poll.
    Fresh { chunk: u32, start: u32, len: u32 },
    /// In storage of its own or of its batch.
    Kept { storage: Chunk, start: u32, len: u32 },
}

impl Discarded for Message {
    fn empty(&mut self, keep: &mut usize) {
        if let Body::Kept { storage, .. } = &mut self.body {
            storage.empty(keep);
        }
    }
}

impl Message {
    /// One that lies in the arena.
    #[inline]
    pub(super) fn fresh(text: bool, chunk: u32, start: u32, len: u32) -> Message {
        Message { kind: if text { MessageType::Text } else { MessageType::Binary }, from: 0, body: Body::Fresh { chunk, start, len } }
    }

    /// One with storage of its own.
    pub(super) fn kept(kind: MessageType, from: i32, bytes: Vec<u8>) -> Message {
        let len = bytes.len() as u32;
        Message { kind, from, body: Body::Kept { storage: Arc::new(bytes), start: 0, len } }
    }

    /// The storage and the range in it.
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

    /// The storage and the place in it from which on it is this message: `None` where it holds more than that, or is so large that a copy of a message
    /// of a few hundred KiB is the better use of memory.
    pub(super) fn own_storage(&self) -> Option<(&Chunk, usize)> {
        match &self.body {
            Body::Kept { storage, start, len } => {
                let (start, len) = (*start as usize, *len as usize);
                (start + len == storage.len() && (len > SHARED || storage.capacity() <= 2 * len)).then_some((storage, start))
            }
            Body::Fresh { .. } => None,
        }
    }

    /// How many bytes.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Fresh { len, .. } | Body::Kept { len, .. } => *len as usize,
        }
    }

    /// Without its first bytes.
    pub(super) fn cut(&mut self, count: u32) {
        let (Body::Fresh { start, len, .. } | Body::Kept { start, len, .. }) = &mut self.body;
        *start += count;
        *len -= count;
    }
}

/// Something that happened, other than a message.
#[derive(Clone, Debug)]
pub struct Mark {
    /// What happened.
    pub kind: EventKind,
    /// The label of whom it is about, where that is not the remote peer; 0: it is.
    pub label: i32,
    /// Close code.
    pub code: i32,
    /// How far the connection had come.
    pub phase: Phase,
    /// Why it happened.
    pub cause: Cause,
    /// HTTP status.
    pub http_status: i32,
    /// The system's number.
    pub os_error: i32,
    /// Messages accepted and not sent.
    pub unsent: u32,
    /// The closing handshake was completed.
    pub clean: bool,
    /// Nanoseconds since the library's first call.
    pub time_ns: u64,
    /// How many, for SKIPPED.
    pub count: u64,
    /// NUL-terminated text; `None`: "".
    pub text: Option<Chunk>,
}

impl Mark {
    /// With nothing but what happened, and when.
    pub fn new(kind: EventKind, time_ns: u64) -> Mark {
        Mark {
            kind,
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

    /// Bytes of the text or data.
    pub(super) fn text_len(&self) -> u64 {
        self.text.as_ref().map_or(0, |text| text.len() as u64 - 1)
    }

    /// Bytes as they are in place of a text.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        self.text = Some(Arc::new([bytes, b"\0"].concat()));
    }

    /// `text`, at most 1024 bytes of it, with the NUL that C wants.
    pub fn set_text(&mut self, text: &str) {
        let text = sentence(text);
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
    /// Anything else; it is rare, and large.
    Mark(Box<Mark>),
}

/// A longer message is never copied to be passed on: that would take some 100 µs.
const SHARED: usize = 512 << 10;
