//! Hosts and joins of a scene: who is admitted, what a crowd costs, what a peer may fill.
#![allow(unsafe_code)] // The calls of a C host.

#[path = "../support/c_host.rs"]
mod c_host;

mod admission;
mod crowd;
mod limits;
