//! Hosts and joins of a scene: admission, the cost of many peers, and limits per peer.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

mod admission;
mod crowd;
mod limits;
