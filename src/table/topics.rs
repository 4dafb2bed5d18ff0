//! Topics of a server's clients, and messages to those who have subscribed to one.

use super::family::{Kind, Member};
use super::verbs::{accepted, client_of, wake_for_output};
use super::{with, with_family};
use crate::error::Error;
use crate::role::{Packet, no_topics};
use crate::status::Success;
use crate::work::Latest;

/// ws_subscribe.
pub fn subscribe(handle: u32, topic: &str) -> Result<(), Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Client(key)) => server.subscribe(key, topic),
        _ => Err(no_topics()),
    })
}

/// ws_unsubscribe; `None`: from all topics.
pub fn unsubscribe(handle: u32, topic: Option<&str>) -> Result<(), Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Client(key)) => server.unsubscribe(key, topic),
        _ => Err(no_topics()),
    })
}

/// ws_get_topics.
pub fn topics(handle: u32) -> Result<String, Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Client(key)) => Ok(server.topics(Some(key))),
        (Kind::Server(server), Member::Server) => Ok(server.topics(None)),
        _ => Err(no_topics()),
    })
}

/// ws_publish; the target of `packet` is left out. With `latest` ws_publish_latest.
pub fn publish(handle: u32, topic: &str, latest: Option<Latest>, packet: Packet<'_>) -> Result<Success, Error> {
    with_family(handle, |family, body, member| {
        let budget = match &body.kind {
            Kind::Server(server) => server.endpoint.options.budget(),
            _ => return Err(no_topics()),
        };
        let (now, budget) = body.clock(budget);
        let (role, kind, mut cx) = body.parts_with_role(now, budget);
        cx.latest = latest;
        let find = |handle| client_of(family, handle);
        let sent = role.publish(kind.place(member)?, &mut cx, topic, packet, &find)?;
        wake_for_output(body);
        accepted(sent)
    })
}
