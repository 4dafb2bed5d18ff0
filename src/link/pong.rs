//! Answering pings (RFC 6455 section 5.5.3).

use super::Link;
use crate::protocol::ControlPayload;

/// Maximum bytes of unsent pongs. Above that, pings are not answered until all of these have left.
const MAX_UNREAD_PONGS: u32 = 64 << 10;
/// Pings in a round that are answered individually; of the others only the last is.
const PINGS_APART: u8 = 64;

/// State of answering the pings of one connection.
#[derive(Default)]
pub(super) struct Pongs {
    /// Position in the outgoing stream at which the last pong ends.
    end: u64,
    /// Bytes of pongs queued since all earlier ones had left.
    unread: u32,
    /// Number of pings answered in this round.
    answered: u8,
    /// Payload of the last unanswered ping.
    last: Option<Box<ControlPayload>>,
}

impl Link {
    /// Answers the first pings of a round individually, and keeps the last of the others for `answer_last_ping`.
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

    /// Answers the kept ping, unless too many bytes of pongs are unsent. Begins a new round.
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
