//! The failures for violations of RFC 6455 by the peer, which close the connection.

use crate::error::Failure;

/// A protocol error: status code 1002.
pub(super) fn protocol(what: impl Into<String>) -> Failure {
    Failure::of_protocol(1002, format!("the peer broke the protocol: {}", what.into()))
}

/// Invalid UTF-8 in text: status code 1007.
pub(super) fn not_utf8() -> Failure {
    Failure::of_protocol(1007, "the peer sent text that is not valid UTF-8 (RFC 6455 section 8.1)")
}
