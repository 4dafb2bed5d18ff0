//! What the functions of the boundary do with hosts and joins in a scene: calls, authentication, nodes.

use super::family::{Body, Kind, Member};
use super::verbs::{accepted, check_size, gone, wake_for_output, wrong_kind};
use super::with;
use crate::error::Error;
use crate::multiplayer::{Host, Join, Multiplayer, Target};
use crate::peer::{Cx, Peer};
use crate::server::Server;
use crate::status::Success;
use std::time::Instant;

/// ws_put_packet (`target` is `None`) and ws_put_packet_to of a call.
pub fn put_call(handle: u32, target: Option<i32>, bytes: &[u8]) -> Result<Success, Error> {
    let target = target.map(Target::decode).transpose()?;
    with(handle, |body, member| {
        let sent = match side(body, member)? {
            Side::Host(host, server, mut cx) => {
                check_size(&server.options, bytes, host.header_bytes())?;
                match (member, target) {
                    (Member::Client(key), None) => host.put_call_one(server, &mut cx, key, bytes)?,
                    (Member::Client(_), Some(_)) => return Err(wrong_kind("only a server, a host or a join has targets; use ws_put_packet")),
                    (_, target) => host.put_call(server, &mut cx, target.unwrap_or(Target::All), bytes)?,
                }
            }
            Side::Join(join, peer, mut cx) => {
                check_size(&peer.options, bytes, join.header_bytes())?;
                join.put_call(peer, &mut cx, target, bytes)?
            }
        };
        wake_for_output(body);
        accepted(sent)
    })
}

/// ws_send_auth.
pub fn send_auth(handle: u32, peer_id: i32, data: &[u8]) -> Result<Success, Error> {
    with(handle, |body, member| {
        whole(member)?;
        let sent = match side(body, member)? {
            Side::Host(host, server, mut cx) => host.send_auth(server, &mut cx, peer_id, data)?,
            Side::Join(join, peer, mut cx) => join.send_auth(peer, &mut cx, peer_id, data)?,
        };
        wake_for_output(body);
        accepted(sent)
    })
}

/// ws_complete_auth.
pub fn complete_auth(handle: u32, peer_id: i32) -> Result<Success, Error> {
    with(handle, |body, member| {
        whole(member)?;
        let sent = match side(body, member)? {
            Side::Host(host, server, mut cx) => host.complete_auth(server, &mut cx, peer_id)?,
            Side::Join(join, peer, mut cx) => join.complete_auth(peer, &mut cx, peer_id)?,
        };
        // What came meanwhile is looked at by the next poll.
        body.more[0] = true;
        wake_for_output(body);
        accepted(sent)
    })
}

/// ws_declare_node; `None`: it is forgotten.
pub fn declare_node(handle: u32, path: &str, methods: Option<&str>) -> Result<(), Error> {
    with(handle, |body, member| {
        whole(member)?;
        match side(body, member)? {
            Side::Host(host, ..) => host.declare(path, methods),
            Side::Join(join, ..) => join.declare(path, methods),
        }
    })
}

/// A host or a join, with what belongs to it.
enum Side<'a> {
    Host(&'a mut Host, &'a mut Server, Cx<'a>),
    Join(&'a mut Join, &'a mut Peer, Cx<'a>),
}

fn side<'a>(body: &'a mut Body, member: Member) -> Result<Side<'a>, Error> {
    let (game, kind, cx) = body.parts_of_game(Instant::now(), None);
    match (game, kind, member) {
        (Multiplayer::Host(host), Kind::Server(server), _) => Ok(Side::Host(host, server, cx)),
        (Multiplayer::Join(join), Kind::Client(peer), _) => Ok(Side::Join(join, peer, cx)),
        (Multiplayer::None, ..) => Err(wrong_kind("remote calls, authentication and nodes are for ws_host and ws_join with WS_SCENE")),
        _ => Err(gone()),
    }
}

/// Not a client's handle.
fn whole(member: Member) -> Result<(), Error> {
    match member {
        Member::Client(_) => Err(wrong_kind("this is for the host's own handle, with the peer's id")),
        _ => Ok(()),
    }
}
