//! Taking items through a handle, and the loans that go with them.

use super::{Body, Kind, Member, with};
use crate::codes::*;
use crate::error::Error;
use crate::peer::{Arena, Item, Loan, Mark, Message, Peer};
use crate::server::is_last;

/// One item as the host gets it; the bytes are lent.
pub struct View<'a> {
    /// The connection it came by.
    pub conn: u32,
    /// Of that connection.
    pub user: u64,
    /// The message, or the text of the event with its NUL.
    pub bytes: &'a [u8],
    /// What it is.
    pub what: What<'a>,
}

/// A message or an event.
pub enum What<'a> {
    /// A message; true: text.
    Message(bool),
    /// An event.
    Mark(&'a Mark),
}

/// Takes up to `most` items, or messages alone, through a handle; how many. What it was lent before ends, even when nothing is there.
pub fn take(handle: u32, most: usize, messages_alone: bool, mut sink: impl FnMut(usize, View<'_>)) -> Result<usize, Error> {
    with(handle, |body, member| {
        let Body { kind, arena, .. } = body;
        let mut count = 0;
        while count < most {
            let next = match (&mut *kind, member) {
                (Kind::Server(server), Member::Server) => {
                    let taken = if messages_alone {
                        server.take_message().map(|(key, message)| (Some(key), Item::Message(message)))
                    } else {
                        server.take_item()
                    };
                    taken.map(|(key, item)| {
                        let (conn, user) = match key.and_then(|key| server.peer(key)) {
                            Some(peer) => (peer.handle, peer.user),
                            None => (server.handle, server.user),
                        };
                        (conn, user, item)
                    })
                }
                (Kind::Server(server), Member::Client(key)) => {
                    let taken = server.peer(key).and_then(|peer| take_from(peer, messages_alone));
                    if let Some((.., item)) = &taken {
                        server.took(key, matches!(item, Item::Mark(mark) if is_last(mark)));
                    }
                    taken
                }
                (kind, member) => kind.peer(member).and_then(|peer| take_from(peer, messages_alone)),
            };
            let Some((conn, user, item)) = next else { break };
            show(kind, member, arena, count, &item, |bytes, what| sink(count, View { conn, user, bytes, what }));
            count += 1;
        }
        if count == 0 {
            end_loan(kind, member);
        }
        Ok(count)
    })
}

/// Ends what a handle was lent.
pub(super) fn end_loan(kind: &mut Kind, member: Member) {
    match (kind, member) {
        (Kind::Server(server), Member::Server) => {
            server.loan.end();
        }
        (kind, member) => {
            if let Some(peer) = kind.peer(member) {
                peer.end_loan();
            }
        }
    }
}

fn take_from(peer: &mut Peer, messages_alone: bool) -> Option<(u32, u64, Item)> {
    let item = if messages_alone { peer.take_message().map(Item::Message) } else { peer.take_item() };
    item.map(|item| (peer.handle, peer.user, item))
}

/// Holds the memory of an item for the reader, the first of a call instead of what was held, and shows it.
fn show(kind: &mut Kind, member: Member, arena: &Arena, nth: usize, item: &Item, sink: impl FnOnce(&[u8], What<'_>)) {
    match item {
        Item::Message(message) => {
            let (chunk, bytes) = Message::parts(message, arena);
            hold(kind, member, nth, chunk);
            sink(bytes, What::Message(message.text));
        }
        Item::Mark(mark) => match &mark.text {
            Some(text) => {
                hold(kind, member, nth, text);
                sink(text, What::Mark(mark));
            }
            None => {
                if nth == 0 {
                    end_loan(kind, member);
                }
                sink(b"\0", What::Mark(mark));
            }
        },
    }
}

fn hold(kind: &mut Kind, member: Member, nth: usize, chunk: &crate::peer::Chunk) {
    let hold_in = |loan: &mut Loan| {
        if nth == 0 {
            loan.replace(chunk);
        } else {
            loan.add(chunk);
        }
    };
    match (kind, member) {
        (Kind::Server(server), Member::Server) => hold_in(&mut server.loan),
        (kind, member) => {
            if let Some(peer) = kind.peer(member) {
                if nth == 0 { peer.lend(chunk) } else { peer.loan.add(chunk) }
            }
        }
    }
}

/// Messages that wait behind a handle.
pub fn available(handle: u32) -> Result<usize, Error> {
    with(handle, |body, member| match (&mut body.kind, member) {
        (Kind::Server(server), Member::Server) => Ok(server.available()),
        (kind, member) => kind.peer(member).map(|peer| peer.inbox.len()).ok_or_else(|| Error::new(WS_ERR_HANDLE, "the handle was freed")),
    })
}
