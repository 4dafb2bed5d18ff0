//! How a command ends: an exit code, and a sentence where something went wrong.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// The connection could not be opened, or did not end well.
pub const FAILED: u8 = 1;
/// An argument, a file or an address cannot be used.
pub const UNUSABLE: u8 = 2;

pub enum Failure {
    /// Said on standard error.
    Said(u8, String),
    /// Nobody reads the output any more.
    Pipe,
}

/// The exit code of a command.
pub type Outcome<T = u8> = Result<T, Failure>;

impl Failure {
    pub fn unusable(sentence: impl Into<String>) -> Failure {
        Failure::Said(UNUSABLE, sentence.into())
    }

    /// About a file that was given.
    pub fn file(path: &Path, error: impl Display) -> Failure {
        Failure::unusable(format!("{}: {error}", path.display()))
    }

    /// About the output.
    pub fn output(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Pipe,
            _ => Failure::unusable(format!("cannot write the output: {error}")),
        }
    }
}

impl From<wspeer::Error> for Failure {
    fn from(error: wspeer::Error) -> Failure {
        Failure::unusable(error.to_string())
    }
}
