//! The time between two tries of a client that reconnects.

use super::{At, Opening, Recipe, name_node};
use crate::endpoint::{Endpoint, Mark};
use crate::error::Failure;
use crate::link::{Link, Waiting};
use crate::net::{Services, Stream};
use crate::protocol::RequestSpec;
use crate::session::Session;
use crate::work::LONG_GAP;
use std::time::{Duration, Instant};

/// A client between two tries.
pub struct Rest {
    /// Why the link was lost, or the last try failed.
    pub failure: Failure,
    /// The event of a lost link, until it is queued; `None`: a try failed.
    pub lost: Option<Box<Mark>>,
    /// The minimum wait that the server asked for.
    pub retry_after: Option<Duration>,
    /// When the next try begins; `None`: it has not been decided.
    pub until: Option<Instant>,
    /// Where the server sent the client.
    pub url: Option<String>,
}

impl Rest {
    /// A rest whose end is to be decided.
    pub fn new(failure: Failure, lost: Option<Box<Mark>>, retry_after: Option<Duration>) -> Rest {
        Rest { failure, lost, retry_after, until: None, url: None }
    }

    /// A server's client that waits until it resumes its session.
    pub fn of_server() -> Rest {
        Rest::new(Failure::default(), None, None)
    }

    /// Moves its end by the length of a gap between polls, but for the part that is none: who polls rarely goes on too.
    pub(super) fn shift(&mut self, gap: Duration) {
        self.until = self.until.map(|until| until + gap.saturating_sub(LONG_GAP));
    }
}

impl Opening {
    /// A client that waits for its next try. `early`: messages that wait for OPEN.
    pub fn resting(rest: Rest, early: Waiting, now: Instant) -> Opening {
        Opening { early, ..Opening::new(At::Resting(Box::new(rest)), None, false, now) }
    }

    /// Begins the next try.
    pub fn dial_on(&mut self, services: &Services, recipe: Recipe, endpoint: &Endpoint, now: Instant) {
        let (early, pending_close) = (std::mem::take(&mut self.early), self.pending_close.take());
        let session = self.session.take().or_else(|| recipe.new_session(endpoint));
        *self = Opening { early, pending_close, ..Opening::dial(services, recipe, session, now) };
    }

    /// Begins to open a link beside the one that has the session, which it may resume later.
    pub fn dial_beside(services: &Services, mut recipe: Recipe, session: &Session, now: Instant) -> Opening {
        name_node(&mut recipe.request, Some(session));
        Opening::dial(services, recipe, None, now)
    }

    /// Goes on with a link that was opened beside the one that is lost.
    pub fn resume_on(&mut self, endpoint: &Endpoint, mut link: Link) {
        let Some(session) = self.session.take() else { return };
        link.take_up(session);
        self.deadline = link.announcement_deadline();
        self.begin_greeting(endpoint, link, false);
    }

    /// Begins the next try on an open transport.
    pub fn request_again_on(
        &mut self,
        endpoint: &mut Endpoint,
        stream: Stream,
        spec: &RequestSpec,
        timeout: Option<Duration>,
        now: Instant,
    ) {
        let (early, pending_close, session) =
            (std::mem::take(&mut self.early), self.pending_close.take(), self.session.take());
        let mut spec = spec.clone();
        name_node(&mut spec, session.as_deref());
        let opening = Opening::request_on(endpoint, stream, &spec, timeout, self.queue_before_open, now);
        *self = Opening { early, pending_close, session, ..opening };
    }

    /// The wait for the next try, if it is in one.
    pub fn rest(&self) -> Option<&Rest> {
        match &self.at {
            At::Resting(rest) => Some(rest),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn rest_mut(&mut self) -> Option<&mut Rest> {
        match &mut self.at {
            At::Resting(rest) => Some(rest),
            _ => None,
        }
    }

    /// Decides when the next try begins, and whether messages are accepted until it has opened. Returns the event of
    /// the lost link.
    pub fn rest_until(&mut self, at: Instant, queue_before_open: bool) -> Option<Box<Mark>> {
        self.queue_before_open = queue_before_open;
        let At::Resting(rest) = &mut self.at else { return None };
        rest.until = Some(at);
        rest.lost.take()
    }

    /// Forgets the event of the lost link: to the program it was a failed try.
    pub fn forget_loss(&mut self) {
        if let At::Resting(rest) = &mut self.at {
            rest.lost = None;
        }
    }

    /// Takes the messages that wait for OPEN.
    pub fn take_early(&mut self) -> Waiting {
        std::mem::take(&mut self.early)
    }
}
