//! Relaying a client's messages to others, and closing a client that broke the format.

use super::scene_packets::note;
use super::violation;
use crate::codes::WS_FULL_DISCONNECT;
use crate::endpoint::{Inbox, Mark};
use crate::error::Failure;
use crate::heap;
use crate::names::{MAX_MESSAGE_BYTES, MAX_PUT_BYTES};
use crate::server::{Server, Spread, Whom};
use crate::status::{Cause, EventKind, State};
use crate::work::{Arena, Chunk, Cx};
use std::ops::Range;

/// A message as its recipients get it.
pub(super) enum Passed {
    /// A copy.
    Short(Vec<u8>),
    /// Shared storage, for messages too long to copy: `head` replaces the bytes before `start`.
    Long { head: Vec<u8>, storage: Chunk, start: usize },
}

impl Passed {
    /// The first held message, with `head` in place of its first `skip` bytes. `None`: out of memory.
    pub(super) fn first_of(
        inbox: &Inbox,
        arena: &Arena,
        head: &[u8],
        skip: usize,
        scratch: &mut Vec<u8>,
    ) -> Option<Passed> {
        let (_, bytes) = inbox.first_held(arena)?;
        if bytes.len() > COPIED
            && let Some((storage, start)) = inbox.first_held_storage()
        {
            return Some(Passed::Long { head: head.to_vec(), storage: storage.clone(), start: start + skip });
        }
        let mut message = std::mem::take(scratch);
        message.clear();
        (heap::append(&mut message, head) && heap::append(&mut message, &bytes[skip..]))
            .then_some(Passed::Short(message))
    }
}

impl Passed {
    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Passed::Short(message) => message.len(),
            Passed::Long { head, storage, start } => head.len() + storage.len().saturating_sub(*start),
        }
    }
}

/// Bytes of the longest message that is copied; a copy of this size takes little time.
const COPIED: usize = 64 << 10;

/// Sends a message of the host to some clients. Those without room for it are disconnected: they cannot go on without
/// it.
pub(super) fn send_to_clients(server: &mut Server, cx: &mut Cx<'_>, keys: Range<u32>, except: &[u32], message: &[u8]) {
    server.put_spread(
        cx,
        Spread {
            text: false,
            payload: message,
            whom: Whom::Range(keys),
            except,
            on_full: WS_FULL_DISCONNECT,
            now: false,
        },
    );
}

/// Closes a client that broke the format, and drops its other held messages.
pub(super) fn close_for(server: &mut Server, cx: &mut Cx<'_>, key: u32, why: String) {
    close_with(server, cx, key, violation(why));
}

/// Closes a client whose message cannot be relayed for lack of memory: it must not assume that the others got it.
pub(super) fn close_for_memory(server: &mut Server, cx: &mut Cx<'_>, key: u32) {
    let failure =
        Failure::of_protocol(1009, format!("there is no memory left to pass a message on: lower {MAX_MESSAGE_BYTES}"));
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
        mark.set_text(&failure.message);
        peer.endpoint.inbox.push_mark_here(mark);
    } else {
        peer.fail(cx, failure);
        peer.write(cx);
        peer.finish(cx);
    }
}

/// Reports that a client sent to an absent peer: one event, which counts repeats until the program takes it.
pub(super) fn note_lost(server: &mut Server, cx: &mut Cx<'_>, from: u32, to: i32) {
    let Some(peer) = server.peer(from) else { return };
    let why = format!("peer {} sent to peer {to}, who is not here: it may have gone a moment ago", peer.endpoint.label);
    note(&mut peer.endpoint.inbox, 0, Cause::NoPeer, &why, cx.time_ns());
}

/// Reports that what a client sent is too long to be passed on, which would close the connections of those who take no
/// more. As `note_lost`, one event.
pub(super) fn note_too_big(server: &mut Server, cx: &mut Cx<'_>, from: u32, len: usize) {
    let most = server.endpoint.options.max_put();
    let Some(peer) = server.peer(from) else { return };
    let why = format!(
        "peer {} sent {len} bytes to others, and at most {most} are passed on: raise {MAX_PUT_BYTES} if all take more",
        peer.endpoint.label
    );
    note(&mut peer.endpoint.inbox, 0, Cause::TooBig, &why, cx.time_ns());
}
