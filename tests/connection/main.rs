//! A single connection over an in-memory transport, with a fake clock.

#[path = "../support/clock.rs"]
mod clock;
#[path = "../support/test_connection.rs"]
mod test_connection;

mod budget;
mod compression;
mod connecting;
mod heartbeat;
mod inbox;
mod outbox;
mod plain_http;
mod receiving;
mod reopening;
mod sending;
mod sessions;
mod time;
