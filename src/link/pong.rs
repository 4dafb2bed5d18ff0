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
        let pongs = self.rare.state().pongs.get_or_insert_default();
        if pongs.answered < PINGS_APART && pongs.last.is_none() && pongs.has_room(self.outbox.left()) {
            pongs.answered += 1;
            self.put_pong(&payload);
            return;
        }
        match &mut pongs.last {
            Some(last) => **last = payload,
            none => *none = Some(Box::new(payload)),
        }
    }

    /// Answers the kept ping, unless too many bytes of pongs are unsent. Begins a new round.
    pub(super) fn answer_last_ping(&mut self) {
        let Some(rare) = self.rare.get_mut() else { return };
        let Some(pongs) = &mut rare.pongs else { return };
        pongs.answered = 0;
        if rare.closing.is_some() {
            pongs.last = None;
        }
        if pongs.last.is_some()
            && pongs.has_room(self.outbox.left())
            && let Some(payload) = pongs.last.take()
        {
            self.put_pong(&payload);
        }
    }

    /// Frees the state if every pong has left and no ping is kept.
    pub(super) fn forget_pongs(&mut self) {
        let left = self.outbox.left();
        if self.rare.pongs().is_some_and(|pongs| pongs.last.is_none() && pongs.end <= left) {
            self.rare.state().pongs = None;
        }
    }

    fn put_pong(&mut self, payload: &[u8]) {
        self.put_control(0xA, payload);
        let end = self.outbox.end();
        let pongs = self.rare.state().pongs.get_or_insert_default();
        pongs.unread += payload.len() as u32 + 6;
        pongs.end = end;
    }
}

impl Pongs {
    /// Whether another pong may be queued. `left`: position up to which the system has taken the outgoing stream.
    fn has_room(&mut self, left: u64) -> bool {
        if self.end <= left {
            self.unread = 0;
        }
        self.unread < MAX_UNREAD_PONGS
    }
}
