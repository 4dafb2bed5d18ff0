//! What the decoder gives, and the limits that it keeps.

use super::control::ControlPayload;

/// What is taken from a peer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a message, all fragments together.
    pub max_message: u64,
    /// Fragments of a message.
    pub max_fragments: u32,
}

/// What was decoded.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// All bytes were consumed and no message is whole.
    Nothing,
    /// Many fragments of a message, and there are more bytes: whoever has a clock looks at it.
    Fragments,
    /// A message that lies whole and unmasked in the buffer of this call.
    Message {
        /// Else binary.
        text: bool,
        /// Its first byte.
        start: usize,
        /// Its length.
        len: usize,
    },
    /// A message that came in pieces.
    Assembled {
        /// Else binary.
        text: bool,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// The next piece of a message with RSV1 set, unmasked in the buffer of this call.
    Compressed {
        /// Of the message; else binary.
        text: bool,
        /// It ends its message.
        last: bool,
        /// Its first byte.
        start: usize,
        /// Its length, which may be 0.
        len: usize,
    },
    /// To be answered with a pong of the same payload.
    Ping {
        /// Application data.
        payload: ControlPayload,
    },
    /// An answer to a ping, or a sign of life.
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
