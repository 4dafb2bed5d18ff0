//! Sending: a message goes to the link, or waits for one.

use super::{Connection, Stage};
use crate::endpoint::Endpoint;
use crate::heap;
use crate::link::{Compression, Link, Sent, SharedMessage};
use crate::work::{Chunk, Cx, Latest, Payload};
use parking_lot::Mutex;
use std::borrow::BorrowMut;
use std::sync::Arc;
use std::time::Instant;

impl Connection {
    /// Sends one message. The caller has checked its size and UTF-8.
    #[inline]
    pub fn put(&mut self, cx: &mut Cx<'_>, text: bool, payload: &[u8]) -> Sent {
        if let Some(latest) = cx.latest
            && !self.latest_leaves(cx, latest)
        {
            let Some(copy) = heap::copy(payload) else { return Sent::NoMemory };
            return self.wait_latest(latest.key, text, Payload::whole(Arc::new(copy)));
        }
        match &mut self.stage {
            Stage::Open(link) => link.put(&mut self.endpoint, cx, text, payload),
            Stage::Opening(opening) => opening.put(&mut self.endpoint, text, payload),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// Whether a message that can be replaced is put as any other: it leaves at once, or there is nothing to put it to.
    pub fn latest_leaves(&mut self, cx: &Cx<'_>, latest: Latest) -> bool {
        match &mut self.stage {
            Stage::Open(link) => link.latest_leaves(&self.endpoint, cx, latest.unsent),
            Stage::Opening(_) => false,
            Stage::Ended => true,
        }
    }

    /// Queues a message that takes the place of the one with the same key if that has not left.
    pub fn wait_latest(&mut self, key: u64, text: bool, payload: Payload) -> Sent {
        match &mut self.stage {
            Stage::Open(link) => link.wait_latest(&mut self.endpoint, key, text, payload),
            Stage::Opening(opening) => opening.wait_latest(&mut self.endpoint, key, text, payload),
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
        match &mut self.stage {
            Stage::Open(link) => link.put_together(&mut self.endpoint, cx, messages),
            Stage::Opening(opening) => opening.keep_together(&mut self.endpoint, messages, true),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// Queues several messages without checking for room; they are written later.
    pub fn queue_together<M: AsRef<[u8]>>(&mut self, cx: &mut Cx<'_>, messages: &[M]) -> Sent {
        match &mut self.stage {
            Stage::Open(link) => link.queue_together(&mut self.endpoint, cx, messages),
            Stage::Opening(opening) => opening.keep_together(&mut self.endpoint, messages, false),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// Ends the connection because there is no memory for an accepted message.
    pub fn memory_failed(&mut self) {
        match &mut self.stage {
            Stage::Open(link) => link.memory_failed(),
            Stage::Opening(opening) => opening.session_failed(),
            Stage::Ended => {}
        }
    }

    /// Sends an encoded frame shared with other connections. `now`: writes it at once if nothing is queued. `kept` makes
    /// what a session keeps of it.
    pub fn put_shared(
        &mut self,
        text: bool,
        frame: &Chunk,
        payload_len: usize,
        now: bool,
        kept: impl FnOnce() -> Payload,
    ) -> Sent {
        let endpoint = &mut self.endpoint;
        match &mut self.stage {
            Stage::Open(link) => link.put_shared(endpoint, text, frame, payload_len, now, kept),
            Stage::Opening(opening) => opening.keep_shared(endpoint, text, payload_len, kept),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// As `put_shared`, for a frame in two parts: `head`, and `storage` from `start` on. It is written later.
    pub fn put_parts(
        &mut self,
        text: bool,
        head: &Chunk,
        (storage, start): (&Chunk, usize),
        payload_len: usize,
        kept: impl FnOnce() -> Payload,
    ) -> Sent {
        let endpoint = &mut self.endpoint;
        match &mut self.stage {
            Stage::Open(link) => link.put_parts(endpoint, text, head, (storage, start), payload_len, kept),
            Stage::Opening(opening) => opening.keep_shared(endpoint, text, payload_len, kept),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// Sends a long message that is compressed once for several connections.
    pub fn put_shared_message(&mut self, text: bool, message: &Arc<Mutex<SharedMessage>>, payload_len: usize) -> Sent {
        let endpoint = &mut self.endpoint;
        match &mut self.stage {
            Stage::Open(link) => link.put_shared_message(endpoint, text, message, payload_len),
            Stage::Opening(opening) => opening.keep_shared(endpoint, text, payload_len, || message.lock().payload()),
            Stage::Ended => Sent::NotOpen,
        }
    }

    /// As `put`, for a message that several connections compress later, each in its separate context.
    pub fn put_later(&mut self, text: bool, payload: &Payload) -> Sent {
        let endpoint = &mut self.endpoint;
        match &mut self.stage {
            Stage::Open(link) => link.put_later(endpoint, text, payload),
            Stage::Opening(opening) => opening.keep_shared(endpoint, text, payload.len(), || payload.clone()),
            Stage::Ended => Sent::NotOpen,
        }
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

    /// The next poll pings the peer: its heartbeat has just been switched on.
    pub fn ping_soon(&mut self, now: Instant) {
        self.on_link((), |link, endpoint| link.ping_soon(endpoint, now));
    }

    /// Compresses, encodes and writes queued messages until the budget is exhausted.
    pub fn write(&mut self, cx: &mut Cx<'_>) {
        match &mut self.stage {
            Stage::Opening(opening) => opening.write(&mut self.endpoint, cx),
            Stage::Open(link) => link.write(&mut self.endpoint, cx),
            Stage::Ended => {}
        }
    }

    /// Whether messages are accepted (if there is room): the connection is OPEN, or its session waits to be resumed.
    #[inline]
    pub fn may_put(&self) -> bool {
        match &self.stage {
            Stage::Open(link) => link.may_put(),
            Stage::Opening(opening) => opening.may_keep(),
            Stage::Ended => false,
        }
    }

    /// Whether the outbound queue and the session have room for one more message. Empty ones accept any size.
    #[inline]
    pub fn has_room(&self, len: usize) -> bool {
        match &self.stage {
            Stage::Open(link) => link.has_room(&self.endpoint, len),
            Stage::Opening(opening) => opening.session_has_room(len),
            Stage::Ended => true,
        }
    }

    /// As `has_room`, but leaves half of the queue's limits to others.
    pub fn has_room_beside(&self, len: usize) -> bool {
        match &self.stage {
            Stage::Open(link) => link.has_room_beside(&self.endpoint, len),
            Stage::Opening(opening) => opening.session_has_room(len),
            Stage::Ended => true,
        }
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
    #[inline]
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

    /// When messages that are held back, because newer ones may replace them, are looked at again; `None`: none are, or
    /// the transport announces it.
    pub fn pace_at(&self) -> Option<Instant> {
        self.link().and_then(Link::pace_at)
    }

    /// Whether a poll would write as soon as the transport takes bytes.
    pub fn wants_output(&self) -> bool {
        self.link().map_or_else(|| self.has_output(), Link::waits_for_transport)
    }

    /// Whether it has state that most connections lack.
    pub(super) fn has_rare(&self) -> bool {
        match &self.stage {
            Stage::Opening(_) => true,
            Stage::Open(link) => link.has_rare(),
            Stage::Ended => false,
        }
    }

    /// Queued bytes of messages that are compressed once for several connections.
    pub(super) fn shared_bytes(&self) -> usize {
        self.link().map_or(0, Link::shared_bytes)
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
