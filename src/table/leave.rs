//! Freed objects with more output than a call has time to write: the worker writes it and drops them.

use super::family::Shared;
use crate::connection::Connection;
use crate::error::Failure;
use crate::heap::Discarded;
use crate::journal;
use crate::net::Stream;
use crate::server::Server;
use crate::status::{Cause, Level, Phase, State};
use crate::work::Cx;
use std::time::Instant;

/// Budget of the worker for the output of one freed handle, in microseconds. After that each connection gets one last
/// write.
const LAST_WRITES_US: u32 = 1_000_000;

/// A freed object with its buffers and compressors. Dropping it writes its output.
pub(super) struct Leaving {
    pub(super) what: What,
    pub(super) shared: Shared,
}

pub(super) enum What {
    Server(Box<Server>),
    Peer(Option<Box<Connection>>),
}

/// Nothing is freed ahead of the drop, which needs all of it to send the output.
impl Discarded for Leaving {}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut cx = self.shared.cx(Instant::now(), Some(LAST_WRITES_US));
        match &mut self.what {
            What::Server(server) => server.write_last(&mut cx, true),
            What::Peer(peer) => {
                if let Some(peer) = peer.take() {
                    write_and_close(peer, &mut cx);
                }
            }
        }
    }
}

/// Writes once more and closes the socket. Returns the connection if it can send more, or if the budget is exhausted.
pub(super) fn drop_peer(mut peer: Box<Connection>, cx: &mut Cx<'_>) -> Option<Box<Connection>> {
    let in_memory = peer.stream_mut().is_some_and(|stream| stream.is_memory());
    if !in_memory && peer.has_output() {
        if cx.budget.is_spent() {
            return Some(peer);
        }
        peer.write(cx);
        if peer.can_send_on() || cx.budget.is_spent() {
            return Some(peer);
        }
    }
    write_and_close(peer, cx);
    None
}

/// Like `drop_peer`, but always to the end. If all output was written, the socket is drained before it is closed, so
/// that a TCP reset cannot destroy the last bytes.
fn write_and_close(mut peer: Box<Connection>, cx: &mut Cx<'_>) {
    peer.write(cx);
    if peer.state() == State::Open && !peer.has_output() {
        peer.close_because(cx, 1001, "", Some(Failure::new(Phase::App, Cause::Dropped, "freed")));
    }
    let finished = !peer.has_output();
    match peer.take_out_stream() {
        Some(Stream::Memory(end)) => drop(end),
        Some(stream) if finished => cx.services.reap(stream),
        Some(stream) => cx.services.close(vec![stream]),
        None => {}
    }
    journal::note(Level::Debug, || format!("{} was freed", peer.endpoint.info.shown_url()));
    if peer.is_large() {
        cx.services.discard(peer);
    }
}
