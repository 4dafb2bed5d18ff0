//! The end of an opening whose link agrees on a session: nothing that the programs send goes before that.

use super::{At, Opened, Opening, Progress};
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::link::{Claim, End, Greeted, Link, PendingClose, Sent};
use crate::names::{CLOSE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, SESSION_MS};
use crate::session::Session;
use crate::status::{Cause, Phase};
use crate::work::{Cx, Payload};
use std::time::{Duration, Instant};

/// A link that is not open for the programs yet.
pub struct Greeter {
    pub(super) link: Link,
    /// Number of messages that the inbound queue had received when the link began: OPEN goes there, even if messages
    /// have arrived since.
    place: u64,
    /// The endpoint's counters then.
    received: [u64; 2],
    /// Server: the client's request for a session.
    claim: Option<Claim>,
    /// Server: the client asked for the way to a session that it has.
    resumes: bool,
}

impl Opening {
    /// Goes on with a link that agrees on a session.
    pub(super) fn begin_greeting(&mut self, endpoint: &Endpoint, link: Link, resumes: bool) {
        let (place, received) = (endpoint.inbox.arrived().0, endpoint.received());
        self.at = At::Greeting(Box::new(Greeter { link, place, received, claim: None, resumes }));
    }

    /// The link that agrees on a session, to be polled.
    pub fn greeting_link(&mut self) -> Option<&mut Link> {
        match &mut self.at {
            At::Greeting(greeter) if greeter.claim.is_none() => Some(&mut greeter.link),
            _ => None,
        }
    }

    /// Continues with the agreement after its link was polled. `more`: the result of that.
    pub fn greet(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, more: bool) -> Progress {
        let At::Greeting(greeter) = &mut self.at else { return Progress::Pending { more } };
        match greeter.link.take_greeted() {
            None => match greeter.link.take_changes().and_then(|changes| changes.end) {
                Some(end) => Progress::Ended(end),
                None => Progress::Pending { more },
            },
            Some(Greeted::Without(_)) if greeter.resumes => {
                self.turn_claim_away(endpoint, cx);
                Progress::Pending { more }
            }
            Some(Greeted::Claim(claim)) => {
                greeter.claim = Some(claim);
                Progress::Pending { more }
            }
            Some(Greeted::Granted(resumed)) => self.greeted(resumed, None),
            Some(Greeted::Without(why)) => self.go_without(why),
        }
    }

    /// Server: the client's request for a session, on which its owner decides.
    pub fn claim(&self) -> Option<&Claim> {
        match &self.at {
            At::Greeting(greeter) => greeter.claim.as_ref(),
            _ => None,
        }
    }

    /// Server: whether the client asked for the way to a session that it has, and passed the limits for that reason.
    pub fn comes_back(&self) -> bool {
        matches!(&self.at, At::Greeting(greeter) if greeter.resumes)
    }

    /// Server: the endpoint's counters when the link began.
    pub fn received_before(&self) -> [u64; 2] {
        match &self.at {
            At::Greeting(greeter) => greeter.received,
            _ => [0; 2],
        }
    }

    /// Server: gives the client the new session that it asked for.
    pub fn grant(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, session: Box<Session>) -> Progress {
        let At::Greeting(greeter) = &mut self.at else { return Progress::Pending { more: false } };
        greeter.link.set_session(session);
        greeter.link.grant(endpoint, cx);
        self.greeted(None, None)
    }

    /// Server: refuses the session. Who asked for a new one goes on without it; who came for one is closed.
    pub fn refuse_claim(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Progress {
        let At::Greeting(greeter) = &mut self.at else { return Progress::Pending { more: false } };
        let is_new = matches!(greeter.claim, Some(Claim::New(_))) && !greeter.resumes;
        greeter.link.refuse_session(endpoint, cx);
        if is_new {
            return self.greeted(None, None);
        }
        self.turn_claim_away(endpoint, cx);
        Progress::Pending { more: false }
    }

    /// Server: takes the link of a client that resumes a session, for the connection that has it.
    pub fn take_link(&mut self) -> Option<Link> {
        match std::mem::replace(&mut self.at, At::Moving) {
            At::Greeting(greeter) => Some(greeter.link),
            at => {
                self.at = at;
                None
            }
        }
    }

    /// Ends an agreement that has timed out. Returns when to check next.
    pub(super) fn check_greeting(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        read_all: bool,
    ) -> Result<Option<Instant>, Box<End>> {
        let deadline = self.deadline;
        let At::Greeting(greeter) = &mut self.at else { return Ok(None) };
        let link = &mut greeter.link;
        let is_over = deadline.is_some_and(|deadline| cx.now >= deadline) && read_all && !link.is_closing();
        // A server that had the session has the channel: its announcement is late.
        let may_lack = !endpoint.of_server && !link.session().is_some_and(Session::is_alive);
        if is_over && may_lack && link.stop_greeting() {
            // The next poll opens it, without a session.
            return Ok(Some(cx.now));
        }
        if is_over {
            let what = if endpoint.of_server {
                format!("the client did not ask for a session within {HANDSHAKE_TIMEOUT_MS}")
            } else {
                "the server did not answer the request for a session within the connect timeout".to_owned()
            };
            let cause = if endpoint.of_server { Cause::HandshakeTimeout } else { Cause::ConnectTimeout };
            // Without a close frame: one of a client would end the session that the server may have granted meanwhile, and
            // the time for one of a server is over.
            link.give_up(cx, Failure::new(Phase::Websocket, cause, what));
        }
        let next = if read_all {
            link.check_closing(endpoint, cx)
        } else {
            link.check_overdue_close(endpoint, cx);
            None
        };
        match link.take_changes().and_then(|changes| changes.end) {
            Some(end) => Err(end),
            None => Ok(next.into_iter().chain(deadline.filter(|_| read_all && !is_over)).min()),
        }
    }

    /// Gives the opening a session to resume, and a close that follows then.
    pub fn set_session(&mut self, session: Box<Session>, pending: Option<Box<PendingClose>>) {
        self.session = Some(session);
        self.pending_close = pending;
    }

    /// The session to ask for or to resume.
    pub fn session(&self) -> Option<&Session> {
        match &self.at {
            At::Greeting(greeter) => greeter.link.session(),
            _ => self.session.as_deref(),
        }
    }

    /// The same, to be changed.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.at {
            At::Greeting(greeter) => greeter.link.session_mut(),
            _ => self.session.as_deref_mut(),
        }
    }

    /// Takes it.
    pub fn take_session(&mut self) -> Option<Box<Session>> {
        match &mut self.at {
            At::Greeting(greeter) => greeter.link.take_session().or_else(|| self.session.take()),
            _ => self.session.take(),
        }
    }

    /// Takes the close that follows a resume.
    pub fn take_pending_close(&mut self) -> Option<Box<PendingClose>> {
        self.pending_close.take()
    }

    /// Whether a close follows the resume.
    pub fn has_pending_close(&self) -> bool {
        self.pending_close.is_some()
    }

    /// Begins a close that waits for the resume until `deadline`, unless one does.
    pub fn close_later(&mut self, pending: PendingClose) {
        self.pending_close.get_or_insert_with(|| Box::new(pending));
    }

    /// How a connection ends whose close waits for the resume, for a program that does not wait for that; `None`: none
    /// does.
    pub fn end_so_far(&self) -> Option<End> {
        let PendingClose { code, reason, failure, .. } = &**self.pending_close.as_ref()?;
        let closed = || Failure::new(Phase::App, Cause::ClosedByHost, "closed as the host asked");
        let unsent = self.session().map_or(0, |session| session.unacknowledged().0);
        let end = End::broken(failure.clone().unwrap_or_else(closed));
        Some(End { code: *code, reason: reason.clone(), unsent, ..end })
    }

    /// Ends a lost session whose time is over, or the wait of its close. Returns when to check next.
    pub(super) fn check_session(&self, now: Instant) -> Result<Option<Instant>, Failure> {
        let ends_at = self.session().and_then(Session::ends_at).map(Instant::from);
        let close_at = self.pending_close.as_ref().and_then(|pending| pending.deadline);
        if close_at.is_some_and(|at| now >= at) {
            let why = format!("the session was not resumed within {CLOSE_TIMEOUT_MS} after it was closed");
            return Err(Failure::new(Phase::App, Cause::CloseTimeout, why));
        }
        if ends_at.is_some_and(|at| now >= at) {
            let why = format!("the session was not resumed within {SESSION_MS}");
            return Err(Failure::new(Phase::Websocket, Cause::Session, why));
        }
        Ok(ends_at.into_iter().chain(close_at).min())
    }

    /// Moves the times of a lost session by the length of a gap between polls.
    pub(super) fn shift_session(&mut self, gap: Duration) {
        if let Some(session) = &mut self.session {
            session.shift(gap);
        }
        if let Some(pending) = &mut self.pending_close {
            pending.deadline = pending.deadline.map(|deadline| deadline + gap);
        }
    }

    /// Keeps a message of the host for the next link. `None`: no session waits to be resumed.
    pub fn keep(
        &mut self,
        endpoint: &mut Endpoint,
        len: usize,
        keep: impl FnOnce(&mut Session) -> bool,
    ) -> Option<Sent> {
        let is_closing = self.pending_close.is_some();
        let session = self.session_mut().filter(|session| session.is_alive())?;
        Some(if is_closing {
            Sent::NotOpen
        } else if !session.has_room(len, 1) {
            endpoint.owe_writable(len);
            Sent::Full
        } else if keep(session) {
            endpoint.count_sent(len);
            Sent::Taken
        } else {
            Sent::NoMemory
        })
    }

    /// As `keep`, for a message that is shared with other connections.
    pub fn keep_shared(
        &mut self,
        endpoint: &mut Endpoint,
        text: bool,
        len: usize,
        kept: impl FnOnce() -> Payload,
    ) -> Sent {
        self.keep(endpoint, len, |session| session.keep_shared(text, kept())).unwrap_or(Sent::NotOpen)
    }

    /// As `keep`, for several messages or none of them. `checks`: there must be room for them.
    pub fn keep_together<M: AsRef<[u8]>>(&mut self, endpoint: &mut Endpoint, messages: &[M], checks: bool) -> Sent {
        let total = messages.iter().map(|message| message.as_ref().len()).sum();
        let is_closing = self.pending_close.is_some();
        let Some(session) = self.session_mut().filter(|session| session.is_alive() && !is_closing) else {
            return Sent::NotOpen;
        };
        if checks && !session.has_room(total, messages.len()) {
            endpoint.owe_writable(total);
            return Sent::Full;
        }
        for (index, message) in messages.iter().map(AsRef::as_ref).enumerate() {
            if !session.keep(false, message) {
                (0..index).for_each(|_| session.forget_last());
                return Sent::NoMemory;
            }
        }
        messages.iter().for_each(|message| endpoint.count_sent(message.as_ref().len()));
        Sent::Taken
    }

    /// Whether messages are kept for the next link, if there is room.
    pub fn may_keep(&self) -> bool {
        self.pending_close.is_none() && self.session().is_some_and(Session::is_alive)
    }

    /// Whether the session that waits to be resumed has room for a message.
    pub fn session_has_room(&self, len: usize) -> bool {
        self.session().is_none_or(|session| session.has_room(len, 1))
    }

    /// An accepted message is lost: the session cannot be resumed.
    pub fn session_failed(&mut self) {
        if let Some(session) = self.session_mut() {
            session.end();
        }
    }

    fn turn_claim_away(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        let At::Greeting(greeter) = &mut self.at else { return };
        greeter.claim = None;
        greeter.resumes = true;
        let why = "the client came for a session that this server does not have, or with a wrong secret";
        let failure = Failure { close_code: 1008, ..Failure::new(Phase::Websocket, Cause::Session, why) };
        greeter.link.fail(endpoint, cx, failure);
        greeter.link.write(endpoint, cx);
    }

    /// There is no session. A client that came for the one that it had ends: what it has not delivered is lost.
    fn go_without(&mut self, why: Option<&'static str>) -> Progress {
        let At::Greeting(greeter) = &mut self.at else { return Progress::Pending { more: false } };
        greeter.link.drop_channel_without_marker();
        let mut session = greeter.link.take_session();
        if let Some(mut lost) = session.take_if(|session| session.is_alive()) {
            lost.end();
            self.session = Some(lost);
            let why = format!("the session ({SESSION_MS}) is lost: {}", why.unwrap_or_default());
            return Progress::Failed(Failure::new(Phase::Websocket, Cause::Session, why));
        }
        if session.as_mut().is_some_and(|session| session.forget_request()) {
            self.session = session;
            let why = "the link before was lost before the server had the request for a session";
            return Progress::Failed(Failure::new(Phase::Websocket, Cause::PeerGone, why));
        }
        let renews = session.is_some_and(|session| session.terms().renews);
        self.greeted(None, why.map(|why| (why, renews)))
    }

    fn greeted(&mut self, resumed: Option<u64>, without: Option<(&'static str, bool)>) -> Progress {
        let At::Greeting(greeter) = std::mem::replace(&mut self.at, At::Moving) else {
            return Progress::Pending { more: false };
        };
        let Greeter { link, place, .. } = *greeter;
        let early = std::mem::take(&mut self.early);
        Progress::Opened(Box::new(Opened { link, early, place: Some(place), resumed, without }))
    }
}
