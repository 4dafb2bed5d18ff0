//! Responses whose body comes in parts: their owner passes the next one when the transport has taken the one before.

use super::{At, Opening};
use crate::error::Failure;
use crate::names::DOWNLOAD_TIMEOUT_MS;
use crate::protocol::Request;
use crate::status::{Cause, Phase};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes that the client takes in the time that it has.
const STEP: u64 = 64 << 10;

/// A response in parts.
pub(super) struct Streaming {
    /// Time for each `STEP` bytes.
    time: Option<Duration>,
    /// Position in the outgoing stream at which the time begins again.
    goal: u64,
    /// Set with the last part: whether the connection goes on after it.
    complete: Option<bool>,
}

impl Streaming {
    /// Whether it has all its parts.
    pub(super) fn is_complete(&self) -> bool {
        self.complete.is_some()
    }

    /// Notes that bytes up to a position have been sent. Returns the new deadline, if the time begins again.
    fn advance(&mut self, left: u64, now: Instant) -> Option<Option<Instant>> {
        if left < self.goal {
            return None;
        }
        self.goal = left + STEP;
        Some(self.time.map(|time| now + time))
    }
}

impl Opening {
    /// Takes the request that `request` returned, to answer it in parts. `time`: limit for each 64 KiB, and for what
    /// comes before the first part.
    pub fn begin_response(&mut self, now: Instant, time: Option<Duration>) -> Option<Box<Request>> {
        let At::Answering(answering) = &mut self.at else { return None };
        let request = answering.request.take()?;
        answering.streaming = Some(Box::new(Streaming { time, goal: self.output.left() + STEP, complete: None }));
        self.deadline = time.map(|time| now + time);
        Some(request)
    }

    /// Appends a part of the response.
    pub fn send_part(&mut self, part: Vec<u8>) {
        if matches!(&self.at, At::Answering(answering) if answering.streaming.is_some()) && !part.is_empty() {
            self.output.push_shared(&Arc::new(part), 0, false);
        }
    }

    /// The response has all its parts. With `keep_alive` the next request is read once they have been sent; otherwise
    /// the opening ends then.
    pub fn end_response(&mut self, keep_alive: bool) {
        if let At::Answering(answering) = &mut self.at
            && let Some(streaming) = &mut answering.streaming
        {
            streaming.complete = Some(keep_alive);
        }
    }

    /// Whether a response in parts has not been sent completely.
    pub fn is_streaming(&self) -> bool {
        matches!(&self.at, At::Answering(answering) if answering.streaming.is_some())
    }

    /// After a write: ends the response in parts once it has been sent, and restarts its time when it advances. `Some`:
    /// it has been sent, and the connection goes on or not.
    pub(super) fn end_streaming(&mut self, now: Instant) -> Option<bool> {
        let At::Answering(answering) = &mut self.at else { return None };
        let streaming = answering.streaming.as_mut()?;
        if self.output.bytes() == 0
            && let Some(keep_alive) = streaming.complete
        {
            answering.streaming = None;
            return Some(keep_alive);
        }
        if let Some(deadline) = streaming.advance(self.output.left(), now) {
            self.deadline = deadline;
        }
        None
    }
}

/// Why a response in parts ended too early.
pub(super) fn too_slow() -> Failure {
    let why = format!("less than 64 KiB of a file were taken, or read, within {DOWNLOAD_TIMEOUT_MS}");
    Failure::new(Phase::Http, Cause::CloseTimeout, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_begins_again_with_each_step() {
        let now = Instant::now();
        let time = Duration::from_secs(30);
        let mut streaming = Streaming { time: Some(time), goal: 100 + STEP, complete: None };
        assert_eq!(streaming.advance(100, now), None);
        assert_eq!(streaming.advance(99 + STEP, now), None);
        assert_eq!(streaming.advance(100 + STEP, now), Some(Some(now + time)));
        assert_eq!(streaming.advance(100 + 2 * STEP - 1, now), None);
        assert_eq!(streaming.advance(200 + 9 * STEP, now), Some(Some(now + time)));
        assert_eq!(streaming.goal, 200 + 10 * STEP);
        let mut endless = Streaming { time: None, ..streaming };
        assert_eq!(endless.advance(u64::MAX / 2, now), Some(None));
    }
}
