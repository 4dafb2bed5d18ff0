//! RFC 6455, and what proxies are asked, without I/O and without a clock: bytes in, messages and bytes out.

mod allowed;
mod assembly;
mod body;
mod channel;
mod client;
mod connect;
mod control;
mod decode;
mod deflate;
mod encode;
mod extension;
mod forwarded;
mod framing;
mod head;
mod header;
mod headers;
mod mask;
mod place;
mod proxy_header;
mod received;
mod refused;
mod request;
mod response;
mod server;
mod socks;
mod tunnel;
mod utf8;
mod violation;

pub use allowed::{Allowed, HostList, OriginList};
pub use channel::{
    Announcement, Control, Grant, LONGEST_CONTROL, LONGEST_DRAIN, LONGEST_DRAIN_URL, Marker, NewSession, Question,
    ResumeSession, Secret, SessionId, ask_in, encode_announcement, encode_control, is_node, read_announcement,
    read_control, read_question,
};
pub use client::{AskedChannel, ClientHandshake, RequestSpec, Response, shown_location};
pub use control::ControlPayload;
pub use decode::Decoder;
pub use deflate::{Broken, Compressor, Decompressor};
pub use encode::{
    CONTINUATION, Lead, close_payload, code_may_be_sent, encode_frame, frame_header, frame_room, opcode_of, write_frame,
};
pub use extension::{DeflateParams, DeflateSettings, MAX_BITS, MIN_OWN_BITS, accept_answer, choose_offer, offer};
pub use forwarded::Forwarding;
pub use header::Header;
pub(crate) use headers::trimmed;
pub use headers::{Headers, check_header, check_subprotocols};
pub use mask::{MaskKeys, copy_masked, extend_masked, mask};
pub use place::{Login, Place, Site};
pub use proxy_header::{MAX_PROXY_HEADER, ProxyHeader};
pub use received::{Limits, Received};
pub use refused::Refused;
pub use request::{Method, Request, WebSocketRequest};
pub use response::{Refusal, Reply, has_body};
pub use server::{Accept, Agreement, CONTINUE, OfferedChannel, ServerHandshake, not_asked_for};
pub use tunnel::{Asked, Tunnel};
pub use utf8::Utf8;

/// Our role in the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Sends the request, and masks its frames.
    Client,
    /// Answers the request.
    Server,
}
