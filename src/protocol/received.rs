//! The output of the decoder, and the limits that it enforces.

use super::control::ControlPayload;

/// Limits on what is accepted from a peer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum bytes of a message, over all fragments.
    pub max_message: u64,
    /// Maximum number of fragments of a message.
    pub max_fragments: u32,
}

/// What the decoder returns.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// All bytes were consumed, and no message is complete.
    Nothing,
    /// Many fragments were decoded and bytes are left: a caller with a time budget should check it.
    Fragments,
    /// A complete message, unmasked in the buffer of this call.
    Message {
        /// Text, otherwise binary.
        text: bool,
        /// Offset of its first byte.
        start: usize,
        /// Its length.
        len: usize,
    },
    /// A message that was received in pieces.
    Assembled {
        /// Text, otherwise binary.
        text: bool,
        /// The payload.
        bytes: Vec<u8>,
    },
    /// The next piece of a message with RSV1 set, unmasked in the buffer of this call.
    Compressed {
        /// The message is text, otherwise binary.
        text: bool,
        /// The last piece of its message.
        last: bool,
        /// Offset of its first byte.
        start: usize,
        /// Its length, which may be 0.
        len: usize,
    },
    /// A ping, to be answered with a pong of the same payload.
    Ping {
        /// Application data.
        payload: ControlPayload,
    },
    /// A pong: the answer to a ping, or unsolicited.
    Pong {
        /// Application data.
        payload: ControlPayload,
    },
    /// The peer's close frame.
    Close {
        /// Its status code.
        code: Option<u16>,
        /// Its reason.
        reason: String,
    },
}
