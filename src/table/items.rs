//! Taking items through a handle, and lending their bytes.

use super::{Body, Kind, Member, Shared, registry, stale, with, with_any};
use crate::endpoint::{Item, Loan, Mark, Spent};
use crate::error::Error;
use crate::server::{Origin, is_last};
use crate::status::{ErrorCode, MessageType};
use crate::work::{Arena, Chunk, MUCH};
use std::sync::Arc;

/// One item as the program gets it. The bytes are lent.
pub struct View<'a> {
    /// Handle of the connection that received it.
    pub conn: u32,
    /// User value of that connection.
    pub user: u64,
    /// Multiplayer: the sender, or the peer that the event is about.
    pub peer_id: i32,
    /// The message's payload, or the event's text with its NUL.
    pub bytes: &'a [u8],
    /// The type of the item.
    pub what: What<'a>,
}

/// A message or an event.
pub enum What<'a> {
    /// A message: WS_TEXT, WS_BINARY or WS_CALL.
    Message(MessageType),
    /// An event.
    Mark(&'a Mark),
}

/// Takes up to `most` messages through a handle, and leaves events queued. Returns how many. The handle's previous loan
/// ends, even if there is no message.
#[inline]
pub fn take_messages(handle: u32, most: usize, mut sink: impl FnMut(usize, View<'_>)) -> Result<usize, Error> {
    with_any(handle, |_, body, member| {
        let Body { kind, shared: Shared { arena, .. }, .. } = body;
        match (kind, member) {
            (Kind::Server(server), Member::Server) => {
                if server.endpoint.handle != handle {
                    return Err(stale(handle));
                }
                let mut count = 0;
                while count < most {
                    let taken = server.take_message(|message, Origin { conn, user, label: peer_id }, loan| {
                        let (chunk, bytes) = message.parts(arena);
                        let spent = loan.hold(chunk, count > 0);
                        sink(count, View { conn, user, peer_id, bytes, what: What::Message(message.kind) });
                        spent
                    });
                    let Some(spent) = taken else { break };
                    count += 1;
                    give_back(arena, spent);
                }
                if count == 0 {
                    give_back(arena, server.endpoint.loan.end());
                }
                Ok(count)
            }
            (kind, member) => {
                let Some(peer) = kind.peer(member).filter(|peer| peer.endpoint.handle == handle) else {
                    return Err(stale(handle));
                };
                let mut count = 0;
                while count < most {
                    let Some(message) = peer.endpoint.inbox.first_message() else { break };
                    let (chunk, bytes) = message.parts(arena);
                    let spent = peer.endpoint.loan.hold(chunk, count > 0);
                    let peer_id = if message.from != 0 { message.from } else { peer.endpoint.label };
                    sink(
                        count,
                        View {
                            conn: peer.endpoint.handle,
                            user: peer.endpoint.user,
                            peer_id,
                            bytes,
                            what: What::Message(message.kind),
                        },
                    );
                    drop(peer.endpoint.inbox.take_message());
                    count += 1;
                    give_back(arena, spent);
                }
                if count == 0 {
                    give_back(arena, peer.endpoint.loan.end());
                } else if let (Kind::Server(server), Member::Client(key)) = (kind, member) {
                    server.took(key, false);
                }
                Ok(count)
            }
        }
    })
}

/// Takes up to `most` messages and events through a handle, as `take_messages` does.
pub fn take_items(handle: u32, most: usize, mut sink: impl FnMut(usize, View<'_>)) -> Result<usize, Error> {
    with(handle, |body, member| {
        let Body { kind, shared: Shared { arena, .. }, .. } = body;
        let mut count = 0;
        while count < most {
            let Some((conn, user, other, item)) = next_item(kind, member) else { break };
            let (chunk, bytes, what, about) = match &item {
                Item::Message(message) => {
                    let (chunk, bytes) = message.parts(arena);
                    (Some(chunk), bytes, What::Message(message.kind), message.from)
                }
                Item::Mark(mark) => (
                    mark.text.as_ref(),
                    mark.text.as_ref().map_or(b"\0".as_slice(), |text| text),
                    What::Mark(mark),
                    mark.label,
                ),
            };
            let peer_id = if about != 0 { about } else { other };
            let spent = match chunk {
                Some(chunk) => loan_of(kind, member).and_then(|loan| loan.hold(chunk, count > 0)),
                None if count == 0 => loan_of(kind, member).and_then(Loan::end),
                None => None,
            };
            sink(count, View { conn, user, peer_id, bytes, what });
            count += 1;
            give_back(arena, spent);
        }
        if count == 0 {
            give_back(arena, loan_of(kind, member).and_then(Loan::end));
        }
        Ok(count)
    })
}

/// Number of messages that can be taken through a handle.
pub fn available(handle: u32) -> Result<usize, Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Server) => Ok(server.available()),
        (kind, member) => kind
            .peer(member)
            .map(|peer| peer.endpoint.inbox.ready())
            .ok_or_else(|| Error::new(ErrorCode::Handle, "the handle was freed")),
    })
}

/// Takes the next item, with the handle, user value and peer id of its connection.
fn next_item(kind: &mut Kind, member: Member) -> Option<(u32, u64, i32, Item)> {
    match (kind, member) {
        (Kind::Server(server), Member::Server) => {
            server.reads_events = true;
            let (key, item) = server.take_item()?;
            let (conn, user, other) = match key.and_then(|key| server.peer(key)) {
                Some(peer) => (peer.endpoint.handle, peer.endpoint.user, peer.endpoint.label),
                None => (server.endpoint.handle, server.endpoint.user, 0),
            };
            Some((conn, user, other, item))
        }
        (Kind::Server(server), Member::Client(key)) => {
            let peer = server.peer(key)?;
            let (conn, user, other, item) =
                (peer.endpoint.handle, peer.endpoint.user, peer.endpoint.label, peer.take_item()?);
            server.took(key, matches!(&item, Item::Mark(mark) if is_last(mark)));
            Some((conn, user, other, item))
        }
        (kind, member) => {
            let peer = kind.peer(member)?;
            Some((peer.endpoint.handle, peer.endpoint.user, peer.endpoint.label, peer.take_item()?))
        }
    }
}

/// The loan made through a handle.
fn loan_of(kind: &mut Kind, member: Member) -> Option<&mut Loan> {
    match (kind, member) {
        (Kind::Server(server), Member::Server) => Some(&mut server.endpoint.loan),
        (kind, member) => kind.peer(member).map(|peer| &mut peer.endpoint.loan),
    }
}

/// Reuses memory that the program no longer borrows. Large memory is freed by the worker, because that takes long.
#[inline(always)]
fn give_back(arena: &mut Arena, spent: Option<Spent>) {
    if let Some(spent) = spent {
        reuse_or_free(arena, spent);
    }
}

#[inline(never)]
fn reuse_or_free(arena: &mut Arena, spent: Spent) {
    match spent {
        Spent::One(chunk) => give_one_back(arena, chunk),
        Spent::Several(chunks) => registry().services.discard(Box::new(chunks)),
    }
}

fn give_one_back(arena: &mut Arena, chunk: Chunk) {
    if let Some(surplus) = Arc::into_inner(chunk).and_then(|spare| arena.give_spare(spare))
        && surplus.capacity() > MUCH
    {
        registry().services.discard(Box::new(surplus));
    }
}
