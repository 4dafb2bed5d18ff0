//! A second link of a client's session, which opens while the first one goes on: the network has changed.

use super::retry::report_loss;
use super::{Connection, Stage};
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::journal;
use crate::link::Link;
use crate::opening::{Opening, Progress, Recipe};
use crate::status::{Cause, Level, Phase, State};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// How often its sockets are looked after: no wait watches them.
const STEP: Duration = Duration::from_millis(10);

/// The second link.
pub struct Spare {
    opening: Box<Opening>,
    /// What is known of it, until the session moves to it.
    endpoint: Endpoint,
    /// It is open, and waits for the session.
    link: Option<Link>,
}

impl Spare {
    /// Begins to open a link beside that of a client. `None`: it has no session.
    pub fn dial(peer: &Connection, recipe: Recipe, cx: &Cx<'_>) -> Option<Spare> {
        let session = peer.session().filter(|session| session.is_alive())?;
        let opening = Box::new(Opening::dial_beside(cx.services, recipe, session, cx.now));
        Some(Spare { opening, endpoint: Endpoint::new(peer.endpoint.options.clone()), link: None })
    }

    /// After a poll of the client: goes on, and moves the session to the new link once that is open. Returns the second
    /// link as long as it is needed.
    pub fn go_on(mut self, peer: &mut Connection, cx: &mut Cx<'_>) -> Option<Spare> {
        if peer.state() != State::Open || !peer.keeps_session() {
            self.give_up(cx);
            return None;
        }
        if self.link.is_none() {
            match self.opening.pump(&mut self.endpoint, cx) {
                Progress::Opened(opened) => self.link = Some(opened.link),
                Progress::Pending { .. } => {
                    if let Err(end) = self.opening.check_timers(&mut self.endpoint, cx, true) {
                        self.fail(cx, &end.failure);
                        return None;
                    }
                }
                Progress::Failed(failure) => {
                    self.fail(cx, &failure);
                    return None;
                }
                Progress::Ended(end) => {
                    self.fail(cx, &end.failure);
                    return None;
                }
            }
        }
        // The layer above inspects the last messages of the first link before it is lost.
        match self.link.take() {
            Some(link) if peer.endpoint.inbox.held() == 0 => {
                peer.move_to(cx, link, self.endpoint);
                None
            }
            link => Some(Spare { link, ..self }),
        }
    }

    /// When the client has to be polled for it.
    pub fn due_at(&self, now: Instant) -> Instant {
        now + STEP
    }

    fn fail(self, cx: &Cx<'_>, failure: &Failure) {
        journal::note(Level::Info, || format!("no second link was opened: {}", failure.message));
        self.give_up(cx);
    }

    /// Closes it.
    pub fn give_up(mut self, cx: &Cx<'_>) {
        if let Some(stream) = self.link.as_mut().and_then(Link::take_stream) {
            cx.services.reap(stream);
        }
        self.opening.give_up(cx);
    }
}

impl Connection {
    /// Gives the link up, and resumes its session on another one, which is open and of which `other` is known.
    fn move_to(&mut self, cx: &mut Cx<'_>, link: Link, other: Endpoint) {
        let why = "the network has changed, and another link was opened";
        self.leave_link(cx, Failure::new(Phase::Websocket, Cause::PeerGone, why));
        let Stage::Opening(opening) = &mut self.stage else { return };
        if let Some(lost) = opening.rest_until(cx.now, false) {
            report_loss(&mut self.endpoint, cx, *lost);
        }
        opening.resume_on(&self.endpoint, link);
        self.endpoint.counters.wire_in += other.counters.wire_in;
        self.endpoint.counters.wire_out += other.counters.wire_out;
        self.endpoint.info.take_link(other.info);
    }
}
