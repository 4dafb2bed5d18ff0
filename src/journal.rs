//! The log: lines kept until the program fetches them. With the environment variable WSPEER_LOG they are written to
//! standard error too; otherwise the library prints nothing.

use crate::forks::Own;
use crate::status::Level;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

/// Maximum number of lines. The oldest ones are dropped.
const MAX_LINES: usize = 1_024;

static LEVEL: AtomicI32 = AtomicI32::new(Level::Warn.code());
static WRITTEN: Own<OnceLock<Option<Written>>> = Own::new(OnceLock::new());
static LINES: Own<Mutex<Lines>> = Own::new(Mutex::new(Lines::NONE));

/// What is written to standard error.
struct Written {
    level: Level,
    began: Instant,
    /// A duplicate. If the descriptor itself was closed, a socket may have its number now.
    to: File,
}

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
    WRITTEN.renew(OnceLock::new());
}

/// Sets the level up to which lines are kept from now on.
pub fn set_level(level: Level) {
    LEVEL.store(level.code(), Ordering::Relaxed);
}

/// What the value of WSPEER_LOG asks for. `None`: it is no level.
fn level_of(value: &str) -> Option<Level> {
    match value.to_ascii_lowercase().as_str() {
        "" | "0" | "off" | "none" => Some(Level::Off),
        "1" | "error" => Some(Level::Error),
        "2" | "warn" | "warning" => Some(Level::Warn),
        "3" | "info" => Some(Level::Info),
        "4" | "debug" => Some(Level::Debug),
        _ => None,
    }
}

#[cfg(unix)]
fn standard_error() -> std::io::Result<File> {
    use std::os::fd::AsFd;
    Ok(std::io::stderr().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn standard_error() -> std::io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(std::io::stderr().as_handle().try_clone_to_owned()?.into())
}

impl Written {
    /// Reads the environment. `None`: nothing is to be written.
    #[cold]
    fn begin() -> Option<Written> {
        let value = std::env::var_os("WSPEER_LOG")?;
        let level = value.to_str().and_then(level_of);
        if matches!(level, Some(Level::Off)) {
            return None;
        }
        let written =
            Written { level: level.unwrap_or(Level::Warn), began: Instant::now(), to: standard_error().ok()? };
        if level.is_none() {
            written.write("warning: WSPEER_LOG is not a level: set it to error, warn, info or debug");
        }
        Some(written)
    }

    /// Writes a line in one piece. That it cannot be written stops nothing.
    fn write(&self, line: &str) {
        let line = format!("wspeer {:.3} {line}\n", self.began.elapsed().as_secs_f64());
        let _ = (&self.to).write_all(line.as_bytes());
    }
}

/// Reads the environment, once in a process: before it opens a socket.
#[cold]
pub fn begin() {
    WRITTEN.get().get_or_init(Written::begin);
}

/// Adds a line, which is built only if its level is kept or written. It must not contain secrets.
pub fn note(level: Level, line: impl FnOnce() -> String) {
    let is_kept = level.code() <= LEVEL.load(Ordering::Relaxed);
    let written = WRITTEN.get().get_or_init(Written::begin).as_ref();
    let written = written.filter(|written| level.code() <= written.level.code());
    if !is_kept && written.is_none() {
        return;
    }
    let name = match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        _ => "debug",
    };
    let line = format!("{name}: {}", line());
    if let Some(written) = written {
        written.write(&line);
    }
    if !is_kept {
        return;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names_and_numbers() {
        for (code, names) in
            [["", "0", "off"], ["error", "ERROR", "1"], ["warn", "Warning", "2"], ["info", "INFO", "3"]]
                .iter()
                .enumerate()
        {
            for name in names {
                assert_eq!(level_of(name).map(Level::code), Some(code as i32), "{name}");
            }
        }
        assert!(matches!(level_of("debug"), Some(Level::Debug)));
        for wrong in ["5", "-1", "verbose", " info", "trace"] {
            assert!(level_of(wrong).is_none(), "{wrong}");
        }
    }
}
