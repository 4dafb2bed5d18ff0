//! What is printed: colours and progress where it is seen on a terminal, plain text elsewhere.

use crate::args::When;
use crate::failure::{Failure, Outcome};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

/// One of the standard outputs.
#[derive(Clone, Copy)]
pub struct Paint {
    is_coloured: bool,
}

/// What standard output and standard error are.
#[derive(Clone, Copy)]
pub struct Terminal {
    pub out: Paint,
    pub err: Paint,
    pub is_out_seen: bool,
    pub is_err_seen: bool,
}

impl Terminal {
    pub fn new(color: When) -> Terminal {
        let (is_out_seen, is_err_seen) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let wants = |is_seen: bool| match color {
            When::Always => true,
            When::Never => false,
            When::Auto => is_seen && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        };
        let (out, err) = (Paint { is_coloured: wants(is_out_seen) }, Paint { is_coloured: wants(is_err_seen) });
        Terminal { out, err, is_out_seen, is_err_seen }
    }
}

/// Whether a variable is set and not empty, as no-color.org asks for.
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

impl Paint {
    pub fn is_coloured(self) -> bool {
        self.is_coloured
    }

    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.is_coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Prints a line to standard output.
pub fn print(line: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Prints a line to standard error, where nobody need listen.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A line of progress on standard error, which is drawn again and again, and erased.
pub struct Progress {
    is_drawn: bool,
}

impl Progress {
    pub fn new() -> Progress {
        Progress { is_drawn: false }
    }

    /// `part` is 0 to 1.
    pub fn draw(&mut self, part: f64, text: &str) {
        const WIDTH: usize = 24;
        let done = (part.clamp(0.0, 1.0) * WIDTH as f64) as usize;
        let bar = "#".repeat(done) + &"-".repeat(WIDTH - done);
        let _ = write!(io::stderr(), "\r\x1b[K[{bar}] {text}");
        self.is_drawn = true;
    }

    pub fn erase(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.erase();
    }
}

/// A text of a peer as a terminal may see it: without control characters, which could change the screen or what is
/// typed.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '\t' | '\n' => shown.push(one),
            _ if one.is_control() => {
                let _ = write!(shown, "{}", one.escape_default());
            }
            _ => shown.push(one),
        }
    }
    shown
}

/// A text as a JSON string.
pub fn json(text: &str) -> String {
    let mut quoted = String::from('"');
    for one in text.chars() {
        match one {
            '"' | '\\' => quoted.extend(['\\', one]),
            '\0'..='\x1f' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(one));
            }
            _ => quoted.push(one),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(harmless("a\tb\nc\x1b[31md\u{9b}e\u{7f}ü"), "a\tb\nc\\u{1b}[31md\\u{9b}e\\u{7f}ü");
    }

    #[test]
    fn json_strings() {
        assert_eq!(json("a\"b\\c\n\u{1}ü"), r#""a\"b\\c\u000a\u0001ü""#);
    }
}
