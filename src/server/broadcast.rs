//! One message to several clients: encoded once, written while the budget lasts.

use super::{Server, Slot};
use crate::codes::*;
use crate::error::Failure;
use crate::peer::{Chunk, Cx, Sent};
use crate::protocol::server_frame_header;
use std::sync::Arc;

impl Server {
    /// Puts to every open client, but `except`. WS_OK, WS_PARTIAL, or WS_ERR_FULL where all or none was asked for.
    pub fn put_all(&mut self, cx: &mut Cx<'_>, text: bool, payload: &[u8], except: Option<u32>) -> i32 {
        let policy = self.options.raw(WS_OPT_ON_FULL);
        if policy == Some(WS_FULL_ALL_OR_NONE) && self.open_clients(except).any(|client| !client.peer.has_room(payload.len())) {
            for key in 0..self.slots.len() as u32 {
                if Some(key) != except
                    && let Some(client) = self.client(key)
                    && !client.peer.has_room(payload.len())
                {
                    client.peer.owe_writable(payload.len());
                }
            }
            return WS_ERR_FULL;
        }
        let frame = self.encode(text, payload);
        let mut partial = false;
        let mut now = true;
        for key in 0..self.slots.len() as u32 {
            if Some(key) == except {
                continue;
            }
            let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { continue };
            if client.pending || !client.peer.may_put() {
                continue;
            }
            now = now && !cx.budget.look();
            match client.peer.put_shared(cx, &frame, payload.len(), now) {
                Sent::Taken if client.peer.has_output() && !now => self.dirty.push(key),
                Sent::Taken if client.peer.has_output() && client.peer.options.is_on(WS_OPT_COALESCE) => self.dirty.push(key),
                Sent::Taken | Sent::NotOpen => {}
                Sent::Full if policy == Some(WS_FULL_DISCONNECT) => {
                    partial = true;
                    let sentence = "the client did not read and its outbound queue was full (on_full is WS_FULL_DISCONNECT)";
                    let failure = Failure { close_code: 1008, ..Failure::new(WS_PHASE_APP, WS_CAUSE_FULL, sentence) };
                    client.peer.close_because(cx, 1008, "the outbound queue is full", Some(failure));
                    self.after(cx, key, None);
                }
                Sent::Full => {
                    partial = true;
                    client.peer.skip(cx);
                    self.after(cx, key, None);
                }
            }
        }
        self.frame = Some(frame);
        if partial { WS_PARTIAL } else { WS_OK }
    }

    /// Puts to one client.
    pub fn put_one(&mut self, cx: &mut Cx<'_>, key: u32, text: bool, payload: &[u8]) -> Sent {
        let Some(client) = self.client(key) else { return Sent::NotOpen };
        let sent = client.peer.put(cx, text, payload);
        let news = client.peer.inbox.marks() != client.marks as usize;
        if sent == Sent::Taken && client.peer.has_output() && client.peer.options.is_on(WS_OPT_COALESCE) {
            self.dirty.push(key);
        }
        if news {
            self.after(cx, key, None);
        }
        sent
    }

    /// Writes what waits for one client.
    pub fn flush_one(&mut self, cx: &mut Cx<'_>, key: u32) {
        if let Some(client) = self.client(key) {
            client.peer.write(cx);
            self.after(cx, key, None);
        }
    }

    /// Writes what no event of the system's would make leave.
    pub fn write_dirty(&mut self, cx: &mut Cx<'_>) {
        while let Some(key) = self.dirty.pop() {
            self.flush_one(cx, key);
        }
    }

    fn open_clients(&self, except: Option<u32>) -> impl Iterator<Item = &super::Client> {
        self.slots.iter().enumerate().filter_map(move |(key, slot)| match slot {
            Slot::Client(client) if !client.pending && client.peer.may_put() && Some(key as u32) != except => Some(&**client),
            _ => None,
        })
    }

    /// The frame, in the memory of the last one when no client holds that any more.
    fn encode(&mut self, text: bool, payload: &[u8]) -> Chunk {
        let mut frame = self.frame.take().unwrap_or_default();
        if Arc::get_mut(&mut frame).is_none_or(|bytes| bytes.capacity() > (1 << 20).max(2 * payload.len())) {
            frame = Chunk::default();
        }
        if let Some(bytes) = Arc::get_mut(&mut frame) {
            let mut header = [0; 14];
            let len = server_frame_header(if text { 0x1 } else { 0x2 }, false, payload.len(), &mut header);
            bytes.clear();
            bytes.reserve(len + payload.len());
            bytes.extend_from_slice(&header[..len]);
            bytes.extend_from_slice(payload);
        }
        frame
    }
}
