//! Through the C ABI: what arrives in which order, and what is counted.
#![allow(unsafe_code)] // The calls of a C host.

#[path = "../support/c_host.rs"]
mod c_host;

mod broadcasts;
mod early_messages;
mod encode_aliases;
mod event_order;
mod names;
mod outbound_counts;
