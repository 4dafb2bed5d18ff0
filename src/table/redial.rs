//! What a client that reconnects opens next, and ws_set_url and ws_set_header, which change it.

use super::family::{Body, Kind};
use super::place::Place;
use super::verbs::peer_of;
use super::way::Way;
use super::{wake, with};
use crate::connection::{Connection, Retry, Spare};
use crate::error::Error;
use crate::journal;
use crate::names::{RECONNECT, SESSION_MS};
use crate::opening::Recipe;
use crate::protocol::check_header;
use crate::role::Role;
use crate::status::{ErrorCode, Hint, Level, State};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// Maximum number of extra headers, as of ws_config.
const MAX_HEADERS: usize = 100;

/// How a client reconnects.
pub struct Redial {
    retry: Retry,
    /// A second link, which opens while the first one goes on.
    spare: Option<Box<Spare>>,
    way: Way,
    place: Place,
}

impl Redial {
    /// For a client whose first opening, with `recipe`, is in progress.
    pub(super) fn new(recipe: Recipe, way: Way, place: Place) -> Redial {
        Redial { retry: Retry::new(recipe), spare: None, way, place }
    }

    /// Before a poll of the connection: begins the next try if its time has come. `gap`: how long the program has not
    /// polled, if that moves deadlines.
    #[inline(never)]
    pub fn begin(&mut self, peer: &mut Connection, role: &mut Role, cx: &mut Cx<'_>, gap: Duration) {
        self.retry.shift(gap);
        if self.retry.begin(peer, cx) {
            self.place.describe(peer);
            if !peer.keeps_session() {
                role.begin_link(peer, cx);
            }
        }
    }

    /// After a poll of the connection. `timers`: when its timers are due. Returns the earliest of them and of the time at
    /// which it must be polled for its next try.
    #[inline(never)]
    pub fn settle(
        &mut self,
        peer: &mut Connection,
        role: &Role,
        cx: &mut Cx<'_>,
        timers: [Option<Instant>; 2],
    ) -> Option<Instant> {
        if let Some(url) = peer.take_new_url() {
            self.follow(&url);
        }
        self.spare = self.spare.take().and_then(|spare| spare.go_on(peer, cx)).map(Box::new);
        let spare = self.spare.as_ref().map(|spare| spare.due_at(cx.now));
        let is_open = role.state(peer) == State::Open;
        let retry = self.retry.settle(peer, cx, is_open, random);
        timers.into_iter().chain([retry, spare]).flatten().min()
    }
}

impl Redial {
    /// Begins to open a second link for the session of the first one, in the place of an earlier one.
    fn open_beside(&mut self, peer: &Connection, cx: &Cx<'_>) {
        if let Some(earlier) = self.spare.take() {
            earlier.give_up(cx);
        }
        self.spare = Spare::dial(peer, self.retry.recipe.clone(), cx).map(Box::new);
    }

    /// The server sends the client to another URL. It is followed where it keeps what the program's own URL promised: it
    /// never leads from wss:// to ws://, and credentials and extra headers go to no other origin.
    fn follow(&mut self, url: &str) {
        let followed = Place::parse(url).and_then(|place| {
            let (from, to) = (&self.place.url, &place.url);
            if (from.scheme() == "wss" && to.scheme() != "wss") || !to.username().is_empty() || to.password().is_some()
            {
                return Err(Error::new(ErrorCode::Url, "it is not as safe as the client's own, or has a password"));
            }
            let is_other = from.origin() != to.origin() || self.place.zone_number() != place.zone_number();
            let mut recipe = self.way.to(&place)?;
            if is_other {
                self.way.drop_headers();
                recipe.request = self.way.request(&place);
            }
            Ok((place, recipe))
        });
        match followed {
            Ok((place, recipe)) => (self.place, self.retry.recipe) = (place, recipe),
            Err(error) => journal::note(Level::Error, || {
                format!("the server's other URL is not followed: {}", error.into_message())
            }),
        }
    }
}

/// ws_hint.
pub fn hint(handle: u32, hint: Hint) -> Result<(), Error> {
    with(handle, |body, member| {
        let not_one = || Error::wrong_kind("only a client or join takes hints about its device and network");
        if !matches!(body.kind, Kind::Client(_)) {
            return Err(not_one());
        }
        let Body { kind, redial, shared, more, .. } = body;
        let peer = peer_of(kind, member)?;
        let mut cx = shared.cx(Instant::now(), Some(1_000));
        if let Some(redial) = redial.as_deref_mut() {
            redial.retry.hint(peer, &cx, hint);
        }
        match hint {
            Hint::Suspend => {}
            Hint::Resume => peer.probe(&mut cx),
            Hint::NetworkChanged => {
                // The link that it has may go on, or be dead.
                peer.probe(&mut cx);
                if let Some(redial) = redial.as_deref_mut().filter(|_| peer.state() == State::Open) {
                    redial.open_beside(peer, &cx);
                }
            }
        }
        more[member.end()] = true;
        wake::all();
        Ok(())
    })
}

/// ws_set_url.
pub fn set_url(handle: u32, url: &str) -> Result<(), Error> {
    with(handle, |body, _| {
        let redial = redial(body)?;
        let place = Place::parse(url)?;
        redial.retry.recipe = redial.way.to(&place)?;
        redial.place = place;
        Ok(())
    })
}

/// ws_set_header.
pub fn set_header(handle: u32, name: &str, value: Option<&str>) -> Result<(), Error> {
    with(handle, |body, _| {
        let redial = redial(body)?;
        // A name is checked without a value too, so that a mistake in it is told.
        let line = format!("{name}: {}", value.unwrap_or("removed"));
        let (name, checked) = check_header(&line).map_err(|why| Error::new(ErrorCode::Arg, why))?;
        if !redial.way.set_header(&name, value.map(|_| checked), MAX_HEADERS) {
            return Err(Error::new(ErrorCode::Arg, format!("there are {MAX_HEADERS} extra headers already")));
        }
        redial.retry.recipe.request = redial.way.request(&redial.place);
        Ok(())
    })
}

fn redial(body: &mut Body) -> Result<&mut Redial, Error> {
    let not_one = || {
        Error::wrong_kind(format!(
            "only a client or join that was opened with {RECONNECT} or {SESSION_MS} connects again"
        ))
    };
    body.redial.as_deref_mut().ok_or_else(not_one)
}

/// 64 random bits. Without a source of them, a wait has its mean.
fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => 1 << 63,
    }
}
