//! Answering pings (RFC 6455 section 5.5.3).

use super::Peer;
use crate::protocol::ControlPayload;

/// With pongs of this much unwritten, a ping is answered no more until the peer has read them.
const MAX_UNREAD_PONGS: usize = 64 << 10;
/// Pings of a round that are answered one by one; of more, the last is.
const PINGS_APART: u8 = 64;

impl Peer {
    /// The first few pings of a round are answered each, and of the others the last.
    pub(super) fn answer_ping(&mut self, payload: ControlPayload) {
        if self.pings.0 < PINGS_APART && self.pings.1.is_none() && self.has_room_for_pong() {
            self.pings.0 += 1;
            self.put_pong(&payload);
            return;
        }
        match &mut self.pings.1 {
            Some(last) => **last = payload,
            none => *none = Some(Box::new(payload)),
        }
    }

    /// Answers the ping that waits, unless the peer has yet to read many answers.
    pub(super) fn answer_last_ping(&mut self) {
        self.pings.0 = 0;
        if self.closing.is_some() {
            self.pings.1 = None;
        }
        if self.pings.1.is_some()
            && self.has_room_for_pong()
            && let Some(payload) = self.pings.1.take()
        {
            self.put_pong(&payload);
        }
    }

    fn has_room_for_pong(&mut self) -> bool {
        let (last, waiting) = &mut self.pongs;
        if *last <= self.outbox.written() {
            *waiting = 0;
        }
        (*waiting as usize) < MAX_UNREAD_PONGS
    }

    fn put_pong(&mut self, payload: &[u8]) {
        self.pongs.1 += payload.len() as u32 + 6;
        self.put_control(0xA, payload);
        self.pongs.0 = self.outbox.end();
    }
}
