//! What one client of a host sends to others, and closing one that broke the format.

use super::breach;
use super::scene_packets::note;
use crate::codes::WS_FULL_DISCONNECT;
use crate::endpoint::{Inbox, Mark};
use crate::error::Failure;
use crate::heap;
use crate::names::MAX_MESSAGE_BYTES;
use crate::server::{Server, Spread};
use crate::status::{Cause, EventKind, State};
use crate::work::{Arena, Chunk, Cx};
use std::ops::Range;

/// A message as others get it.
pub(super) enum Passed {
    /// A copy.
    Short(Vec<u8>),
    /// With other first bytes than those before `start`; too long for a copy.
    Long { head: Vec<u8>, storage: Chunk, start: usize },
}

impl Passed {
    /// The first held message, with `head` in the place of its first bytes. `None`: there is no memory for it.
    pub(super) fn first_of(inbox: &Inbox, arena: &Arena, head: &[u8], skip: usize, scratch: &mut Vec<u8>) -> Option<Passed> {
        let (_, bytes) = inbox.first_held(arena)?;
        if bytes.len() > COPIED
            && let Some((storage, start)) = inbox.first_held_storage()
        {
            return Some(Passed::Long { head: head.to_vec(), storage: storage.clone(), start: start + skip });
        }
        let mut message = std::mem::take(scratch);
        message.clear();
        (heap::append(&mut message, head) && heap::append(&mut message, &bytes[skip..])).then_some(Passed::Short(message))
    }
}

/// The longest message that is copied in no time.
const COPIED: usize = 64 << 10;

/// Sends a message of the host's own to the clients in some places. One that cannot take it could not go on without it.
pub(super) fn tell(server: &mut Server, cx: &mut Cx<'_>, keys: Range<u32>, except: &[u32], message: &[u8]) {
    server.put_spread(cx, Spread { text: false, payload: message, keys, except, on_full: WS_FULL_DISCONNECT, now: false });
}

/// Closes a client that broke the format; its other messages are not believed.
pub(super) fn close_for(server: &mut Server, cx: &mut Cx<'_>, key: u32, why: String) {
    close_with(server, cx, key, breach(why));
}

/// What one client sent cannot be passed on, for lack of memory: it is told, as it must not believe that the others got it.
pub(super) fn close_for_memory(server: &mut Server, cx: &mut Cx<'_>, key: u32) {
    let failure = Failure::of_protocol(1009, format!("there is no memory left to pass a message on: lower {MAX_MESSAGE_BYTES}"));
    close_with(server, cx, key, Failure { cause: Cause::Resources, ..failure });
    server.take_account(cx, key);
}

fn close_with(server: &mut Server, cx: &mut Cx<'_>, key: u32, failure: Failure) {
    let Some(peer) = server.peer(key) else { return };
    peer.endpoint.drop_held(cx);
    if peer.state() == State::Closed && !peer.endpoint.admitted {
        return;
    }
    if peer.state() == State::Closed {
        let mut mark = Mark { phase: failure.phase, cause: failure.cause, ..Mark::new(EventKind::Error, cx.time_ns()) };
        mark.set_text(&failure.sentence);
        peer.endpoint.inbox.push_mark_here(mark);
    } else {
        peer.fail(cx, failure);
        peer.write(cx);
        peer.finish(cx);
    }
}

/// What one client sent to another that is not here is counted in one event until the host takes it.
pub(super) fn note_lost(server: &mut Server, cx: &mut Cx<'_>, from: u32, to: i32) {
    let Some(peer) = server.peer(from) else { return };
    let why = format!("peer {} sent to peer {to}, who is not here: it may have gone a moment ago", peer.endpoint.label);
    note(&mut peer.endpoint.inbox, 0, Cause::NoPeer, &why, cx.time_ns());
}
