//! The simulated line of a connection.

use super::{Connection, Stage};
use crate::link::Link;
use crate::net::{Simulation, Stream};
use std::sync::Arc;

impl Connection {
    /// Gives the connection a simulated line, from when it is open; `None`: removes it once what it holds has left.
    /// `keeps`: its later links have it too, without what happens only once; else its options have it already.
    pub fn simulate(&mut self, simulation: Option<&Arc<Simulation>>, keeps: bool) {
        let later = match &mut self.stage {
            Stage::Open(link) => {
                link.simulate(simulation.map(Arc::as_ref));
                simulation.map(|simulation| Arc::new(simulation.again()))
            }
            _ => simulation.cloned(),
        };
        if keeps {
            self.keep_simulation(later);
        }
    }

    /// Gives a link that opens the line that was set for it.
    pub(super) fn simulate_opened(&mut self, link: &mut Link) {
        let Some(simulation) = self.endpoint.options.simulation.clone() else { return };
        link.simulate(Some(&simulation));
        if !self.endpoint.of_server {
            self.keep_simulation(Some(Arc::new(simulation.again())));
        }
    }

    /// Gives a link that resumes a session the line that was set for the connection.
    pub(super) fn simulate_resumed(&self, link: &mut Link) {
        if let Some(simulation) = &self.endpoint.options.simulation {
            link.simulate(Some(&simulation.again()));
        }
    }

    /// Bytes that its line holds, and packets that were lost on it.
    pub fn line_counts(&mut self) -> [u64; 2] {
        match self.stream_mut() {
            Some(Stream::Simulated(line)) => line.counts(),
            _ => [0; 2],
        }
    }

    /// Whether its line has bytes that wait for the socket to take them.
    pub fn line_waits(&mut self) -> bool {
        matches!(self.stream_mut(), Some(Stream::Simulated(line)) if line.holds_output())
    }

    /// Keeps the simulation for the next link. Options that others share are copied only for a change.
    fn keep_simulation(&mut self, simulation: Option<Arc<Simulation>>) {
        let same = match (&self.endpoint.options.simulation, &simulation) {
            (None, None) => true,
            (Some(kept), Some(new)) => Arc::ptr_eq(kept, new),
            _ => false,
        };
        if !same {
            Arc::make_mut(&mut self.endpoint.options).simulation = simulation;
        }
    }
}
