//! Answering a request with a response in parts, before the connection is open.

use super::{Connection, Stage};
use crate::protocol::Request;
use std::time::{Duration, Instant};

impl Connection {
    /// Takes the request that `request` returned, to answer it in parts: see `Opening::begin_response`.
    pub fn begin_response(&mut self, now: Instant, time: Option<Duration>) -> Option<Box<Request>> {
        match &mut self.stage {
            Stage::Opening(opening) => opening.begin_response(now, time),
            _ => None,
        }
    }

    /// Appends a part of the response.
    pub fn send_part(&mut self, part: Vec<u8>) {
        if let Stage::Opening(opening) = &mut self.stage {
            opening.send_part(part);
        }
    }

    /// The response has all its parts; `keep_alive`: the connection goes on after it.
    pub fn end_response(&mut self, keep_alive: bool) {
        if let Stage::Opening(opening) = &mut self.stage {
            opening.end_response(keep_alive);
        }
    }

    /// Whether such a response has not been sent completely.
    pub fn is_streaming(&self) -> bool {
        matches!(&self.stage, Stage::Opening(opening) if opening.is_streaming())
    }

    /// Whether all requests have been answered and nothing of another one has been received.
    pub fn is_between_requests(&self) -> bool {
        matches!(&self.stage, Stage::Opening(opening) if opening.is_between_requests())
    }

    /// Whether it waits for a request, to be opened or answered.
    pub fn awaits_request(&self) -> bool {
        matches!(&self.stage, Stage::Opening(opening) if !opening.is_ending())
    }
}
