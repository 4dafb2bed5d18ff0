//! Incremental validation of UTF-8 (RFC 6455 section 8.1).

/// A validator that keeps the start of a code point that was cut between two pieces.
#[derive(Clone, Copy, Default, Debug)]
pub struct Utf8 {
    carried: [u8; 4],
    len: u8,
}

/// The text is not UTF-8, whatever follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invalid;

impl Utf8 {
    /// A validator at the start of a text.
    pub fn new() -> Utf8 {
        Utf8::default()
    }

    /// Validates the next bytes of the text.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Invalid> {
        let mut bytes = bytes;
        while self.len > 0 {
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            self.carried[self.len as usize] = *first;
            self.len += 1;
            bytes = rest;
            match std::str::from_utf8(&self.carried[..self.len as usize]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(Invalid),
                Err(_) => {}
            }
        }
        let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(Invalid);
        }
        let rest = &bytes[error.valid_up_to()..];
        self.carried[..rest.len()].copy_from_slice(rest);
        self.len = rest.len() as u8;
        Ok(())
    }

    /// Whether the text may end here: no code point is incomplete.
    pub fn is_complete(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validation_does_not_depend_on_how_text_is_cut() {
        let good = "κόσμε 𐀀 \u{10FFFF} aé".as_bytes();
        for first in 0..=good.len() {
            for second in first..=good.len() {
                let mut utf8 = Utf8::new();
                assert!(
                    [&good[..first], &good[first..second], &good[second..]]
                        .iter()
                        .all(|piece| utf8.feed(piece).is_ok())
                );
                assert!(utf8.is_complete());
            }
        }
        for bad in [b"a\xFFb".as_slice(), b"\xED\xA0\x80", b"\xC0\xAF", b"\xF4\x90\x80\x80", b"\xE0\x80\x80"] {
            for cut in 0..=bad.len() {
                let mut utf8 = Utf8::new();
                assert!(utf8.feed(&bad[..cut]).and_then(|()| utf8.feed(&bad[cut..])).is_err(), "{bad:?} at {cut}");
            }
        }
    }

    #[test]
    fn a_surrogate_is_refused_at_its_second_byte() {
        let mut utf8 = Utf8::new();
        assert_eq!(utf8.feed(b"\xED"), Ok(()));
        assert!(!utf8.is_complete());
        assert_eq!(utf8.feed(b"\xA0"), Err(Invalid));
    }
}
