//! The payloads of control frames (RFC 6455 section 5.5).

use super::encode::code_may_be_sent;
use super::violation::protocol;
use crate::error::Failure;
use std::ops::{Deref, DerefMut};

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

impl ControlPayload {
    /// Appends bytes. The total must not exceed 125.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let start = self.len as usize;
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }
}

impl Default for ControlPayload {
    fn default() -> ControlPayload {
        ControlPayload { bytes: [0; 125], len: 0 }
    }
}

impl DerefMut for ControlPayload {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len as usize]
    }
}

/// Decodes the status code and reason of a close frame: neither, or both (section 5.5.1).
pub(super) fn close_frame(payload: &[u8]) -> Result<(Option<u16>, String), Failure> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload.len() {
            0 => Ok((None, String::new())),
            _ => Err(protocol("a close frame has half a code (RFC 6455 section 5.5.1)")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !code_may_be_sent(code) {
        return Err(protocol(format!("{code} is not a close code that can be sent (RFC 6455 section 7.4)")));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok((Some(code), reason.to_owned())),
        Err(_) => Err(Failure::of_protocol(1007, "a close reason is not valid UTF-8 (RFC 6455 section 5.5.1)")),
    }
}
