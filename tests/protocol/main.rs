//! The protocol without sockets and clocks: bytes in, bytes out.

mod client_handshake;
mod decoding;
mod differential;
mod encoding;
mod fill;
mod frames;
mod plain_requests;
mod proxies;
mod server_handshake;
mod text_and_limits;
mod variants;
