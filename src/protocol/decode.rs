//! The receiving side: decodes frames into messages (RFC 6455 sections 5.2 to 5.5).

use super::Role;
use super::assembly::Assembly;
use super::control::{ControlPayload, close_frame};
use super::header::Header;
use super::mask::mask;
use super::received::{Limits, Received};
use super::violation::{not_utf8, protocol};
use crate::error::Failure;
use crate::heap::{Discarded, Moved};
use crate::names::MAX_MESSAGE_BYTES;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const RSV1: u8 = 4;
/// Outstanding bytes of a frame from which on reads go directly into the message.
const MIN_FILL: u64 = 20 << 10;
/// Maximum number of fragments decoded in one call.
const FRAGMENTS_PER_CALL: u32 = 64;

/// The decoder's position in a frame.
#[derive(Clone, Copy)]
enum At {
    Header,
    Data { left: u64, done: u64, key: Option<[u8; 4]>, fin: bool },
    Control { header: Header },
}

/// Decodes the frames of one peer.
pub struct Decoder {
    /// A negotiated extension uses RSV1.
    pub rsv1_allowed: bool,
    role: Role,
    /// At the start of a frame, with no message in progress.
    between: bool,
    /// State of anything but complete messages in one frame. Allocated when one begins, and kept until `shrink`.
    pieces: Option<Box<Pieces>>,
}

/// What a decoder checks headers against, besides the limits.
#[derive(Clone, Copy)]
struct Rules {
    rsv1_allowed: bool,
    role: Role,
}

/// A position in a frame or between frames, and what has been received of a message or control frame.
struct Pieces {
    at: At,
    /// Start of an incomplete header.
    carried: [u8; 14],
    carried_len: u8,
    /// Start of an incomplete control payload.
    control: Option<Box<ControlPayload>>,
    assembly: Option<Box<Assembly>>,
    /// Storage for the next assembly.
    spare: Option<Vec<u8>>,
}

impl Discarded for Decoder {
    fn empty(&mut self, keep: &mut usize) {
        if let Some(pieces) = &mut self.pieces {
            pieces.assembly.empty(keep);
            pieces.spare.empty(keep);
        }
    }
}

impl Decoder {
    /// A decoder for our role: a server requires masked frames, a client unmasked ones (section 5.1).
    pub fn new(role: Role) -> Decoder {
        Decoder { rsv1_allowed: false, role, between: true, pieces: None }
    }

    /// Decodes from the front of `buf`, unmasking in place. Returns how many bytes were consumed, and what they were.
    /// Call again with the rest until `Nothing`, which consumes all.
    #[inline]
    pub fn next(&mut self, buf: &mut [u8], limits: &Limits) -> Result<(usize, Received), Failure> {
        if self.between {
            if buf.is_empty() {
                return Ok((0, Received::Nothing));
            }
            if let Some((start, len, text)) = whole_message(self.role, buf, limits) {
                if text && std::str::from_utf8(&buf[start..start + len]).is_err() {
                    return Err(not_utf8());
                }
                return Ok((start + len, Received::Message { text, start, len }));
            }
        }
        self.next_piece(buf, limits)
    }

    #[inline(never)]
    fn next_piece(&mut self, buf: &mut [u8], limits: &Limits) -> Result<(usize, Received), Failure> {
        let rules = Rules { rsv1_allowed: self.rsv1_allowed, role: self.role };
        let pieces = self.pieces.get_or_insert_with(Pieces::new);
        let received = pieces.next(rules, buf, limits);
        self.between = pieces.is_between();
        received
    }

    /// Offers storage, of any content, for the next message received in pieces.
    pub fn offer(&mut self, spare: Vec<u8>) {
        self.pieces.get_or_insert_with(Pieces::new).spare = Some(spare);
    }

    /// Takes back the storage that was offered and not used.
    #[inline]
    pub fn take_back(&mut self) -> Option<Vec<u8>> {
        self.pieces.as_mut()?.spare.take()
    }

    /// Storage that the next bytes from the peer may be read into, which saves a copy, if much of a frame is
    /// outstanding. Then call `filled`.
    #[inline]
    pub fn room_to_fill(&mut self) -> Option<&mut [u8]> {
        if self.between { None } else { self.pieces.as_mut()?.room_to_fill() }
    }

    /// Accounts for `count` bytes that were read into `room_to_fill`. Returns the message if they complete it.
    pub fn filled(&mut self, count: usize) -> Result<Received, Failure> {
        let Some(pieces) = &mut self.pieces else { return Ok(Received::Nothing) };
        let received = pieces.filled(count);
        self.between = pieces.is_between();
        received
    }

    /// Releases memory that the message in progress does not need.
    pub fn shrink(&mut self) {
        match &mut self.pieces {
            Some(pieces) if !self.between => pieces.spare = None,
            _ => self.pieces = None,
        }
    }

    /// Call before a read, until there is nothing to move. Moves a slice of the message in progress if it may outgrow
    /// its storage.
    pub fn move_on(&mut self, limits: &Limits) -> Moved {
        self.pieces.as_mut().map_or(Moved::Nothing, |pieces| pieces.move_on(limits))
    }

    /// Takes the storage of the message in progress. Nothing may be decoded afterwards.
    pub fn abandon(&mut self) -> [Vec<u8>; 2] {
        let assembly = self.pieces.as_mut().and_then(|pieces| pieces.assembly.take());
        assembly.map(|assembly| assembly.into_storage()).unwrap_or_default()
    }

    /// Whether a message has begun and is not complete.
    #[inline]
    pub fn mid_message(&self) -> bool {
        !self.between && self.pieces.as_ref().is_some_and(|pieces| pieces.assembly.is_some())
    }

    /// Bytes in use for the message in progress.
    pub fn used_bytes(&self) -> usize {
        let assembly = self.pieces.as_ref().and_then(|pieces| pieces.assembly.as_ref());
        assembly.map_or(0, |assembly| assembly.used_bytes())
    }

    /// Heap bytes of the message in progress.
    pub fn heap_bytes(&self) -> usize {
        let assembly = self.pieces.as_ref().and_then(|pieces| pieces.assembly.as_ref());
        assembly.map_or(0, |assembly| assembly.heap_bytes())
    }
}

impl Pieces {
    fn new() -> Box<Pieces> {
        Box::new(Pieces {
            at: At::Header,
            carried: [0; 14],
            carried_len: 0,
            control: None,
            assembly: None,
            spare: None,
        })
    }

    /// Whether a frame begins next, with no message in progress.
    fn is_between(&self) -> bool {
        matches!(self.at, At::Header) && self.carried_len == 0 && self.assembly.is_none()
    }

    /// Decodes anything but a complete message in one frame: pieces, control frames, invalid frames.
    fn next(&mut self, rules: Rules, buf: &mut [u8], limits: &Limits) -> Result<(usize, Received), Failure> {
        let mut used = 0;
        let mut fragments = 0;
        loop {
            match self.at {
                At::Header if fragments == FRAGMENTS_PER_CALL && used < buf.len() => {
                    return Ok((used, Received::Fragments));
                }
                At::Header => {
                    let Some((header, len)) = self.header(&buf[used..]) else {
                        return Ok((buf.len(), Received::Nothing));
                    };
                    used += len;
                    self.judge(rules, &header, limits)?;
                    if header.opcode >= CLOSE {
                        self.at = At::Control { header };
                    } else {
                        fragments += 1;
                        self.at = At::Data { left: header.len, done: 0, key: header.mask, fin: header.fin };
                        self.start_fragment(&header, limits)?;
                    }
                }
                At::Data { .. } => {
                    if let Some(received) = self.data(buf, &mut used)? {
                        return Ok((used, received));
                    }
                }
                At::Control { header } => {
                    let mut payload = self.control.take().map_or(ControlPayload::default(), |start| *start);
                    let take = (header.len as usize - payload.len()).min(buf.len() - used);
                    payload.append(&buf[used..used + take]);
                    used += take;
                    if payload.len() < header.len as usize {
                        self.control = Some(Box::new(payload));
                        return Ok((used, Received::Nothing));
                    }
                    self.at = At::Header;
                    return control_frame(&header, payload).map(|received| (used, received));
                }
            }
        }
    }

    /// Consumes payload of a data frame from `used` on. `None`: the frame is complete, and its message continues.
    #[inline]
    fn data(&mut self, buf: &mut [u8], used: &mut usize) -> Result<Option<Received>, Failure> {
        let At::Data { left, done, key, fin } = self.at else { return Ok(None) };
        let take = left.min((buf.len() - *used) as u64) as usize;
        let start = *used;
        let piece = &mut buf[start..start + take];
        if let Some(key) = key {
            mask(piece, key, (done & 3) as usize);
        }
        *used += take;
        let rest = left - take as u64;
        self.at = if rest > 0 { At::Data { left: rest, done: done + take as u64, key, fin } } else { At::Header };
        let last = fin && rest == 0;
        if let Some(Assembly { text, compressed: true, .. }) = self.assembly.as_deref() {
            let text = *text;
            if last {
                self.assembly = None;
            }
            if take > 0 || last {
                return Ok(Some(Received::Compressed { text, last, start, len: take }));
            }
        } else if let Some(assembly) = &mut self.assembly {
            assembly.append(&buf[start..start + take], left)?;
        }
        match rest {
            0 if last => self.finish().map(Some),
            0 => Ok(None),
            _ => Ok(Some(Received::Nothing)),
        }
    }

    /// As the decoder's.
    fn room_to_fill(&mut self) -> Option<&mut [u8]> {
        match self.at {
            At::Data { left, .. } if left >= MIN_FILL => {
                self.assembly.as_deref_mut().filter(|assembly| !assembly.compressed)?.room(left)
            }
            _ => None,
        }
    }

    /// As the decoder's.
    fn filled(&mut self, count: usize) -> Result<Received, Failure> {
        let At::Data { left, done, key, fin } = self.at else { return Ok(Received::Nothing) };
        let Some(assembly) = &mut self.assembly else { return Ok(Received::Nothing) };
        assembly.filled(count, |piece| {
            if let Some(key) = key {
                mask(piece, key, (done & 3) as usize);
            }
        })?;
        let rest = left - count as u64;
        self.at = if rest > 0 { At::Data { left: rest, done: done + count as u64, key, fin } } else { At::Header };
        if rest == 0 && fin { self.finish() } else { Ok(Received::Nothing) }
    }

    /// As the decoder's.
    fn move_on(&mut self, limits: &Limits) -> Moved {
        let frame = match self.at {
            At::Data { left, fin, .. } => Some((left, fin)),
            _ => None,
        };
        match self.assembly.as_deref_mut().filter(|assembly| !assembly.compressed) {
            Some(assembly) => assembly.move_on(frame, limits.max_message),
            None => Moved::Nothing,
        }
    }

    /// Parses the next header. Returns it and how many of `bytes` it took. An incomplete one is kept for the next call.
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

    /// Checks a header against the protocol and the limits.
    fn judge(&self, rules: Rules, header: &Header, limits: &Limits) -> Result<(), Failure> {
        let first_of_data = matches!(header.opcode, TEXT | BINARY);
        if header.rsv != 0 && !(header.rsv == RSV1 && rules.rsv1_allowed && first_of_data) {
            return Err(protocol("a reserved bit is set and no extension was agreed on (RFC 6455 section 5.2)"));
        }
        if header.mask.is_some() != (rules.role == Role::Server) {
            return Err(protocol(match rules.role {
                Role::Server => "a client's frame is not masked (RFC 6455 section 5.1)",
                Role::Client => "a server's frame is masked (RFC 6455 section 5.1)",
            }));
        }
        if header.overlong {
            return Err(protocol("a length is encoded in a longer form than it needs (RFC 6455 section 5.2)"));
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
            (Some(_), _) => {
                return Err(protocol("a new message begins inside a fragmented one (RFC 6455 section 5.4)"));
            }
        };
        if header.len >> 63 != 0 {
            return Err(protocol("a length has its top bit set (RFC 6455 section 5.2)"));
        }
        let compressed = header.rsv != 0 || self.assembly.as_ref().is_some_and(|assembly| assembly.compressed);
        // Compression may enlarge incompressible data a little.
        let most = if compressed {
            limits.max_message.saturating_add(limits.max_message / 8 + 64)
        } else {
            limits.max_message
        };
        if assembled.saturating_add(header.len) > most {
            let why = format!(
                "a message is longer than {MAX_MESSAGE_BYTES} ({}): raise it, or send less at a time",
                limits.max_message
            );
            return Err(Failure::of_protocol(1009, why));
        }
        Ok(())
    }

    fn start_fragment(&mut self, header: &Header, limits: &Limits) -> Result<(), Failure> {
        let spare = &mut self.spare;
        let assembly = self.assembly.get_or_insert_with(|| {
            let compressed = header.rsv != 0;
            let bytes = if compressed { None } else { spare.take() }.unwrap_or_default();
            Box::new(Assembly::new(header.opcode == TEXT, compressed, bytes))
        });
        assembly.start_fragment(header.len, limits)
    }

    fn finish(&mut self) -> Result<Received, Failure> {
        self.assembly.take().map_or(Ok(Received::Nothing), |assembly| assembly.finish())
    }
}

fn control_frame(header: &Header, mut payload: ControlPayload) -> Result<Received, Failure> {
    if let Some(key) = header.mask {
        mask(&mut payload, key, 0);
    }
    match header.opcode {
        PING => Ok(Received::Ping { payload }),
        PONG => Ok(Received::Pong { payload }),
        _ => close_frame(&payload).map(|(code, reason)| Received::Close { code, reason }),
    }
}

/// Finds a message in one frame that is complete at the start of `buf` and whose header is valid, and unmasks it.
/// Returns its offset, its length and whether it is text.
#[inline]
fn whole_message(role: Role, buf: &mut [u8], limits: &Limits) -> Option<(usize, usize, bool)> {
    let [first, second, rest @ ..] = &*buf else { return None };
    let text = match first {
        0x81 => true,
        0x82 => false,
        _ => return None,
    };
    let masked = if role == Role::Server { 0x80 } else { 0 };
    let (len, at) = match second ^ masked {
        len @ 0..=125 => (u64::from(len), 2),
        126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*rest.first_chunk()?), 10),
        _ => return None,
    };
    let overlong = (at == 4 && len < 126) || (at == 10 && len < 65_536);
    if overlong || len > limits.max_message {
        return None;
    }
    let len = usize::try_from(len).ok()?;
    if masked == 0 {
        buf[at..].get(..len)?;
        return Some((at, len, text));
    }
    let (key, payload) = buf[at..].split_first_chunk_mut()?;
    mask(payload.get_mut(..len)?, *key, 0);
    Some((at + 4, len, text))
}
