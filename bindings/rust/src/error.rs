//! Why a call failed, or a connection ended.

use crate::codes::{Cause, ErrorCode, Phase};
use crate::sys;
use std::fmt;

/// Why a call failed, or how a connection ended: a code to decide by, and a sentence for people that says what to do.
///
/// An error of a call has [`Phase::None`] and [`Cause::None`]. One that was made from the last event of a connection
/// ([`End::to_error`](crate::End::to_error)) has the phase and cause of that end, and [`ErrorCode::State`].
///
/// ```
/// let error = wspeer::Client::connect("http://127.0.0.1/").err().unwrap();
/// assert_eq!(error.code(), wspeer::ErrorCode::Url);
/// assert!(error.to_string().contains("ws://"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    pub(crate) code: ErrorCode,
    pub(crate) phase: Phase,
    pub(crate) cause: Cause,
    pub(crate) sentence: String,
}

impl Error {
    /// The error of this thread's last failed call, which returned `result`.
    #[cold]
    pub(crate) fn last(result: i32) -> Error {
        Error::new(ErrorCode::from_raw(result).unwrap_or(ErrorCode::Panic), sys::last_error())
    }

    pub(crate) fn new(code: ErrorCode, sentence: impl Into<String>) -> Error {
        Error { code, phase: Phase::None, cause: Cause::None, sentence: sentence.into() }
    }

    /// What was wrong, to decide by.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The name of the code in the header of the library, such as "WS_ERR_FULL".
    pub fn name(&self) -> &'static str {
        sys::result_name(self.code as i32)
    }

    /// How far the connection had come; [`Phase::None`] for the error of a call.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the connection ended; [`Cause::None`] for the error of a call.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What was wrong and what to do about it. The wording may change.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Whether the queue was full: poll, and send the message again after [`Event::Writable`](crate::Event::Writable).
    pub fn is_full(&self) -> bool {
        self.code == ErrorCode::Full
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sentence.is_empty() { f.write_str(self.name()) } else { f.write_str(&self.sentence) }
    }
}

impl std::error::Error for Error {}

/// The result of the calls of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
