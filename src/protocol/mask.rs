//! Masking (RFC 6455 section 5.3).

/// Bytes that are masked in one step: two registers of 16 bytes, which every x86-64 and AArch64 has.
const STEP: usize = 32;

/// Masks or unmasks in place. `offset` is the position of `bytes` in its payload.
#[inline(always)]
pub fn mask(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    let key = repeated(key, offset);
    let (steps, rest) = bytes.as_chunks_mut::<STEP>();
    for step in steps {
        *step = masked(step, &key);
    }
    if !rest.is_empty() {
        mask_rest(rest, key[0]);
    }
}

/// Makes a masked copy. Both slices have the same length. `offset` is the position of `from` in its payload.
#[inline(always)]
pub fn copy_masked(to: &mut [u8], from: &[u8], key: [u8; 4], offset: usize) {
    let key = repeated(key, offset);
    let ((to_steps, to), (from_steps, from)) = (to.as_chunks_mut::<STEP>(), from.as_chunks::<STEP>());
    for (to, from) in to_steps.iter_mut().zip(from_steps) {
        *to = masked(from, &key);
    }
    if !from.is_empty() {
        copy_rest(to, from, key[0]);
    }
}

/// Masks less than one step.
#[inline]
fn mask_rest(bytes: &mut [u8], key: u64) {
    let (words, rest) = bytes.as_chunks_mut();
    for word in words {
        *word = (u64::from_le_bytes(*word) ^ key).to_le_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.to_le_bytes()) {
        *byte ^= key;
    }
}

/// Copies less than one step, masked.
#[inline]
fn copy_rest(to: &mut [u8], from: &[u8], key: u64) {
    let ((to_words, to), (from_words, from)) = (to.as_chunks_mut(), from.as_chunks());
    for (to, from) in to_words.iter_mut().zip(from_words) {
        *to = (u64::from_le_bytes(*from) ^ key).to_le_bytes();
    }
    for ((to, from), key) in to.iter_mut().zip(from).zip(key.to_le_bytes()) {
        *to = from ^ key;
    }
}

/// The key as it applies at `offset` of the payload, repeated over one step.
#[inline(always)]
fn repeated(key: [u8; 4], offset: usize) -> [u64; STEP / 8] {
    let key = u64::from(u32::from_le_bytes(key).rotate_right(8 * (offset as u32 & 3)));
    [key << 32 | key; STEP / 8]
}

/// One step. All words at once, so that the compiler uses wide registers without a loop around them.
#[inline(always)]
fn masked(from: &[u8; STEP], key: &[u64; STEP / 8]) -> [u8; STEP] {
    let mut bytes = [0; STEP];
    for ((to, from), key) in bytes.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0).zip(key) {
        *to = (u64::from_le_bytes(*from) ^ key).to_le_bytes();
    }
    bytes
}

/// Appends a masked copy of the bytes at `offset` of a payload; each piece is masked while it is in the nearest cache.
pub fn extend_masked(out: &mut Vec<u8>, bytes: &[u8], key: [u8; 4], offset: usize) {
    out.reserve(bytes.len());
    for (index, piece) in bytes.chunks(PIECE).enumerate() {
        let start = out.len();
        out.extend_from_slice(piece);
        mask(&mut out[start..], key, offset + index * PIECE);
    }
}

const PIECE: usize = 4 << 10;

/// Masking keys from the system's random source (section 5.3 requires unpredictable keys), drawn in bulk.
#[derive(Default)]
pub struct MaskKeys {
    /// Allocated at the first draw: a server draws none.
    pool: Option<Box<Pool>>,
}

/// Keys, of which the first `left` are unused.
struct Pool {
    keys: [[u8; 4]; POOL],
    left: usize,
}

const POOL: usize = 256;

impl MaskKeys {
    /// No keys are drawn yet.
    pub fn new() -> MaskKeys {
        MaskKeys::default()
    }

    /// Draws a new key.
    #[inline]
    pub fn draw(&mut self) -> [u8; 4] {
        match &mut self.pool {
            Some(pool) if pool.left > 0 => pool.next(),
            pool => Pool::refill(pool, |bytes| getrandom::fill(bytes).is_ok()),
        }
    }
}

impl Pool {
    #[inline]
    fn next(&mut self) -> [u8; 4] {
        self.left -= 1;
        self.keys[self.left % POOL]
    }

    /// Refills the pool and draws a key. `fill` is the random source, and returns false if there is none.
    #[cold]
    fn refill(pool: &mut Option<Box<Pool>>, fill: impl FnOnce(&mut [u8]) -> bool) -> [u8; 4] {
        let pool = pool.get_or_insert_with(|| Box::new(Pool { keys: [[0; 4]; POOL], left: 0 }));
        if !fill(pool.keys.as_flattened_mut()) {
            // No random source: the secret keys of the standard hasher are the next best.
            use std::hash::{BuildHasher, RandomState};
            for eight in pool.keys.as_flattened_mut().as_chunks_mut::<8>().0 {
                *eight = RandomState::new().hash_one(eight.as_ptr() as usize).to_ne_bytes();
            }
        }
        pool.left = POOL;
        pool.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_copy_is_masked_as_a_whole() {
        let bytes: Vec<u8> = (0..3 * PIECE + 5).map(|index| index as u8).collect();
        for offset in 0..9 {
            let mut whole = bytes.clone();
            mask(&mut whole, [1, 2, 3, 4], offset);
            let mut out = b"before".to_vec();
            extend_masked(&mut out, &bytes, [1, 2, 3, 4], offset);
            assert_eq!((&out[..6], &out[6..]), (b"before".as_slice(), whole.as_slice()), "offset {offset}");
        }
    }

    #[test]
    fn masking_follows_the_rfc_at_every_length_and_offset() {
        let key = [0x37, 0xFA, 0x21, 0x3D];
        for len in 0..200 {
            for offset in 0..5 {
                let plain: Vec<u8> = (0..len).map(|value| value as u8).collect();
                let expected: Vec<u8> =
                    plain.iter().enumerate().map(|(index, byte)| byte ^ key[(index + offset) % 4]).collect();
                let mut masked = plain.clone();
                mask(&mut masked, key, offset);
                assert_eq!(masked, expected);
            }
        }
    }

    #[test]
    fn a_masked_copy_unmasks_to_the_original() {
        let plain: Vec<u8> = (0..100_000u32).map(|value| value as u8).collect();
        let mut copy = vec![9];
        extend_masked(&mut copy, &plain, [1, 2, 3, 4], 0);
        mask(&mut copy[1..], [1, 2, 3, 4], 0);
        assert_eq!(copy[1..], plain);
    }

    #[test]
    fn masking_keys_differ() {
        let mut keys = MaskKeys::new();
        let drawn: std::collections::HashSet<_> = (0..1_000).map(|_| keys.draw()).collect();
        assert!(drawn.len() > 990);
    }

    #[test]
    fn each_key_of_the_random_source_is_used_once() {
        let mut pool = None;
        for round in 0..3_u8 {
            let given: Vec<[u8; 4]> = (0..POOL).map(|index| [index as u8, (index >> 8) as u8, 77, round]).collect();
            let fill = |bytes: &mut [u8]| {
                bytes.copy_from_slice(given.as_flattened());
                true
            };
            let first = Pool::refill(&mut pool, fill);
            let pool = pool.as_mut().unwrap();
            let mut drawn: Vec<[u8; 4]> = std::iter::once(first).chain((1..POOL).map(|_| pool.next())).collect();
            assert_eq!(pool.left, 0);
            drawn.reverse();
            assert_eq!(drawn, given);
        }
    }

    #[test]
    fn masking_keys_differ_without_a_random_source() {
        let (mut one, mut other) = (None, None);
        for pool in [&mut one, &mut other] {
            Pool::refill(pool, |_| false);
        }
        let keys: std::collections::HashSet<_> = [one, other].iter().flatten().flat_map(|pool| pool.keys).collect();
        assert!(keys.len() > 2 * POOL - 5, "{}", keys.len());
    }
}
