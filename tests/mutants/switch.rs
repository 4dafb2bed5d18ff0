//! Enables one mutant: WSPEER_MUTANT is its number. The numbers of mutants that are reached are appended to the file
//! named by WSPEER_MUTANTS_SEEN.

use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ON: LazyLock<u32> =
    LazyLock::new(|| std::env::var("WSPEER_MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(u32::MAX));
static SEEN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("WSPEER_MUTANTS_SEEN").ok());
static WAS_SEEN: [AtomicBool; 8_192] = [const { AtomicBool::new(false) }; 8_192];

/// Whether the mutant of this number is enabled.
pub fn is(number: u32) -> bool {
    if SEEN.is_some() && !WAS_SEEN[number as usize].swap(true, Ordering::Relaxed) {
        note(number);
    }
    *ON == number
}

#[cold]
fn note(number: u32) {
    let Some(path) = &*SEEN else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{number}\n").as_bytes()).unwrap();
}
