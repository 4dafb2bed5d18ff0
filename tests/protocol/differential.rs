//! Our frames against tungstenite's in both directions: pseudo-random streams in pseudo-random pieces, valid and
//! corrupted. The seeds are fixed.

use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Message, WebSocket};
use twins::{End, Got, Pipe, Verdict, judge, ours, their_role, theirs};
use wspeer::internals::protocol::{Header, Lead, MaskKeys, Role, close_payload, encode_frame, mask};

// Shared with the fuzz targets.
#[path = "../../fuzz/src/twins.rs"]
mod twins;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// Mostly short, and often around the limits of the length encodings.
    fn len(&mut self) -> usize {
        match self.below(20) {
            0 => 120 + self.below(12),
            1 => 65_530 + self.below(12),
            2 => self.below(5_000),
            _ => self.below(40),
        }
    }

    fn text(&mut self, len: usize) -> String {
        (0..len).map(|_| ['a', 'é', '€', '𝄞', '\0', '\u{10FFFF}', '\u{D7FF}', 'z'][self.below(8)]).collect()
    }

    fn pieces<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        let usual = [3, 50, 2_000, 200_000][self.below(4)];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(1 + self.below(usual)));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

/// Frames of a message, whole or fragmented, with control frames in between: (opcode, payload, fin).
fn frames_of(random: &mut Random, opcode: u8, payload: &[u8]) -> Vec<(u8, Vec<u8>, bool)> {
    let mut frames = Vec::new();
    let mut rest = payload;
    let mut first = true;
    while random.below(3) == 0 {
        let (piece, after) = rest.split_at(random.below(rest.len() + 1));
        frames.push((if first { opcode } else { 0 }, piece.to_vec(), false));
        (rest, first) = (after, false);
        if random.below(3) == 0 {
            let len = random.below(126);
            frames.push((9 + random.below(2) as u8, random.bytes(len), true));
        }
    }
    frames.push((if first { opcode } else { 0 }, rest.to_vec(), true));
    frames
}

/// The results that decoding the frames should give.
fn meaning(frames: &[(u8, Vec<u8>, bool)]) -> Vec<Got> {
    let mut got = Vec::new();
    let mut under_way: Option<(u8, Vec<u8>)> = None;
    for (opcode, payload, fin) in frames {
        match opcode {
            8 => {
                let reported = payload.split_first_chunk::<2>();
                got.push(Got::Close(
                    reported
                        .map(|(code, reason)| (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap())),
                ));
            }
            9 => got.push(Got::Ping(payload.clone())),
            10 => got.push(Got::Pong(payload.clone())),
            _ => {
                let (_, bytes) = under_way.get_or_insert((*opcode, Vec::new()));
                bytes.extend(payload);
                if *fin && let Some((opcode, bytes)) = under_way.take() {
                    got.push(if opcode == 1 {
                        Got::Text(String::from_utf8(bytes).unwrap())
                    } else {
                        Got::Binary(bytes)
                    });
                }
            }
        }
    }
    got
}

/// Frames of a stream without a close, or with one at its end.
fn stream(random: &mut Random, messages: usize, close: bool) -> Vec<(u8, Vec<u8>, bool)> {
    let mut frames = Vec::new();
    for _ in 0..messages {
        let len = random.len();
        match random.below(6) {
            0 => frames.push((9, random.bytes(len.min(125)), true)),
            1 => frames.push((10, random.bytes(len.min(125)), true)),
            2 | 3 => {
                let text = random.text(len.min(20_000));
                frames.extend(frames_of(random, 1, text.as_bytes()));
            }
            _ => {
                let bytes = random.bytes(len);
                frames.extend(frames_of(random, 2, &bytes));
            }
        }
    }
    if close {
        let code = [None, Some(1000), Some(1001), Some(1009), Some(3000), Some(4999)][random.below(6)];
        let (payload, len) = close_payload(code, &random.text(10));
        frames.push((8, payload[..len].to_vec(), true));
    }
    frames
}

/// The frames encoded as `sender` sends them.
fn encode(random: &mut Random, sender: Role, frames: &[(u8, Vec<u8>, bool)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (opcode, payload, fin) in frames {
        let key = (sender == Role::Client).then(|| (random.next() as u32).to_be_bytes());
        let (header, len) =
            Header { fin: *fin, rsv: 0, opcode: *opcode, mask: key, len: payload.len() as u64, overlong: false }
                .encode();
        out.extend_from_slice(&header[..len]);
        let start = out.len();
        out.extend_from_slice(payload);
        if let Some(key) = key {
            mask(&mut out[start..], key, 0);
        }
    }
    out
}

fn other(role: Role) -> Role {
    if role == Role::Client { Role::Server } else { Role::Client }
}

#[test]
fn we_decode_what_tungstenite_encodes() {
    let mut random = Random(0x5EED_0001);
    for round in 0..300 {
        for role in ROLES {
            let sender = their_role(other(role));
            let frames = stream(&mut random, 12, round % 2 == 0);
            let mut socket =
                WebSocket::from_raw_socket(Pipe { input: Vec::new(), next: 0, output: Vec::new() }, sender, None);
            for (opcode, payload, fin) in &frames {
                let message = match (*opcode, *fin) {
                    (1, true) => Message::text(String::from_utf8(payload.clone()).unwrap()),
                    (2, true) => Message::binary(payload.clone()),
                    (9, _) => Message::Ping(payload.clone().into()),
                    (10, _) => Message::Frame(Frame::pong(payload.clone())),
                    (8, _) => Message::Close(payload.split_first_chunk::<2>().map(|(code, reason)| CloseFrame {
                        code: u16::from_be_bytes(*code).into(),
                        reason: String::from_utf8(reason.to_vec()).unwrap().into(),
                    })),
                    (opcode, fin) => {
                        let kind = [Data::Continue, Data::Text, Data::Binary][usize::from(opcode)];
                        Message::Frame(Frame::message(payload.clone(), OpCode::Data(kind), fin))
                    }
                };
                socket.write(message).unwrap();
            }
            // tungstenite's server reports ConnectionClosed once its close frame is sent.
            let _ = socket.flush();
            let bytes = std::mem::take(&mut socket.get_mut().output);
            let (got, end) = ours(role, &random.pieces(&bytes));
            assert_eq!((got, end), (meaning(&frames), End::Well), "round {round} as {role:?}");
        }
    }
}

#[test]
fn tungstenite_decodes_what_we_encode() {
    let mut random = Random(0x5EED_0002);
    let mut keys = MaskKeys::new();
    for round in 0..300 {
        for role in ROLES {
            let frames = stream(&mut random, 12, round % 2 == 0);
            let mut bytes = Vec::new();
            for (opcode, payload, fin) in &frames {
                // Whole frames use the encoder of connections, fragments use the header encoder.
                if *fin && *opcode != 0 {
                    encode_frame(&mut bytes, other(role), &mut keys, Lead::whole(*opcode), payload);
                } else {
                    let frame = encode(&mut random, other(role), &[(*opcode, payload.clone(), *fin)]);
                    bytes.extend(frame);
                }
            }
            let (got, end) = theirs(role, &random.pieces(&bytes));
            assert_eq!((got, end), (meaning(&frames), End::Well), "round {round} for {role:?}");
        }
    }
}

/// Makes one to three changes at random positions: bits, bytes, cuts, repeats.
fn corrupt(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.next() as u8,
            3 => bytes.insert(at, random.next() as u8),
            4 => bytes.truncate(at + 1),
            _ => {
                let end = (at + random.below(8)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

#[test]
fn we_fail_wherever_tungstenite_fails() {
    let mut random = Random(0x5EED_0003);
    let mut counts = [0; 4];
    for round in 0..8_000 {
        let role = ROLES[round % 2];
        let frames = stream(&mut random, 4, round % 3 == 0);
        let mut bytes = encode(&mut random, other(role), &frames);
        corrupt(&mut random, &mut bytes);
        counts[judge(role, &random.pieces(&bytes)) as usize] += 1;
    }
    let [well, failed, stricter, earlier] = counts;
    assert!(
        failed > 2_000 && earlier > 200 && stricter > 20 && well > 2_000,
        "{failed} {earlier} {stricter} {well}: too few cases of a kind"
    );
}

#[test]
fn every_pair_of_first_bytes_is_judged_like_tungstenite() {
    let mut stricter = 0;
    for role in ROLES {
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                for before in [b"".as_slice(), b"\x01\x01a"] {
                    let mut bytes = before.to_vec();
                    if !bytes.is_empty() && role == Role::Server {
                        bytes = b"\x01\x81\0\0\0\0a".to_vec();
                    }
                    // Enough zeros for every length except that of the 8-byte encoding, which is 0 here and therefore
                    // non-minimal.
                    bytes.extend([first, second]);
                    bytes.extend([0; 200]);
                    let frame_len = match second & 0x7F {
                        126 => 4,
                        127 => 10,
                        len => 2 + usize::from(len),
                    } + if second & 0x80 != 0 { 4 } else { 0 };
                    bytes.truncate(bytes.len() - 202 + frame_len);
                    stricter += u32::from(judge(role, &[&bytes]) == Verdict::Stricter);
                }
            }
        }
    }
    assert!(stricter > 0);
}
