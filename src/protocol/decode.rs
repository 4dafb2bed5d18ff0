//! The receiving side: frames to messages (RFC 6455 sections 5.2 to 5.5).

use super::header::Header;
use super::mask::mask;
use super::utf8::Utf8;
use super::{Role, code_may_be_sent};
use crate::codes::WS_CAUSE_RESOURCES;
use crate::error::Failure;
use std::ops::Deref;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const RSV1: u8 = 4;
/// Reserved ahead of what has arrived, at most: a length alone costs the peer nothing.
const MAX_RESERVE: u64 = 64 << 10;
/// With this much of a frame to come, and of its message there, it is read to where it belongs.
const MIN_FILL: u64 = 16 << 10;
/// Read there at a time, at most; and no more than what is there, so that an announced length costs no memory.
const MAX_FILL: usize = 256 << 10;

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

/// The payload of a control frame, at most 125 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ControlPayload {
    bytes: [u8; 125],
    len: u8,
}

impl Deref for ControlPayload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }
}

impl std::fmt::Debug for ControlPayload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(formatter)
    }
}

/// Where in a frame the decoder stands.
#[derive(Clone, Copy)]
enum At {
    Header,
    Data { left: u64, done: u64, key: Option<[u8; 4]>, fin: bool },
    Control { header: Header },
}

/// The fragmented or cut message under way.
struct Assembly {
    text: bool,
    /// Its pieces are handed out as they come, and nothing is assembled here.
    compressed: bool,
    fragments: u32,
    utf8: Utf8,
    /// Length of its frames so far, the one under way included.
    announced: u64,
    /// Storage, of which the first `filled` bytes are the message so far.
    bytes: Vec<u8>,
    filled: usize,
}

/// Decodes what one peer sends.
pub struct Decoder {
    /// A negotiated extension gives RSV1 a meaning.
    pub rsv1_allowed: bool,
    role: Role,
    at: At,
    /// At the start of a frame, with no message under way.
    between: bool,
    /// Start of a header that is not whole.
    carried: [u8; 14],
    carried_len: u8,
    /// Start of a control payload that is not whole.
    control: Vec<u8>,
    assembly: Option<Box<Assembly>>,
    /// Storage for the next assembly.
    spare: Option<Vec<u8>>,
}

impl Decoder {
    /// For our end of a connection: a server demands masked frames, a client unmasked ones (section 5.1).
    pub fn new(role: Role) -> Decoder {
        Decoder {
            rsv1_allowed: false,
            role,
            at: At::Header,
            between: true,
            carried: [0; 14],
            carried_len: 0,
            control: Vec::new(),
            assembly: None,
            spare: None,
        }
    }

    /// Decodes from the front of `buf`, unmasking in place: how many bytes were consumed, and what they were.
    /// Call again with the rest until `Nothing`, which consumes all.
    #[inline]
    pub fn next(&mut self, buf: &mut [u8], limits: &Limits) -> Result<(usize, Received), Failure> {
        if self.between
            && let Some((start, len, text)) = whole_message(self.role, buf, limits)
        {
            if text && std::str::from_utf8(&buf[start..start + len]).is_err() {
                return Err(not_utf8());
            }
            return Ok((start + len, Received::Message { text, start, len }));
        }
        let received = self.next_piece(buf, limits);
        self.between = matches!(self.at, At::Header) && self.carried_len == 0 && self.assembly.is_none();
        received
    }

    /// What is no whole message at the start of the buffer: pieces, control frames, broken frames.
    fn next_piece(&mut self, buf: &mut [u8], limits: &Limits) -> Result<(usize, Received), Failure> {
        let mut used = 0;
        loop {
            match self.at {
                At::Header => {
                    let Some((header, len)) = self.header(&buf[used..]) else { return Ok((buf.len(), Received::Nothing)) };
                    used += len;
                    self.judge(&header, limits)?;
                    if header.opcode >= CLOSE {
                        self.at = At::Control { header };
                    } else {
                        self.at = At::Data { left: header.len, done: 0, key: header.mask, fin: header.fin };
                        self.start_fragment(&header, limits)?;
                    }
                }
                At::Data { left, done, key, fin } => {
                    let take = left.min((buf.len() - used) as u64) as usize;
                    let piece = &mut buf[used..used + take];
                    if let Some(key) = key {
                        mask(piece, key, (done & 3) as usize);
                    }
                    used += take;
                    let rest = left - take as u64;
                    self.at = if rest > 0 { At::Data { left: rest, done: done + take as u64, key, fin } } else { At::Header };
                    let last = fin && rest == 0;
                    if let Some(Assembly { text, compressed: true, .. }) = self.assembly.as_deref() {
                        let text = *text;
                        if last {
                            self.assembly = None;
                        }
                        if take > 0 || last {
                            return Ok((used, Received::Compressed { text, last, start: used - take, len: take }));
                        }
                    } else {
                        self.append(&buf[used - take..used], left)?;
                    }
                    if rest > 0 {
                        return Ok((used, Received::Nothing));
                    }
                    if last {
                        return self.finish().map(|received| (used, received));
                    }
                }
                At::Control { header } => {
                    let take = (header.len as usize - self.control.len()).min(buf.len() - used);
                    self.control.extend_from_slice(&buf[used..used + take]);
                    used += take;
                    if self.control.len() < header.len as usize {
                        return Ok((used, Received::Nothing));
                    }
                    self.at = At::Header;
                    return self.control_frame(&header).map(|received| (used, received));
                }
            }
        }
    }

    /// Storage for the next message that comes in pieces, whatever is in it.
    pub fn offer(&mut self, spare: Vec<u8>) {
        self.spare = Some(spare);
    }

    /// The storage that was offered and not needed.
    #[inline]
    pub fn take_back(&mut self) -> Option<Vec<u8>> {
        self.spare.take()
    }

    /// Where the next bytes from the peer may be read to, so that they need not be moved: much of a frame has yet to come. Then call `filled`.
    #[inline]
    pub fn room_to_fill(&mut self) -> Option<&mut [u8]> {
        match self.at {
            At::Data { left, .. } if left >= MIN_FILL => self.make_room(left),
            _ => None,
        }
    }

    fn make_room(&mut self, left: u64) -> Option<&mut [u8]> {
        let assembly = self.assembly.as_deref_mut().filter(|assembly| !assembly.compressed)?;
        if (assembly.filled as u64) < MIN_FILL {
            return None;
        }
        let count = left.min(MAX_FILL.min(assembly.filled) as u64) as usize;
        let end = assembly.filled + count;
        if assembly.bytes.len() < end {
            assembly.reserve(left, count).ok()?;
            assembly.bytes.resize(end, 0);
        }
        Some(&mut assembly.bytes[assembly.filled..end])
    }

    /// So many bytes were read to `room_to_fill`. The message, if it is whole by that.
    pub fn filled(&mut self, count: usize) -> Result<Received, Failure> {
        let At::Data { left, done, key, fin } = self.at else { return Ok(Received::Nothing) };
        let Some(assembly) = &mut self.assembly else { return Ok(Received::Nothing) };
        let piece = &mut assembly.bytes[assembly.filled..assembly.filled + count];
        if let Some(key) = key {
            mask(piece, key, (done & 3) as usize);
        }
        if assembly.text && assembly.utf8.feed(piece).is_err() {
            return Err(not_utf8());
        }
        assembly.filled += count;
        let rest = left - count as u64;
        self.at = if rest > 0 { At::Data { left: rest, done: done + count as u64, key, fin } } else { At::Header };
        let received = if rest == 0 && fin { self.finish() } else { Ok(Received::Nothing) };
        self.between = matches!(self.at, At::Header) && self.assembly.is_none();
        received
    }

    /// Gives memory back that no message under way needs.
    pub fn shrink(&mut self) {
        self.spare = None;
        if self.control.is_empty() {
            self.control = Vec::new();
        }
    }

    /// Whether a message has begun and not ended.
    pub fn mid_message(&self) -> bool {
        self.assembly.is_some()
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        self.control.capacity() + self.assembly.as_ref().map_or(0, |assembly| assembly.bytes.capacity())
    }

    /// The next header, and how many of `bytes` it took. An incomplete one is carried to the next call.
    fn header(&mut self, bytes: &[u8]) -> Option<(Header, usize)> {
        if self.carried_len == 0 {
            let parsed = Header::parse(bytes);
            if parsed.is_none() {
                self.carried[..bytes.len()].copy_from_slice(bytes);
                self.carried_len = bytes.len() as u8;
            }
            return parsed;
        }
        for (index, byte) in bytes.iter().enumerate() {
            self.carried[self.carried_len as usize] = *byte;
            self.carried_len += 1;
            if let Some((header, _)) = Header::parse(&self.carried[..self.carried_len as usize]) {
                self.carried_len = 0;
                return Some((header, index + 1));
            }
        }
        None
    }

    /// The rules that a header alone can break.
    fn judge(&self, header: &Header, limits: &Limits) -> Result<(), Failure> {
        let first_of_data = matches!(header.opcode, TEXT | BINARY);
        if header.rsv != 0 && !(header.rsv == RSV1 && self.rsv1_allowed && first_of_data) {
            return Err(protocol("a reserved bit is set and no extension was agreed on (RFC 6455 section 5.2)"));
        }
        if header.mask.is_some() != (self.role == Role::Server) {
            return Err(protocol(match self.role {
                Role::Server => "a client's frame is not masked (RFC 6455 section 5.1)",
                Role::Client => "a server's frame is masked (RFC 6455 section 5.1)",
            }));
        }
        if header.overlong {
            return Err(protocol("a length is told in a longer form than it needs (RFC 6455 section 5.2)"));
        }
        if header.opcode >= CLOSE {
            if header.opcode > PONG {
                return Err(protocol("a reserved opcode (RFC 6455 section 5.2)"));
            }
            if !header.fin || header.len > 125 {
                return Err(protocol("a control frame is fragmented or longer than 125 bytes (RFC 6455 section 5.5)"));
            }
            return Ok(());
        }
        if header.opcode > BINARY {
            return Err(protocol("a reserved opcode (RFC 6455 section 5.2)"));
        }
        let assembled = match (&self.assembly, header.opcode) {
            (Some(assembly), CONTINUATION) => assembly.announced,
            (None, TEXT | BINARY) => 0,
            (None, _) => return Err(protocol("a continuation frame continues nothing (RFC 6455 section 5.4)")),
            (Some(_), _) => return Err(protocol("a new message begins inside a fragmented one (RFC 6455 section 5.4)")),
        };
        if header.len >> 63 != 0 {
            return Err(protocol("a length has its top bit set (RFC 6455 section 5.2)"));
        }
        let compressed = header.rsv != 0 || self.assembly.as_ref().is_some_and(|assembly| assembly.compressed);
        // What cannot be compressed may grow a little.
        let most = if compressed { limits.max_message.saturating_add(limits.max_message / 8 + 64) } else { limits.max_message };
        if assembled.saturating_add(header.len) > most {
            let sentence = format!("a message is longer than max_message_bytes ({}): raise it, or send less at a time", limits.max_message);
            return Err(Failure::of_protocol(1009, sentence));
        }
        Ok(())
    }

    fn start_fragment(&mut self, header: &Header, limits: &Limits) -> Result<(), Failure> {
        let spare = &mut self.spare;
        let assembly = self.assembly.get_or_insert_with(|| {
            let compressed = header.rsv != 0;
            let bytes = if compressed { None } else { spare.take() }.unwrap_or_default();
            Box::new(Assembly { text: header.opcode == TEXT, compressed, fragments: 0, utf8: Utf8::new(), announced: 0, bytes, filled: 0 })
        });
        assembly.fragments += 1;
        assembly.announced += header.len;
        if assembly.fragments > limits.max_fragments {
            let sentence = format!("a message has more fragments than max_fragments ({})", limits.max_fragments);
            return Err(Failure { close_code: 1008, ..Failure::of_protocol(1009, sentence) });
        }
        Ok(())
    }

    fn append(&mut self, piece: &[u8], left: u64) -> Result<(), Failure> {
        let Some(assembly) = &mut self.assembly else { return Ok(()) };
        if assembly.text && assembly.utf8.feed(piece).is_err() {
            return Err(not_utf8());
        }
        // Over what the storage held before, then behind it.
        let (over, behind) = piece.split_at(piece.len().min(assembly.bytes.len() - assembly.filled));
        assembly.bytes[assembly.filled..assembly.filled + over.len()].copy_from_slice(over);
        if !behind.is_empty() {
            assembly.reserve(left, behind.len())?;
            assembly.bytes.extend_from_slice(behind);
        }
        assembly.filled += piece.len();
        Ok(())
    }

    fn finish(&mut self) -> Result<Received, Failure> {
        let Some(assembly) = self.assembly.take() else { return Ok(Received::Nothing) };
        if !assembly.utf8.is_complete() {
            return Err(not_utf8());
        }
        let Assembly { text, mut bytes, filled, .. } = *assembly;
        bytes.truncate(filled);
        Ok(Received::Assembled { text, bytes })
    }

    fn control_frame(&mut self, header: &Header) -> Result<Received, Failure> {
        if let Some(key) = header.mask {
            mask(&mut self.control, key, 0);
        }
        let mut payload = ControlPayload { bytes: [0; 125], len: self.control.len() as u8 };
        payload.bytes[..self.control.len()].copy_from_slice(&self.control);
        self.control.clear();
        match header.opcode {
            PING => Ok(Received::Ping { payload }),
            PONG => Ok(Received::Pong { payload }),
            _ => close_frame(&payload),
        }
    }
}

impl Assembly {
    /// Room for `count` more bytes, of `left` that are announced.
    fn reserve(&mut self, left: u64, count: usize) -> Result<(), Failure> {
        if self.bytes.capacity() - self.bytes.len() < count {
            let ahead = left.min(MAX_RESERVE.max(self.bytes.len() as u64)) as usize;
            if self.bytes.try_reserve(ahead.max(count)).is_err() {
                let failure = Failure::of_protocol(1009, "there is no memory left for a message: lower max_message_bytes");
                return Err(Failure { cause: WS_CAUSE_RESOURCES, ..failure });
            }
        }
        Ok(())
    }
}

/// A message in one frame that lies whole at the start of `buf` and breaks no rule of headers, unmasked: its place, its length, and whether it is text.
#[inline]
fn whole_message(role: Role, buf: &mut [u8], limits: &Limits) -> Option<(usize, usize, bool)> {
    let (header, start) = Header::parse(buf)?;
    let good = header.fin && header.rsv == 0 && matches!(header.opcode, TEXT | BINARY) && !header.overlong;
    if !good || header.len > limits.max_message || header.mask.is_some() != (role == Role::Server) {
        return None;
    }
    let len = usize::try_from(header.len).ok()?;
    let payload = buf[start..].get_mut(..len)?;
    if let Some(key) = header.mask {
        mask(payload, key, 0);
    }
    Some((start, len, header.opcode == TEXT))
}

/// Section 5.5.1: nothing, or a code and a reason.
fn close_frame(payload: &[u8]) -> Result<Received, Failure> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload.len() {
            0 => Ok(Received::Close { code: None, reason: String::new() }),
            _ => Err(protocol("a close frame has half a code (RFC 6455 section 5.5.1)")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !code_may_be_sent(code) {
        return Err(protocol(format!("{code} is no close code to be sent (RFC 6455 section 7.4)")));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Received::Close { code: Some(code), reason: reason.to_owned() }),
        Err(_) => Err(Failure::of_protocol(1007, "a close reason is not valid UTF-8 (RFC 6455 section 5.5.1)")),
    }
}

fn protocol(what: impl Into<String>) -> Failure {
    Failure::of_protocol(1002, format!("the peer broke the protocol: {}", what.into()))
}

fn not_utf8() -> Failure {
    Failure::of_protocol(1007, "the peer sent text that is not valid UTF-8 (RFC 6455 section 8.1)")
}
