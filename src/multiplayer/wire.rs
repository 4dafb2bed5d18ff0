//! Wire formats of Godot's multiplayer peers. All numbers are little-endian.
//!
//! Godot 4: the host's first message is the 4-byte id; each later message is a packet without a header. Godot 3: every
//! message starts with 9 bytes (type, from, to); the host assigns ids, announces joins and departures, and relays
//! packets for others.

use crate::error::Error;
use crate::heap;
use crate::names::said::BINARY;
use crate::status::ErrorCode;

/// A wire format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    /// WebSocketMultiplayerPeer since Godot 4.0.
    Godot4,
    /// The same, with the packets of SceneMultiplayer on top.
    Scene,
    /// WebSocketServer and WebSocketClient with gd_mp_api, Godot 3.2 to 3.6.
    Godot3,
}

/// Bytes of the header of a Godot 3 message.
pub const HEADER: usize = 9;

const PAYLOAD: u8 = 0;
const ADD: u8 = 1;
const DEL: u8 = 2;
const ID: u8 = 3;

/// A Godot 3 message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message3 {
    /// A packet, after the header.
    Payload {
        /// The sender's id.
        from: i32,
        /// The target; see `Target`.
        to: i32,
    },
    /// This peer has joined.
    Add(i32),
    /// This peer has left.
    Del(i32),
    /// The recipient's own id.
    Id(i32),
}

/// Encodes the first message of a Godot 4 host.
pub fn id_message(id: i32) -> [u8; 4] {
    id.to_le_bytes()
}

/// Decodes the id in the first message of a Godot 4 host; `Err` describes the defect.
pub fn read_id(text: bool, bytes: &[u8]) -> Result<i32, String> {
    match <[u8; 4]>::try_from(bytes) {
        _ if text => Err("the first message is text and not an id of 4 bytes".to_owned()),
        Ok(bytes) => check_id(i32::from_le_bytes(bytes)),
        Err(_) => Err(format!("the first message has {} bytes and not the 4 of an id", bytes.len())),
    }
}

/// Appends the header of a Godot 3 packet.
pub fn put_header(out: &mut Vec<u8>, from: i32, to: i32) {
    out.push(PAYLOAD);
    out.extend_from_slice(&from.to_le_bytes());
    out.extend_from_slice(&to.to_le_bytes());
}

/// Builds a Godot 3 packet in `memory`: header, then payload.
pub fn frame3(mut memory: Vec<u8>, from: i32, to: i32, text: bool, payload: &[u8]) -> Result<Vec<u8>, Error> {
    if text {
        return Err(Error::new(ErrorCode::Arg, format!("Godot 3's format has no text messages: send it as {BINARY}")));
    }
    memory.clear();
    put_header(&mut memory, from, to);
    if heap::append(&mut memory, payload) { Ok(memory) } else { Err(heap::lacks()) }
}

/// Encodes a Godot 3 host's message about an id.
pub fn about(message: Message3) -> [u8; HEADER + 4] {
    let (kind, id) = match message {
        Message3::Add(id) => (ADD, id),
        Message3::Del(id) => (DEL, id),
        Message3::Id(id) => (ID, id),
        Message3::Payload { to, .. } => (PAYLOAD, to),
    };
    let mut bytes = [0; HEADER + 4];
    bytes[0] = kind;
    bytes[1] = 1;
    bytes[HEADER..].copy_from_slice(&id.to_le_bytes());
    bytes
}

/// Decodes a Godot 3 message; `Err` describes the defect.
pub fn read3(text: bool, bytes: &[u8]) -> Result<Message3, String> {
    let number = |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(i32::from_le_bytes);
    let (Some(kind), Some(from), Some(to)) = (bytes.first(), number(1), number(5)) else {
        return Err(format!("a message has {} bytes and not the {HEADER} of its header", bytes.len()));
    };
    if text {
        return Err("a message is text, and this format has none".to_owned());
    }
    match (*kind, number(HEADER)) {
        (PAYLOAD, _) => Ok(Message3::Payload { from, to }),
        (ADD, Some(id)) if id >= 1 => Ok(Message3::Add(id)),
        (DEL, Some(id)) if id >= 1 => Ok(Message3::Del(id)),
        (ID, Some(id)) => check_id(id).map(Message3::Id),
        (ADD | DEL | ID, None) => {
            Err(format!("a message about an id has {} bytes and not {}", bytes.len(), HEADER + 4))
        }
        (ADD | DEL, Some(id)) => Err(format!("{id} is no id of a peer")),
        (kind, _) => Err(format!("{kind} is no kind of message")),
    }
}

fn check_id(id: i32) -> Result<i32, String> {
    if id >= 2 { Ok(id) } else { Err(format!("{id} is not a client's id: clients have 2 and above")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Captured between Godot 4.6.3 and its own server.
    #[test]
    fn a_godot_4_id_is_four_bytes() {
        assert_eq!(id_message(94_751_094), [0x76, 0xC9, 0xA5, 0x05]);
        assert_eq!(read_id(false, &[0x76, 0xC9, 0xA5, 0x05]), Ok(94_751_094));
        assert_eq!(read_id(false, &[2, 0, 0, 0]), Ok(2));
        assert_eq!(read_id(false, &[0xFF, 0xFF, 0xFF, 0x7F]), Ok(i32::MAX));
    }

    #[test]
    fn an_invalid_first_message_is_refused_as_an_id() {
        for (text, bytes) in [
            (false, &[][..]),
            (false, &[2, 0, 0]),
            (false, &[2, 0, 0, 0, 0]),
            (false, &[1, 0, 0, 0]),
            (false, &[0, 0, 0, 0]),
            (false, &[0xFF, 0xFF, 0xFF, 0xFF]),
            (true, &[2, 0, 0, 0]),
        ] {
            assert!(read_id(text, bytes).is_err(), "{text} {bytes:?}");
        }
    }

    // Captured between Godot 3.6.2 and its own server.
    #[test]
    fn godot_3_announces_ids_with_a_header() {
        let of_host = |kind, id: [u8; 4]| [&[kind, 1, 0, 0, 0, 0, 0, 0, 0][..], &id].concat();
        for (message, bytes) in [
            (Message3::Id(0x385F_85F7), of_host(3, [0xF7, 0x85, 0x5F, 0x38])),
            (Message3::Add(1), of_host(1, [1, 0, 0, 0])),
            (Message3::Add(0x060B_4D35), of_host(1, [0x35, 0x4D, 0x0B, 0x06])),
            (Message3::Del(0x060B_4D35), of_host(2, [0x35, 0x4D, 0x0B, 0x06])),
        ] {
            assert_eq!(about(message)[..], bytes, "{message:?}");
            assert_eq!(read3(false, &bytes), Ok(message));
        }
    }

    #[test]
    fn a_godot_3_packet_follows_its_header() {
        for (from, to, bytes) in [
            (0x385F_85F7, 1, [0, 0xF7, 0x85, 0x5F, 0x38, 1, 0, 0, 0]),
            (0x385F_85F7, 0x060B_4D35, [0, 0xF7, 0x85, 0x5F, 0x38, 0x35, 0x4D, 0x0B, 0x06]),
            (0x385F_85F7, -1, [0, 0xF7, 0x85, 0x5F, 0x38, 0xFF, 0xFF, 0xFF, 0xFF]),
            (1, 0, [0, 1, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            put_header(&mut out, from, to);
            assert_eq!(out, bytes);
            out.extend_from_slice(&[4, 4, 5, 6]);
            assert_eq!(read3(false, &out), Ok(Message3::Payload { from, to }));
        }
    }

    #[test]
    fn invalid_godot_3_messages_are_refused() {
        let whole = about(Message3::Id(7));
        for bytes in [&[][..], &[0], &whole[..8], &whole[..9], &whole[..12], &[4, 1, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(read3(false, bytes).is_err(), "{bytes:?}");
        }
        for bad in [about(Message3::Id(1)), about(Message3::Id(-5)), about(Message3::Add(0)), about(Message3::Del(-2))]
        {
            assert!(read3(false, &bad).is_err(), "{bad:?}");
        }
        assert!(read3(true, &[0; 9]).is_err());
    }
}
