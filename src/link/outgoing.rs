//! Messages waiting to be compressed or encoded, messages queued behind them, and messages sent before OPEN.

use super::slices::{must_store, slice_bytes};
use crate::heap::Discarded;
use crate::protocol::{Broken, CONTINUATION, Compressor, Lead, MaskKeys, Role, encode_frame, opcode_of};
use crate::work::{Chunk, Payload};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A message that waits to be encoded, or a frame queued behind one.
#[allow(missing_docs)] // The variants say what their fields are.
pub enum Outgoing {
    /// Sent before OPEN, when it was not known whether messages would be compressed.
    Early { text: bool, payload: Vec<u8> },
    /// To be compressed from `at` on. `sent`: bytes of compressed output so far; `begun`: the first frame has been
    /// queued.
    Message { text: bool, payload: Payload, at: usize, sent: usize, begun: bool },
    /// A newer message with the same key takes its place until it is its turn.
    Latest { key: u64, text: bool, payload: Payload },
    /// Sent uncompressed; encoded up to `at`.
    Plain { text: bool, payload: Payload, at: usize },
    /// An encoded frame that is shared with other connections.
    Frame { frame: Chunk },
    /// An encoded frame that is shared with other connections: its head, followed by `storage` from `start` on.
    Parts { head: Chunk, storage: Chunk, start: usize },
    /// A long message that is compressed once for several connections: index of its next frame, and payload bytes
    /// covered by the earlier frames.
    Shared { message: Arc<Mutex<SharedMessage>>, index: usize, at: usize },
}

impl Discarded for Outgoing {
    fn empty(&mut self, keep: &mut usize) {
        match self {
            Outgoing::Early { payload, .. } => payload.empty(keep),
            Outgoing::Message { payload, .. } | Outgoing::Plain { payload, .. } | Outgoing::Latest { payload, .. } => {
                payload.empty(keep);
            }
            Outgoing::Frame { frame } => frame.empty(keep),
            Outgoing::Parts { head, storage, .. } => {
                head.empty(keep);
                storage.empty(keep);
            }
            Outgoing::Shared { message, .. } => message.empty(keep),
        }
    }
}

impl Discarded for Arc<Mutex<SharedMessage>> {
    fn empty(&mut self, keep: &mut usize) {
        if let Some(message) = Arc::get_mut(self) {
            let SharedMessage { payload, frames, .. } = message.get_mut();
            payload.empty(keep);
            frames.iter_mut().for_each(|(frame, _)| frame.empty(keep));
        }
    }
}

impl Discarded for Waiting {
    fn empty(&mut self, keep: &mut usize) {
        self.messages.empty(keep);
    }
}

impl Outgoing {
    /// Bytes left to be encoded. An empty message counts as one byte, so that a non-empty queue never has 0 bytes.
    pub fn left(&self) -> usize {
        match self {
            Outgoing::Message { payload, at, .. } => payload.len() - at,
            Outgoing::Early { payload, .. } => payload.len().max(1),
            Outgoing::Latest { payload, .. } => payload.len().max(1),
            Outgoing::Plain { payload, at, .. } => (payload.len() - at).max(1),
            Outgoing::Frame { frame, .. } => frame.len(),
            Outgoing::Parts { head, storage, start } => head.len() + storage.len() - start,
            Outgoing::Shared { message, at, .. } => message.lock().len() - at,
        }
    }
}

/// The queue of these messages, in order. Most connections never allocate one.
#[derive(Default)]
pub struct Waiting {
    messages: VecDeque<Outgoing>,
    bytes: usize,
    /// Those of `Shared` messages.
    shared: usize,
    /// Number of the first message. They are numbered in order.
    first: u64,
    /// The numbers of the `Latest` messages, by key.
    latest: HashMap<u64, u64>,
}

impl Waiting {
    /// Appends a message.
    pub fn push(&mut self, outgoing: Outgoing) {
        self.add(&outgoing);
        self.messages.push_back(outgoing);
    }

    /// Puts the unfinished first message back.
    pub fn push_front(&mut self, outgoing: Outgoing) {
        self.add(&outgoing);
        self.first = self.first.wrapping_sub(1);
        self.messages.push_front(outgoing);
    }

    /// Takes the first message.
    pub fn pop(&mut self) -> Option<Outgoing> {
        let first = self.messages.pop_front()?;
        let left = first.left();
        self.bytes -= left;
        if matches!(first, Outgoing::Shared { .. }) {
            self.shared -= left;
        }
        self.first = self.first.wrapping_add(1);
        if let Outgoing::Latest { key, .. } = &first {
            self.latest.remove(key);
        }
        Some(first)
    }

    fn add(&mut self, outgoing: &Outgoing) {
        let left = outgoing.left();
        self.bytes += left;
        if matches!(outgoing, Outgoing::Shared { .. }) {
            self.shared += left;
        }
    }

    /// Whether a newer message may take the place of the first one.
    pub fn begins_with_latest(&self) -> bool {
        matches!(self.messages.front(), Some(Outgoing::Latest { .. }))
    }

    /// Length of the message that one with this key replaces; `None`: there is none.
    pub fn len_of_latest(&self, key: u64) -> Option<usize> {
        match self.messages.get(self.latest.get(&key)?.wrapping_sub(self.first) as usize)? {
            Outgoing::Latest { payload, .. } => Some(payload.len()),
            _ => None,
        }
    }

    /// Queues a message in the place of the one with the same key, or behind the others.
    pub fn push_latest(&mut self, key: u64, text: bool, payload: Payload) {
        let newer = Outgoing::Latest { key, text, payload };
        let place = self.latest.get(&key).map(|number| number.wrapping_sub(self.first) as usize);
        match place.and_then(|place| self.messages.get_mut(place)) {
            Some(old) => {
                self.bytes = self.bytes - old.left() + newer.left();
                *old = newer;
            }
            None => {
                self.latest.insert(key, self.first.wrapping_add(self.messages.len() as u64));
                self.push(newer);
            }
        }
    }

    /// Bytes of the messages that are compressed once for several connections.
    pub fn shared_bytes(&self) -> usize {
        self.shared
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether no message is queued.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Bytes of the queued messages; an empty message counts as one byte.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The messages that were sent before OPEN: the key of each that a newer one may replace, whether it is text, and its
    /// payload.
    pub fn into_early(self) -> impl Iterator<Item = (Option<u64>, bool, Payload)> {
        self.messages.into_iter().filter_map(|outgoing| match outgoing {
            Outgoing::Early { text, payload } => Some((None, text, Payload::whole(Arc::new(payload)))),
            Outgoing::Latest { key, text, payload } => Some((Some(key), text, payload)),
            _ => None,
        })
    }

    /// Compression contexts that are shared with other connections: an id of each, and its heap bytes.
    pub fn shared_contexts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.messages.iter().filter_map(|outgoing| match outgoing {
            Outgoing::Shared { message, .. } => Some((Arc::as_ptr(message).addr(), message.lock().heap_bytes())),
            _ => None,
        })
    }
}

/// A long message that several connections send. Each of its frames is made when the first connection needs it.
pub struct SharedMessage {
    text: bool,
    payload: Payload,
    at: usize,
    slice: usize,
    compressor: Option<Compressor>,
    /// See `must_store`.
    max_ratio: u64,
    sent: usize,
    /// Frames made so far, each with the offset in the payload at which it ends.
    frames: Vec<(Chunk, usize)>,
}

impl SharedMessage {
    /// A message of which nothing has been compressed.
    pub fn new(text: bool, payload: Payload, level: u8, max_ratio: u64, compressor: Compressor) -> SharedMessage {
        SharedMessage {
            text,
            payload,
            at: 0,
            slice: slice_bytes(level),
            compressor: Some(compressor),
            max_ratio,
            sent: 0,
            frames: Vec::new(),
        }
    }

    /// The payload.
    pub fn payload(&self) -> Payload {
        self.payload.clone()
    }

    /// Length of the payload in bytes.
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    /// Heap bytes of the compression context.
    pub fn heap_bytes(&self) -> usize {
        self.compressor.as_ref().map_or(0, Compressor::heap_bytes)
    }

    /// Frame `index`, the payload offset at which it ends, and whether it is the last. `index` is at most the number of
    /// frames made: the next frame is then made. `None`: a slice was compressed, and its output will come with a later
    /// one.
    pub fn frame(&mut self, index: usize) -> Result<Option<(Chunk, usize, bool)>, Broken> {
        if index == self.frames.len()
            && let Some(compressor) = &mut self.compressor
        {
            let piece = self.payload.piece(self.at, self.slice);
            let end = self.at + piece.len();
            let last = end == self.payload.len();
            let mut compressed = Vec::new();
            if must_store(self.payload.len(), end, self.sent, self.max_ratio) {
                compressor.store(piece, last, &mut compressed)?;
            } else {
                compressor.compress(piece, last, &mut compressed)?;
            }
            self.sent += compressed.len();
            self.at = end;
            if compressed.is_empty() {
                return Ok(None);
            }
            let opcode = if index > 0 { CONTINUATION } else { opcode_of(self.text) };
            let mut bytes = Vec::new();
            encode_frame(
                &mut bytes,
                Role::Server,
                &mut MaskKeys::new(),
                Lead { opcode, rsv1: index == 0, fin: last },
                &compressed,
            );
            self.frames.push((Arc::new(bytes), end));
            if last {
                self.compressor = None;
            }
        }
        let (frame, end) = self.frames.get(index).ok_or(Broken)?;
        Ok(Some((frame.clone(), *end, *end == self.payload.len())))
    }
}
