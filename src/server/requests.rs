//! Requests on which the program decides (WS_ASK): from REQUEST to CONNECTED or DISCONNECTED.

use super::client::{Slot, Standing, count, no_handle};
use super::{Handles, Server};
use crate::error::Error;
use crate::heap;
use crate::names::said::REPLY_CALL;
use crate::protocol::Reply;
use crate::status::ErrorCode;
use crate::work::Cx;

impl Server {
    /// Gives a client its handle and has the program decide on its request.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_>, key: u32, handles: &dyn Handles) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let Some(handle) = handles.give(key) else {
            client.peer.close_because(cx, -1, "", Some(no_handle()));
            return;
        };
        client.peer.endpoint.handle = handle;
        if client.peer.ask(cx) {
            self.take_seat(key);
        }
    }

    /// Keeps a seat free for a client that may open later.
    pub(super) fn take_seat(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if !client.standing.set(Standing::SEATED, true) {
            let limited = self.settings.limited(client.address());
            count(&mut self.counts.per_address, limited, |there| there.seats += 1);
            self.counts.seats += 1;
        }
    }

    /// Accepts the request of a client. Without `subprotocol` the server's own choice applies.
    pub fn accept_request(
        &mut self,
        cx: &mut Cx<'_>,
        key: u32,
        subprotocol: Option<&str>,
        headers: &[(String, String)],
    ) -> Result<(), Error> {
        let accept = self.settings.accept.clone();
        let client = self.client(key).filter(|client| client.peer.is_asked()).ok_or_else(not_waiting)?;
        let request = client.peer.request().ok_or_else(not_waiting)?;
        let Some(opening) = &request.opening else {
            return Err(Error::wrong_kind(format!(
                "a plain HTTP request cannot become a WebSocket: answer it with {REPLY_CALL}"
            )));
        };
        let chosen = match subprotocol {
            Some(chosen) if !opening.subprotocols.iter().any(|offered| offered == chosen) => {
                return Err(Error::new(
                    ErrorCode::Arg,
                    "the client does not offer this subprotocol: choose one of its header Sec-WebSocket-Protocol",
                ));
            }
            Some(chosen) => Some(chosen),
            // The request was checked before the program was asked.
            None => accept.check(request, opening).unwrap_or_default(),
        };
        let agreement = accept.agree(request, opening, chosen, headers);
        self.act(cx, key, |peer, cx| {
            peer.decide(cx, Ok(agreement));
            peer.write(cx);
        });
        self.serve_soon(key);
        Ok(())
    }

    /// Answers the request of a client with a response, after which the connection ends.
    pub fn reply(&mut self, cx: &mut Cx<'_>, key: u32, response: &Reply) -> Result<(), Error> {
        if !self.client(key).is_some_and(|client| client.peer.is_asked()) {
            return Err(not_waiting());
        }
        let has_memory = self.act(cx, key, |peer, cx| {
            let has_memory = peer.respond(cx, response, false);
            peer.pump(cx);
            has_memory
        });
        self.serve_soon(key);
        if has_memory == Some(true) { Ok(()) } else { Err(heap::lacks()) }
    }

    /// Number of requests on which the program has to decide.
    pub fn pending_requests(&self) -> usize {
        let waits = |slot: &&Slot| matches!(slot, Slot::Client(client) if client.peer.is_asked());
        if self.asks { self.slots.iter().filter(waits).count() } else { 0 }
    }

    /// Releases the seat that was kept free for a client.
    pub(super) fn leave_seat(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.standing.set(Standing::SEATED, false) {
            let limited = self.settings.limited(client.address());
            count(&mut self.counts.per_address, limited, |there| there.seats -= 1);
            self.counts.seats -= 1;
        }
    }

    /// Has the next poll serve a client: bytes may have arrived while it waited.
    fn serve_soon(&mut self, key: u32) {
        if let Some(client) = self.client(key) {
            client.readable = true;
            self.queues.ready.push(key);
        }
    }
}

fn not_waiting() -> Error {
    let why = "no request waits here: it was answered, timed out, or the client has left; see its DISCONNECTED event";
    Error::new(ErrorCode::State, why)
}
