//! Masking (RFC 6455 section 5.3).

/// Bytes done at a time: wide enough for the compiler to use the widest registers.
const BLOCK: usize = 32;

/// Masks or unmasks in place. `offset` is the place of `bytes` in its payload.
pub fn mask(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    let mut key = key;
    key.rotate_left(offset & 3);
    let word = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let mut blocks = bytes.chunks_exact_mut(BLOCK);
    for block in &mut blocks {
        for eight in block.chunks_exact_mut(8) {
            let value = u64::from_ne_bytes([eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7]]) ^ word;
            eight.copy_from_slice(&value.to_ne_bytes());
        }
    }
    let mut eights = blocks.into_remainder().chunks_exact_mut(8);
    for eight in &mut eights {
        let value = u64::from_ne_bytes([eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7]]) ^ word;
        eight.copy_from_slice(&value.to_ne_bytes());
    }
    for (byte, key) in eights.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a masked copy; each piece is masked while it is in cache.
pub fn extend_masked(out: &mut Vec<u8>, bytes: &[u8], key: [u8; 4]) {
    out.reserve(bytes.len());
    for (index, piece) in bytes.chunks(PIECE).enumerate() {
        let start = out.len();
        out.extend_from_slice(piece);
        mask(&mut out[start..], key, index * PIECE);
    }
}

const PIECE: usize = 16 << 10;

/// Masking keys from the system's random source (section 5.3: unpredictable), drawn in bulk.
pub struct MaskKeys {
    pool: Option<Box<[u8; POOL]>>,
    at: usize,
}

const POOL: usize = 1 << 10;

impl MaskKeys {
    /// Draws nothing yet.
    pub fn new() -> MaskKeys {
        MaskKeys { pool: None, at: POOL }
    }

    /// A fresh key.
    pub fn draw(&mut self) -> [u8; 4] {
        if self.at == POOL {
            self.refill();
        }
        let pool = self.pool.as_deref().unwrap_or(&[0; POOL]);
        let key = [pool[self.at], pool[self.at + 1], pool[self.at + 2], pool[self.at + 3]];
        self.at += 4;
        key
    }

    #[cold]
    fn refill(&mut self) {
        let pool = self.pool.get_or_insert_with(|| Box::new([0; POOL]));
        if getrandom::fill(pool.as_mut_slice()).is_err() {
            // No random source: the hasher's secret keys are the next best.
            use std::hash::{BuildHasher, RandomState};
            for eight in pool.chunks_exact_mut(8) {
                eight.copy_from_slice(&RandomState::new().hash_one(eight.as_ptr() as usize).to_ne_bytes());
            }
        }
        self.at = 0;
    }
}

impl Default for MaskKeys {
    fn default() -> MaskKeys {
        MaskKeys::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_every_length_and_offset_as_the_rfc_says() {
        let key = [0x37, 0xFA, 0x21, 0x3D];
        for len in 0..200 {
            for offset in 0..5 {
                let plain: Vec<u8> = (0..len).map(|value| value as u8).collect();
                let expected: Vec<u8> = plain.iter().enumerate().map(|(index, byte)| byte ^ key[(index + offset) % 4]).collect();
                let mut masked = plain.clone();
                mask(&mut masked, key, offset);
                assert_eq!(masked, expected);
            }
        }
    }

    #[test]
    fn a_masked_copy_is_the_masked_original() {
        let plain: Vec<u8> = (0..100_000u32).map(|value| value as u8).collect();
        let mut copy = vec![9];
        extend_masked(&mut copy, &plain, [1, 2, 3, 4]);
        mask(&mut copy[1..], [1, 2, 3, 4], 0);
        assert_eq!(copy[1..], plain);
    }

    #[test]
    fn keys_differ() {
        let mut keys = MaskKeys::new();
        let drawn: std::collections::HashSet<_> = (0..1_000).map(|_| keys.draw()).collect();
        assert!(drawn.len() > 990);
    }
}
