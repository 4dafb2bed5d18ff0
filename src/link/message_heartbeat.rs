//! The application heartbeat (docs/heartbeat.md): pings and pongs sent as messages, because a browser hides those of
//! RFC 6455 from the page. The client pings and the server answers.

use super::Link;
use crate::endpoint::Endpoint;
use crate::names::APP_HEARTBEAT;
use crate::protocol::{
    HeartbeatMessage, Lead, Marker, Role, announcement, encode_heartbeat, opcode_of, read_announcement, read_heartbeat,
};
use crate::status::{Cause, Phase};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// State of the application heartbeat.
pub(super) struct MessageHeartbeat {
    /// Prefix of each heartbeat message. A client receives it in the server's first message, the announcement.
    marker: Option<Marker>,
    /// When a client stops waiting for the announcement.
    deadline: Option<Instant>,
    /// Number of the client's last ping; 0: none was sent.
    number: u32,
    /// The next heartbeat message: whether it is a pong, and its number. It is sent once the previous one has left; a
    /// newer one replaces it.
    due: Option<(bool, u32)>,
    /// Position in the outgoing stream at which the last heartbeat message ends.
    end: u64,
}

/// Receiver of a received message.
pub(super) enum Watched {
    /// A message for the host.
    Message,
    /// A message for the host where the announcement was expected: the server does not offer the heartbeat.
    NotOffered,
    /// A heartbeat message.
    Heartbeat(HeartbeatMessage),
}

impl MessageHeartbeat {
    fn new(marker: Option<Marker>, deadline: Option<Instant>) -> Box<MessageHeartbeat> {
        Box::new(MessageHeartbeat { marker, deadline, number: 0, due: None, end: 0 })
    }

    /// Moves the deadline by the length of a gap between polls.
    pub(super) fn shift(&mut self, gap: Duration) {
        self.deadline = self.deadline.map(|deadline| deadline + gap);
    }
}

impl Link {
    /// Client: it has requested the heartbeat in its opening handshake, so the announcement has to arrive by
    /// `deadline`.
    pub fn expect_announcement(&mut self, deadline: Option<Instant>) {
        self.rare.state().message_heartbeat = Some(MessageHeartbeat::new(None, deadline));
    }

    /// Server: announces the heartbeat to a client that requested it, before any other message.
    pub fn announce_heartbeat(&mut self) {
        let mut marker = Marker::default();
        // Without a random marker, a message of the host could be taken for a heartbeat: the heartbeat is then not
        // offered.
        if getrandom::fill(&mut marker).is_ok() {
            self.outbox.push_frame(
                self.role,
                &mut self.keys,
                Lead::whole(opcode_of(false)),
                &announcement(&marker),
                false,
            );
            self.rare.state().message_heartbeat = Some(MessageHeartbeat::new(Some(marker), None));
        }
    }

    /// Classifies a received message.
    pub(super) fn watch(&self, text: bool, bytes: &[u8]) -> Watched {
        let Some(heartbeat) = self.rare.message_heartbeat() else { return Watched::Message };
        match &heartbeat.marker {
            Some(_) if text => Watched::Message,
            Some(marker) => read_heartbeat(marker, bytes).map_or(Watched::Message, Watched::Heartbeat),
            None if text => Watched::NotOffered,
            None => read_announcement(bytes)
                .map_or(Watched::NotOffered, |marker| Watched::Heartbeat(HeartbeatMessage::Announced(marker))),
        }
    }

    /// Handles a heartbeat message.
    pub(super) fn take_heartbeat(&mut self, endpoint: &mut Endpoint, message: HeartbeatMessage, now: Instant) {
        let Some(heartbeat) = &mut self.rare.state().message_heartbeat else { return };
        match (message, self.role) {
            (HeartbeatMessage::Announced(marker), _) => heartbeat.marker = Some(marker),
            (HeartbeatMessage::Ping(number), Role::Server) => heartbeat.due = Some((true, number)),
            (HeartbeatMessage::Pong(number), Role::Client) if number == heartbeat.number => {
                endpoint.rtt_us = self.heartbeat.answered(now).unwrap_or(endpoint.rtt_us);
            }
            _ => {}
        }
    }

    /// Sends a ping as a message. False: this link does not use the application heartbeat, or is a server's.
    pub(super) fn ping_by_message(&mut self) -> bool {
        let unanswered = self.heartbeat.is_unanswered();
        let is_client = self.role == Role::Client;
        let Some(heartbeat) = self
            .rare
            .get_mut()
            .and_then(|rare| rare.message_heartbeat.as_mut())
            .filter(|heartbeat| heartbeat.marker.is_some() && is_client)
        else {
            return false;
        };
        // An earlier ping is not repeated: TCP loses nothing, so it is answered or the link times out.
        if !unanswered || heartbeat.number == 0 {
            heartbeat.number = heartbeat.number.wrapping_add(1).max(1);
            heartbeat.due = Some((false, heartbeat.number));
            self.send_due_heartbeat();
        }
        true
    }

    /// Queues the due heartbeat message, unless it would fall between the fragments of another message.
    pub(super) fn send_due_heartbeat(&mut self) {
        let Some(rare) = self.rare.get_mut() else { return };
        let Some(heartbeat) = &mut rare.message_heartbeat else { return };
        let (Some((pong, number)), Some(marker)) = (heartbeat.due, &heartbeat.marker) else { return };
        if rare.waiting.is_some() || rare.closing.is_some() || heartbeat.end > self.outbox.left() {
            return;
        }
        heartbeat.due = None;
        self.outbox.push_frame(
            self.role,
            &mut self.keys,
            Lead::whole(opcode_of(false)),
            &encode_heartbeat(marker, pong, number),
            false,
        );
        heartbeat.end = self.outbox.end();
    }

    /// Stops waiting for the announcement at its deadline. Returns when to check next.
    pub(super) fn check_announcement(&mut self, endpoint: &mut Endpoint, cx: &Cx<'_>) -> Option<Instant> {
        let deadline = self.rare.message_heartbeat().filter(|heartbeat| heartbeat.marker.is_none())?.deadline?;
        if cx.now < deadline {
            return Some(deadline);
        }
        self.give_up_announcement(endpoint, cx);
        None
    }

    /// Reports with one ERROR event that the server does not offer the heartbeat, and switches it off.
    #[cold]
    pub(super) fn give_up_announcement(&mut self, endpoint: &mut Endpoint, cx: &Cx<'_>) {
        self.rare.state().message_heartbeat = None;
        endpoint.report_error(
            cx,
            Phase::Websocket,
            Cause::NoHeartbeat,
            &format!(
                "the server offers no application heartbeat: it is another than wspeer or has no {APP_HEARTBEAT}; pings of RFC 6455 take its place"
            ),
        );
    }
}
