//! The packets of SceneMultiplayer. The lowest 3 bits of the first byte are the command, the other bits its flags. All
//! numbers are little-endian.

use super::call::{Rpc, path};
use crate::multiplayer::HOST_ID;

const COMMAND: u8 = 7;
const CALL: u8 = 0;
const SIMPLIFY: u8 = 1;
const CONFIRM: u8 = 2;
const RAW: u8 = 3;
const SPAWN: u8 = 4;
const SYNC: u8 = 6;
const SYS: u8 = 7;

const AUTH: u8 = 0;
const ADD: u8 = 1;
const DEL: u8 = 2;
const RELAY: u8 = 3;

/// The engine refuses packets of SYNC that have no more bytes.
const SHORTEST_SYNC: usize = 10;

/// Bytes in front of a raw packet.
pub const RAW_HEAD: usize = 1;
/// Bytes in front of a relayed packet.
pub const RELAY_HEAD: usize = 6;
/// Hexadecimal digits of a checksum.
pub const CHECKSUM: usize = 32;

/// A received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A remote call.
    Call(Rpc<'a>),
    /// Assigns a number to the path of a node.
    Simplify {
        /// MD5 of the names of the node's methods, in hexadecimal.
        checksum: &'a [u8; CHECKSUM],
        /// The number that the sender assigned.
        id: u32,
        /// Path of the node, relative to the scene's root.
        path: &'a str,
    },
    /// Confirms a number that the recipient assigned.
    Confirm {
        /// The sender's node has the same methods.
        same: bool,
        /// The confirmed number.
        id: u32,
    },
    /// Raw bytes, as from Godot's send_bytes.
    Raw(&'a [u8]),
    /// A packet of a MultiplayerSpawner or MultiplayerSynchronizer.
    Replication,
    /// Authentication data; empty: the sender has completed the authentication.
    Auth(&'a [u8]),
    /// This peer has joined.
    Add(i32),
    /// This peer has left.
    Del(i32),
    /// A packet relayed by the host.
    Relay {
        /// Sent to the host: the target. Sent by the host: the original sender.
        peer: i32,
        /// The relayed packet.
        packet: &'a [u8],
    },
}

/// Decodes a packet; `Err` describes the defect.
pub fn read(bytes: &[u8]) -> Result<Packet<'_>, String> {
    let Some((first, rest)) = bytes.split_first() else { return Err("a packet is empty".to_owned()) };
    match first & COMMAND {
        CALL => Rpc::read(bytes).map(Packet::Call),
        SIMPLIFY => simplify(rest),
        CONFIRM => match rest {
            [same, id @ ..] if id.len() == 4 => Ok(Packet::Confirm { same: *same != 0, id: word(id)? }),
            _ => Err(format!("a confirmed path has {} bytes and not 6", bytes.len())),
        },
        RAW if rest.is_empty() => Err("a packet of raw bytes is empty".to_owned()),
        RAW => Ok(Packet::Raw(rest)),
        SYS => system(rest),
        _ => Ok(Packet::Replication),
    }
}

/// Whether a packet is one of replication, well-formed or not.
pub fn is_replication(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| matches!(first & COMMAND, SPAWN..=SYNC))
}

/// Checks a packet of replication that the program made.
pub fn check_replication(packet: &[u8]) -> Result<(), String> {
    match packet {
        _ if !is_replication(packet) => Err("it begins with none of the commands 4, 5 and 6".to_owned()),
        [first, ..] if first & COMMAND == SYNC && packet.len() <= SHORTEST_SYNC => {
            Err(format!("the engine refuses a packet of command 6 with at most {SHORTEST_SYNC} bytes"))
        }
        _ => Ok(()),
    }
}

/// Whether a packet is a remote call, well-formed or not.
pub fn is_call(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & COMMAND == CALL)
}

fn simplify(rest: &[u8]) -> Result<Packet<'_>, String> {
    let Some((checksum, rest)) = rest.split_first_chunk::<CHECKSUM>() else {
        return Err("a path to be simplified is cut off".to_owned());
    };
    let [0, rest @ ..] = rest else { return Err("the checksum of a path has no end".to_owned()) };
    Ok(Packet::Simplify { checksum, id: word(rest)?, path: path(&rest[4..])? })
}

fn system(rest: &[u8]) -> Result<Packet<'_>, String> {
    let Some((what, rest)) = rest.split_first() else { return Err("a packet of the system is cut off".to_owned()) };
    if *what == AUTH {
        return Ok(Packet::Auth(rest));
    }
    let peer = word(rest)? as i32;
    match (*what, &rest[4..]) {
        (ADD | DEL, _) if peer <= HOST_ID => Err(format!("{peer} is not a client's id: clients have 2 and above")),
        (ADD, _) => Ok(Packet::Add(peer)),
        (DEL, _) => Ok(Packet::Del(peer)),
        (RELAY, []) => Err("what is to be passed on is empty".to_owned()),
        (RELAY, [first, ..]) if first & COMMAND == SYS => {
            Err("what is to be passed on is of the system itself".to_owned())
        }
        (RELAY, packet) => Ok(Packet::Relay { peer, packet }),
        (what, _) => Err(format!("{what} is no packet of the system")),
    }
}

pub(super) fn word(bytes: &[u8]) -> Result<u32, String> {
    let word = bytes.first_chunk().ok_or_else(|| "a packet is cut off in a number".to_owned())?;
    Ok(u32::from_le_bytes(*word))
}

/// Appends the head of a raw packet.
pub fn put_raw(out: &mut Vec<u8>) {
    out.push(RAW);
}

/// Appends the head of a relayed packet.
pub fn put_relay(out: &mut Vec<u8>, peer: i32) {
    out.extend_from_slice(&[SYS, RELAY]);
    out.extend_from_slice(&peer.to_le_bytes());
}

/// Appends an authentication packet; empty data completes the authentication.
pub fn put_auth(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(&[SYS, AUTH]);
    out.extend_from_slice(data);
}

/// Encodes that a peer has joined or left.
pub fn about(peer: i32, is_here: bool) -> [u8; 6] {
    let [a, b, c, d] = peer.to_le_bytes();
    [SYS, if is_here { ADD } else { DEL }, a, b, c, d]
}

/// Encodes the assignment of a number to a path.
pub fn simplify_path(checksum: &[u8; CHECKSUM], id: u32, path: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(CHECKSUM + 7 + path.len());
    out.push(SIMPLIFY);
    out.extend_from_slice(checksum);
    out.push(0);
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(path.as_bytes());
    out.push(0);
    out
}

/// Encodes the confirmation of a number.
pub fn confirm_path(same: bool, id: u32) -> [u8; 6] {
    let [a, b, c, d] = id.to_le_bytes();
    [CONFIRM, u8::from(same), a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: &[u8; 32] = b"5c0ea9862d1e940a58e1e1095eec1074";

    // Captured between Godot 4.6.3 and its own server.
    #[test]
    fn packets_are_encoded_as_the_engine_encodes_them() {
        let simplify = [&[1][..], CHECK, &[0, 1, 0, 0, 0], b"Game\0"].concat();
        for (packet, bytes) in [
            (Packet::Add(0x67DC_5C56), &[7, 1, 0x56, 0x5C, 0xDC, 0x67][..]),
            (Packet::Del(0x67DC_5C56), &[7, 2, 0x56, 0x5C, 0xDC, 0x67]),
            (Packet::Auth(b"tok-A"), &[7, 0, 0x74, 0x6F, 0x6B, 0x2D, 0x41]),
            (Packet::Auth(b""), &[7, 0]),
            (Packet::Raw(&[4, 5, 6]), &[3, 4, 5, 6]),
            (Packet::Relay { peer: 0x67DC_5C56, packet: &[3, 1, 2, 3] }, &[7, 3, 0x56, 0x5C, 0xDC, 0x67, 3, 1, 2, 3]),
            (Packet::Relay { peer: -1, packet: &[3, 7, 8, 9] }, &[7, 3, 0xFF, 0xFF, 0xFF, 0xFF, 3, 7, 8, 9]),
            (Packet::Simplify { checksum: CHECK, id: 1, path: "Game" }, &simplify),
            (Packet::Confirm { same: true, id: 1 }, &[2, 1, 1, 0, 0, 0]),
        ] {
            assert_eq!(read(bytes), Ok(packet));
            let mut out = Vec::new();
            match packet {
                Packet::Add(id) => out.extend_from_slice(&about(id, true)),
                Packet::Del(id) => out.extend_from_slice(&about(id, false)),
                Packet::Auth(data) => put_auth(&mut out, data),
                Packet::Raw(data) => {
                    put_raw(&mut out);
                    out.extend_from_slice(data);
                }
                Packet::Relay { peer, packet } => {
                    put_relay(&mut out, peer);
                    out.extend_from_slice(packet);
                }
                Packet::Simplify { checksum, id, path } => out = simplify_path(checksum, id, path),
                Packet::Confirm { same, id } => out.extend_from_slice(&confirm_path(same, id)),
                Packet::Call(_) | Packet::Replication => unreachable!(),
            }
            assert_eq!(out, bytes);
        }
        for command in [4, 5, 6] {
            assert_eq!(read(&[command, 1, 2, 3]), Ok(Packet::Replication));
        }
    }

    #[test]
    fn truncated_or_invalid_packets_are_refused() {
        let simplify = simplify_path(CHECK, 1, "Game");
        for end in 0..simplify.len() {
            assert!(read(&simplify[..end]).is_err(), "{end}");
        }
        for bytes in [
            &[][..],
            &[3],
            &[2, 1, 1, 0, 0],
            &[2, 1, 1, 0, 0, 0, 0],
            &[7],
            &[7, 1, 2, 0, 0],
            &[7, 1, 1, 0, 0, 0],
            &[7, 1, 0xFF, 0xFF, 0xFF, 0xFF],
            &[7, 2, 0, 0, 0, 0],
            &[7, 3, 2, 0, 0, 0],
            &[7, 3, 2, 0, 0, 0, 7, 0],
            &[7, 3, 2, 0, 0, 0, 0xFF, 0],
            &[7, 4, 2, 0, 0, 0],
            &[7, 0xFF, 2, 0, 0, 0],
        ] {
            assert!(read(bytes).is_err(), "{bytes:02x?}");
        }
        assert!(
            read(&[&simplify[..38], b"Ga\0me\0"].concat()).is_err()
                && read(&[&simplify[..38], b"\xFF\0"].concat()).is_err()
        );
    }
}
