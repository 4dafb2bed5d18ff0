//! Answering pings (RFC 6455 section 5.5.3).

use super::Link;
use crate::protocol::ControlPayload;

/// With pongs of this much that have not left, a ping is answered no more until the peer has read them.
const MAX_UNREAD_PONGS: u32 = 64 << 10;
/// Pings of a round that are answered one by one; of more, the last is.
const PINGS_APART: u8 = 64;

/// Answers to pings of one connection.
#[derive(Default)]
pub(super) struct Pongs {
    /// Where the last one ends in what is sent.
    end: u64,
    /// Bytes of them since all had left.
    unread: u32,
    /// Pings of this round that were answered.
    answered: u8,
    /// The last ping that was not yet.
    last: Option<Box<ControlPayload>>,
}

impl Link {
    /// The first few pings of a round are answered each, and of the others the last.
    pub(super) fn answer_ping(&mut self, payload: ControlPayload) {
        if self.pongs.answered < PINGS_APART && self.pongs.last.is_none() && self.has_room_for_pong() {
            self.pongs.answered += 1;
            self.put_pong(&payload);
            return;
        }
        match &mut self.pongs.last {
            Some(last) => **last = payload,
            none => *none = Some(Box::new(payload)),
        }
    }

    /// Answers the ping that waits, unless the peer has yet to read many answers.
    pub(super) fn answer_last_ping(&mut self) {
        self.pongs.answered = 0;
        if self.closing.is_some() {
            self.pongs.last = None;
        }
        if self.pongs.last.is_some()
            && self.has_room_for_pong()
            && let Some(payload) = self.pongs.last.take()
        {
            self.put_pong(&payload);
        }
    }

    fn has_room_for_pong(&mut self) -> bool {
        if self.pongs.end <= self.outbox.left() {
            self.pongs.unread = 0;
        }
        self.pongs.unread < MAX_UNREAD_PONGS
    }

    fn put_pong(&mut self, payload: &[u8]) {
        self.pongs.unread += payload.len() as u32 + 6;
        self.put_control(0xA, payload);
        self.pongs.end = self.outbox.end();
    }
}
