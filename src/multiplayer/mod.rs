//! The multiplayer peer: a host and those who join it have ids, and messages have targets. It knows messages, not sockets: a host is a server, and a
//! join is a client, whose messages it looks at.

mod host;
mod ids;
mod join;
mod membership;
mod news;
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
pub use scene_packets::SceneSettings;
pub use target::Target;
pub use wire::Wire;

use crate::error::Failure;
use crate::status::{Cause, Phase};
use crate::work::Cx;

/// The host's id. Everyone else's is above it.
pub const HOST_ID: i32 = 1;

/// A longer message may take a good part of a poll to look at.
const LONG: usize = 64 << 10;
/// What is known of so many is taken apart in no time.
const FEW: usize = 256;
/// Memory that serves again, at most.
const KEPT: usize = 64 << 10;

/// What is kept of memory that served: what is large goes back, which takes its time and is the worker's.
fn kept(cx: &Cx<'_>, memory: Vec<u8>) -> Vec<u8> {
    if memory.capacity() <= KEPT {
        return memory;
    }
    cx.services.discard(Box::new(memory));
    Vec::new()
}

/// A breach of the format, for which the connection is closed.
fn breach(sentence: String) -> Failure {
    Failure { close_code: 1002, ..Failure::new(Phase::Websocket, Cause::Multiplayer, sentence) }
}
