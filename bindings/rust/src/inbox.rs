//! Taking items of a handle: the place where bytes are lent.
#![allow(unsafe_code)]

use crate::codes::{Cause, EventKind, MessageKind, Phase};
use crate::event::{About, Auth, CloseRequest, End, Event, Message, Report, Request, Resumed, Skipped};
use crate::handle::Conn;
use crate::sys;
use std::time::Duration;
use wspeer_core::codes as c;
use wspeer_core::ffi::{self, ws_event, ws_packet};

/// Items that are taken in one call: at least, and at most.
const FEW: usize = 16;
const MOST: usize = 1024;
/// The type of an item that the program has. No event of the library has it.
const TAKEN: i32 = 0;

/// The items of one handle that were taken from the library, and not by the program yet.
///
/// Invariant: the data of the items in `batch` is readable. Of the first ones it lies in `kept`. Of the others it is lent
/// by the library until the next call that takes items through the handle, which only this struct makes, or until the
/// handle is freed, which only its owner does when it is dropped.
#[derive(Default)]
pub(crate) struct Inbox {
    /// In order. What the program has stays in it, as TAKEN, while it may look at it.
    batch: Vec<ws_event>,
    /// What is before it was taken.
    at: usize,
    /// Copies of the data of the first items: of those that stayed when others were taken.
    kept: Vec<Vec<u8>>,
    /// How many items of the batch the program does not have, and how many of these are messages.
    left: usize,
    messages: usize,
    /// For how many items the last call made room.
    room: usize,
    /// Room for messages, reused.
    packets: Vec<ws_packet>,
    /// A server: clients that had items when they were listed, and were not asked since.
    turns: Vec<u32>,
}

// SAFETY: the pointers in it are to memory that no thread changes while they are valid, and that may be read and given
// back by any thread: "Thread-safe functions may be called from any thread", and one that takes items by one at a time,
// which a `&mut Inbox` is.
unsafe impl Send for Inbox {}
// SAFETY: nothing can be done with a `&Inbox` but counting.
unsafe impl Sync for Inbox {}

impl Inbox {
    /// Number of messages that were taken from the library and not by the program.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// The next item.
    pub(crate) fn next_event(&mut self, handle: u32) -> Option<Event<'_>> {
        if self.left == 0 {
            self.clear();
            let mut event = sys::no_event();
            // SAFETY: the output is writable. The call ends the loans of items that were taken before; events that
            // have them borrow this inbox, which is borrowed mutably here.
            if unsafe { ffi::ws_next_event(handle, &mut event) } != c::WS_OK {
                return None;
            }
            self.add(event);
        }
        // SAFETY: the result borrows this inbox.
        unsafe { self.hand_out_event() }
    }

    /// The next item of one of a server's clients that are wanted.
    pub(crate) fn next_event_from(&mut self, server: u32, mut wanted: impl FnMut(Conn) -> bool) -> Option<Event<'_>> {
        if self.left > 0 {
            return self.next_event(server);
        }
        self.clear();
        for is_listed in [false, true] {
            if is_listed {
                self.turns = sys::waiting(server);
            }
            while let Some(conn) = self.turns.pop() {
                let mut event = sys::no_event();
                // SAFETY: the output is writable. `conn` is a client of this server, as the list is forgotten before a
                // poll, which alone retires clients. Only this function takes items through it: the loan lasts until
                // the next call or poll, and both borrow this inbox mutably.
                if wanted(Conn::from_raw(conn)) && unsafe { ffi::ws_next_event(conn, &mut event) } == c::WS_OK {
                    self.add(event);
                    // SAFETY: the result borrows this inbox.
                    return unsafe { self.hand_out_event() };
                }
            }
        }
        None
    }

    /// Before a poll, which may retire clients: their numbers would mean others one day.
    pub(crate) fn forget_turns(&mut self) {
        self.turns.clear();
    }

    /// The next message; other items stay.
    pub(crate) fn next_message(&mut self, handle: u32) -> Option<Message<'_>> {
        if self.messages == 0 {
            self.keep();
            let mut packet = no_packet();
            // SAFETY: as in next_event(); the data of items that stay was copied.
            if unsafe { ffi::ws_get_packet(handle, &mut packet) } != c::WS_OK {
                return None;
            }
            self.add(event_with(&packet));
        }
        let mut from = self.at;
        // SAFETY: the result borrows this inbox.
        unsafe { self.hand_out_message(&mut from) }
    }

    /// A batch of items.
    pub(crate) fn events(&mut self, handle: u32) -> Events<'_> {
        if self.left == 0 {
            self.clear();
            let room = self.room_for(handle);
            self.batch.reserve(room);
            let mut count = 0;
            // SAFETY: the output has room for so many. The loans that end are as in next_event().
            unsafe { ffi::ws_next_events(handle, self.batch.as_mut_ptr(), room, &mut count) };
            // SAFETY: "`count` is set to the number of items written".
            unsafe { self.batch.set_len(count) };
            self.left = count;
            self.messages = self.batch.iter().filter(|event| is_message(event)).count();
        }
        Events { inbox: self }
    }

    /// A batch of messages; other items stay.
    pub(crate) fn messages_of(&mut self, handle: u32) -> Messages<'_> {
        if self.messages == 0 {
            self.keep();
            let room = self.room_for(handle);
            let mut packets = std::mem::take(&mut self.packets);
            packets.clear();
            packets.reserve(room);
            let mut count = 0;
            // SAFETY: the output has room for so many. The loans that end are as in next_message().
            unsafe { ffi::ws_get_packets(handle, packets.as_mut_ptr(), room, &mut count) };
            // SAFETY: "`count` is set to the number of messages written".
            unsafe { packets.set_len(count) };
            packets.iter().for_each(|packet| self.add(event_with(packet)));
            self.packets = packets;
        }
        Messages { from: self.at, inbox: self }
    }

    /// For how many items a call makes room: all messages and a few events, but not for a queue of any length.
    fn room_for(&mut self, handle: u32) -> usize {
        if self.room < MOST {
            let messages = usize::try_from(ffi::ws_get_available(handle)).unwrap_or(0);
            self.room = self.room.max(messages + FEW).min(MOST);
        }
        self.room
    }

    fn add(&mut self, event: ws_event) {
        self.left += 1;
        self.messages += usize::from(is_message(&event));
        self.batch.push(event);
    }

    fn clear(&mut self) {
        self.batch.clear();
        self.kept.clear();
        self.at = 0;
    }

    /// Copies the data of the items that stay and have no copy yet, before others are taken.
    fn keep(&mut self) {
        if self.left == 0 {
            self.clear();
        }
        while self.batch.last().is_some_and(|event| event.r#type == TAKEN) {
            self.batch.pop();
        }
        self.kept.truncate(self.batch.len());
        if self.kept.len() == self.batch.len() {
            return;
        }
        let mut copies = std::mem::take(&mut self.kept).into_iter();
        let mut kept = Vec::with_capacity(self.left);
        self.batch.retain_mut(|event| {
            let copy = copies.next();
            if event.r#type == TAKEN {
                return false;
            }
            kept.push(copy.unwrap_or_else(|| {
                // SAFETY: readable by the invariant.
                let copy = unsafe { bytes_of(&event.packet) }.to_vec();
                // The bytes stay where they are when the vector of them moves.
                event.packet.data = copy.as_ptr();
                copy
            }));
            true
        });
        self.kept = kept;
        self.at = 0;
    }

    /// Gives the program the first item that it does not have.
    ///
    /// # Safety
    /// While the result is used, no other item is taken through the handle, and its owner is not dropped.
    unsafe fn hand_out_event<'a>(&mut self) -> Option<Event<'a>> {
        let found = self.batch[self.at..].iter().position(|event| event.r#type != TAKEN)?;
        let index = self.at + found;
        self.at = index + 1;
        // SAFETY: readable by the invariant, for as long as the caller vouches for.
        let event = unsafe { event_of(&self.batch[index]) };
        self.take(index);
        Some(event)
    }

    /// Gives the program the first message from `from` on that it does not have, and sets `from` behind it.
    ///
    /// # Safety
    /// As for [`hand_out_event`](Inbox::hand_out_event).
    unsafe fn hand_out_message<'a>(&mut self, from: &mut usize) -> Option<Message<'a>> {
        let index = *from + self.batch[*from..].iter().position(is_message)?;
        *from = index + 1;
        // SAFETY: as in hand_out_event().
        let message = unsafe { message_of(&self.batch[index].packet) };
        self.take(index);
        Some(message)
    }

    fn take(&mut self, index: usize) {
        self.left -= 1;
        self.messages -= usize::from(is_message(&self.batch[index]));
        self.batch[index].r#type = TAKEN;
    }
}

/// The item of a message that was taken without others.
fn event_with(packet: &ws_packet) -> ws_event {
    let mut event = sys::no_event();
    event.r#type = match packet.r#type {
        c::WS_SPAWN => c::WS_EVENT_SPAWN,
        c::WS_DESPAWN => c::WS_EVENT_DESPAWN,
        c::WS_SYNC => c::WS_EVENT_SYNC,
        _ => c::WS_EVENT_MESSAGE,
    };
    event.conn = packet.conn;
    event.peer_id = packet.peer_id;
    event.packet = *packet;
    event
}

fn is_message(event: &ws_event) -> bool {
    matches!(event.r#type, c::WS_EVENT_MESSAGE | c::WS_EVENT_SPAWN | c::WS_EVENT_DESPAWN | c::WS_EVENT_SYNC)
}

fn no_packet() -> ws_packet {
    sys::no_event().packet
}

/// Events, in order. Those that are not taken from it come with the next call.
#[must_use = "events are taken by iterating"]
pub struct Events<'a> {
    inbox: &'a mut Inbox,
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        // SAFETY: while this iterator or an event of it is there, the inbox is borrowed for 'a, so nothing else is
        // taken through the handle, and its owner is not dropped. The iterator itself takes nothing.
        unsafe { self.inbox.hand_out_event() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.inbox.left, Some(self.inbox.left))
    }
}

impl ExactSizeIterator for Events<'_> {}

/// Messages, in order. Those that are not taken from it come with the next call.
#[must_use = "messages are taken by iterating"]
pub struct Messages<'a> {
    inbox: &'a mut Inbox,
    from: usize,
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        // SAFETY: as in Events::next().
        unsafe { self.inbox.hand_out_message(&mut self.from) }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.inbox.messages, Some(self.inbox.messages))
    }
}

impl ExactSizeIterator for Messages<'_> {}

/// The bytes of an item.
///
/// # Safety
/// The data is readable for 'a, and nothing changes it.
unsafe fn bytes_of<'a>(packet: &ws_packet) -> &'a [u8] {
    if packet.data.is_null() {
        return &[];
    }
    // SAFETY: the caller vouches for it.
    unsafe { std::slice::from_raw_parts(packet.data, packet.len) }
}

/// # Safety
/// As for [`bytes_of`].
unsafe fn text_of<'a>(packet: &ws_packet) -> &'a str {
    // SAFETY: the caller vouches for it.
    std::str::from_utf8(unsafe { bytes_of(packet) }).unwrap_or_default()
}

/// # Safety
/// As for [`bytes_of`].
unsafe fn message_of<'a>(packet: &ws_packet) -> Message<'a> {
    let about =
        About { conn: Conn::from_raw(packet.conn), peer_id: packet.peer_id, user: packet.user, time: Duration::ZERO };
    let kind = MessageKind::from_raw(packet.r#type).unwrap_or(MessageKind::Binary);
    // SAFETY: the caller vouches for it.
    Message { about, kind, bytes: unsafe { bytes_of(packet) } }
}

fn about_of(raw: &ws_event) -> About {
    About {
        conn: Conn::from_raw(raw.conn),
        peer_id: raw.peer_id,
        user: raw.packet.user,
        time: Duration::from_nanos(raw.time_ns),
    }
}

/// # Safety
/// As for [`bytes_of`].
unsafe fn event_of<'a>(raw: &ws_event) -> Event<'a> {
    let about = about_of(raw);
    let count = raw.count;
    // SAFETY: the caller vouches for it, here and below.
    let text = || unsafe { text_of(&raw.packet) };
    let bytes = || unsafe { bytes_of(&raw.packet) };
    let message = || unsafe { message_of(&raw.packet) };
    // A number that this version of the binding does not know cannot come: it is built with its library.
    match EventKind::from_raw(raw.r#type).unwrap_or(EventKind::Error) {
        EventKind::Open => Event::Open(about),
        EventKind::Message => Event::Message(message()),
        EventKind::CloseRequest => Event::CloseRequest(CloseRequest { about, code: raw.code, reason: text() }),
        EventKind::Closed => Event::Closed(end_of(raw, text())),
        EventKind::Connected => Event::Connected(about),
        EventKind::Disconnected => Event::Disconnected(end_of(raw, text())),
        EventKind::Writable => Event::Writable(about),
        EventKind::Skipped => Event::Skipped(Skipped { about, count }),
        EventKind::Error => Event::Error(report_of(raw, text())),
        EventKind::Authenticating => Event::Authenticating(about),
        EventKind::Auth => Event::Auth(Auth { about, data: bytes() }),
        EventKind::Step => Event::Step(report_of(raw, text())),
        EventKind::Refused => Event::Refused(report_of(raw, text())),
        EventKind::Request => Event::Request(Request { about, is_websocket: count == 1, body: bytes() }),
        EventKind::Lost => Event::Lost(end_of(raw, text())),
        EventKind::Resumed => Event::Resumed(Resumed { about, count }),
        EventKind::Spawn => Event::Spawn(message()),
        EventKind::Despawn => Event::Despawn(message()),
        EventKind::Sync => Event::Sync(message()),
    }
}

fn phase_of(raw: &ws_event) -> Phase {
    Phase::from_raw(raw.phase).unwrap_or(Phase::None)
}

fn cause_of(raw: &ws_event) -> Cause {
    Cause::from_raw(raw.cause).unwrap_or(Cause::None)
}

pub(crate) fn end_of<'a>(raw: &ws_event, sentence: &'a str) -> End<'a> {
    End {
        about: about_of(raw),
        code: raw.code,
        clean: raw.clean != 0,
        phase: phase_of(raw),
        cause: cause_of(raw),
        http_status: raw.http_status,
        os_error: raw.os_error,
        unsent: raw.unsent,
        sentence,
    }
}

fn report_of<'a>(raw: &ws_event, sentence: &'a str) -> Report<'a> {
    Report {
        about: about_of(raw),
        phase: phase_of(raw),
        cause: cause_of(raw),
        http_status: raw.http_status,
        os_error: raw.os_error,
        count: raw.count,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: i32, text: &'static [u8]) -> ws_event {
        let mut event = sys::no_event();
        event.r#type = kind;
        event.packet.data = text.as_ptr();
        event.packet.len = text.len();
        event
    }

    #[test]
    fn what_stays_is_copied_once_however_much_is_taken_meanwhile() {
        let mut inbox = Inbox::default();
        inbox.add(item(c::WS_EVENT_CLOSED, b"stays"));
        inbox.keep();
        let copy = inbox.batch[0].packet.data;
        for _ in 0..10 {
            inbox.add(item(c::WS_EVENT_MESSAGE, b"goes"));
            inbox.add(item(c::WS_EVENT_MESSAGE, b"goes"));
            let mut from = inbox.at;
            for _ in 0..2 {
                // SAFETY: the texts are static.
                assert!(unsafe { inbox.hand_out_message(&mut from) }.is_some());
            }
            inbox.keep();
            assert_eq!((inbox.batch.len(), inbox.kept.len(), inbox.batch[0].packet.data), (1, 1, copy));
        }
        // One more that stays is copied, and the first is not copied again.
        inbox.add(item(c::WS_EVENT_MESSAGE, b"stays too"));
        inbox.keep();
        assert_eq!((inbox.batch.len(), inbox.kept.len(), inbox.batch[0].packet.data), (2, 2, copy));
        let mut from = 1;
        // SAFETY: the copy lies in the inbox, which is not used meanwhile.
        assert_eq!(unsafe { inbox.hand_out_message(&mut from) }.unwrap().bytes(), b"stays too");
    }
}
