//! Frame headers (RFC 6455 section 5.2).

/// Bytes of an encoded header's buffer. The longest header has 14 bytes, but copying this length is cheaper than
/// copying the exact one.
pub const ENCODED: usize = 16;

/// The header of one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Last frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as bits 4, 2, 1.
    pub rsv: u8,
    /// The opcode: the type of the frame.
    pub opcode: u8,
    /// The masking key.
    pub mask: Option<[u8; 4]>,
    /// Length of the payload. The decoder checks its top bit.
    pub len: u64,
    /// The length was encoded in a longer form than necessary, which the decoder refuses.
    pub overlong: bool,
}

impl Header {
    /// Parses the header at the start of `bytes`. Returns it and its length, or `None` if it is incomplete.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Option<(Header, usize)> {
        let [first, second, rest @ ..] = bytes else { return None };
        let (len, at, least) = match second & 0x7F {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2, 126),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8, 65_536),
            len => (u64::from(len), 0, 0),
        };
        let (mask, at) = if second & 0x80 != 0 { (Some(*rest.get(at..)?.first_chunk()?), at + 4) } else { (None, at) };
        Some((
            Header {
                fin: first & 0x80 != 0,
                rsv: first >> 4 & 7,
                opcode: first & 0xF,
                mask,
                len,
                overlong: len < least,
            },
            at + 2,
        ))
    }

    /// As `encode`, for a payload of at most 125 bytes: half as many registers. `None`: it is longer.
    #[inline(always)]
    pub fn encode_short(&self) -> Option<([u8; 8], usize)> {
        if self.len > 125 {
            return None;
        }
        let (key, masked, count) = self.mask.map_or((0, 0, 2), |key| (u64::from(u32::from_le_bytes(key)), 0x80, 6));
        let first = u64::from(u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode);
        Some(((first | (self.len | masked) << 8 | key << 16).to_le_bytes(), count))
    }

    /// Encodes the header, with the length in its shortest form. Returns its bytes, and how many of them are used. They
    /// are computed in registers: every frame needs one.
    #[inline(always)]
    pub fn encode(&self) -> ([u8; ENCODED], usize) {
        let key = self.mask.map_or(0, |key| u128::from(u32::from_le_bytes(key)));
        let (masked, key_len) = if self.mask.is_some() { (0x80, 4) } else { (0, 0) };
        let first = u128::from(u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode);
        let start = |second: u8| first | u128::from(second | masked) << 8;
        let (bytes, count) = match self.len {
            0..=125 => (start(self.len as u8) | key << 16, 2),
            126..=0xFFFF => (start(126) | u128::from((self.len as u16).swap_bytes()) << 16 | key << 32, 4),
            _ => (start(127) | u128::from(self.len.swap_bytes()) << 16 | key << 80, 10),
        };
        (bytes.to_le_bytes(), count + key_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tungstenite::protocol::frame::FrameHeader;
    use tungstenite::protocol::frame::coding::OpCode;

    #[test]
    fn parses_every_pair_of_first_bytes_like_tungstenite() {
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                for tail in [
                    [0u8; 12],
                    [1; 12],
                    [0, 0, 0, 0, 0, 1, 0, 0, 9, 8, 7, 6],
                    [0, 200, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
                ] {
                    let bytes = [&[first, second], tail.as_slice()].concat();
                    for cut in 0..=14 {
                        let ours = Header::parse(&bytes[..cut]);
                        let theirs = FrameHeader::parse(&mut Cursor::new(&bytes[..cut]));
                        // tungstenite already refuses reserved opcodes here; our decoder checks them later.
                        let Ok(theirs) = theirs else { continue };
                        match (ours, theirs) {
                            (None, None) => {}
                            (Some((ours, _)), Some((header, len))) => {
                                assert_eq!((ours.fin, ours.mask, ours.len), (header.is_final, header.mask, len));
                                assert_eq!(
                                    ours.rsv,
                                    u8::from(header.rsv1) << 2 | u8::from(header.rsv2) << 1 | u8::from(header.rsv3)
                                );
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
    fn encodes_headers_like_tungstenite() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 31, u64::MAX >> 1] {
            for mask in [None, Some([1, 2, 3, 4])] {
                for opcode in [0u8, 1, 2, 8, 9, 10] {
                    for rsv in 0..8 {
                        let header = Header { fin: rsv % 2 == 0, rsv, opcode, mask, len, overlong: false };
                        let (out, count) = header.encode();
                        let short = header.encode_short().map(|(bytes, count)| bytes[..count].to_vec());
                        assert_eq!(short, (len <= 125).then(|| out[..count].to_vec()));
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
