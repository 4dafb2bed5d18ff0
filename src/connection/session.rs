//! Sessions: what a connection does when its link is lost and another one resumes the session
//! (docs/control-channel.md).

use super::retry::report_loss;
use super::{Connection, Reconnects, Stage};
use crate::endpoint::Mark;
use crate::error::Failure;
use crate::journal;
use crate::link::{Claim, End, Link, PendingClose, report_no_session};
use crate::opening::{Opening, Rest};
use crate::protocol::{NewSession, ResumeSession};
use crate::session::{Session, Terms};
use crate::status::{Cause, EventKind, Level, Phase, Text};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// Both sides.
impl Connection {
    /// The session of its link, or of the link that it has lost; `None`: it has none.
    pub fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::Open(link) => link.session(),
            Stage::Opening(opening) => opening.session(),
            Stage::Ended => None,
        }
    }

    /// Number and bytes of the session's messages that the peer has not acknowledged.
    pub fn unacknowledged(&self) -> [u64; 2] {
        self.session().map_or([0; 2], |session| {
            let (messages, bytes) = session.unacknowledged();
            [messages as u64, bytes]
        })
    }

    /// Takes back the events of losses: to the program it is not open yet.
    pub fn hide_losses(&mut self) {
        for kind in [EventKind::Lost, EventKind::Resumed] {
            while self.endpoint.inbox.take_mark(kind).is_some() {}
        }
    }

    /// Gives its link up: it is lost.
    pub fn leave_link(&mut self, cx: &mut Cx<'_>, why: Failure) {
        if let Stage::Open(link) = &mut self.stage
            && !link.is_closing()
        {
            link.give_up(cx, why);
            self.take_changes(cx);
        }
    }

    /// Whether it has a session that can be resumed.
    pub fn keeps_session(&self) -> bool {
        self.session().is_some_and(Session::is_alive)
    }

    /// How long its session has had no link.
    pub fn lost_for(&self, now: Instant) -> Duration {
        self.session().map_or(Duration::ZERO, |session| session.lost_for(now.into()))
    }

    /// Whether it has lost its link, and its session waits to be resumed.
    pub fn has_lost_session(&self) -> bool {
        matches!(&self.stage, Stage::Opening(opening) if opening.session().is_some_and(Session::is_alive))
    }

    /// After the link or the opening has ended: keeps the session for the next link. False: there is none, or it has
    /// ended too.
    pub(super) fn keep_session(&mut self, cx: &mut Cx<'_>, end: &mut End) -> bool {
        let (session, pending) = match &mut self.stage {
            Stage::Open(link) => (link.take_session(), link.take_pending_close()),
            Stage::Opening(opening) => (opening.take_session(), opening.take_pending_close()),
            Stage::Ended => (None, None),
        };
        let Some(mut session) = session else { return false };
        let is_of_link = matches!(self.stage, Stage::Open(_));
        // A client repeats the request for a new session until it is answered.
        let goes_on = !session.is_over()
            && if is_of_link || self.endpoint.of_server { loses_link(end) } else { self.is_retried(end) };
        if !goes_on {
            if session.is_granted() {
                end.unsent = session.unacknowledged().0;
                if !session.terms().renews {
                    self.reconnects = Reconnects::No;
                }
            }
            // A session that was to be closed is not followed by another one.
            let is_lost = end.failure.cause == Cause::Session && pending.is_none();
            let renews = self.reconnects != Reconnects::No && is_lost && session.terms().renews;
            let was_granted = session.is_granted();
            cx.discard(session.unacknowledged().1 as usize, session);
            if renews {
                // It opens anew with a new session.
                self.rest_after(cx, end.take(), was_granted);
            }
            return renews;
        }
        end.unsent = 0;
        // Who has not ended the session does not send the client away either.
        end.away = None;
        if is_of_link {
            session.lose(cx.now.into());
        }
        if self.endpoint.of_server {
            self.wait_for_client(cx, end, session, pending);
        } else {
            self.rest_with_session(cx, end, session, pending);
        }
        true
    }

    /// Client: tries to resume.
    fn rest_with_session(
        &mut self,
        cx: &mut Cx<'_>,
        end: &mut End,
        session: Box<Session>,
        pending: Option<Box<PendingClose>>,
    ) {
        let is_loss = matches!(self.stage, Stage::Open(_));
        self.rest_after(cx, end.take(), is_loss);
        if let Stage::Opening(opening) = &mut self.stage {
            opening.set_session(session, pending);
        }
    }

    /// Server: waits for the client to resume.
    fn wait_for_client(
        &mut self,
        cx: &mut Cx<'_>,
        end: &mut End,
        session: Box<Session>,
        pending: Option<Box<PendingClose>>,
    ) {
        let mark = self.note_end(cx, end.take(), EventKind::Lost, "was lost");
        report_loss(&mut self.endpoint, cx, mark);
        self.reconnects = Reconnects::Lost;
        let mut opening = Opening::resting(Rest::of_server(), Default::default(), cx.now);
        opening.set_session(session, pending);
        self.stage = Stage::Opening(Box::new(opening));
    }

    /// The link is granted a session that was begun on it or on another one. `again`: the number of messages that are
    /// sent again.
    /// `place`: as of `Endpoint::report_at`.
    pub(super) fn report_resumed(&mut self, cx: &mut Cx<'_>, again: u64, place: Option<u64>) {
        let counters = self.endpoint.counters.rare();
        counters.resumed += 1;
        counters.sent_again += again;
        let http_status = i32::from(self.endpoint.info.http_status);
        let mark = Mark { count: again, http_status, ..Mark::new(EventKind::Resumed, cx.time_ns()) };
        self.endpoint.inbox.push_mark_at(place.unwrap_or(u64::MAX), mark);
        journal::note(Level::Info, || format!("{} is resumed", self.endpoint.info.shown_url()));
    }

    /// Goes on with a close that began before the link was lost, or while it was.
    pub(super) fn go_on_closing(&mut self, cx: &mut Cx<'_>, pending: Option<Box<PendingClose>>) {
        if let Some(pending) = pending {
            let PendingClose { code, reason, failure, .. } = *pending;
            self.close_because(cx, code.into(), &reason, failure);
        }
    }

    /// Begins a close of a connection whose link is lost: it waits for the session to be resumed, for
    /// `close_timeout_ms`. False: it is not in that state, or the close is the library's, which does not wait.
    pub(super) fn close_lost_session(
        &mut self,
        cx: &Cx<'_>,
        code: i32,
        reason: &str,
        failure: &Option<Failure>,
    ) -> bool {
        if !self.has_lost_session() || failure.is_some() {
            return false;
        }
        let deadline = self.endpoint.close_deadline(cx.now);
        if let Stage::Opening(opening) = &mut self.stage {
            let code = if code == 0 { 1000 } else { code as u16 };
            opening.close_later(PendingClose { code, reason: reason.to_owned(), failure: None, deadline });
            self.changed.closing = true;
        }
        true
    }

    /// Client: pings the server, which has to answer soon.
    pub fn probe(&mut self, cx: &mut Cx<'_>) {
        if let Stage::Open(link) = &mut self.stage {
            link.probe(&mut self.endpoint, cx);
            self.take_changes(cx);
        }
    }

    /// Client: reports that it has no session although it asked for one. It opens anew after a loss only if the program
    /// asked for that too.
    pub(super) fn go_without_session(&mut self, cx: &mut Cx<'_>, why: &str, renews: bool) {
        if !renews {
            self.reconnects = Reconnects::No;
        }
        report_no_session(&mut self.endpoint, cx, why);
    }
}

/// Server: its owner decides on a client's request for a session.
impl Connection {
    /// The request.
    pub fn claim(&self) -> Option<&Claim> {
        match &self.stage {
            Stage::Opening(opening) => opening.claim(),
            _ => None,
        }
    }

    /// Whether the client asked for the way to a session that it has.
    pub fn comes_back(&self) -> bool {
        matches!(&self.stage, Stage::Opening(opening) if opening.comes_back())
    }

    /// Grants a new session.
    pub fn grant(&mut self, cx: &mut Cx<'_>, new: &NewSession, terms: Terms) {
        if let Stage::Opening(opening) = &mut self.stage {
            let session = Session::granted(new, terms, opening.received_before());
            let progress = opening.grant(&mut self.endpoint, cx, session);
            self.advance(cx, progress);
        }
    }

    /// Sends the client away with the close that follows: to wait so many milliseconds, and to come back to a URL.
    pub fn send_away(&mut self, ms: u32, url: &str) {
        if let Stage::Open(link) = &mut self.stage {
            link.send_away(ms, url);
        }
    }

    /// Refuses the session.
    pub fn refuse_claim(&mut self, cx: &mut Cx<'_>) {
        if let Stage::Opening(opening) = &mut self.stage {
            let progress = opening.refuse_claim(&mut self.endpoint, cx);
            self.advance(cx, progress);
        }
    }

    /// Takes the link of a client that resumes the session of another connection.
    pub fn take_link(&mut self) -> Option<Link> {
        match &mut self.stage {
            Stage::Opening(opening) => opening.take_link(),
            _ => None,
        }
    }

    /// Whether a request is one for the session of this connection. Its secret is replaced then, and `resume` must
    /// follow.
    pub fn accept_resume(&mut self, request: &ResumeSession, now: Instant) -> Option<u64> {
        self.session_mut().filter(|session| session.is_alive())?.take_resume(request, now.into())
    }

    /// As `accept_resume`, for a request to begin a session that has begun already.
    pub fn accept_again(&mut self, request: &NewSession, now: Instant) -> Option<u64> {
        self.session_mut().filter(|session| session.is_alive())?.take_new_again(request, now.into())
    }

    /// Resumes the session on a new link. A link that it still has is lost now: the client has given it up.
    pub fn resume(&mut self, cx: &mut Cx<'_>, mut link: Link, again: u64) {
        if let Stage::Open(old) = &mut self.stage {
            let why = "the client has opened another link for its session";
            old.give_up(cx, Failure::new(Phase::Websocket, Cause::PeerGone, why));
            self.take_changes(cx);
        }
        let Stage::Opening(opening) = &mut self.stage else { return };
        let (Some(session), pending) = (opening.take_session(), opening.take_pending_close()) else { return };
        self.endpoint.info.set_text(Text::Error, "");
        link.set_session(session);
        link.grant(&mut self.endpoint, cx);
        self.simulate_resumed(&mut link);
        self.stage = Stage::Open(link);
        self.reconnects = Reconnects::No;
        self.report_resumed(cx, again, None);
        self.go_on_closing(cx, pending);
        self.take_changes(cx);
    }

    fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::Open(link) => link.session_mut(),
            Stage::Opening(opening) => opening.session_mut(),
            Stage::Ended => None,
        }
    }
}

/// Whether a link that ended so was lost, and its session goes on. A close frame without END before it does not end a
/// session if it has one of these codes: proxies and browsers send them of themselves.
fn loses_link(end: &End) -> bool {
    match end.failure.cause {
        Cause::PeerGone | Cause::Reset | Cause::PongTimeout | Cause::Resources => true,
        Cause::ClosedByPeer => matches!(end.code, 1001 | 1005 | 1012 | 1013),
        _ => false,
    }
}
