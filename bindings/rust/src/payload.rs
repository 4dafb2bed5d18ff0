//! Messages to send.

use crate::codes::MessageKind;
use crate::event::Message;

/// A message to send: borrowed bytes and their kind.
///
/// Text is sent as text, bytes as binary, a received message as what it was.
///
/// ```
/// # use wspeer::{MessageKind, Payload};
/// assert_eq!(Payload::from("hello").kind(), MessageKind::Text);
/// assert_eq!(Payload::from(&[1_u8, 2]).kind(), MessageKind::Binary);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload<'a> {
    kind: MessageKind,
    bytes: &'a [u8],
}

impl<'a> Payload<'a> {
    /// A message of this kind. Text that is not valid UTF-8 is refused when it is sent.
    pub fn new(kind: MessageKind, bytes: &'a [u8]) -> Payload<'a> {
        Payload { kind, bytes }
    }

    /// A binary message of the bytes of a text.
    pub fn binary(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Payload<'a> {
        Payload::new(MessageKind::Binary, bytes.as_ref())
    }

    /// What it is sent as.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Its content.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn raw_kind(&self) -> i32 {
        self.kind as i32
    }
}

macro_rules! payloads {
    ($kind:ident: $($type:ty),+) => {$(
        impl<'a> From<&'a $type> for Payload<'a> {
            fn from(bytes: &'a $type) -> Payload<'a> {
                Payload::new(MessageKind::$kind, bytes.as_ref())
            }
        }
    )+};
}

payloads!(Text: str, String);
payloads!(Binary: [u8], Vec<u8>);

impl<'a, const N: usize> From<&'a [u8; N]> for Payload<'a> {
    fn from(bytes: &'a [u8; N]) -> Payload<'a> {
        Payload::new(MessageKind::Binary, bytes)
    }
}

impl<'a> From<Message<'a>> for Payload<'a> {
    fn from(message: Message<'a>) -> Payload<'a> {
        Payload::new(message.kind(), message.bytes())
    }
}

impl<'a> From<&Message<'a>> for Payload<'a> {
    fn from(message: &Message<'a>) -> Payload<'a> {
        Payload::from(*message)
    }
}

impl<'a> From<&'a OwnedMessage> for Payload<'a> {
    fn from(message: &'a OwnedMessage) -> Payload<'a> {
        Payload::new(message.kind, &message.bytes)
    }
}

/// A message that owns its bytes: what [`Message::to_owned`](crate::Message::to_owned) makes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OwnedMessage {
    /// What it was received as, or is sent as.
    pub kind: MessageKind,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Multiplayer: the id of the sender. Else 0.
    pub peer_id: i32,
}
