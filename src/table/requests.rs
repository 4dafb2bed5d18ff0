//! Answers of the program to requests (WS_ASK).

use super::family::{Body, Kind, Member};
use super::{wake, with};
use crate::error::Error;
use crate::names::said::REQUEST_CONN;
use crate::protocol::Reply;
use crate::role::Role;
use crate::server::Server;
use crate::work::Cx;
use std::time::Instant;

/// Budget of an answer, in microseconds.
const BUDGET: u32 = 1_000;

/// ws_accept.
pub fn accept(handle: u32, subprotocol: Option<&str>, headers: &[(String, String)]) -> Result<(), Error> {
    answer(handle, |role, server, cx, key| {
        server.accept_request(cx, key, subprotocol, headers)?;
        role.accepted(server, cx, key);
        Ok(())
    })
}

/// ws_reply.
pub fn reply(handle: u32, response: &Reply) -> Result<(), Error> {
    answer(handle, |_, server, cx, key| server.reply(cx, key, response))
}

fn answer(
    handle: u32,
    act: impl FnOnce(&mut Role, &mut Server, &mut Cx<'_>, u32) -> Result<(), Error>,
) -> Result<(), Error> {
    with(handle, |body: &mut Body, member| {
        let (role, kind, mut cx) = body.parts_with_role(Instant::now(), Some(BUDGET));
        let (Kind::Server(server), Member::Client(key)) = (kind, member) else {
            return Err(Error::wrong_kind(format!("only a client of a server has a request: use {REQUEST_CONN}")));
        };
        act(role, server, &mut cx, key)?;
        // The next poll reads what the client has sent meanwhile.
        body.more[0] = true;
        wake::all();
        Ok(())
    })
}
