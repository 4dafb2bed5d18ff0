//! WebSockets that a game engine polls from its frame loop. The product is the C ABI of `include/wspeer.h`. Modules are
//! listed in the order in which bytes travel: from the socket up to the C boundary.

pub mod codes;
pub mod error;
pub mod forks;
pub mod heap;
pub mod journal;
pub mod names;
pub mod quiet;
pub mod status;

pub mod net;
pub mod protocol;

pub mod work;

pub mod endpoint;
pub mod link;
pub mod opening;

pub mod connection;
pub mod server;

pub mod multiplayer;
pub mod role;

pub mod ffi;
pub mod table;

#[cfg(not(panic = "unwind"))]
compile_error!("wspeer turns panics into WS_ERR_PANIC and must be built with panic = \"unwind\"");
