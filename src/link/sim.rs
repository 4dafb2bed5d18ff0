//! The simulated line of a link: `Stream::Simulated`.

use super::Link;
use crate::net::{Simulation, Stream};
use crate::protocol::Role;

impl Link {
    /// Gives the link a simulated line, or other conditions; `None`: removes the line once what it holds has left.
    pub fn simulate(&mut self, simulation: Option<&Simulation>) {
        let is_client = self.role == Role::Client;
        self.stream = self.stream.take().map(|stream| stream.simulated(simulation, is_client));
    }

    /// Has a simulated line pass on what is due. A link that reads does so by reading.
    pub(super) fn advance_line(&mut self) {
        if let Some(Stream::Simulated(line)) = &mut self.stream {
            line.advance();
        }
    }

    /// Bytes that the link has written, and its line has not passed on.
    pub(super) fn held_by_line(&self) -> usize {
        self.stream.as_ref().map_or(0, Stream::held)
    }

    /// Position in the outgoing stream up to which the system has taken bytes, and a simulated line has passed them on.
    pub(super) fn passed_on(&self) -> u64 {
        self.outbox.left().saturating_sub(self.held_by_line() as u64)
    }
}
