//! Ids that a host assigns: unpredictable, and not repeated.

use super::HOST_ID;
use std::hash::{BuildHasher, RandomState};

/// Width of an id in bits.
const BITS: u32 = 31;
/// Rounds of the Feistel network. Four would do for long halves, but these have only 16 bits.
const ROUNDS: u8 = 8;

/// A counter behind a secret permutation of 31 bits: an id repeats only after all 2147483646 have been drawn.
pub struct Ids {
    /// Keys of SipHash, from the system's random generator.
    secret: RandomState,
    count: u32,
}

impl Ids {
    /// Creates a generator with a new secret.
    pub fn new() -> Ids {
        Ids { secret: RandomState::new(), count: 0 }
    }

    /// Draws the next id: 2 or greater.
    pub fn draw(&mut self) -> i32 {
        loop {
            self.count = (self.count + 1) % (1 << BITS);
            let mut id = self.permute(self.count);
            // The permutation has 32 bits. Repeating it until the result has 31 bits is a permutation of 31 bits.
            while id >= 1 << BITS {
                id = self.permute(id);
            }
            if id as i32 > HOST_ID {
                return id as i32;
            }
        }
    }

    fn permute(&self, number: u32) -> u32 {
        let (mut left, mut right) = ((number >> 16) as u16, number as u16);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.secret.hash_one((round, right)) as u16);
        }
        u32::from(left) << 16 | u32::from(right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn drawn_ids_do_not_repeat() {
        let mut ids = Ids::new();
        // As many random draws would contain about twenty repetitions.
        let drawn: Vec<i32> = (0..300_000).map(|_| ids.draw()).collect();
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
        assert!(drawn.iter().all(|id| *id >= 2));
        // They are spread evenly, and each host draws different ones.
        let mean = drawn.iter().map(|id| f64::from(*id)).sum::<f64>() / drawn.len() as f64;
        assert!((0.49..0.51).contains(&(mean / f64::from(i32::MAX))), "{mean}");
        assert!((0..10).all(|_| Ids::new().draw() != drawn[0]));
    }

    #[test]
    fn permute_is_a_bijection() {
        let ids = Ids::new();
        let images: HashSet<u32> = (0..1 << 16).map(|number| ids.permute(number << 16 | 7)).collect();
        assert_eq!(images.len(), 1 << 16);
    }
}
