//! Simulated networks, and the time of families whose program advances it.

use super::family::{Kind, Member};
use super::verbs::peer_of;
use super::{wake, with};
use crate::error::Error;
use crate::names::said::OWN_TIME;
use crate::net::{Simulation, Time};
use crate::sim::Spec;
use std::sync::Arc;

/// ws_set_sim. `None`: a perfect network again.
pub fn set_sim(handle: u32, spec: Option<Spec>) -> Result<(), Error> {
    with(handle, |body, member| {
        let time = match &body.kind {
            Kind::Pair(_) | Kind::Attached(..) => body.time.get_or_insert_default().clone(),
            _ => Time::default(),
        };
        let simulation = spec.map(|spec| Arc::new(Simulation::new(spec, time, wake::all)));
        match (&mut body.kind, member) {
            (Kind::Server(server), Member::Server) => server.set_sim(simulation.as_ref()),
            (Kind::Server(server), Member::Client(key)) => server.set_sim_of(key, simulation.as_ref()),
            (kind, member) => {
                peer_of(kind, member)?.simulate(simulation.as_ref(), true);
                // The next poll looks at what the line that was removed has released.
                body.more[member.end()] = true;
            }
        }
        wake::all();
        Ok(())
    })
}

/// ws_advance_time.
pub fn advance_time(handle: u32, us: u32) -> Result<(), Error> {
    with(handle, |body, _| match &body.kind {
        Kind::Pair(_) | Kind::Attached(..) => {
            body.time.get_or_insert_default().advance(us);
            wake::all();
            Ok(())
        }
        _ => Err(Error::wrong_kind(format!(
            "only handles of {OWN_TIME} have a time of their own: sockets follow the system's"
        ))),
    })
}
