//! Messages that are put before OPEN, or while a session has no link.

use super::Opening;
use crate::codes::*;
use crate::endpoint::Endpoint;
use crate::heap;
use crate::link::{Outgoing, Sent};
use crate::session::Session;
use crate::work::Payload;

impl Opening {
    /// Queues a message until OPEN.
    pub fn put(&mut self, endpoint: &mut Endpoint, text: bool, payload: &[u8]) -> Sent {
        if let Some(sent) = self.keep(endpoint, payload.len(), |session| session.keep(text, payload)) {
            return sent;
        }
        if !self.queue_before_open || self.ending.is_some() {
            return Sent::NotOpen;
        }
        if !self.early_has_room(endpoint, payload.len()) {
            endpoint.owe_writable(payload.len());
            return Sent::Full;
        }
        let Some(copy) = heap::copy(payload) else { return Sent::NoMemory };
        self.early.push(Outgoing::Early { text, payload: copy });
        endpoint.count_sent(payload.len());
        Sent::Taken
    }

    /// Queues a message until OPEN, in the place of the one with the same key, if there is one.
    pub fn wait_latest(&mut self, endpoint: &mut Endpoint, key: u64, text: bool, payload: Payload) -> Sent {
        let len = payload.len();
        let in_session = self.session().is_some_and(Session::is_alive);
        if self.pending_close.is_some() || self.ending.is_some() || !(in_session || self.queue_before_open) {
            return Sent::NotOpen;
        }
        let old = match self.session().filter(|_| in_session) {
            Some(session) => session.len_of_latest(key),
            None => self.early.len_of_latest(key),
        };
        let more = old.map_or(len, |old| len.saturating_sub(old));
        let has_room = if in_session { self.session_has_room(more) } else { self.early_has_room(endpoint, more) };
        if (old.is_none() || more > 0) && !has_room {
            endpoint.owe_writable(len);
            return Sent::Full;
        }
        match self.session_mut().filter(|_| in_session) {
            Some(session) => {
                if !session.keep_latest(key, text, payload) {
                    return Sent::NoMemory;
                }
            }
            None => self.early.push_latest(key, text, payload),
        }
        endpoint.count_latest(len, old.is_some());
        Sent::Taken
    }

    /// Number and bytes of the messages that wait for OPEN.
    pub fn early(&self) -> (usize, usize) {
        (self.early.len(), self.early.bytes())
    }

    fn early_has_room(&self, endpoint: &Endpoint, len: usize) -> bool {
        let (waits, bytes) = (self.early.len() as u64, (self.early.bytes() + len) as u64);
        let options = &endpoint.options;
        waits == 0 || (waits < options.limit(WS_OPT_OUTBOUND_PACKETS) && bytes <= options.limit(WS_OPT_OUTBOUND_BYTES))
    }
}
