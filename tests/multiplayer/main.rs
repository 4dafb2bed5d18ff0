//! Hosts and joins of a scene: admission, the cost of many peers, and limits per peer.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;
#[path = "../support/clock.rs"]
mod clock;
#[path = "../support/test_connection.rs"]
mod test_connection;
#[path = "../support/test_host.rs"]
mod test_host;
#[path = "../support/test_join.rs"]
mod test_join;
#[path = "../support/test_server.rs"]
mod test_server;

mod admission;
mod authentication;
mod budgets;
mod calls;
mod crowd;
mod full_queues;
mod hosts;
mod joins;
mod limits;
mod relaying;
