//! Our decoder and tungstenite's on the same bytes.

use std::io::{self, Cursor, ErrorKind, Read, Write};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::{Role as TheirRole, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};
use wspeer::internals::protocol::{Decoder, Limits, Received, Role};

const LIMIT: usize = 1 << 17;
const LIMITS: Limits = Limits { max_message: LIMIT as u64, max_fragments: u32::MAX };
/// What we refuse and tungstenite takes.
const STRICTER: [&str; 2] = ["longer form than it needs", "is not a close code that can be sent"];

/// How the two agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Neither finds fault.
    Well,
    /// Both fail.
    Failed,
    /// We refuse what is in `STRICTER`.
    Stricter,
    /// We fail by a header or by the first bad byte of a text, where tungstenite waits for the whole frame.
    Earlier,
}

/// Both decode the pieces. Panics where they disagree: where tungstenite fails, so do we, with the same messages before.
pub fn judge(role: Role, pieces: &[&[u8]]) -> Verdict {
    let (our_got, our_end) = ours(role, pieces);
    let (their_got, their_end) = theirs(role, pieces);
    match (&our_end, &their_end) {
        (End::Failed(why), _) if STRICTER.iter().any(|known| why.contains(known)) => {
            assert!(their_got.starts_with(&our_got), "{why}");
            Verdict::Stricter
        }
        (End::Failed(_), End::Failed(_)) => {
            assert_eq!(our_got, their_got);
            Verdict::Failed
        }
        (End::Failed(why), End::Well) => {
            assert_eq!(our_got, their_got, "{why}");
            let bytes = pieces.concat();
            let rest = vec![0; lacking(&bytes)];
            assert!(!rest.is_empty(), "{why}, and tungstenite has the whole frame and goes on");
            let (_, later) = theirs(role, &[&bytes, &rest]);
            assert!(matches!(later, End::Failed(_)), "{why}, and tungstenite takes the frame once it is whole");
            Verdict::Earlier
        }
        (End::Well, End::Failed(why)) => panic!("tungstenite says {why}, and we take it"),
        (End::Well, End::Well) => {
            // Registered after tungstenite's list of codes was made.
            if let Some((Got::Close(Some((1014, _))), before)) = our_got.split_last() {
                assert!(their_got.starts_with(before));
            } else {
                assert_eq!(our_got, their_got);
            }
            Verdict::Well
        }
    }
}

/// What was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// More is awaited, or a close came.
    Well,
    Failed(String),
}

/// A transport in memory that gives its input piece by piece.
pub struct Pipe<'a> {
    pub input: Vec<&'a [u8]>,
    pub next: usize,
    pub output: Vec<u8>,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.input.get_mut(self.next) else { return Err(ErrorKind::WouldBlock.into()) };
        let count = piece.read(buffer)?;
        self.next += usize::from(piece.is_empty());
        Ok(count)
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub fn theirs(role: Role, pieces: &[&[u8]]) -> (Vec<Got>, End) {
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let pipe = Pipe { input: pieces.to_vec(), next: 0, output: Vec::new() };
    let mut socket = WebSocket::from_raw_socket(pipe, their_role(role), Some(config));
    let mut got = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => got.push(Got::Text(text.to_string())),
            Ok(Message::Binary(bytes)) => got.push(Got::Binary(bytes.to_vec())),
            Ok(Message::Ping(bytes)) => got.push(Got::Ping(bytes.to_vec())),
            Ok(Message::Pong(bytes)) => got.push(Got::Pong(bytes.to_vec())),
            Ok(Message::Close(frame)) => {
                got.push(Got::Close(frame.map(|frame| (frame.code.into(), frame.reason.to_string()))));
                return (got, End::Well);
            }
            Ok(Message::Frame(_)) => unreachable!("read gives no raw frames"),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return (got, End::Well),
            Err(error) => return (got, End::Failed(error.to_string())),
        }
    }
}

pub fn ours(role: Role, pieces: &[&[u8]]) -> (Vec<Got>, End) {
    let mut decoder = Decoder::new(role);
    let mut got = Vec::new();
    for piece in pieces {
        let mut bytes = piece.to_vec();
        let mut at = 0;
        loop {
            let (used, received) = match decoder.next(&mut bytes[at..], &LIMITS) {
                Ok(next) => next,
                Err(failure) => return (got, End::Failed(failure.message)),
            };
            let message = |text: bool, bytes: Vec<u8>| {
                if text { Got::Text(String::from_utf8(bytes).unwrap()) } else { Got::Binary(bytes) }
            };
            match received {
                Received::Nothing => break,
                Received::Fragments => {}
                Received::Message { text, start, len, .. } => {
                    got.push(message(text, bytes[at + start..at + start + len].to_vec()))
                }
                Received::Assembled { text, bytes, .. } => got.push(message(text, bytes)),
                Received::Compressed { .. } => unreachable!("no extension was agreed on"),
                Received::Ping { payload } => got.push(Got::Ping(payload.to_vec())),
                Received::Pong { payload } => got.push(Got::Pong(payload.to_vec())),
                Received::Close { code, reason } => {
                    got.push(Got::Close(code.map(|code| (code, reason))));
                    return (got, End::Well);
                }
            }
            at += used;
        }
    }
    (got, End::Well)
}

/// Their name of a role.
pub fn their_role(role: Role) -> TheirRole {
    if role == Role::Client { TheirRole::Client } else { TheirRole::Server }
}

/// How many bytes the last frame lacks.
fn lacking(bytes: &[u8]) -> usize {
    let mut cursor = Cursor::new(bytes);
    loop {
        match FrameHeader::parse(&mut cursor) {
            Ok(Some((_, len))) => {
                let end = cursor.position() + len;
                if end > bytes.len() as u64 {
                    return (end - bytes.len() as u64) as usize;
                }
                cursor.set_position(end);
            }
            _ => return 0,
        }
    }
}
