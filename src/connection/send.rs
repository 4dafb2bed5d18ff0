//! Sending: a message goes to the link, or waits for one.

use super::{Connection, Stage};
use crate::endpoint::Endpoint;
use crate::link::{Compression, Link, Payload, Sent, SharedMessage};
use crate::work::{Chunk, Cx};
use parking_lot::Mutex;
use std::borrow::BorrowMut;
use std::sync::Arc;

impl Connection {
    /// Sends one message. The caller has checked its size and UTF-8.
    #[inline]
    pub fn put(&mut self, cx: &mut Cx<'_>, text: bool, payload: &[u8]) -> Sent {
        match &mut self.stage {
            Stage::Open(link) => link.put(&mut self.endpoint, cx, text, payload),
            Stage::Opening(opening) => opening.put(&mut self.endpoint, text, payload),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// As `put`, in a call that is not corked. `cx` is called only if it is needed.
    #[inline]
    pub fn put_with<'a, C: BorrowMut<Cx<'a>>>(&mut self, cx: impl FnOnce() -> C, text: bool, payload: &[u8]) -> Sent {
        match &mut self.stage {
            Stage::Open(link) => link.put_with(&mut self.endpoint, cx, text, payload),
            Stage::Opening(opening) => opening.put(&mut self.endpoint, text, payload),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// Sends several messages, or none of them. An empty queue accepts any size.
    pub fn put_together(&mut self, cx: &mut Cx<'_>, messages: &[Vec<u8>]) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_together(endpoint, cx, messages))
    }

    /// Queues several messages without checking for room; they are written later.
    pub fn queue_together<M: AsRef<[u8]>>(&mut self, cx: &mut Cx<'_>, messages: &[M]) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.queue_together(endpoint, cx, messages))
    }

    /// Ends the connection because there is no memory for an accepted message.
    pub fn memory_failed(&mut self) {
        if let Stage::Open(link) = &mut self.stage {
            link.memory_failed();
        }
    }

    /// Sends an encoded frame shared with other connections. `now`: writes it at once if nothing is queued.
    pub fn put_shared(&mut self, frame: &Chunk, payload_len: usize, now: bool) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_shared(endpoint, frame, payload_len, now))
    }

    /// As `put_shared`, for a frame in two parts. It is written later.
    pub fn put_parts(&mut self, head: &Chunk, storage: &Chunk, start: usize, payload_len: usize) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_parts(endpoint, head, storage, start, payload_len))
    }

    /// Sends a long message that is compressed once for several connections.
    pub fn put_shared_message(&mut self, message: &Arc<Mutex<SharedMessage>>, payload_len: usize) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_shared_message(endpoint, message, payload_len))
    }

    /// As `put`, for a message that several connections compress later, each in its separate context.
    pub fn put_later(&mut self, text: bool, payload: &Payload) -> Sent {
        self.on_link(Sent::NotOpen, |link, endpoint| link.put_later(endpoint, text, payload))
    }

    /// Before a message of `len` bytes is put in a corked call: writes those put before if there is no room.
    #[inline]
    pub fn make_room(&mut self, cx: &mut Cx<'_>, len: usize) {
        self.on_link((), |link, endpoint| link.make_room(endpoint, cx, len));
    }

    /// Records that a corked call has queued a message.
    #[inline]
    pub fn note_corked(&mut self) {
        self.on_link((), |link, endpoint| link.note_corked(endpoint));
    }

    /// At the end of a corked call: writes what it has queued.
    pub fn uncork(&mut self, cx: &mut Cx<'_>) {
        self.on_link((), |link, endpoint| link.uncork(endpoint, cx));
    }

    /// Sends a ping. `Endpoint::rtt_us` is set when it is answered.
    pub fn ping(&mut self, cx: &mut Cx<'_>) {
        self.on_link((), |link, endpoint| link.ping(endpoint, cx));
    }

    /// Compresses, encodes and writes queued messages until the budget is exhausted.
    pub fn write(&mut self, cx: &mut Cx<'_>) {
        match &mut self.stage {
            Stage::Opening(opening) => opening.write(&mut self.endpoint, cx),
            Stage::Open(link) => link.write(&mut self.endpoint, cx),
            Stage::Ended => {}
        }
    }

    /// Whether messages are accepted (if there is room): the connection is OPEN.
    #[inline]
    pub fn may_put(&self) -> bool {
        self.link().is_some_and(Link::may_put)
    }

    /// Whether the outbound queue has room for one more message. An empty queue accepts any size.
    #[inline]
    pub fn has_room(&self, len: usize) -> bool {
        self.link().is_none_or(|link| link.has_room(&self.endpoint, len))
    }

    /// As `has_room`, but leaves half of the queue's limits to others.
    pub fn has_room_beside(&self, len: usize) -> bool {
        self.link().is_none_or(|link| link.has_room_beside(&self.endpoint, len))
    }

    /// Whether a message of this length is compressed.
    pub fn compresses(&self, len: usize) -> bool {
        self.link().is_some_and(|link| link.compresses(&self.endpoint, len))
    }

    /// State of permessage-deflate; `None`: not negotiated.
    pub fn compression(&self) -> Option<&Compression> {
        self.link().and_then(Link::compression)
    }

    /// Whether messages wait to be compressed or encoded.
    pub fn is_waiting(&self) -> bool {
        self.link().is_some_and(Link::is_waiting)
    }

    /// Whether there is work to encode or write that no readiness event will announce.
    pub fn can_send_on(&self) -> bool {
        match &self.stage {
            Stage::Opening(opening) => opening.can_send_on(),
            Stage::Open(link) => link.can_send_on(),
            Stage::Ended => false,
        }
    }

    /// Whether the next flush or poll must write because no readiness event will request it. `tried`: writing has been
    /// attempted.
    #[inline]
    pub fn needs_flush(&self, tried: bool) -> bool {
        self.link().is_some_and(|link| link.needs_flush(&self.endpoint, tried))
    }

    /// Whether writing has failed and the connection is about to end. No readiness event announces this.
    pub fn has_failed(&self) -> bool {
        match &self.stage {
            Stage::Opening(opening) => opening.has_failed(),
            Stage::Open(link) => link.has_failed(),
            Stage::Ended => false,
        }
    }

    /// Whether bytes or messages are queued for sending.
    #[inline]
    pub fn has_output(&self) -> bool {
        self.queued_bytes() > 0
    }

    /// Bytes that the system has not taken, including bytes inside TLS and messages to be encoded.
    #[inline]
    pub fn queued_bytes(&self) -> usize {
        match &self.stage {
            Stage::Opening(opening) => opening.queued_bytes(),
            Stage::Open(link) => link.queued_bytes(),
            Stage::Ended => 0,
        }
    }

    /// Number of messages that the system has not taken completely, without those that wait for OPEN.
    #[inline]
    pub fn queued_messages(&self) -> usize {
        self.link().map_or(0, Link::queued_messages)
    }

    /// Number and bytes of the messages that wait for OPEN.
    pub fn early(&self) -> (usize, usize) {
        match &self.stage {
            Stage::Opening(opening) => opening.early(),
            _ => (0, 0),
        }
    }

    /// Compression contexts of queued messages that are shared with other connections: an id of each, and its heap
    /// bytes.
    pub fn shared_contexts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.link().into_iter().flat_map(Link::shared_contexts)
    }

    fn on_link<R>(&mut self, without: R, body: impl FnOnce(&mut Link, &mut Endpoint) -> R) -> R {
        match &mut self.stage {
            Stage::Open(link) => body(link, &mut self.endpoint),
            _ => without,
        }
    }
}
