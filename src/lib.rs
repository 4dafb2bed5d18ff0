//! WebSockets that a game engine polls from its frame loop. The product is the C ABI of `include/wspeer.h`;
//! modules stand in the order in which bytes travel: up from the socket to the boundary.

pub mod codes;
pub mod error;
pub mod net;
pub mod protocol;
