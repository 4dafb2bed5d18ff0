//! The C ABI: order of messages and events, and counters.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

mod broadcasts;
mod ceiling;
mod early_messages;
mod encode_aliases;
mod event_order;
mod kicked;
mod kicked_often;
mod latest;
mod names;
mod options_while_open;
mod outbound_counts;
mod put_limits;
mod replication;
mod shared_port;
mod stock_nodes;
mod topics;
