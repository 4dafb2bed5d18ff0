//! The receiving side: frames to messages (RFC 6455 sections 5.2 to 5.5).

use super::Role;
use super::assembly::Assembly;
use super::breach::{not_utf8, protocol};
use super::control::{ControlPayload, close_frame};
use super::header::Header;
use super::mask::mask;
use super::received::{Limits, Received};
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
/// With this much of a frame to come, it is read to where it belongs.
const MIN_FILL: u64 = 20 << 10;
/// Fragments taken in one call.
const FRAGMENTS_PER_CALL: u32 = 64;

/// Where in a frame the decoder stands.
#[derive(Clone, Copy)]
enum At {
    Header,
    Data { left: u64, done: u64, key: Option<[u8; 4]>, fin: bool },
    Control { header: Header },
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
    control: Option<Box<ControlPayload>>,
    assembly: Option<Box<Assembly>>,
    /// Storage for the next assembly.
    spare: Option<Vec<u8>>,
}

impl Discarded for Decoder {
    fn empty(&mut self, keep: &mut usize) {
        self.assembly.empty(keep);
        self.spare.empty(keep);
    }
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
            control: None,
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
    #[inline(never)]
    fn next_piece(&mut self, buf: &mut [u8], limits: &Limits) -> Result<(usize, Received), Failure> {
        let mut used = 0;
        let mut fragments = 0;
        loop {
            match self.at {
                At::Header if fragments == FRAGMENTS_PER_CALL && used < buf.len() => return Ok((used, Received::Fragments)),
                At::Header => {
                    let Some((header, len)) = self.header(&buf[used..]) else { return Ok((buf.len(), Received::Nothing)) };
                    used += len;
                    self.judge(&header, limits)?;
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

    /// Takes what the buffer has of a data frame's payload from `used` on. `None`: the frame is whole, and the message goes on behind it.
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
            At::Data { left, .. } if left >= MIN_FILL => self.assembly.as_deref_mut().filter(|assembly| !assembly.compressed)?.room(left),
            _ => None,
        }
    }

    /// So many bytes were read to `room_to_fill`. The message, if it is whole by that.
    pub fn filled(&mut self, count: usize) -> Result<Received, Failure> {
        let At::Data { left, done, key, fin } = self.at else { return Ok(Received::Nothing) };
        let Some(assembly) = &mut self.assembly else { return Ok(Received::Nothing) };
        assembly.filled(count, |piece| {
            if let Some(key) = key {
                mask(piece, key, (done & 3) as usize);
            }
        })?;
        let rest = left - count as u64;
        self.at = if rest > 0 { At::Data { left: rest, done: done + count as u64, key, fin } } else { At::Header };
        let received = if rest == 0 && fin { self.finish() } else { Ok(Received::Nothing) };
        self.between = matches!(self.at, At::Header) && self.assembly.is_none();
        received
    }

    /// Gives memory back that no message under way needs.
    pub fn shrink(&mut self) {
        self.spare = None;
    }

    /// Before a read: moves a slice of the message under way on, if it may outgrow its place. Call it until there is nothing to move.
    pub fn move_on(&mut self, limits: &Limits) -> Moved {
        let frame = match self.at {
            At::Data { left, fin, .. } => Some((left, fin)),
            _ => None,
        };
        match self.assembly.as_deref_mut().filter(|assembly| !assembly.compressed) {
            Some(assembly) => assembly.move_on(frame, limits.max_message),
            None => Moved::Nothing,
        }
    }

    /// Takes out the storage of the message under way: nothing more is decoded.
    pub fn abandon(&mut self) -> [Vec<u8>; 2] {
        self.assembly.take().map(|assembly| assembly.into_storage()).unwrap_or_default()
    }

    /// Whether a message has begun and not ended.
    pub fn mid_message(&self) -> bool {
        self.assembly.is_some()
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        self.assembly.as_ref().map_or(0, |assembly| assembly.heap_bytes())
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
            let sentence = format!("a message is longer than {MAX_MESSAGE_BYTES} ({}): raise it, or send less at a time", limits.max_message);
            return Err(Failure::of_protocol(1009, sentence));
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

/// A message in one frame that lies whole at the start of `buf` and breaks no rule of headers, unmasked: its place, its length, and whether it is text.
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
