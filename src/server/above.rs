//! The server's interface to the layer above: reports clients that opened, ended or sent messages, and accepts clients
//! in this process, which have no socket.

use super::{KeyQueue, Server, Slot};
use crate::codes::*;
use crate::connection::Connection;
use crate::endpoint::Asked;
use crate::net::{MemoryEnd, Stream};
use crate::protocol::{Accept, OfferedChannel, ServerHandshake};
use crate::status::State;
use crate::work::Cx;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// State shared with the layer above.
#[derive(Default)]
pub struct Above {
    /// There is a layer above. A client receives no broadcast before that layer has assigned its id.
    pub watches: bool,
    /// The layer above inspects every message before the host receives it.
    pub holds: bool,
    /// Keys of clients that opened, ended or have messages to inspect.
    pub touched: KeyQueue,
    /// Ids of clients that have been removed.
    pub gone: Vec<i32>,
    /// Keys of clients in this process.
    local: Vec<u32>,
}

impl Above {
    /// Whether a client is visible to the host: it has a handle and, if there is a layer above, an id, or its request
    /// waits for the host.
    pub(super) fn shows(&self, peer: &Connection) -> bool {
        peer.endpoint.handle != 0
            && (!self.watches || peer.endpoint.label != 0 || peer.endpoint.asked != Asked::Nothing)
    }
}

impl Server {
    /// Accepts a client in this process. Its address and path are not checked.
    pub fn accept_local(&mut self, cx: &mut Cx<'_>, end: MemoryEnd) {
        let (key, serial) = self.take_place(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let of = &self.settings.accept;
        let accept = Accept {
            path: None,
            subprotocols: of.subprotocols.clone(),
            headers: of.headers.clone(),
            deflate: None,
            channel: of.channel.clone().map(|offered| OfferedChannel { session: false, ..offered }),
        };
        let timeout = self.endpoint.options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS);
        let (options, header_bytes) = (self.endpoint.options.clone(), self.settings.max_header_bytes);
        let peer = Connection::answer_on(
            Stream::Memory(Box::new(end)),
            Some(Arc::new(accept)),
            ServerHandshake::new(header_bytes),
            options,
            timeout,
            false,
            cx.now,
        );
        self.fill_slot(key, serial, peer, cx.now, true);
        self.above.local.push(key);
    }

    /// Closes the in-memory pipes of clients in this process, after one last write: their other ends then read end of
    /// file.
    pub fn drop_local(&mut self, cx: &mut Cx<'_>) {
        for key in std::mem::take(&mut self.above.local) {
            if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize)
                && client.peer.stream_mut().is_some_and(|stream| stream.is_memory())
            {
                client.peer.write(cx);
                drop(client.peer.take_out_stream());
            }
        }
    }

    /// Whether all clients with these keys are in this process, so that their other end is this library. Those that
    /// have ended do not count.
    pub fn are_local(&mut self, keys: &[u32]) -> bool {
        keys.iter().all(|key| {
            self.peer(*key).is_none_or(|peer| {
                peer.state() == State::Closed || peer.stream_mut().is_some_and(|stream| stream.is_memory())
            })
        })
    }

    /// Whether there are clients in this process.
    pub fn has_local(&self) -> bool {
        !self.above.local.is_empty()
    }

    /// Whether a client in this process has sent bytes.
    pub(super) fn has_local_work(&mut self) -> bool {
        let local = std::mem::take(&mut self.above.local);
        let has = |key: &u32| match self.slots.get_mut(*key as usize) {
            Some(Slot::Client(client)) => client.peer.stream_mut().is_some_and(|stream| stream.pipe_has_input()),
            _ => false,
        };
        let found = local.iter().any(has);
        self.above.local = local;
        found
    }

    /// Queues clients in this process for serving, as readiness events do for sockets.
    pub(super) fn collect_local(&mut self) {
        if self.above.local.is_empty() {
            return;
        }
        let mut local = std::mem::take(&mut self.above.local);
        local.retain(|key| {
            let Some(Slot::Client(client)) = self.slots.get_mut(*key as usize) else { return false };
            let has_output = client.peer.has_output();
            let Some(stream) = client.peer.stream_mut().filter(|stream| stream.is_memory()) else { return false };
            let readable = stream.pipe_has_input();
            client.readable |= readable;
            if readable || has_output {
                self.queues.ready.push(*key);
            }
            true
        });
        self.above.local = local;
    }
}
