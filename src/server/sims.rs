//! Simulated lines of a server's clients: who gets one, and when it has to be served.

use super::Server;
use super::client::Slot;
use crate::net::{Simulation, Stream};
use crate::work::Cx;
use std::sync::Arc;
use std::time::Instant;

/// Lines between two checks of the budget.
const CHECK: usize = 64;

impl Server {
    /// Gives all clients, and those to come, a simulated line; `None`: removes it.
    pub fn set_sim(&mut self, simulation: Option<&Arc<Simulation>>) {
        let before = self.endpoint.options.clone();
        Arc::make_mut(&mut self.endpoint.options).simulation = simulation.cloned();
        let options = self.endpoint.options.clone();
        for key in 0..self.slots.len() as u32 {
            if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
                let shares = Arc::ptr_eq(&client.peer.endpoint.options, &before);
                if shares {
                    client.peer.endpoint.options = options.clone();
                }
                client.peer.simulate(simulation, !shares);
                self.watch_line(key);
            }
        }
    }

    /// Gives one client a simulated line; `None`: removes it.
    pub fn set_sim_of(&mut self, key: u32, simulation: Option<&Arc<Simulation>>) {
        if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
            client.peer.simulate(simulation, true);
            self.watch_line(key);
        }
    }

    /// Has a client's line report when it has to be served.
    pub(super) fn watch_line(&mut self, key: u32) {
        if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize)
            && let Some(Stream::Simulated(line)) = client.peer.stream_mut()
        {
            self.has_extras = true;
            line.report_to(self.lines.get_or_insert_default(), key, client.serial);
        }
    }

    /// Queues the clients whose lines have to be served. True: there are more.
    pub(super) fn collect_lines(&mut self, cx: &Cx<'_>) -> bool {
        let Some(lines) = self.lines.clone() else { return false };
        let mut count = 0;
        while let Some((key, serial)) = lines.pop_due(cx.now) {
            if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize)
                && client.serial == serial
            {
                client.readable = true;
                let busy = client.is_busy(|| cx.second());
                self.queues.ready.enter(key, busy);
            }
            count += 1;
            if count % CHECK == 0 && cx.budget.is_half_spent() {
                return true;
            }
        }
        false
    }

    /// When the first line has to be served.
    pub(super) fn next_line(&self) -> Option<Instant> {
        self.lines.as_ref()?.first()
    }

    /// Bytes that the lines of the clients hold, and packets that were lost on them.
    pub fn line_counts(&mut self) -> [u64; 2] {
        let mut sum = [0; 2];
        if self.lines.is_some() {
            for slot in &mut self.slots {
                if let Slot::Client(client) = slot {
                    let counts = client.peer.line_counts();
                    sum = [sum[0] + counts[0], sum[1] + counts[1]];
                }
            }
        }
        sum
    }
}
