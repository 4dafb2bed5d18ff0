//! Closing a connection, and its last event.

use super::{Connection, Reconnects, Stage};
use crate::endpoint::Mark;
use crate::error::Failure;
use crate::journal;
use crate::link::End;
use crate::status::{Cause, EventKind, Level, Phase, Text};
use crate::work::Cx;
use std::time::Instant;

impl Connection {
    /// Starts the closing handshake after the accepted messages, as the host requested; -1 drops the connection at
    /// once. Does nothing when closed or closing.
    pub fn close(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str) {
        self.close_because(cx, code, reason, None);
    }

    /// As `close`, for a host that wants nothing more from the peer: drops all queued and later items but the last
    /// event, which is queued now. What was accepted and the close frame are sent afterwards: see `is_leaving`.
    pub fn disconnect(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str) {
        self.endpoint.inbox.silence();
        self.endpoint.drop_refused(cx);
        self.close(cx, code, reason);
        let end = match &self.stage {
            Stage::Open(link) => link.end_so_far(),
            Stage::Opening(opening) => match opening.end_so_far() {
                Some(end) => end,
                None => return,
            },
            Stage::Ended => return,
        };
        if !self.endpoint.inbox.has_ended() {
            self.push_end(cx, end, "was disconnected");
            self.changed.left = true;
        }
    }

    /// Whether its last event has been queued, and its link is still being closed.
    #[inline]
    pub fn is_leaving(&self) -> bool {
        self.endpoint.inbox.has_ended() && !matches!(self.stage, Stage::Ended)
    }

    /// As `close`, for a reason of the library, which the last event reports.
    pub fn close_because(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str, failure: Option<Failure>) {
        if code != -1 && self.close_lost_session(cx, code, reason, &failure) {
            return;
        }
        if !self.keeps_session() || code == -1 {
            self.reconnects = Reconnects::No;
        }
        match &mut self.stage {
            Stage::Opening(opening) if code != -1 && opening.is_asked() => {
                let why = "the program closed the connection instead of answering its request";
                let failure = failure.unwrap_or_else(|| Failure::new(Phase::App, Cause::Dropped, why));
                let progress = opening.turn_away(&mut self.endpoint, cx, failure);
                self.advance(cx, progress);
            }
            Stage::Opening(opening) if code == -1 || !opening.is_ending() => {
                let why = if code == -1 {
                    "the host dropped the connection"
                } else {
                    "the host closed the connection before it was open"
                };
                self.end(cx, End::broken(failure.unwrap_or_else(|| Failure::new(Phase::App, Cause::Dropped, why))));
            }
            Stage::Open(link) => {
                link.close(&mut self.endpoint, cx, code, reason, failure);
                self.take_changes(cx);
            }
            Stage::Opening(_) | Stage::Ended => {}
        }
    }

    /// Fails an open connection (section 7.1.7): sends a close frame with the code and stops reading.
    pub fn fail(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        if let Stage::Open(link) = &mut self.stage {
            link.fail(&mut self.endpoint, cx, failure);
            self.take_changes(cx);
        }
    }

    /// Ends the connection if its closing handshake is complete.
    pub fn finish(&mut self, cx: &mut Cx<'_>) {
        if let Stage::Open(link) = &mut self.stage {
            link.finish_close(&mut self.endpoint, cx);
            self.take_changes(cx);
        }
    }

    /// When its timers have to be checked, if that is earlier than they said: its close times out, or an acknowledgement
    /// is due.
    #[inline]
    pub fn due_at(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Open(link) => link.due_at(),
            Stage::Opening(opening) => opening.close_deadline(),
            Stage::Ended => None,
        }
    }

    /// When the close in progress times out; `None`: never, or none is in progress.
    pub fn close_deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Opening(opening) => opening.close_deadline(),
            Stage::Open(link) => link.close_deadline(),
            Stage::Ended => None,
        }
    }

    /// The reason of the close: the peer's, or ours if the peer has sent none.
    pub fn close_reason(&self) -> &str {
        match &self.stage {
            Stage::Open(link) if !self.endpoint.inbox.has_ended() => link.close_reason(),
            _ => self.endpoint.info.text(Text::CloseReason),
        }
    }

    /// The link or the opening has ended: so does the connection, unless it reconnects after such an end.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, mut end: End) {
        if self.keep_session(cx, &mut end) {
            return;
        }
        if self.reconnects != Reconnects::No && self.is_retried(&end) {
            let is_loss = matches!(self.stage, Stage::Open(_));
            self.rest_after(cx, end, is_loss);
        } else {
            self.end_for_good(cx, end);
        }
    }

    /// Ends the connection and queues its last event.
    pub(super) fn end_for_good(&mut self, cx: &mut Cx<'_>, mut end: End) {
        self.reconnects = Reconnects::No;
        if let Stage::Opening(opening) = &self.stage {
            let of_link = opening.rest().and_then(|rest| rest.lost.as_ref()).map_or(0, |lost| lost.unsent as usize);
            let of_session = opening.session().map_or(0, |session| session.unacknowledged().0);
            end.unsent += opening.early().0 + of_link + of_session;
        }
        if !self.endpoint.inbox.has_ended() {
            self.push_end(cx, end, "ended");
        }
        self.changed.ended = true;
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Opening(opening) => opening.give_up(cx),
            Stage::Open(_) | Stage::Ended => {}
        }
    }

    /// Queues the last event.
    fn push_end(&mut self, cx: &Cx<'_>, end: End, what: &str) {
        let kind = if self.endpoint.of_server { EventKind::Disconnected } else { EventKind::Closed };
        let mark = self.note_end(cx, end, kind, what);
        self.endpoint.info.set_end(mark.clone());
        self.endpoint.inbox.push_end(mark);
    }

    /// Writes how a link or an opening ended into the texts and the log. `what` is the log's word for it. Returns its
    /// event.
    pub(super) fn note_end(&mut self, cx: &Cx<'_>, end: End, kind: EventKind, what: &str) -> Mark {
        let End { failure, clean, code, reason, unsent, .. } = end;
        let info = &mut self.endpoint.info;
        let asked_for = clean && failure.close_code == 0 && failure.phase == Phase::App;
        // Who was disconnected has ended in the words of that time.
        if !self.endpoint.inbox.has_ended() {
            info.set_text(Text::Error, if asked_for { "" } else { &failure.message });
            info.set_text(Text::CloseReason, reason);
        }
        let mut mark = Mark {
            code: i32::from(code),
            phase: failure.phase,
            cause: failure.cause,
            os_error: failure.os_error,
            http_status: i32::from(info.http_status),
            unsent: u32::try_from(unsent).unwrap_or(u32::MAX),
            clean,
            ..Mark::new(kind, cx.time_ns())
        };
        mark.set_text(&failure.message);
        // The peer's reason is in the event, and is kept out of the log.
        let why =
            if failure.cause == Cause::ClosedByPeer { "the peer closed the connection" } else { &failure.message };
        journal::note(Level::Info, || format!("{} {what}: {why} (code {code})", info.shown_url()));
        mark
    }
}
