//! The sending side: frames and close payloads (RFC 6455 sections 5.2 and 7.4).

use super::Role;
use super::header::Header;
use super::mask::{MaskKeys, extend_masked};

/// Appends one whole message or control frame: header and payload, masked for a client.
pub fn encode_frame(out: &mut Vec<u8>, role: Role, keys: &mut MaskKeys, opcode: u8, rsv1: bool, payload: &[u8]) {
    let mask = match role {
        Role::Client => Some(keys.draw()),
        Role::Server => None,
    };
    let mut bytes = [0; 14];
    let count = Header { fin: true, rsv: u8::from(rsv1) << 2, opcode, mask, len: payload.len() as u64, overlong: false }.encode(&mut bytes);
    out.reserve(count + payload.len());
    out.extend_from_slice(&bytes[..count]);
    match mask {
        Some(key) => extend_masked(out, payload, key),
        None => out.extend_from_slice(payload),
    }
}

/// The header of a whole unmasked frame; how many bytes it has.
pub fn server_frame_header(opcode: u8, rsv1: bool, len: usize, out: &mut [u8; 14]) -> usize {
    Header { fin: true, rsv: u8::from(rsv1) << 2, opcode, mask: None, len: len as u64, overlong: false }.encode(out)
}

/// The payload of a close frame (section 5.5.1); how many bytes of it count. A reason that does not fit is cut at a code point.
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

/// Whether an endpoint may send this close code (section 7.4 and the registry it founded).
pub fn code_may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_sends_the_hello_of_section_5_7_unmasked() {
        let mut out = Vec::new();
        encode_frame(&mut out, Role::Server, &mut MaskKeys::new(), 0x1, false, b"Hello");
        assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    }

    #[test]
    fn a_client_sends_it_masked() {
        let mut out = Vec::new();
        encode_frame(&mut out, Role::Client, &mut MaskKeys::new(), 0x1, false, b"Hello");
        assert_eq!(out[..2], [0x81, 0x85]);
        let key = [out[2], out[3], out[4], out[5]];
        super::super::mask(&mut out[6..], key, 0);
        assert_eq!(out[6..], *b"Hello");
    }

    #[test]
    fn a_close_payload_cuts_its_reason_at_a_code_point() {
        let (payload, len) = close_payload(Some(1000), &"é".repeat(100));
        assert_eq!(len, 2 + 122);
        assert!(std::str::from_utf8(&payload[2..len]).is_ok());
        assert_eq!(close_payload(None, "x").1, 0);
    }
}
