//! A refusal by a server or a proxy, and its body while it is received.

use super::Headers;
use super::body::Body;
use crate::error::Failure;
use crate::status::{Cause, Phase};

/// The failure of the opening handshake, with the response if there was one.
pub struct Refused {
    /// Why it failed.
    pub failure: Failure,
    /// HTTP status of the response, or 0.
    pub status: u16,
    /// Headers of the response.
    pub headers: Headers,
    /// The start of the body, at most 1 KiB.
    pub body: Vec<u8>,
    /// The first bytes of an answer that is not HTTP.
    pub foreign: Vec<u8>,
}

impl Refused {
    /// A failure without a response.
    pub(super) fn without_answer(failure: Failure) -> Box<Refused> {
        Refused::answered(failure, 0, Headers::default())
    }

    /// A failure on the way through a proxy, without a response.
    pub(super) fn by_proxy(cause: Cause, why: impl Into<String>) -> Box<Refused> {
        Refused::without_answer(Failure::new(Phase::Proxy, cause, why))
    }

    /// A response whose body, if it has one, has not been received.
    pub(super) fn answered(failure: Failure, status: u16, headers: Headers) -> Box<Refused> {
        Box::new(Refused { failure, status, headers, body: Vec::new(), foreign: Vec::new() })
    }
}

/// A refusal whose body is being received, if there is one.
#[derive(Default)]
pub(super) struct PendingRefusal(Option<(Box<Refused>, Body)>);

impl PendingRefusal {
    /// Begins with the bytes behind the head. `Err`: it is complete.
    pub fn begin(&mut self, refused: Box<Refused>, bytes: &[u8]) -> Result<(), Box<Refused>> {
        let body = Body::announced(refused.status, &refused.headers);
        self.0 = Some((refused, body));
        self.receive(bytes)
    }

    /// Receives bytes of the body. `Err`: it is complete.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Box<Refused>> {
        let is_whole = self.0.as_mut().is_some_and(|(_, body)| body.receive(bytes));
        if is_whole { self.give_up().map_or(Ok(()), Err) } else { Ok(()) }
    }

    /// Whether there is a refusal, whose body is incomplete.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Stops waiting. Returns the refusal with the received part of its body.
    pub fn give_up(&mut self) -> Option<Box<Refused>> {
        let (mut refused, body) = self.0.take()?;
        refused.body = body.into_bytes();
        Some(refused)
    }
}
