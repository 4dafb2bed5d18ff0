//! Decoding for the tests: whole, cut in two at every position, and byte by byte, which must give the same results.
#![allow(dead_code)] // Each test program uses a part.

use wspeer::internals::protocol::{Decoder, Limits, Received, Role};
use wspeer::internals::status::Phase;

/// A decoded result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Binary(Vec<u8>),
    Compressed(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    /// The connection fails with this close code.
    Fails(u16),
}
pub use Got::*;

pub const LIMITS: Limits = Limits { max_message: 1 << 20, max_fragments: 100 };
/// RSV1 is allowed: an extension was negotiated.
pub const EXTENDED: bool = true;

/// Decodes like a connection: each piece from a buffer or, with `fills`, copied to where the decoder assembles a long
/// message.
fn run(role: Role, extended: bool, limits: &Limits, pieces: &[&[u8]], fills: bool) -> Vec<Got> {
    let mut decoder = Decoder::new(role);
    decoder.rsv1_allowed = extended;
    let (mut got, mut inflates) = (Vec::new(), Vec::new());
    for piece in pieces {
        // As between polls without traffic: what is in progress has to stay.
        decoder.shrink();
        let mut bytes = piece.to_vec();
        let mut at = 0;
        loop {
            let room = if fills { decoder.room_to_fill().map(|room| room.len().min(bytes.len() - at)) } else { None };
            let next = match room {
                Some(count) => {
                    if let Some(room) = decoder.room_to_fill() {
                        room[..count].copy_from_slice(&bytes[at..at + count]);
                    }
                    decoder.filled(count).map(|received| (count, received))
                }
                None => decoder.next(&mut bytes[at..], limits),
            };
            let (used, received) = match next {
                Ok(next) => next,
                Err(failure) => {
                    assert_eq!(failure.phase, Phase::Websocket);
                    assert!(!failure.message.is_empty());
                    got.push(Fails(failure.close_code));
                    return got;
                }
            };
            let start = at;
            at += used;
            let message = |text: bool, bytes: Vec<u8>| {
                if text {
                    Text(String::from_utf8(bytes).expect("a text that was let through is UTF-8"))
                } else {
                    Binary(bytes)
                }
            };
            match received {
                Received::Nothing if at == bytes.len() => break,
                Received::Nothing => assert!(room.is_some(), "nothing more: all was consumed"),
                Received::Fragments => assert!(at < bytes.len()),
                Received::Message { text, start: offset, len } => {
                    got.push(message(text, bytes[start + offset..start + offset + len].to_vec()))
                }
                Received::Assembled { text, bytes } => got.push(message(text, bytes)),
                Received::Compressed { last, start: offset, len, .. } => {
                    inflates.extend_from_slice(&bytes[start + offset..start + offset + len]);
                    if last {
                        got.push(Compressed(std::mem::take(&mut inflates)));
                    }
                }
                Received::Ping { payload } => got.push(Ping(payload.to_vec())),
                Received::Pong { payload } => got.push(Pong(payload.to_vec())),
                Received::Close { code, reason } => got.push(Close(code, reason)),
            }
        }
    }
    got
}

pub fn decode(role: Role, extended: bool, limits: &Limits, pieces: &[&[u8]]) -> Vec<Got> {
    let got = run(role, extended, limits, pieces, false);
    assert_eq!(run(role, extended, limits, pieces, true), got, "read to where it is assembled");
    got
}

/// Decodes `bytes` whole. Every cut in two, and single bytes, must give the same.
pub fn cut_everywhere(role: Role, extended: bool, limits: &Limits, bytes: &[u8]) -> Vec<Got> {
    let whole = decode(role, extended, limits, &[bytes]);
    let near = |cut: usize| bytes.len() < 1_000 || cut < 20 || bytes.len() - cut < 20 || cut.is_multiple_of(4_099);
    for cut in (0..=bytes.len()).filter(|cut| near(*cut)) {
        assert_eq!(decode(role, extended, limits, &[&bytes[..cut], &bytes[cut..]]), whole, "{role:?}, cut at {cut}");
    }
    let singles: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode(role, extended, limits, &singles), whole, "{role:?}, byte by byte");
    whole
}

pub fn client(bytes: &[u8]) -> Vec<Got> {
    cut_everywhere(Role::Client, !EXTENDED, &LIMITS, bytes)
}

pub fn server(bytes: &[u8]) -> Vec<Got> {
    cut_everywhere(Role::Server, !EXTENDED, &LIMITS, bytes)
}

/// Decodes the same frames as client (unmasked) and as server (masked), which must give the same.
pub fn both(unmasked: &[u8], masked: &[u8]) -> Vec<Got> {
    let got = client(unmasked);
    assert_eq!(server(masked), got, "the server's end");
    got
}

/// Adds the masking key 0 to each frame, which leaves the payload unchanged. Headers must have two bytes.
pub fn masked(frames: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < frames.len() {
        let len = usize::from(frames[at + 1]);
        assert!(len < 126, "this helper knows short frames only");
        out.extend([frames[at], 0x80 | frames[at + 1], 0, 0, 0, 0]);
        let end = (at + 2 + len).min(frames.len());
        out.extend(&frames[at + 2..end]);
        at = end;
    }
    out
}

/// Decodes short frames in both roles.
pub fn short(frames: &[u8]) -> Vec<Got> {
    both(frames, &masked(frames))
}

pub fn text(text: &str) -> Got {
    Text(text.to_owned())
}
