//! Runs the fuzz targets without a fuzzer: on the seeds, and for a while on pseudo-random mutations of them. The random
//! seed is fixed.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../../fuzz/src/lib.rs"]
#[allow(dead_code)]
mod fuzz;

use std::time::{Duration, Instant};

/// Time for each target.
const TIME: Duration = Duration::from_secs(2);

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("each target has seeds")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("readable")).collect()
}

/// A copy of a seed with flipped bits, changed bytes, cuts, repeats or pieces of other seeds.
fn mutate(random: &mut Random, all: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = all[random.below(all.len())].clone();
    for _ in 0..1 + random.below(8) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 => bytes.truncate(at),
            4 => {
                let other = &all[random.below(all.len())];
                let from = random.below(other.len());
                let piece = other[from..(from + 1 + random.below(40)).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => bytes.extend((0..random.below(60)).map(|_| random.next() as u8)),
            _ => {
                let piece = bytes[at..(at + random.below(12)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn fuzz_targets_pass_on_seeds_and_mutations() {
    let only = std::env::var("WSPEER_FUZZ_TARGET").ok();
    let time =
        std::env::var("WSPEER_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).map_or(TIME, Duration::from_secs);
    if let Some(only) = &only {
        assert!(fuzz::TARGETS.iter().any(|(name, _)| name == only), "no target is named {only}");
    }
    for (name, body) in fuzz::TARGETS.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        let mut random = Random(0x5EED_F022);
        let (end, mut runs) = (Instant::now() + time, 0u64);
        let inputs = seeds.iter().cloned().chain(std::iter::repeat_with(|| mutate(&mut random, &seeds)));
        for input in inputs {
            if std::panic::catch_unwind(|| body(&input)).is_err() {
                let path = std::env::temp_dir().join(format!("wspeer-{name}-{}", std::process::id()));
                std::fs::write(&path, &input).expect("the temporary folder can be written");
                panic!("{name}: run {runs} panicked; the input is {}", path.display());
            }
            runs += 1;
            if Instant::now() > end && runs > seeds.len() as u64 {
                break;
            }
        }
        println!("figure: {name}: {runs} runs in {} s", time.as_secs());
    }
}

/// Runs one input again: `WSPEER_FUZZ_TARGET=frames WSPEER_FUZZ_INPUT=file cargo test --test fuzz one_input`.
#[test]
fn one_input() {
    let (Ok(name), Ok(path)) = (std::env::var("WSPEER_FUZZ_TARGET"), std::env::var("WSPEER_FUZZ_INPUT")) else {
        return;
    };
    fuzz::run(&name, &std::fs::read(path).expect("readable"));
}
