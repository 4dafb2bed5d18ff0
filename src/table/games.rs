//! What the functions of the boundary do with hosts and joins, where that is not what they do with servers and clients.

use super::family::{Body, Kind, Member};
use super::verbs::{accepted, check_size, gone, wake_for_output, wrong_kind};
use super::{registry, with};
use crate::error::Error;
use crate::multiplayer::{HOST_ID, Join, Multiplayer, Target};
use crate::peer::{Cx, Peer};
use crate::status::{ErrorCode, Success};
use std::time::{Duration, Instant};

/// After the connection of a join was moved on. True: there is more to look at.
pub(super) fn poll_join(join: &mut Join, peer: &mut Peer, cx: &mut Cx<'_>, gap: Duration, next_timer: &mut Option<Instant>) -> bool {
    join.shift(gap);
    let more = join.look(peer, cx);
    *next_timer = [*next_timer, join.next_timer()].into_iter().flatten().min();
    more
}

/// ws_put_packet (`target` is `None`) and ws_put_packet_to.
pub(super) fn put(body: &mut Body, member: Member, target: Option<Target>, text: bool, payload: &[u8]) -> Result<Success, Error> {
    let several = member == Member::Server && !matches!(target, Some(Target::One(_)));
    let (now, budget) = match &body.kind {
        Kind::Server(server) if several => (Instant::now(), server.options.budget()),
        _ => (body.polled[0].unwrap_or(registry().epoch), None),
    };
    let (game, kind, mut cx) = body.parts_of_game(now, budget);
    let sent = match (game, kind, member) {
        (Multiplayer::Host(host), Kind::Server(server), member) => {
            check_size(&server.options, payload, host.header_bytes())?;
            match (member, target) {
                (Member::Client(key), None) => host.put_one(server, &mut cx, key, text, payload)?,
                (Member::Client(_), Some(_)) => return Err(wrong_kind("only a server, a host or a join has targets; use ws_put_packet")),
                (_, target) => host.put(server, &mut cx, target.unwrap_or(Target::All), text, payload)?,
            }
        }
        (Multiplayer::Join(join), Kind::Client(peer), _) => {
            check_size(&peer.options, payload, join.header_bytes())?;
            join.put(peer, &mut cx, target, text, payload)?
        }
        _ => return Err(gone()),
    };
    wake_for_output(body);
    accepted(sent)
}

/// ws_get_peer_id: of a host 1, of its client and of a join the id, 0 until it has come.
pub fn peer_id(handle: u32) -> Result<i32, Error> {
    with(handle, |body, member| match (&body.multiplayer, &mut body.kind, member) {
        (Multiplayer::Host(_), _, Member::Server) => Ok(HOST_ID),
        (Multiplayer::Host(_), kind, member) => kind.peer(member).map(|peer| peer.peer_id).ok_or_else(gone),
        (Multiplayer::Join(join), ..) => Ok(join.id()),
        _ => Err(not_a_game()),
    })
}

/// ws_get_conn: the handle of the connection to a peer.
pub fn conn(handle: u32, peer_id: i32) -> Result<u32, Error> {
    with(handle, |body, member| match (&body.multiplayer, &mut body.kind, member) {
        (Multiplayer::Host(host), Kind::Server(server), Member::Server) => server.peer(host.place(peer_id)?).map(|peer| peer.handle).ok_or_else(gone),
        (Multiplayer::Join(_), _, _) if peer_id == HOST_ID => Ok(handle),
        (Multiplayer::Join(_), ..) => Err(Error::new(ErrorCode::Target, "one who joins has a connection only to the host, peer 1")),
        _ => Err(not_a_game()),
    })
}

fn not_a_game() -> Error {
    wrong_kind("only hosts and joins have peers with ids")
}
