//! What a server does for the layer above it: telling of clients that came, went or sent, and taking in clients that have no socket.

use super::{Line, Server, Slot};
use crate::codes::*;
use crate::connection::Connection;
use crate::net::{MemoryEnd, Stream};
use crate::protocol::Accept;
use crate::work::Cx;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// What the layer above is told.
#[derive(Default)]
pub struct Above {
    /// There is one: a client gets nothing from a put to several before it was given its id.
    pub watches: bool,
    /// It looks at every message before the host does.
    pub holds: bool,
    /// Places of clients that opened, ended or have messages to be looked at.
    pub touched: Line,
    /// Ids of clients whose places were given back.
    pub gone: Vec<i32>,
    /// Places of clients in memory.
    local: Vec<u32>,
}

impl Above {
    /// Whether a client is there for the host: the layer above has given it its id, if there is one.
    pub(super) fn shows(&self, peer: &Connection) -> bool {
        peer.endpoint.handle != 0 && (!self.watches || peer.endpoint.label != 0)
    }
}

impl Server {
    /// Takes in a client that is in this process; neither its address nor its path is judged.
    pub fn welcome_local(&mut self, cx: &mut Cx<'_>, end: MemoryEnd) {
        let (key, serial) = self.take_place(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let of = &self.settings.accept;
        let accept =
            Accept { path: None, subprotocols: of.subprotocols.clone(), headers: of.headers.clone(), deflate: None, heartbeat: of.heartbeat };
        let timeout = self.endpoint.options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS);
        let (options, header_bytes) = (self.endpoint.options.clone(), self.settings.max_header_bytes);
        let peer = Connection::answer_on(Stream::Memory(Box::new(end)), Some(Arc::new(accept)), header_bytes, options, timeout, false, cx.now);
        self.settle_in(key, serial, peer, cx.now);
        self.above.local.push(key);
    }

    /// Ends the pipes of clients in memory, after one last write: their other ends read the end from here on.
    pub fn drop_local(&mut self, cx: &mut Cx<'_>) {
        for key in std::mem::take(&mut self.above.local) {
            if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize)
                && matches!(client.peer.stream_mut(), Some(Stream::Memory(_)))
            {
                client.peer.write(cx);
                drop(client.peer.take_out_stream());
            }
        }
    }

    /// Whether clients in memory are among them.
    pub fn has_local(&self) -> bool {
        !self.above.local.is_empty()
    }

    /// Whether a client in memory has sent something.
    pub(super) fn has_local_work(&mut self) -> bool {
        let local = std::mem::take(&mut self.above.local);
        let has = |key: &u32| match self.slots.get_mut(*key as usize) {
            Some(Slot::Client(client)) => matches!(client.peer.stream_mut(), Some(Stream::Memory(end)) if end.readable() > 0),
            _ => false,
        };
        let found = local.iter().any(has);
        self.above.local = local;
        found
    }

    /// Does for clients in memory what the system's readiness does for sockets.
    pub(super) fn collect_local(&mut self) {
        let mut local = std::mem::take(&mut self.above.local);
        local.retain(|key| {
            let Some(Slot::Client(client)) = self.slots.get_mut(*key as usize) else { return false };
            let has_output = client.peer.has_output();
            let Some(Stream::Memory(end)) = client.peer.stream_mut() else { return false };
            let readable = end.readable() > 0;
            client.readable |= readable;
            if readable || has_output {
                self.lines.ready.push(*key);
            }
            true
        });
        self.above.local = local;
    }
}
