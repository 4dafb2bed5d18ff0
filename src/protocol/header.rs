//! Frame headers (RFC 6455 section 5.2).

/// The longest one has so many bytes.
pub const MAX_HEADER: usize = 14;

/// The header of one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Last frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as bits 4, 2, 1.
    pub rsv: u8,
    /// What the payload is.
    pub opcode: u8,
    /// The masking key.
    pub mask: Option<[u8; 4]>,
    /// Length of the payload; the decoder judges its top bit.
    pub len: u64,
    /// The length was told in a longer form than it needs, which the decoder refuses.
    pub overlong: bool,
}

impl Header {
    /// The header at the start of `bytes`, and its length. `None`: incomplete.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Option<(Header, usize)> {
        let [first, second, rest @ ..] = bytes else { return None };
        let (len, at, least) = match second & 0x7F {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2, 126),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8, 65_536),
            len => (u64::from(len), 0, 0),
        };
        let (mask, at) = if second & 0x80 != 0 { (Some(*rest.get(at..)?.first_chunk()?), at + 4) } else { (None, at) };
        Some((Header { fin: first & 0x80 != 0, rsv: first >> 4 & 7, opcode: first & 0xF, mask, len, overlong: len < least }, at + 2))
    }

    /// Writes the header, the length in its shortest form; how many bytes it has.
    #[inline]
    pub fn encode(&self, out: &mut [u8; MAX_HEADER]) -> usize {
        out[0] = u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode;
        let masked = u8::from(self.mask.is_some()) << 7;
        let mut at = 2;
        if self.len < 126 {
            out[1] = masked | self.len as u8;
        } else if let Ok(len) = u16::try_from(self.len) {
            out[1] = masked | 126;
            out[2..4].copy_from_slice(&len.to_be_bytes());
            at = 4;
        } else {
            out[1] = masked | 127;
            out[2..10].copy_from_slice(&self.len.to_be_bytes());
            at = 10;
        }
        if let Some(key) = self.mask {
            out[at..at + 4].copy_from_slice(&key);
            at += 4;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tungstenite::protocol::frame::FrameHeader;
    use tungstenite::protocol::frame::coding::OpCode;

    #[test]
    fn agrees_with_tungstenite_on_every_pair_of_first_bytes() {
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                for tail in [[0u8; 12], [1; 12], [0, 0, 0, 0, 0, 1, 0, 0, 9, 8, 7, 6], [0, 200, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]] {
                    let bytes = [&[first, second], tail.as_slice()].concat();
                    for cut in 0..=14 {
                        let ours = Header::parse(&bytes[..cut]);
                        let theirs = FrameHeader::parse(&mut Cursor::new(&bytes[..cut]));
                        // It refuses what a decoder judges here: reserved opcodes and RSV are kept as they are.
                        let Ok(theirs) = theirs else { continue };
                        match (ours, theirs) {
                            (None, None) => {}
                            (Some((ours, _)), Some((header, len))) => {
                                assert_eq!((ours.fin, ours.mask, ours.len), (header.is_final, header.mask, len));
                                assert_eq!(ours.rsv, u8::from(header.rsv1) << 2 | u8::from(header.rsv2) << 1 | u8::from(header.rsv3));
                                assert_eq!(ours.opcode, u8::from(header.opcode));
                            }
                            (ours, theirs) => panic!("{bytes:?} cut at {cut}: {ours:?} but tungstenite {theirs:?}"),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn writes_what_tungstenite_writes() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 31, u64::MAX >> 1] {
            for mask in [None, Some([1, 2, 3, 4])] {
                for opcode in [0u8, 1, 2, 8, 9, 10] {
                    for rsv in 0..8 {
                        let header = Header { fin: rsv % 2 == 0, rsv, opcode, mask, len, overlong: false };
                        let mut out = [0; 14];
                        let count = header.encode(&mut out);
                        let theirs = FrameHeader {
                            is_final: header.fin,
                            rsv1: rsv & 4 != 0,
                            rsv2: rsv & 2 != 0,
                            rsv3: rsv & 1 != 0,
                            opcode: OpCode::from(opcode),
                            mask,
                        };
                        let mut expected = Vec::new();
                        theirs.format(len, &mut expected).unwrap();
                        assert_eq!(out[..count], expected);
                        assert_eq!(Header::parse(&out[..count]), Some((header, count)));
                    }
                }
            }
        }
    }
}
