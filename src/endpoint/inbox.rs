//! The ordered inbound queue of a connection: received messages, and marks (other events) between them.

use super::item::{Body, Item, Mark, Message};
use crate::heap::Discarded;
use crate::status::{Cause, EventKind, MessageType};
use crate::work::{Arena, Chunk};
use std::collections::{HashSet, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Messages dropped from the queue; the caller frees them at a time when that delays no frame.
pub type Dropped = Messages;

type Messages = VecDeque<Message>;

/// The queue. Messages and marks are stored separately, so that a host can read messages only; each mark stores the
/// number of messages that precede it.
#[derive(Default)]
pub struct Inbox {
    queued: Queued,
    /// Number of marks queued since the start.
    queued_marks: u64,
    /// Number of messages queued since the start; dropped ones are subtracted.
    end: u64,
    /// `None`: everything is queued or was delivered.
    undelivered: Option<Box<Undelivered>>,
    /// New messages are held until a layer above has inspected them.
    pub holds: bool,
    /// The host has called `take_item`, so it reads marks.
    pub reads_marks: bool,
    /// The mark that ends the connection has been queued. It stays last.
    ended: bool,
    /// `drop_refused` drops all messages, queued ones and later ones.
    refuses: bool,
    /// No mark is queued except the one that ends the connection.
    silenced: bool,
}

/// What arrived and is not delivered, or not yet.
#[derive(Default)]
struct Undelivered {
    /// CLOSE_REQUEST of a peer that is not admitted, kept until it is.
    close_request: Option<Box<Mark>>,
    /// Number of messages that were dropped: their sender was disconnected, exceeded the rate limit, or was never
    /// admitted.
    dropped: u64,
    /// Number and bytes of the messages among them whose sender was not admitted.
    refused: (u64, u64),
    /// Number and bytes of the messages received on earlier links, whose sender was admitted.
    admitted_before: (u64, u64),
}

/// What is queued. Allocated on first use, and freed by `shrink`: most connections of a server have nothing queued.
#[derive(Default)]
struct Queued(Option<Box<Content>>);

struct Content {
    messages: Messages,
    /// Messages after those in `messages` that the layer above has not inspected yet, in a separate queue so that each
    /// is taken from the front.
    held: Messages,
    /// Marks, each with the number of messages that precede it.
    marks: VecDeque<(u64, Box<Mark>)>,
    /// Bytes of the queued messages and authentication data.
    bytes: u64,
    /// Messages before this index, counted from the start, have been copied out of the arena.
    arena_left_at: u64,
    /// Number of AUTH marks. The peer sends their data, so they count against the limits like messages.
    auths: u32,
    /// Number of marks at the last `has_news`: a waiting host has been woken for these.
    reported_marks: u32,
}

impl Content {
    const EMPTY: Content = Content {
        messages: VecDeque::new(),
        held: VecDeque::new(),
        marks: VecDeque::new(),
        bytes: 0,
        arena_left_at: 0,
        auths: 0,
        reported_marks: 0,
    };

    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.held.is_empty() && self.marks.is_empty()
    }

    #[inline(never)]
    fn hold(&mut self, message: Message) {
        self.held.push_back(message);
    }
}

impl Queued {
    /// The content, if there is any.
    #[inline]
    fn get(&self) -> Option<&Content> {
        self.0.as_deref()
    }
}

impl Deref for Queued {
    type Target = Content;

    #[inline]
    fn deref(&self) -> &Content {
        static NONE: Content = Content::EMPTY;
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Queued {
    #[inline]
    fn deref_mut(&mut self) -> &mut Content {
        self.0.get_or_insert_with(|| Box::new(Content::EMPTY))
    }
}

impl Discarded for Inbox {
    fn empty(&mut self, keep: &mut usize) {
        if let Some(queued) = &mut self.queued.0 {
            queued.messages.empty(keep);
            queued.held.empty(keep);
        }
    }
}

impl Inbox {
    /// Queues a message whose bytes are in the arena.
    #[inline]
    pub fn push_fresh(&mut self, text: bool, chunk: u32, start: u32, len: u32) {
        self.push(Message::fresh(text, chunk, start, len));
    }

    /// Messages queued since the start, and bytes now queued. `Endpoint::count_received` uses the difference.
    #[inline]
    pub fn arrived(&self) -> (u64, u64) {
        (self.end, self.bytes())
    }

    /// Queues a message that owns its storage.
    pub fn push_kept(&mut self, text: bool, bytes: Vec<u8>) {
        if !self.has_fresh() {
            self.queued.arena_left_at = self.end + 1;
        }
        self.push(Message::kept(if text { MessageType::Text } else { MessageType::Binary }, 0, bytes));
    }

    #[inline(always)]
    fn push(&mut self, message: Message) {
        self.end += 1;
        let queued = &mut *self.queued;
        queued.bytes += message.len() as u64;
        if self.holds { queued.hold(message) } else { queued.messages.push_back(message) }
    }

    /// Queues a mark behind all queued messages.
    pub fn push_mark(&mut self, mark: Mark) {
        self.insert_mark(self.queued.marks.len(), self.end, mark);
    }

    /// Queues a mark behind the first `place` messages since the start, and behind the marks there.
    pub fn push_mark_at(&mut self, place: u64, mark: Mark) {
        let place = place.min(self.end);
        let index = self.queued.marks.iter().rposition(|(after, _)| *after <= place).map_or(0, |before| before + 1);
        self.insert_mark(index, place, mark);
    }

    /// Queues the mark that ends the connection. Later marks go before it, and are dropped once it has been taken.
    pub fn push_end(&mut self, mark: Mark) {
        self.queued_marks += 1;
        self.queued.marks.push_back((self.end, Box::new(Mark { order: self.queued_marks, ..mark })));
        self.ended = true;
    }

    /// Whether the mark that ends the connection has been queued.
    #[inline]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Accepts messages and marks again after the end: the connection is opened anew.
    pub fn begin_again(&mut self) {
        self.ended = false;
        self.refuses = false;
        self.silenced = false;
    }

    fn insert_mark(&mut self, index: usize, place: u64, mut mark: Mark) {
        if self.silenced {
            return;
        }
        self.queued_marks += 1;
        mark.order = self.queued_marks;
        if mark.kind == EventKind::Auth && (!self.ended || !self.queued.marks.is_empty()) {
            self.queued.auths += 1;
            self.queued.bytes += mark.text_len();
        }
        if !self.ended {
            self.queued.marks.insert(index, (place, Box::new(mark)));
        } else if let Some(before_end) = self.queued.marks.len().checked_sub(1) {
            self.queued.marks.insert(index.min(before_end), (place, Box::new(mark)));
        }
    }

    /// Subtracts a removed mark from the AUTH counters.
    fn uncount(&mut self, mark: &Mark) {
        if mark.kind == EventKind::Auth {
            self.queued.auths -= 1;
            self.queued.bytes -= mark.text_len();
        }
    }

    /// Adds to the count of a queued mark of this type. False: none is queued.
    pub fn add_to(&mut self, kind: EventKind, count: u64) -> bool {
        let waiting = self.queued.marks.iter_mut().find(|(_, mark)| mark.kind == kind);
        waiting.map(|(_, mark)| mark.count += count).is_some()
    }

    /// Whether few messages and bytes wait.
    #[inline]
    pub fn is_light(&self) -> bool {
        self.queued.get().is_none_or(|queued| queued.bytes < 1 << 10 && queued.messages.len() + queued.held.len() < 8)
    }

    /// Adds to the count of the first mark of this type and cause. False: none is queued.
    pub fn add_to_cause(&mut self, kind: EventKind, cause: Cause) -> bool {
        let waiting = self.queued.marks.iter_mut().find(|(_, mark)| mark.kind == kind && mark.cause == cause);
        waiting.map(|(_, mark)| mark.count += 1).is_some()
    }

    /// Adds to the count of the mark of this type that was queued last. False: none is queued.
    pub fn add_to_last(&mut self, kind: EventKind, count: u64) -> bool {
        let last = self.queued.marks.iter_mut().rev().find(|(_, mark)| mark.kind == kind);
        last.map(|(_, mark)| mark.count += count).is_some()
    }

    /// Number of queued marks of this type.
    pub fn marks_of(&self, kind: EventKind) -> usize {
        self.queued.get().map_or(0, |queued| queued.marks.iter().filter(|(_, mark)| mark.kind == kind).count())
    }

    /// The next message for the host.
    #[inline]
    pub fn first_message(&self) -> Option<&Message> {
        self.queued.get()?.messages.front()
    }

    /// Takes the next message and skips marks.
    #[inline]
    pub fn take_message(&mut self) -> Option<Message> {
        let queued = self.queued.0.as_mut()?;
        let message = queued.messages.pop_front()?;
        queued.bytes -= message.len() as u64;
        Some(message)
    }

    /// Takes the next message or mark, in order.
    pub fn take_item(&mut self) -> Option<Item> {
        self.reads_marks = true;
        match self.queued.marks.front() {
            Some((after, _)) if *after <= self.taken() => {
                let (_, mark) = self.queued.marks.pop_front()?;
                self.uncount(&mark);
                Some(Item::Mark(mark))
            }
            _ => self.take_message().map(Item::Message),
        }
    }

    /// Drops all marks and returns their number.
    pub fn drop_marks(&mut self) -> usize {
        let marks = std::mem::take(&mut self.queued.marks);
        marks.iter().for_each(|(_, mark)| self.uncount(mark));
        marks.len()
    }

    /// The first held message: whether it is text, and its bytes.
    pub fn first_held<'a>(&'a self, arena: &'a Arena) -> Option<(bool, &'a [u8])> {
        self.held_at(0, arena)
    }

    /// As `first_held`, for the held message at `index`.
    pub fn held_at<'a>(&'a self, index: usize, arena: &'a Arena) -> Option<(bool, &'a [u8])> {
        let message = self.queued.held.get(index)?;
        Some((message.kind == MessageType::Text, message.parts(arena).1))
    }

    /// The storage of the first held message and the offset of the message in it, if `Message::own_storage` permits
    /// sharing it.
    pub fn first_held_storage(&self) -> Option<(&Chunk, usize)> {
        self.queued.held.front()?.own_storage()
    }

    /// Length of the first held message in bytes; 0: none is held.
    pub fn first_held_len(&self) -> usize {
        self.queued.held.front().map_or(0, Message::len)
    }

    /// Releases the first held message to the host, without its first `header` bytes; `from` as in `Message`.
    pub fn release(&mut self, header: u32, from: i32) {
        if let Some(mut message) = self.pop_held() {
            message.cut(header);
            message.from = from;
            self.queued.bytes -= u64::from(header);
            self.queued.messages.push_back(message);
        }
    }

    /// As `release`, as a message of another type.
    pub fn release_raw(&mut self, kind: MessageType, header: u32, from: i32) {
        self.release(header, from);
        if let Some(message) = self.queued.messages.back_mut() {
            message.kind = kind;
        }
    }

    /// Releases `bytes` to the host in place of the first held message; `from` as in `Message`.
    pub fn release_as(&mut self, kind: MessageType, bytes: Vec<u8>, from: i32) {
        if let Some(message) = self.pop_held() {
            self.queued.bytes -= message.len() as u64;
            self.queued.bytes += bytes.len() as u64;
            self.queued.messages.push_back(Message::kept(kind, from, bytes));
        }
    }

    fn pop_held(&mut self) -> Option<Message> {
        if self.queued.held.is_empty() { None } else { self.queued.held.pop_front() }
    }

    /// Drops the first held message.
    pub fn drop_held(&mut self) {
        self.drop_held_at(0);
    }

    /// Drops the held message at `index`.
    pub fn drop_held_at(&mut self, index: usize) {
        if index >= self.queued.held.len() {
            return;
        }
        let place = self.taken() + (self.queued.messages.len() + index) as u64;
        let Some(message) = self.queued.held.remove(index) else { return };
        self.end -= 1;
        self.queued.bytes -= message.len() as u64;
        self.queued.arena_left_at -= u64::from(place < self.queued.arena_left_at);
        self.queued.marks.iter_mut().rev().take_while(|(after, _)| *after > place).for_each(|(after, _)| *after -= 1);
    }

    /// Drops all held messages. `unadmitted`: their sender is not admitted, so they are counted as dropped and refused.
    pub fn drop_all_held(&mut self, unadmitted: bool) -> Dropped {
        let held = self.drop_last(self.held(), unadmitted);
        if unadmitted {
            self.count_dropped(held.len());
        }
        held
    }

    /// Among the last `count` messages, keeps those up to the one that exceeds `most` (messages, bytes), and drops and
    /// counts the rest. `unadmitted` as in `drop_refused`.
    pub fn drop_excess(&mut self, count: usize, most: [u64; 2], unadmitted: bool) -> Dropped {
        let (mut messages, mut bytes) = (0, 0);
        let count = count.min(self.len());
        let (first, first_held) = self.places(self.len() - count);
        let kept =
            self.queued.messages.range(first..).chain(self.queued.held.range(first_held..)).take_while(|message| {
                let is_kept = messages <= most[0] && bytes <= most[1];
                messages += 1;
                bytes += message.len() as u64;
                is_kept
            });
        let excess = self.drop_last(count - kept.count(), unadmitted);
        self.count_dropped(excess.len());
        excess
    }

    /// Start of the messages from index `from` on: index in `messages` and index in `held`.
    fn places(&self, from: usize) -> (usize, usize) {
        (from.min(self.queued.messages.len()), from.saturating_sub(self.queued.messages.len()))
    }

    /// Drops the last `count` messages.
    fn drop_last(&mut self, count: usize, unadmitted: bool) -> Dropped {
        let (first, first_held) = self.places(self.len() - count);
        let mut last = self.queued.messages.split_off(first);
        if !self.queued.held.is_empty() {
            last.append(&mut self.queued.held.split_off(first_held));
        }
        let bytes = last.iter().map(|message| message.len() as u64).sum::<u64>();
        self.queued.bytes -= bytes;
        self.end -= count as u64;
        self.queued.arena_left_at = self.queued.arena_left_at.min(self.end);
        self.queued
            .marks
            .iter_mut()
            .rev()
            .take_while(|(after, _)| *after > self.end)
            .for_each(|(after, _)| *after = self.end);
        if unadmitted {
            self.count_refused(count as u64, bytes);
        }
        last
    }

    /// Keeps the CLOSE_REQUEST of a peer that is not admitted.
    pub fn keep_close_request(&mut self, mark: Mark) {
        self.undelivered.get_or_insert_default().close_request = Some(Box::new(mark));
    }

    /// Takes the kept CLOSE_REQUEST.
    pub fn take_close_request(&mut self) -> Option<Mark> {
        self.undelivered.as_mut()?.close_request.take().map(|mark| *mark)
    }

    /// Counts messages that are never delivered.
    fn count_dropped(&mut self, messages: usize) {
        if messages > 0 {
            self.undelivered.get_or_insert_default().dropped += messages as u64;
        }
    }

    /// Counts those among them whose sender is not admitted.
    fn count_refused(&mut self, messages: u64, bytes: u64) {
        if messages > 0 {
            let refused = &mut self.undelivered.get_or_insert_default().refused;
            *refused = (refused.0 + messages, refused.1 + bytes);
        }
    }

    /// Number of messages received and never delivered: their sender was disconnected, exceeded the rate limit, or was
    /// never admitted.
    pub fn dropped(&self) -> u64 {
        self.undelivered.as_ref().map_or(0, |undelivered| undelivered.dropped)
    }

    /// Number and bytes of the messages among them whose sender was not admitted.
    pub fn refused(&self) -> (u64, u64) {
        self.undelivered.as_ref().map_or((0, 0), |undelivered| undelivered.refused)
    }

    /// Number and bytes of the messages received on earlier links, whose sender was admitted.
    pub fn admitted_before(&self) -> (u64, u64) {
        self.undelivered.as_ref().map_or((0, 0), |undelivered| undelivered.admitted_before)
    }

    /// Records these numbers, when the sender is to be admitted anew.
    pub fn keep_admitted(&mut self, before: (u64, u64)) {
        if before.0 > 0 {
            self.undelivered.get_or_insert_default().admitted_before = before;
        }
    }

    /// From now on `drop_refused` drops all messages.
    pub fn refuse_messages(&mut self) {
        self.refuses = true;
    }

    /// Drops queued marks. From now on only the mark that ends the connection is queued, and `drop_refused` drops all
    /// messages.
    pub fn silence(&mut self) {
        self.refuses = true;
        self.queued.bytes -= self.auth_bytes();
        self.queued.auths = 0;
        let end = self.queued.marks.pop_back().filter(|_| self.ended);
        self.queued.marks.clear();
        self.queued.marks.extend(end);
        self.silenced = true;
    }

    /// Drops and counts all messages, if messages are refused. `unadmitted`: their sender is not admitted.
    #[inline]
    pub fn drop_refused(&mut self, unadmitted: bool) -> Option<Dropped> {
        if self.refuses { self.drop_messages(unadmitted) } else { None }
    }

    #[cold]
    fn drop_messages(&mut self, unadmitted: bool) -> Option<Dropped> {
        let count = self.len() as u64;
        if count == 0 {
            return None;
        }
        self.count_dropped(count as usize);
        if unadmitted {
            self.count_refused(count, self.message_bytes());
        }
        self.queued.bytes = self.auth_bytes();
        let mut all = std::mem::take(&mut self.queued.messages);
        all.append(&mut std::mem::take(&mut self.queued.held));
        Some(all)
    }

    /// Releases all held messages to the host and stops holding new ones.
    pub fn release_all(&mut self) {
        self.holds = false;
        if !self.queued.held.is_empty() {
            let mut held = std::mem::take(&mut self.queued.held);
            self.queued.messages.append(&mut held);
        }
    }

    /// Queues a mark before the held messages and before a trailing CLOSE_REQUEST.
    /// Returns its `Mark::order`.
    pub fn push_mark_here(&mut self, mark: Mark) -> u64 {
        let place = self.taken() + self.ready() as u64;
        let precedes = |(after, earlier): &(u64, Box<Mark>)| *after <= place && earlier.kind != EventKind::CloseRequest;
        let before_end = self.queued.marks.len().saturating_sub(usize::from(self.ended));
        let index = self.queued.marks.range(..before_end).rposition(precedes).map_or(0, |before| before + 1);
        self.insert_mark(index, place, mark);
        self.queued_marks
    }

    /// The `Mark::order` of the mark queued last.
    pub fn newest_mark(&self) -> u64 {
        self.queued_marks
    }

    /// Takes the first mark of this type, whatever its position.
    pub fn take_mark(&mut self, kind: EventKind) -> Option<Mark> {
        let index = self.queued.marks.iter().position(|(_, mark)| mark.kind == kind)?;
        let (_, mark) = self.queued.marks.remove(index)?;
        self.uncount(&mark);
        Some(*mark)
    }

    /// Takes the first mark of this type that is about no other peer, whatever its position.
    pub fn take_own_mark(&mut self, kind: EventKind) -> Option<Mark> {
        let is_it = |(_, mark): &(u64, Box<Mark>)| mark.kind == kind && mark.label == 0;
        let index = self.queued.get()?.marks.iter().position(is_it)?;
        let (_, mark) = self.queued.marks.remove(index)?;
        self.uncount(&mark);
        Some(*mark)
    }

    /// Drops the marks of a lost link: all but AUTH, and but those about peers of which a message is queued. Returns
    /// them.
    pub fn drop_marks_of_link(&mut self) -> Vec<Box<Mark>> {
        let senders: HashSet<i32> = self.queued.messages.iter().map(|message| message.from).collect();
        self.take_marks(|mark| mark.kind != EventKind::Auth && (mark.label == 0 || !senders.contains(&mark.label)))
    }

    /// Takes the marks for which `goes` returns true.
    pub fn take_marks(&mut self, goes: impl Fn(&Mark) -> bool) -> Vec<Box<Mark>> {
        let marks = std::mem::take(&mut self.queued.marks);
        let (taken, kept): (VecDeque<_>, VecDeque<_>) = marks.into_iter().partition(|(_, mark)| goes(mark));
        self.queued.marks = kept;
        taken.iter().for_each(|(_, mark)| self.uncount(mark));
        taken.into_iter().map(|(_, mark)| mark).collect()
    }

    /// The first queued mark for which `fits` returns true.
    pub fn find_mark(&mut self, fits: impl Fn(&Mark) -> bool) -> Option<&mut Mark> {
        self.queued.marks.iter_mut().map(|(_, mark)| &mut **mark).find(|mark| fits(mark))
    }

    /// The mark with this `Mark::order`, if it is still queued.
    pub fn ordered_mark(&mut self, order: u64) -> Option<&mut Mark> {
        let index = self.index_of(order)?;
        Some(&mut *self.queued.marks[index].1)
    }

    /// Takes the mark with this `Mark::order`, if it is still queued and `fits` returns true.
    pub fn take_ordered(&mut self, order: u64, fits: impl FnOnce(&Mark) -> bool) -> Option<Mark> {
        let index = self.index_of(order).filter(|index| fits(&self.queued.marks[*index].1))?;
        let (_, mark) = self.queued.marks.remove(index)?;
        self.uncount(&mark);
        Some(*mark)
    }

    /// Bisects: only the few marks at the end that others were queued before are out of order, and may not be found.
    fn index_of(&self, order: u64) -> Option<usize> {
        let index = self.queued.marks.partition_point(|(_, mark)| mark.order < order);
        self.queued.marks.get(index).filter(|(_, mark)| mark.order == order).map(|_| index)
    }

    /// Copies the messages that are still in the arena into one allocation of this connection.
    pub fn leave_arena(&mut self, arena: &Arena) {
        if !self.has_fresh() {
            return;
        }
        let first = self.queued.arena_left_at.saturating_sub(self.taken()) as usize;
        let (first, behind) = self.places(first);
        let fresh = || self.queued.messages.range(first..).chain(self.queued.held.range(behind..));
        let total =
            fresh().map(|message| if matches!(message.body, Body::Fresh { .. }) { message.len() } else { 0 }).sum();
        let mut storage = Vec::with_capacity(total);
        for message in fresh() {
            if matches!(message.body, Body::Fresh { .. }) {
                storage.extend_from_slice(message.parts(arena).1);
            }
        }
        let storage = Arc::new(storage);
        let mut start = 0;
        let queued = &mut *self.queued;
        for message in queued.messages.range_mut(first..).chain(queued.held.range_mut(behind..)) {
            if let Body::Fresh { len, .. } = message.body {
                message.body = Body::Kept { storage: storage.clone(), start, len };
                start += len;
            }
        }
        self.queued.arena_left_at = self.end;
    }

    /// Frees the memory of empty queues.
    pub fn shrink(&mut self) {
        let Some(queued) = &mut self.queued.0 else { return };
        if queued.is_empty() {
            self.queued = Queued::default();
        } else if queued.messages.is_empty() && queued.held.is_empty() {
            (queued.messages, queued.held) = (VecDeque::new(), VecDeque::new());
        }
    }

    /// Number of queued messages, including held ones.
    pub fn len(&self) -> usize {
        self.queued.get().map_or(0, |queued| queued.messages.len() + queued.held.len())
    }

    /// Number of queued messages and AUTH marks, which is what the inbound limits count.
    pub fn counted(&self) -> usize {
        self.queued.get().map_or(0, |queued| queued.messages.len() + queued.held.len() + queued.auths as usize)
    }

    /// Number of messages that the host may take.
    pub fn ready(&self) -> usize {
        self.queued.get().map_or(0, |queued| queued.messages.len())
    }

    /// Number of messages that the layer above has not inspected yet.
    pub fn held(&self) -> usize {
        self.queued.get().map_or(0, |queued| queued.held.len())
    }

    /// Whether the host may take a message or a mark.
    pub fn has_items(&self) -> bool {
        self.has_messages() || self.queued.marks.front().is_some_and(|(after, _)| *after <= self.taken())
    }

    /// Whether the host may take a message.
    pub fn has_messages(&self) -> bool {
        self.ready() > 0
    }

    /// Number of queued AUTH marks.
    pub fn auths(&self) -> usize {
        self.queued.get().map_or(0, |queued| queued.auths as usize)
    }

    /// Number of queued marks.
    pub fn marks(&self) -> usize {
        self.queued.get().map_or(0, |queued| queued.marks.len())
    }

    /// Whether to wake a waiting host: there are messages, or marks; if the host reads no marks, only marks that have
    /// been added since the last call.
    pub fn has_news(&mut self) -> bool {
        let Some(queued) = &mut self.queued.0 else { return false };
        let marks = queued.marks.len() as u32;
        let is_new = marks > std::mem::replace(&mut queued.reported_marks, marks);
        is_new || (self.reads_marks && !self.queued.marks.is_empty()) || self.has_messages()
    }

    /// Whether no message or mark is queued.
    pub fn is_empty(&self) -> bool {
        self.queued.get().is_none_or(|queued| queued.is_empty())
    }

    /// Bytes of the queued messages and authentication data.
    pub fn bytes(&self) -> u64 {
        self.queued.get().map_or(0, |queued| queued.bytes)
    }

    /// Bytes of the queued messages.
    pub fn message_bytes(&self) -> u64 {
        self.queued.bytes - self.auth_bytes()
    }

    /// Bytes of the held messages.
    pub fn held_bytes(&self) -> u64 {
        if self.ready() == 0 {
            return self.message_bytes();
        }
        self.queued.held.iter().map(|message| message.len() as u64).sum()
    }

    fn auth_bytes(&self) -> u64 {
        let of_auth = |mark: &Mark| if mark.kind == EventKind::Auth { mark.text_len() } else { 0 };
        if self.queued.auths == 0 { 0 } else { self.queued.marks.iter().map(|(_, mark)| of_auth(mark)).sum() }
    }

    /// Bytes of the texts of all marks other than AUTH.
    pub fn text_bytes(&self) -> usize {
        let texts =
            self.queued.marks.iter().filter(|(_, mark)| mark.kind != EventKind::Auth).map(|(_, mark)| mark.text_len());
        texts.sum::<u64>() as usize
    }

    /// Whether a queued message may still be in the arena.
    pub fn has_fresh(&self) -> bool {
        self.queued.get().is_some_and(|queued| {
            queued.arena_left_at < self.end && !(queued.messages.is_empty() && queued.held.is_empty())
        })
    }

    /// Number of messages taken so far.
    fn taken(&self) -> u64 {
        self.end - self.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox_of(messages: &[&[u8]]) -> Inbox {
        let mut inbox = Inbox { holds: true, ..Inbox::default() };
        for message in messages {
            inbox.push_kept(false, message.to_vec());
        }
        inbox
    }

    fn taken(inbox: &mut Inbox, arena: &Arena) -> Vec<String> {
        std::iter::from_fn(|| inbox.take_item())
            .map(|item| match item {
                Item::Message(message) => {
                    format!("{}:{}", message.from, String::from_utf8_lossy(message.parts(arena).1))
                }
                Item::Mark(mark) => format!("mark {}", mark.kind.code()),
            })
            .collect()
    }

    #[test]
    fn held_messages_are_unreadable_until_released() {
        let arena = Arena::new(0);
        let mut inbox = inbox_of(&[b"one", b"two"]);
        assert!(!inbox.has_messages() && inbox.take_message().is_none() && inbox.take_item().is_none());
        assert_eq!((inbox.len(), inbox.ready(), inbox.held()), (2, 0, 2));
        assert_eq!(inbox.first_held(&arena), Some((false, b"one".as_slice())));
        inbox.release(1, 7);
        assert_eq!((inbox.ready(), inbox.bytes()), (1, 5));
        inbox.release_all();
        inbox.push_kept(false, b"three".to_vec());
        assert_eq!(taken(&mut inbox, &arena), ["7:ne", "0:two", "0:three"]);
        assert_eq!(inbox.bytes(), 0);
    }

    #[test]
    fn a_decoded_call_replaces_its_packet_in_the_queue() {
        let mut arena = Arena::new(64);
        let (space, place) = arena.space(64);
        space[..4].copy_from_slice(b"aabb");
        arena.keep(4);
        let mut inbox = Inbox { holds: true, ..Inbox::default() };
        for start in [0, 2] {
            inbox.push_fresh(false, place.chunk, place.start + start, 2);
        }
        inbox.release_as(MessageType::Call, b"a call".to_vec(), 9);
        assert_eq!((inbox.ready(), inbox.held(), inbox.bytes()), (1, 1, 8));
        inbox.release(0, 0);
        inbox.leave_arena(&arena);
        let kinds: Vec<MessageType> = inbox.queued.messages.iter().map(|message| message.kind).collect();
        assert_eq!(kinds, [MessageType::Call, MessageType::Binary]);
        assert_eq!(taken(&mut inbox, &arena), ["9:a call", "0:bb"]);
        assert_eq!(inbox.bytes(), 0);
    }

    #[test]
    fn dropping_behind_many_messages_takes_constant_time() {
        for at_once in [false, true] {
            let mut inbox = Inbox { holds: true, ..Inbox::default() };
            // If the cost grew with the number of messages in front, this would take an hour.
            for _ in 0..2_000_000 {
                inbox.push_fresh(false, 0, 0, 1);
            }
            for _ in 0..1_000_000 {
                inbox.release(0, 0);
            }
            inbox.push_mark(Mark::new(EventKind::Closed, 0));
            if at_once {
                inbox.drop_all_held(false);
            } else {
                for _ in 0..1_000_000 {
                    inbox.drop_held();
                }
            }
            assert_eq!((inbox.len(), inbox.ready(), inbox.held(), inbox.bytes()), (1_000_000, 1_000_000, 0, 1_000_000));
            while inbox.take_message().is_some() {}
            assert!(
                matches!(inbox.take_item(), Some(Item::Mark(mark)) if mark.kind == EventKind::Closed)
                    && inbox.is_empty()
            );
        }
    }

    #[test]
    fn marks_keep_their_order_when_earlier_messages_are_dropped() {
        let arena = Arena::new(0);
        let mut inbox = inbox_of(&[b"a", b"b", b"c"]);
        inbox.push_mark(Mark::new(EventKind::Closed, 0));
        inbox.release(0, 0);
        inbox.drop_held();
        inbox.push_mark_here(Mark::new(EventKind::Connected, 0));
        inbox.push_mark_here(Mark::new(EventKind::Disconnected, 0));
        inbox.release(0, 0);
        assert_eq!(taken(&mut inbox, &arena), ["0:a", "mark 5", "mark 6", "0:c", "mark 4"]);
        inbox.push_kept(false, b"d".to_vec());
        inbox.push_mark(Mark::new(EventKind::Closed, 0));
        inbox.drop_all_held(false);
        assert_eq!(taken(&mut inbox, &arena), ["mark 4"]);
    }

    #[test]
    fn the_end_mark_stays_last() {
        let arena = Arena::new(0);
        let mut inbox = inbox_of(&[b"a", b"b"]);
        inbox.push_end(Mark::new(EventKind::Error, 0));
        inbox.push_mark(Mark::new(EventKind::Connected, 0));
        inbox.drop_all_held(false);
        inbox.push_mark_here(Mark::new(EventKind::Disconnected, 0));
        assert_eq!(taken(&mut inbox, &arena), ["mark 5", "mark 6", "mark 9"]);
        inbox.push_mark(Mark::new(EventKind::Connected, 0));
        inbox.push_mark_here(Mark::new(EventKind::Disconnected, 0));
        assert!(inbox.is_empty(), "the end was taken: nothing follows it");
    }

    #[test]
    fn marks_of_the_last_messages_precede_a_close_request() {
        let arena = Arena::new(0);
        for ended in [false, true] {
            let mut inbox = inbox_of(&[b"a"]);
            inbox.push_mark(Mark::new(EventKind::CloseRequest, 0));
            if ended {
                inbox.push_end(Mark::new(EventKind::Error, 0));
            }
            inbox.drop_held();
            for kind in [EventKind::Connected, EventKind::Disconnected] {
                inbox.push_mark_here(Mark::new(kind, 0));
            }
            let last = ["mark 5", "mark 6", "mark 3", "mark 9"];
            assert_eq!(taken(&mut inbox, &arena), last[..3 + usize::from(ended)]);
        }
    }

    #[test]
    fn a_queue_that_was_freed_goes_on_as_before() {
        let arena = Arena::new(0);
        let mut inbox = inbox_of(&[b"a"]);
        inbox.push_mark(Mark::new(EventKind::Error, 0));
        inbox.shrink();
        inbox.release_all();
        assert_eq!(taken(&mut inbox, &arena), ["0:a", "mark 9"], "only an empty queue is freed");
        inbox.shrink();
        assert!(inbox.queued.get().is_none() && inbox.is_empty() && !inbox.has_fresh() && !inbox.has_news());
        assert_eq!((inbox.arrived(), inbox.newest_mark()), ((1, 0), 1));
        assert!(inbox.take_message().is_none() && inbox.take_item().is_none() && inbox.drop_refused(false).is_none());
        assert!(inbox.queued.get().is_none(), "asking allocates nothing");
        inbox.push_kept(false, b"b".to_vec());
        inbox.push_mark(Mark::new(EventKind::CloseRequest, 0));
        assert_eq!(inbox.newest_mark(), 2);
        assert_eq!(taken(&mut inbox, &arena), ["0:b", "mark 3"]);
    }

    #[test]
    fn authentication_data_counts_as_queued_until_taken() {
        let mut inbox = inbox_of(&[b"abc"]);
        let mut mark = Mark::new(EventKind::Auth, 0);
        mark.set_bytes(b"token");
        for _ in 0..3 {
            inbox.push_mark_here(mark.clone());
        }
        assert_eq!((inbox.bytes(), inbox.counted(), inbox.len()), (3 + 3 * 5, 4, 1));
        assert!(inbox.take_item().is_some() && inbox.take_mark(EventKind::Auth).is_some());
        assert_eq!((inbox.bytes(), inbox.counted()), (3 + 5, 2));
        inbox.push_end(Mark::new(EventKind::Closed, 0));
        assert_eq!(inbox.drop_marks(), 2);
        inbox.push_mark_here(mark);
        assert_eq!((inbox.bytes(), inbox.counted()), (3, 1), "dropped behind the end");
    }

    #[test]
    fn dropping_updates_the_count_of_messages_in_the_arena() {
        let mut arena = Arena::new(64);
        let (space, place) = arena.space(64);
        space[..6].copy_from_slice(b"aabbcc");
        arena.keep(6);
        let mut inbox = Inbox { holds: true, ..Inbox::default() };
        for start in [0, 2, 4] {
            inbox.push_fresh(false, place.chunk, place.start + start, 2);
        }
        inbox.drop_held();
        inbox.release_all();
        inbox.leave_arena(&arena);
        arena.renew();
        assert!(!inbox.has_fresh());
        assert_eq!(taken(&mut inbox, &arena), ["0:bb", "0:cc"]);
    }
}
