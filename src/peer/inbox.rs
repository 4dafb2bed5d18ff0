//! The one ordered queue of a connection: messages, and between them what happened.

use super::arena::{Arena, Chunk};
use std::collections::VecDeque;
use std::sync::Arc;

/// A received message.
pub struct Message {
    /// Else binary.
    pub text: bool,
    body: Body,
}

/// Where the bytes of a message are.
enum Body {
    /// In the arena, until the next poll.
    Fresh { chunk: u32, start: u32, len: u32 },
    /// In storage of its own or of its batch.
    Kept { storage: Chunk, start: u32, len: u32 },
}

impl Message {
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

    fn len(&self) -> usize {
        match &self.body {
            Body::Fresh { len, .. } | Body::Kept { len, .. } => *len as usize,
        }
    }
}

/// Something that happened, other than a message.
#[derive(Clone, Debug, Default)]
pub struct Mark {
    /// WS_EVENT_*.
    pub kind: i32,
    /// Close code.
    pub code: i32,
    /// WS_PHASE_*.
    pub phase: i32,
    /// WS_CAUSE_*.
    pub cause: i32,
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
    /// `text` with the NUL that C wants.
    pub fn set_text(&mut self, text: &str) {
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

/// The queue. Messages and marks are apart, so that a host may read messages alone; a mark knows how many messages precede it.
#[derive(Default)]
pub struct Inbox {
    messages: VecDeque<Message>,
    marks: VecDeque<(u64, Box<Mark>)>,
    /// Messages taken so far.
    taken: u64,
    /// Bytes of the waiting messages.
    bytes: u64,
    /// All messages in the arena are among this many last ones.
    fresh: u32,
    /// How many marks a waiting host was woken for.
    told: usize,
    /// The host takes marks.
    pub reads_marks: bool,
}

impl Inbox {
    /// Queues a message that lies in the arena.
    #[inline]
    pub fn push_fresh(&mut self, text: bool, chunk: u32, start: u32, len: u32) {
        self.bytes += u64::from(len);
        self.fresh += 1;
        self.messages.push_back(Message { text, body: Body::Fresh { chunk, start, len } });
    }

    /// Queues a message with storage of its own.
    pub fn push_kept(&mut self, text: bool, bytes: Vec<u8>) {
        let len = bytes.len() as u32;
        self.bytes += u64::from(len);
        // Counted too while something in front of it lies in the arena: settling looks at the last `fresh` messages.
        self.fresh += u32::from(self.fresh > 0);
        self.messages.push_back(Message { text, body: Body::Kept { storage: Arc::new(bytes), start: 0, len } });
    }

    /// Queues something else, behind the messages that wait.
    pub fn push_mark(&mut self, mark: Mark) {
        self.marks.push_back((self.taken + self.messages.len() as u64, Box::new(mark)));
    }

    /// Adds to a mark of that kind that still waits; false: none does.
    pub fn add_to(&mut self, kind: i32, count: u64) -> bool {
        let waiting = self.marks.iter_mut().find(|(_, mark)| mark.kind == kind);
        waiting.map(|(_, mark)| mark.count += count).is_some()
    }

    /// Takes the next message and leaves marks.
    #[inline]
    pub fn take_message(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.taken += 1;
        self.bytes -= message.len() as u64;
        self.fresh = self.fresh.min(self.messages.len() as u32);
        Some(message)
    }

    /// Takes the next item.
    pub fn take_item(&mut self) -> Option<Item> {
        self.reads_marks = true;
        match self.marks.front() {
            Some((after, _)) if *after <= self.taken => self.marks.pop_front().map(|(_, mark)| Item::Mark(mark)),
            _ => self.take_message().map(Item::Message),
        }
    }

    /// Drops the marks; how many they were.
    pub fn drop_marks(&mut self) -> usize {
        let count = self.marks.len();
        self.marks = VecDeque::new();
        count
    }

    /// Moves what still lies in the arena into one storage of this connection.
    pub fn settle(&mut self, arena: &Arena) {
        if self.fresh == 0 {
            return;
        }
        let first = self.messages.len() - self.fresh as usize;
        let total = self.messages.range(first..).map(|message| if matches!(message.body, Body::Fresh { .. }) { message.len() } else { 0 }).sum();
        let mut storage = Vec::with_capacity(total);
        for message in self.messages.range(first..) {
            if matches!(message.body, Body::Fresh { .. }) {
                storage.extend_from_slice(message.parts(arena).1);
            }
        }
        let storage = Arc::new(storage);
        let mut start = 0;
        for message in self.messages.range_mut(first..) {
            if let Body::Fresh { len, .. } = message.body {
                message.body = Body::Kept { storage: storage.clone(), start, len };
                start += len;
            }
        }
        self.fresh = 0;
    }

    /// Gives memory back when nothing waits.
    pub fn shrink(&mut self) {
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
        if self.marks.is_empty() {
            self.marks = VecDeque::new();
        }
    }

    /// Messages that wait.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether a message waits.
    pub fn has_messages(&self) -> bool {
        !self.messages.is_empty()
    }

    /// Marks that wait.
    pub fn marks(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is something that a waiting host should be woken for: messages, and marks unless it reads none and was woken for these.
    pub fn has_news(&mut self) -> bool {
        let is_new = self.marks.len() > std::mem::replace(&mut self.told, self.marks.len());
        is_new || (self.reads_marks && !self.marks.is_empty()) || self.has_messages()
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.marks.is_empty()
    }

    /// Bytes of the waiting messages.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a message still lies in the arena.
    pub fn has_fresh(&self) -> bool {
        self.fresh > 0
    }
}
