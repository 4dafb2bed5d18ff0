//! The multiplayer peer: a host and its joins have ids, and messages have targets. This layer handles messages, not
//! sockets: a host is a server and a join is a client, whose messages this layer inspects.

mod deadline;
mod host;
mod ids;
mod join;
mod membership;
mod news;
mod outlets;
mod relay;
mod roster;
pub mod scene;
mod scene_host;
mod scene_join;
mod scene_packets;
mod target;
pub mod wire;

pub use host::Host;
pub use join::Join;
pub use scene::replication::{NodeLimit, Outlet};
pub(crate) use scene_packets::CALL_HEAD;
pub use scene_packets::{Scene, SceneSettings};
pub use target::Target;
pub use wire::Wire;

use crate::error::Failure;
use crate::status::{Cause, Phase};
use crate::work::Cx;

/// The host's id. All other ids are greater.
pub const HOST_ID: i32 = 1;

/// Bytes. Processing a longer message may take a good part of a poll's budget.
const LONG: usize = 64 << 10;
/// Number of entries that can be dropped in place, without the worker.
const FEW: usize = 256;
/// Largest capacity, in bytes, of a scratch buffer kept for reuse.
const KEPT: usize = 64 << 10;

/// Returns a small buffer for reuse. A larger one goes to the worker, because freeing it takes long.
fn kept(cx: &Cx<'_>, memory: Vec<u8>) -> Vec<u8> {
    if memory.capacity() <= KEPT {
        return memory;
    }
    cx.services.discard(Box::new(memory));
    Vec::new()
}

/// A violation of the multiplayer format, which closes the connection with status code 1002.
fn violation(why: String) -> Failure {
    Failure { close_code: 1002, ..Failure::new(Phase::Websocket, Cause::Multiplayer, why) }
}
