//! The log: lines kept until the program fetches them. The library prints nothing.

use crate::forks::Own;
use crate::status::Level;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI32, Ordering};

/// Maximum number of lines. The oldest ones are dropped.
const MAX_LINES: usize = 1_024;

static LEVEL: AtomicI32 = AtomicI32::new(Level::Warn.code());
static LINES: Own<Mutex<Lines>> = Own::new(Mutex::new(Lines::NONE));

struct Lines {
    waiting: VecDeque<String>,
    lost: u64,
}

impl Lines {
    const NONE: Lines = Lines { waiting: VecDeque::new(), lost: 0 };
}

/// In the child of a fork: starts an empty log.
pub fn forget_parent() {
    LINES.renew(Mutex::new(Lines::NONE));
}

/// Sets the level up to which lines are kept from now on.
pub fn set_level(level: Level) {
    LEVEL.store(level.code(), Ordering::Relaxed);
}

/// Adds a line, which is built only if its level is kept. It must not contain secrets.
pub fn note(level: Level, line: impl FnOnce() -> String) {
    if level.code() > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let name = match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        _ => "debug",
    };
    let line = format!("{name}: {}", line());
    let mut lines = LINES.get().lock();
    if lines.waiting.len() >= MAX_LINES {
        lines.waiting.pop_front();
        lines.lost += 1;
    }
    lines.waiting.push_back(line);
}

/// Passes the next line to `take`, which returns whether to remove it. Returns false if there is no line.
pub fn next(take: impl FnOnce(&str) -> bool) -> bool {
    let mut lines = LINES.get().lock();
    if lines.lost > 0 {
        let lost = std::mem::take(&mut lines.lost);
        lines
            .waiting
            .push_front(format!("warning: {lost} log lines were lost; take them more often or lower the log level"));
    }
    let Some(line) = lines.waiting.front() else { return false };
    if take(line) {
        lines.waiting.pop_front();
    }
    true
}
