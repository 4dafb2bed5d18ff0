//! The application heartbeat (docs/heartbeat.md): pings and pongs as messages, for where RFC 6455's cannot be seen. A client pings, a server answers.

use super::{Cx, Mark, Peer};
use crate::protocol::{Beating, Lead, Marker, Role, announcement, beat, opcode_of, read_announcement, read_beat};
use crate::status::{Cause, EventKind, Phase};
use std::time::{Duration, Instant};

/// The heartbeat of one connection, while there is one or one was asked for.
pub(super) struct Pulse {
    /// `None`: at a client, until the server's first message.
    marker: Option<Marker>,
    /// At a client: when it gives up waiting for the announcement.
    deadline: Option<Instant>,
    /// At a client: the number of its last ping.
    number: u32,
    /// To be sent as soon as nothing is being compressed and the one before has left. A newer one takes its place.
    due: Option<(bool, u32)>,
    /// Where the last one ends in what is sent.
    end: u64,
}

/// What became of a message.
pub(super) enum Watched {
    /// It is the host's.
    Message,
    /// It is the host's, and the server offers no heartbeat.
    NotOffered,
    /// It is a heartbeat.
    Beat(Beating),
}

impl Pulse {
    fn new(marker: Option<Marker>) -> Box<Pulse> {
        Box::new(Pulse { marker, deadline: None, number: 0, due: None, end: 0 })
    }
}

impl Peer {
    /// A client has asked for the heartbeat.
    pub(super) fn ask_for_pulse(&mut self) {
        self.pulse = Some(Pulse::new(None));
    }

    /// A client is open: the announcement has to come by then.
    pub(super) fn await_pulse(&mut self, deadline: Option<Instant>) {
        if let Some(pulse) = &mut self.pulse {
            pulse.deadline = deadline;
        }
    }

    /// A server announces the heartbeat to a client that asked for it, before all other messages.
    pub(super) fn announce_pulse(&mut self) {
        let mut marker = Marker::default();
        // Without a random marker a host's message could be taken for a heartbeat: then there is none.
        if getrandom::fill(&mut marker).is_ok() {
            self.outbox.push_frame(self.role, &mut self.keys, Lead::whole(opcode_of(false)), &announcement(&marker), false);
            self.pulse = Some(Pulse::new(Some(marker)));
        }
    }

    /// Whether a message is the host's.
    pub(super) fn watch(&self, text: bool, bytes: &[u8]) -> Watched {
        let Some(pulse) = &self.pulse else { return Watched::Message };
        match &pulse.marker {
            Some(_) if text => Watched::Message,
            Some(marker) => read_beat(marker, bytes).map_or(Watched::Message, Watched::Beat),
            None if text => Watched::NotOffered,
            None => read_announcement(bytes).map_or(Watched::NotOffered, |marker| Watched::Beat(Beating::Announced(marker))),
        }
    }

    /// A heartbeat came.
    pub(super) fn take_beat(&mut self, beating: Beating, now: Instant) {
        let Some(pulse) = &mut self.pulse else { return };
        match (beating, self.role) {
            (Beating::Announced(marker), _) => pulse.marker = Some(marker),
            (Beating::Ping(number), Role::Server) => pulse.due = Some((true, number)),
            (Beating::Pong(number), Role::Client) if number == pulse.number => self.beat.answered(now),
            _ => {}
        }
    }

    /// Pings by a message. False: there is no such heartbeat, or not yet.
    pub(super) fn ping_by_message(&mut self) -> bool {
        let waits = self.beat.waits_for_answer();
        let Some(pulse) = self.pulse.as_mut().filter(|pulse| pulse.marker.is_some() && self.role == Role::Client) else { return false };
        // What was asked before gets its answer or ends the connection: TCP loses nothing.
        if !waits || pulse.number == 0 {
            pulse.number = pulse.number.wrapping_add(1).max(1);
            pulse.due = Some((false, pulse.number));
            self.send_due_beat();
        }
        true
    }

    /// Queues the heartbeat that is due, between two messages.
    pub(super) fn send_due_beat(&mut self) {
        let Some(pulse) = &mut self.pulse else { return };
        let (Some((pong, number)), Some(marker)) = (pulse.due, &pulse.marker) else { return };
        // A message may be cut by fragments.
        if self.waiting.is_some() || self.closing.is_some() || pulse.end > self.outbox.left() {
            return;
        }
        pulse.due = None;
        self.outbox.push_frame(self.role, &mut self.keys, Lead::whole(opcode_of(false)), &beat(marker, pong, number), false);
        pulse.end = self.outbox.end();
    }

    /// Gives up waiting for the announcement when it is time. When to look again.
    pub(super) fn judge_pulse(&mut self, cx: &mut Cx<'_>) -> Option<Instant> {
        let deadline = self.pulse.as_ref().filter(|pulse| pulse.marker.is_none())?.deadline?;
        if cx.now < deadline {
            return Some(deadline);
        }
        self.lose_pulse(cx);
        None
    }

    /// The server does not offer it; the host is told.
    #[cold]
    pub(super) fn lose_pulse(&mut self, cx: &Cx<'_>) {
        self.pulse = None;
        let mut mark = Mark { phase: Phase::Websocket, cause: Cause::NoHeartbeat, ..Mark::new(EventKind::Error, cx.time_ns()) };
        mark.set_text(
            "the server offers no application heartbeat: it is another than wspeer or has no WS_APP_HEARTBEAT; pings of RFC 6455 take its place",
        );
        self.inbox.push_mark(mark);
    }

    /// Moves the deadline by a gap in polling.
    pub(super) fn shift_pulse(&mut self, gap: Duration) {
        if let Some(pulse) = &mut self.pulse {
            pulse.deadline = pulse.deadline.map(|deadline| deadline + gap);
        }
    }
}
