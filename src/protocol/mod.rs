//! RFC 6455 without I/O and without a clock: bytes in, messages and bytes out.

mod body;
mod client;
mod decode;
mod encode;
mod header;
mod headers;
mod mask;
mod server;
mod utf8;

pub use client::{ClientHandshake, Refused, RequestSpec, Response};
pub use decode::{ControlPayload, Decoder, Limits, Received};
pub use encode::{close_payload, code_may_be_sent, encode_frame, server_frame_header};
pub use header::Header;
pub use headers::{Headers, check_header, check_subprotocols};
pub use mask::{MaskKeys, extend_masked, mask};
pub use server::{Accept, Refusal, Request, ServerHandshake};
pub use utf8::Utf8;

/// Which end of the connection we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Sends the request; masks its frames.
    Client,
    /// Answers the request.
    Server,
}
