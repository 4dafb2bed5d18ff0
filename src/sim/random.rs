//! xoshiro128** 1.1 (Blackman and Vigna), whose state is filled by a 32-bit variant of SplitMix.

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Random([u32; 4]);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u32) -> Random {
        let mut at = seed;
        Random(std::array::from_fn(|_| {
            at = at.wrapping_add(0x9E37_79B9);
            let mixed = (at ^ at >> 16).wrapping_mul(0x21F0_AAAD);
            let mixed = (mixed ^ mixed >> 15).wrapping_mul(0x735A_2D97);
            mixed ^ mixed >> 15
        }))
    }

    /// The next number.
    pub fn number(&mut self) -> u32 {
        let Random(state) = self;
        let result = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = state[1] << 9;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(11);
        result
    }

    /// The next number, scaled to 0 to `end - 1`.
    pub fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.number()) * u64::from(end)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_yields_the_published_sequence() {
        // State 1, 2, 3, 4: the first results follow from the definition by hand: rotl(2 * 5, 7) * 9, and so on.
        let mut random = Random([1, 2, 3, 4]);
        assert_eq!([random.number(), random.number(), random.number()], [11_520, 0, 5_927_040]);
    }

    #[test]
    fn numbers_below_an_end_are_spread_evenly() {
        let mut random = Random::new(7);
        let mut counts = [0u32; 10];
        for _ in 0..100_000 {
            counts[random.below(10) as usize] += 1;
        }
        // Each count has the standard deviation sqrt(100000 * 0.1 * 0.9) = 95: five of them are allowed.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 475), "{counts:?}");
    }
}
