//! Failures of calls and of connections.

use crate::status::{Cause, ErrorCode, Phase};
use std::borrow::Cow;

/// Longest text of an event, in bytes.
const MAX_EVENT_TEXT: usize = 1_024;
/// Maximum bytes of a peer's text within an error text.
const MAX_SHOWN: usize = 256;
const ELLIPSIS: &str = "…";

/// A text that a peer may have chosen, as an error text shows it: at most 256 bytes.
pub fn shown(text: &str) -> Cow<'_, str> {
    cut(text, MAX_SHOWN)
}

/// The text of an event: at most 1024 bytes.
pub fn event_text(text: &str) -> Cow<'_, str> {
    cut(text, MAX_EVENT_TEXT)
}

/// Cuts a text to at most `max` bytes, at a code point and with an ellipsis at the end.
fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let most = max - ELLIPSIS.len();
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Cow::Owned([&text[..end], ELLIPSIS].concat())
}

/// Why a call failed: a result code, and a text that says what to do. Boxed to be small, as every call may return one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<(ErrorCode, String)>);

impl Error {
    /// A failure with its text.
    #[cold]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Error {
        Error(Box::new((code, message.into())))
    }

    /// The handle is of a type that does not have this call.
    pub fn wrong_kind(why: impl Into<String>) -> Error {
        Error::new(ErrorCode::Kind, why)
    }

    /// The handle was freed.
    #[cold]
    pub fn gone() -> Error {
        Error::new(ErrorCode::Handle, "the handle was freed")
    }

    /// The result code.
    pub fn code(&self) -> ErrorCode {
        self.0.0
    }

    /// The text, for ws_last_error().
    pub fn into_message(self) -> String {
        self.0.1
    }
}

/// Why a connection failed, as its last event reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The phase that the connection had reached.
    pub phase: Phase,
    /// Why it failed.
    pub cause: Cause,
    /// The operating system's number, or 0.
    pub os_error: i32,
    /// The close code to send when the protocol can still send one (RFC 6455 section 7.4.1), or 0.
    pub close_code: u16,
    /// It may pass, although its cause does not say so: the transport was cut, or a proxy did not reach the server.
    pub may_pass: bool,
    /// What happened and what to do.
    pub message: String,
}

impl Failure {
    /// A failure in a phase.
    pub fn new(phase: Phase, cause: Cause, message: impl Into<String>) -> Failure {
        Failure { phase, cause, message: message.into(), ..Failure::default() }
    }

    /// A failure of the transport, which the system reported as `error`.
    pub fn of_io(phase: Phase, cause: Cause, what: &str, error: &std::io::Error) -> Failure {
        Failure {
            os_error: error.raw_os_error().unwrap_or(0),
            ..Failure::new(phase, cause, format!("{what}: {error}"))
        }
    }

    /// A violation of RFC 6455, which closes the connection with the status code `close_code`.
    pub fn of_protocol(close_code: u16, message: impl Into<String>) -> Failure {
        let cause = match close_code {
            1007 => Cause::Utf8,
            1009 => Cause::TooBig,
            1008 => Cause::Rate,
            _ => Cause::Protocol,
        };
        Failure { close_code, ..Failure::new(Phase::Websocket, cause, message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_truncated_at_a_code_point() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abc…");
        for lead in 0..4 {
            let long = "x".repeat(lead) + &"😀".repeat(100);
            let cut = cut(&long, 40);
            assert!((35..=40).contains(&cut.len()) && cut.ends_with("😀…"), "{cut}");
        }
    }
}
