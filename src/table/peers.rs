//! Multiplayer operations besides messages: ids, remote calls, authentication, nodes.

use super::verbs::{accepted, wake_for_output};
use super::{Body, Member, with};
use crate::error::Error;
use crate::link::Sent;
use crate::multiplayer::Target;
use crate::role::{Place, Role};
use crate::status::Success;
use crate::work::Cx;

/// ws_get_peer_id: 1 for a host, and the assigned id for a host's client or a join: 0 before it is assigned.
pub fn peer_id(handle: u32) -> Result<i32, Error> {
    with(handle, |body, member| body.role.peer_id(body.kind.place(member)?))
}

/// ws_get_conn: the handle of the connection to a peer.
pub fn conn(handle: u32, peer_id: i32) -> Result<u32, Error> {
    with(handle, |body, member| body.role.conn(body.kind.place(member)?, handle, peer_id))
}

/// ws_put_packet (`target` is `None`) and ws_put_packet_to, for a remote call.
pub fn put_call(handle: u32, target: Option<i32>, bytes: &[u8]) -> Result<Success, Error> {
    let target = target.map(Target::decode).transpose()?;
    with(handle, |body, member| send(body, member, |role, at, cx| role.put_call(at, cx, target, bytes)))
}

/// As `put_call`, for a packet of replication that the program made.
pub fn put_replication(handle: u32, target: Option<i32>, bytes: &[u8]) -> Result<Success, Error> {
    let target = target.map(Target::decode).transpose()?;
    with(handle, |body, member| send(body, member, |role, at, cx| role.put_replication(at, cx, target, bytes)))
}

/// ws_send_auth.
pub fn send_auth(handle: u32, peer_id: i32, data: &[u8]) -> Result<Success, Error> {
    with(handle, |body, member| send(body, member, |role, at, cx| role.send_auth(at, cx, peer_id, data)))
}

/// ws_complete_auth.
pub fn complete_auth(handle: u32, peer_id: i32) -> Result<Success, Error> {
    with(handle, |body, member| {
        let sent = send(body, member, |role, at, cx| role.complete_auth(at, cx, peer_id));
        // The next poll processes what was received meanwhile.
        body.more[0] |= sent.is_ok();
        sent
    })
}

/// ws_declare_node; `None` forgets the node.
pub fn declare_node(handle: u32, path: &str, methods: Option<&str>) -> Result<(), Error> {
    with(handle, |body, member| body.role.declare(body.kind.place(member)?, path, methods))
}

/// Sends by the rules of the role, and wakes waiting threads if output is left.
fn send(
    body: &mut Body,
    member: Member,
    act: impl FnOnce(&mut Role, Place<'_>, &mut Cx<'_>) -> Result<Sent, Error>,
) -> Result<Success, Error> {
    let (role, kind, mut cx) = body.parts_with_role(body.now(), None);
    let sent = act(role, kind.place(member)?, &mut cx)?;
    wake_for_output(body);
    accepted(sent)
}
