//! The sending side: encodes frames and close payloads (RFC 6455 sections 5.2 and 7.4).

use super::Role;
use super::header::{ENCODED, Header};
use super::mask::{MaskKeys, copy_masked};

/// Opcode of a continuation frame (section 5.4).
pub const CONTINUATION: u8 = 0x0;

/// The opcode of a message.
pub fn opcode_of(text: bool) -> u8 {
    if text { 0x1 } else { 0x2 }
}

/// The fields in the first byte of a frame's header.
#[derive(Clone, Copy)]
pub struct Lead {
    /// The opcode (section 5.2).
    pub opcode: u8,
    /// The message is compressed (RFC 7692 section 6). Set in its first frame only.
    pub rsv1: bool,
    /// The last frame of its message.
    pub fin: bool,
}

impl Lead {
    /// An uncompressed message, or a control frame, in a single frame.
    pub fn whole(opcode: u8) -> Lead {
        Lead { opcode, rsv1: false, fin: true }
    }

    #[inline]
    fn header(self, len: usize, mask: Option<[u8; 4]>) -> Header {
        Header {
            fin: self.fin,
            rsv: u8::from(self.rsv1) << 2,
            opcode: self.opcode,
            mask,
            len: len as u64,
            overlong: false,
        }
    }
}

/// Appends one frame: header and payload, masked by a client.
pub fn encode_frame(out: &mut Vec<u8>, role: Role, keys: &mut MaskKeys, lead: Lead, payload: &[u8]) {
    let start = out.len();
    out.resize(start + frame_room(payload.len()), 0);
    let count = write_frame(&mut out[start..], role, keys, lead, payload);
    out.truncate(start + count);
}

/// Bytes of the buffer that `write_frame` needs.
#[inline]
pub fn frame_room(payload_len: usize) -> usize {
    ENCODED + payload_len
}

/// Writes one frame to the front of `room`, which has `frame_room` bytes. Returns the length of the frame.
#[inline(always)]
pub fn write_frame(room: &mut [u8], role: Role, keys: &mut MaskKeys, lead: Lead, payload: &[u8]) -> usize {
    match role {
        Role::Client => {
            let key = keys.draw();
            let body = write_header(room, lead.header(payload.len(), Some(key)));
            let end = body + payload.len();
            copy_masked(&mut room[body..end], payload, key, 0);
            end
        }
        Role::Server => {
            let body = write_header(room, lead.header(payload.len(), None));
            let end = body + payload.len();
            room[body..end].copy_from_slice(payload);
            end
        }
    }
}

#[inline(always)]
fn write_header(room: &mut [u8], header: Header) -> usize {
    if let Some((bytes, count)) = header.encode_short() {
        room[..8].copy_from_slice(&bytes);
        return count;
    }
    let (bytes, count) = header.encode();
    room[..ENCODED].copy_from_slice(&bytes);
    count
}

/// Encodes the header of a frame whose payload is sent separately. Returns its bytes, and how many of them are used.
pub fn frame_header(lead: Lead, len: usize, mask: Option<[u8; 4]>) -> ([u8; ENCODED], usize) {
    lead.header(len, mask).encode()
}

/// Encodes the payload of a close frame (section 5.5.1). Returns its bytes, and how many of them are used. A reason
/// that is too long is cut at a code point.
pub fn close_payload(code: Option<u16>, reason: &str) -> ([u8; 125], usize) {
    let mut payload = [0; 125];
    let Some(code) = code else { return (payload, 0) };
    payload[..2].copy_from_slice(&code.to_be_bytes());
    let mut len = reason.len().min(123);
    while !reason.is_char_boundary(len) {
        len -= 1;
    }
    payload[2..2 + len].copy_from_slice(&reason.as_bytes()[..len]);
    (payload, 2 + len)
}

/// Whether an endpoint may send this status code (section 7.4 and the registry that it founded).
pub fn code_may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_sends_the_hello_of_section_5_7_unmasked() {
        let mut out = Vec::new();
        encode_frame(&mut out, Role::Server, &mut MaskKeys::new(), Lead::whole(0x1), b"Hello");
        assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    }

    #[test]
    fn a_client_sends_the_hello_of_section_5_7_masked() {
        let mut out = Vec::new();
        encode_frame(&mut out, Role::Client, &mut MaskKeys::new(), Lead::whole(0x1), b"Hello");
        assert_eq!(out[..2], [0x81, 0x85]);
        let key = [out[2], out[3], out[4], out[5]];
        super::super::mask(&mut out[6..], key, 0);
        assert_eq!(out[6..], *b"Hello");
    }

    #[test]
    fn a_separate_header_is_that_of_the_whole_frame() {
        for len in [0, 125, 126, 65_535, 65_536] {
            for lead in [Lead::whole(0x2), Lead { opcode: 0x1, rsv1: true, fin: false }] {
                let mut frame = Vec::new();
                encode_frame(&mut frame, Role::Server, &mut MaskKeys::new(), lead, &vec![0; len]);
                let (header, count) = frame_header(lead, len, None);
                assert_eq!(header[..count], frame[..frame.len() - len], "{len} bytes");
                let (masked, masked_count) = frame_header(lead, len, Some([1, 2, 3, 4]));
                assert_eq!((masked_count, &masked[count..masked_count]), (count + 4, [1, 2, 3, 4].as_slice()));
                assert_eq!((masked[0], masked[1]), (header[0], header[1] | 0x80));
            }
        }
    }

    #[test]
    fn a_close_payload_cuts_its_reason_at_a_code_point() {
        let (payload, len) = close_payload(Some(1000), &"é".repeat(100));
        assert_eq!(len, 2 + 122);
        assert!(std::str::from_utf8(&payload[2..len]).is_ok());
        assert_eq!(close_payload(None, "x").1, 0);
    }
}
