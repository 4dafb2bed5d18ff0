//! The session of a link (docs/control-channel.md): the host's messages are kept until the peer has acknowledged them,
//! and received ones are acknowledged.

use super::channel::{Away, impossible_count};
use super::outgoing::Outgoing;
use super::{Link, Sent};
use crate::endpoint::Endpoint;
use crate::protocol::{Control, Role};
use crate::session::{Kept, Session};
use crate::work::{Cx, Payload};
use std::time::Instant;

/// What a message needs besides being kept in the session.
pub(super) enum Keeping {
    /// It is handed to the link now.
    Hand,
    /// It waits in the session behind others, or is not accepted.
    Done(Sent),
}

/// The owner's side.
impl Link {
    /// Gives the link a session, before it is used.
    pub fn set_session(&mut self, session: Box<Session>) {
        self.rare.state().session = Some(session);
    }

    /// The session.
    pub fn session(&self) -> Option<&Session> {
        self.rare.session()
    }

    /// The session, to be changed.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        self.rare.session_mut()
    }

    /// Takes the session from the link.
    pub fn take_session(&mut self) -> Option<Box<Session>> {
        self.rare.get_mut()?.session.take()
    }

    /// Server: sends the answer that grants the link's session.
    pub fn grant(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        let received = endpoint.received();
        if let Some(session) = self.rare.session_mut() {
            let grant = session.grant(received);
            self.push_control(&Control::Grant(grant));
        }
        self.write(endpoint, cx);
    }

    /// Server: sends the answer that refuses the client's request.
    pub fn refuse_session(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        self.push_control(&Control::Refused);
        self.write(endpoint, cx);
    }
}

/// Sending.
impl Link {
    /// Keeps a message of the host by reference, if the link has a session. `kept` makes its payload.
    #[inline]
    pub(super) fn keep_shared(
        &mut self,
        endpoint: &mut Endpoint,
        text: bool,
        len: usize,
        kept: impl FnOnce() -> Payload,
    ) -> Keeping {
        if self.rare.session().is_none() {
            return Keeping::Hand;
        }
        self.keep(endpoint, len, |session| session.keep_shared(text, kept()))
    }

    /// Keeps a copy of a message of the host, if the link has a session.
    pub(super) fn keep_copy(&mut self, endpoint: &mut Endpoint, text: bool, payload: &[u8]) -> Keeping {
        self.keep(endpoint, payload.len(), |session| session.keep(text, payload))
    }

    /// As `keep_copy`, whatever the limit is.
    pub(super) fn keep_anyway(&mut self, endpoint: &mut Endpoint, text: bool, payload: &[u8]) -> Keeping {
        self.keep_one(endpoint, payload.len(), |session| session.keep(text, payload))
    }

    fn keep(&mut self, endpoint: &mut Endpoint, len: usize, keep: impl FnOnce(&mut Session) -> bool) -> Keeping {
        if !self.session_has_room(len, 1) {
            endpoint.owe_writable(len);
            return Keeping::Done(Sent::Full);
        }
        self.keep_one(endpoint, len, keep)
    }

    fn keep_one(&mut self, endpoint: &mut Endpoint, len: usize, keep: impl FnOnce(&mut Session) -> bool) -> Keeping {
        let Some(session) = self.rare.session_mut() else { return Keeping::Hand };
        let was_handed = session.is_handed();
        if !keep(session) {
            return Keeping::Done(Sent::NoMemory);
        }
        if was_handed {
            session.note_handed();
            return Keeping::Hand;
        }
        endpoint.count_sent(len);
        Keeping::Done(Sent::Taken)
    }

    /// The message that was kept last and handed to the link was not accepted.
    pub(super) fn forget_kept(&mut self) {
        if let Some(session) = self.rare.session_mut() {
            session.forget_last();
        }
    }

    /// Hands the next message of the session to the link. False: there is none.
    pub(super) fn hand_next(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> bool {
        let Some(mut session) = self.rare.get_mut().and_then(|rare| rare.session.take()) else { return false };
        let handed = match session.next() {
            None => false,
            Some((text, Kept::Short(bytes))) => {
                if !self.queue_message(endpoint, cx, text, bytes) {
                    self.memory_failed();
                }
                true
            }
            Some((text, Kept::Long(payload))) => {
                self.wait(if self.compresses(endpoint, payload.len()) {
                    Outgoing::Message { text, payload, at: 0, sent: 0, begun: false }
                } else {
                    Outgoing::Plain { text, payload, at: 0 }
                });
                true
            }
        };
        if handed {
            session.note_handed();
        }
        self.rare.state().session = Some(session);
        handed
    }

    /// Before our close frame: acknowledges what has arrived, and ends the session. `by_us`: we close; otherwise the peer
    /// does, and the session ends only if it has ended it.
    pub(super) fn end_session(&mut self, received: [u64; 2], by_us: bool) {
        let Some(session) = self.rare.session_mut() else { return };
        let ends = by_us && session.is_alive();
        if !ends && !session.is_over() {
            return;
        }
        if let Some(count) = session.last_ack(received) {
            self.push_control(&Control::Ack(count));
        }
        if ends {
            if let Some(Away { ms, url }) = self.take_away() {
                self.push_control(&Control::Drain(ms, url));
            }
            self.push_control(&Control::End);
        }
    }
}

/// Receiving.
impl Link {
    /// Takes an acknowledgement of the peer.
    pub(super) fn take_ack(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, received: u64) {
        let Some(session) = self.rare.session_mut() else { return };
        if session.take_ack(received) {
            session.confirm();
        } else {
            self.fail(endpoint, cx, impossible_count());
        }
    }

    /// After reading: acknowledges what has arrived, and removes what the peer has acknowledged.
    #[inline(never)]
    pub(super) fn tend_session(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        let (received, now, role) = (endpoint.received(), cx.now, self.role);
        if !self.is_greeted() {
            return;
        }
        let Some(session) = self.rare.session_mut() else { return };
        if role == Role::Server && session.has_arrived(received) {
            session.confirm();
        }
        if let Some(count) = session.ack(received, now.into()) {
            self.acknowledge_messages(count);
        }
        self.send_due_control();
        self.remove_acknowledged(endpoint, cx);
    }

    fn remove_acknowledged(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        let Some(session) = self.rare.session_mut().filter(|session| session.has_acknowledged()) else { return };
        let large = session.remove_acknowledged(|| cx.budget.is_spent());
        if !large.is_empty() {
            cx.services.discard(Box::new(large));
        }
        self.check_writable(endpoint, cx);
    }

    /// Acknowledges when an acknowledgement is due. Returns when to check next.
    pub(super) fn check_ack(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        let (received, now) = (endpoint.received(), cx.now);
        if !self.is_greeted() {
            return None;
        }
        if let Some(count) = self.rare.session_mut()?.ack(received, now.into()) {
            self.acknowledge_messages(count);
            self.write(endpoint, cx);
        }
        self.ack_at()
    }

    /// When an acknowledgement is due.
    pub fn ack_at(&self) -> Option<Instant> {
        self.rare.session()?.ack_at().map(Instant::from)
    }

    /// Whether the session has room for a message of `len` bytes.
    pub(super) fn session_has_room(&self, len: usize, count: usize) -> bool {
        self.rare.session().is_none_or(|session| session.has_room(len, count))
    }
}
