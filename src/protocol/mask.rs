//! Masking (RFC 6455 section 5.3).

/// Masks or unmasks in place. `offset` is the place of `bytes` in its payload.
#[inline(always)]
pub fn mask(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    // The key as it is at that place of the payload.
    let word = u32::from_le_bytes(key).rotate_right(8 * (offset as u32 & 3));
    let key = word.to_le_bytes();
    let pattern: [u8; BLOCK] = std::array::from_fn(|index| key[index % 4]);
    let (blocks, rest) = bytes.as_chunks_mut::<BLOCK>();
    for block in blocks {
        for (byte, key) in block.iter_mut().zip(pattern) {
            *byte ^= key;
        }
    }
    let (words, rest) = rest.as_chunks_mut::<4>();
    for four in words {
        *four = (u32::from_le_bytes(*four) ^ word).to_le_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// Bytes done at a time, in the widest registers there are.
const BLOCK: usize = 32;

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
    #[inline]
    pub fn draw(&mut self) -> [u8; 4] {
        if self.at == POOL {
            self.refill();
        }
        let key = self.pool.as_deref().and_then(|pool| pool[self.at..].first_chunk()).copied().unwrap_or_default();
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
