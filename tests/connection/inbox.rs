//! The inbound queue compared with a plain list of its items.

use wspeer::internals::endpoint::{Inbox, Item, Mark as QueuedMark};
use wspeer::internals::status::{EventKind, MessageType};
use wspeer::internals::work::Arena;

/// An entry of the list, in the order in which the program takes it.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Message { kind: MessageType, from: i32, bytes: Vec<u8>, held: bool },
    Mark { kind: EventKind, text: Vec<u8>, count: u64, end: bool },
}
use Entry::*;

/// The queue, the arena of its messages, and what it should hold.
struct Model {
    inbox: Inbox,
    arena: Arena,
    entries: Vec<Entry>,
    ended: bool,
    dropped: u64,
    refused: (u64, u64),
    random: u64,
}

impl Model {
    fn new(seed: u64) -> Model {
        Model {
            inbox: Inbox::default(),
            arena: Arena::new(64 << 10),
            entries: Vec::new(),
            ended: false,
            dropped: 0,
            refused: (0, 0),
            random: seed,
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % end as u64) as usize
    }

    fn push_message(&mut self, fresh: bool) {
        let (len, first, text) = (self.below(40), self.below(256), self.below(2) == 0);
        let bytes: Vec<u8> = (0..len).map(|index| (first + index) as u8).collect();
        if fresh {
            let (space, place) = self.arena.space(64);
            space[..len].copy_from_slice(&bytes);
            self.arena.keep(len);
            self.inbox.push_fresh(text, place.chunk, place.start, len as u32);
        } else {
            self.inbox.push_kept(text, bytes.clone());
        }
        let kind = if text { MessageType::Text } else { MessageType::Binary };
        self.entries.push(Message { kind, from: 0, bytes, held: self.inbox.holds });
    }

    fn push_mark(&mut self, here: bool) {
        let kind = [EventKind::Auth, EventKind::Connected, EventKind::Skipped][self.below(3)];
        let len = self.below(6);
        let mut mark = QueuedMark::new(kind, 0);
        if len > 0 {
            mark.set_bytes(&vec![b't'; len]);
        }
        let before = self.inbox.newest_mark();
        if here {
            assert_eq!(self.inbox.push_mark_here(mark), before + 1);
        } else {
            self.inbox.push_mark(mark);
        }
        assert_eq!(self.inbox.newest_mark(), before + 1);
        let end = self.entries.iter().position(|entry| matches!(entry, Mark { end: true, .. }));
        if self.ended && end.is_none() {
            return;
        }
        let held = self.entries.iter().position(|entry| matches!(entry, Message { held: true, .. }));
        let last = end.unwrap_or(self.entries.len());
        let place = if here { held.unwrap_or(last).min(last) } else { last };
        self.entries.insert(place, Mark { kind, text: vec![b't'; len], count: 0, end: false });
    }

    fn held(&self) -> Vec<usize> {
        let is_held = |index: &usize| matches!(self.entries[*index], Message { held: true, .. });
        (0..self.entries.len()).filter(is_held).collect()
    }

    fn messages(&self) -> Vec<usize> {
        (0..self.entries.len()).filter(|index| matches!(self.entries[*index], Message { .. })).collect()
    }

    /// Removes messages from the list as dropped ones.
    fn drop(&mut self, mut places: Vec<usize>, unadmitted: bool) {
        places.sort_unstable();
        for place in places.into_iter().rev() {
            let Message { bytes, .. } = self.entries.remove(place) else { panic!("a mark") };
            if unadmitted {
                self.refused = (self.refused.0 + 1, self.refused.1 + bytes.len() as u64);
            }
        }
    }

    /// The first held message becomes one that can be taken, behind the others that can.
    fn release(&mut self, change: impl FnOnce(&mut MessageType, &mut i32, &mut Vec<u8>)) {
        if let Some(place) = self.held().first()
            && let Message { kind, from, bytes, held } = &mut self.entries[*place]
        {
            change(kind, from, bytes);
            *held = false;
        }
    }

    fn take(&mut self) -> bool {
        let expected = match self.entries.first() {
            Some(Message { held: true, .. }) | None => None,
            Some(_) => Some(self.entries.remove(0)),
        };
        let taken = self.inbox.take_item().map(|item| match item {
            Item::Message(message) => {
                let bytes = message.parts(&self.arena).1.to_vec();
                Message { kind: message.kind, from: message.from, bytes, held: false }
            }
            Item::Mark(mark) => {
                let end = mark.kind == EventKind::Closed;
                Mark { kind: mark.kind, text: text_of(&mark), count: mark.count, end }
            }
        });
        assert_eq!(taken, expected);
        taken.is_some()
    }

    fn step(&mut self) {
        match self.below(24) {
            0..3 if !self.ended => self.push_message(true),
            3..6 if !self.ended => self.push_message(false),
            6 => self.push_mark(false),
            7 => self.push_mark(true),
            8..10 => drop(self.take()),
            10 => {
                let first = self.entries.iter().position(|entry| matches!(entry, Message { .. }));
                let first = first.filter(|place| matches!(self.entries[*place], Message { held: false, .. }));
                let expected = first.map(|place| self.entries.remove(place));
                let taken = self.inbox.take_message().map(|message| Message {
                    kind: message.kind,
                    from: message.from,
                    bytes: message.parts(&self.arena).1.to_vec(),
                    held: false,
                });
                assert_eq!(taken, expected);
            }
            11 => {
                // The next poll.
                self.inbox.leave_arena(&self.arena);
                assert!(!self.inbox.has_fresh());
                self.arena.renew();
            }
            12..14 => {
                let header = self.inbox.first_held_len().min(2);
                self.inbox.release(header as u32, 7);
                self.release(|_, from, bytes| {
                    drop(bytes.drain(..header));
                    *from = 7;
                });
            }
            14 => {
                self.inbox.release_as(MessageType::Call, b"a call".to_vec(), 9);
                self.release(|kind, from, bytes| (*kind, *from, *bytes) = (MessageType::Call, 9, b"a call".to_vec()));
            }
            15 => {
                let held = self.held();
                let index = self.below(held.len() + 2);
                self.inbox.drop_held_at(index);
                self.drop(held.get(index).into_iter().copied().collect(), false);
            }
            16 if self.below(4) == 0 => {
                let (held, unadmitted) = (self.held(), self.below(2) == 0);
                assert_eq!(self.inbox.drop_all_held(unadmitted).len(), held.len());
                self.dropped += if unadmitted { held.len() as u64 } else { 0 };
                self.drop(held, unadmitted);
            }
            17 => {
                let (count, unadmitted) = (self.below(8), self.below(2) == 0);
                let most = [self.below(6) as u64, self.below(100) as u64];
                let messages = self.messages();
                let last = messages[messages.len() - count.min(messages.len())..].to_vec();
                let (mut seen, mut bytes, mut excess) = (0, 0, Vec::new());
                for place in last {
                    if seen > most[0] || bytes > most[1] || !excess.is_empty() {
                        excess.push(place);
                    }
                    let Message { bytes: of, .. } = &self.entries[place] else { panic!("a mark") };
                    seen += 1;
                    bytes += of.len() as u64;
                }
                assert_eq!(self.inbox.drop_excess(count, most, unadmitted).len(), excess.len());
                self.dropped += excess.len() as u64;
                self.drop(excess, unadmitted);
            }
            18 => {
                if self.below(3) == 0 {
                    self.inbox.release_all();
                    while !self.held().is_empty() {
                        self.release(|_, _, _| {});
                    }
                } else {
                    // Only an empty queue begins to hold: later messages follow those that are held.
                    self.inbox.holds = true;
                }
            }
            19 => {
                let kind = [EventKind::Auth, EventKind::Connected, EventKind::Skipped][self.below(3)];
                let first = self.entries.iter().position(|entry| matches!(entry, Mark { kind: of, .. } if *of == kind));
                assert_eq!(self.inbox.find_mark(|mark| mark.kind == kind).is_some(), first.is_some());
                if self.below(2) == 0 {
                    let taken = self.inbox.take_mark(kind);
                    assert_eq!(taken.map(|mark| text_of(&mark)), first.map(|place| text(&self.entries.remove(place))));
                } else {
                    assert_eq!(self.inbox.add_to(kind, 3), first.is_some());
                    if let Some(Mark { count, .. }) = first.map(|place| &mut self.entries[place]) {
                        *count += 3;
                    }
                }
            }
            20 if self.below(10) == 0 => {
                let marks = self.entries.iter().filter(|entry| matches!(entry, Mark { .. })).count();
                assert_eq!(self.inbox.drop_marks(), marks);
                self.entries.retain(|entry| matches!(entry, Message { .. }));
            }
            21 if self.below(10) == 0 && !self.ended => {
                let before = self.inbox.newest_mark();
                self.inbox.push_end(QueuedMark::new(EventKind::Closed, 0));
                assert_eq!(self.inbox.newest_mark(), before + 1);
                self.ended = true;
                self.entries.push(Mark { kind: EventKind::Closed, text: Vec::new(), count: 0, end: true });
            }
            22 => self.inbox.shrink(),
            _ => {}
        }
    }

    fn check(&mut self) {
        let (held, messages) = (self.held(), self.messages());
        let lens = |auth: bool| -> u64 {
            let texts = self.entries.iter().filter(|entry| match entry {
                Mark { kind, .. } => (*kind == EventKind::Auth) == auth,
                Message { .. } => false,
            });
            texts.map(|entry| text(entry).len() as u64).sum()
        };
        let message_bytes: u64 = messages.iter().map(|place| text(&self.entries[*place]).len() as u64).sum();
        let auths = self.entries.iter().filter(|entry| matches!(entry, Mark { kind: EventKind::Auth, .. })).count();
        let inbox = &self.inbox;
        assert_eq!(
            (inbox.len(), inbox.ready(), inbox.held()),
            (messages.len(), messages.len() - held.len(), held.len())
        );
        assert_eq!((inbox.marks(), inbox.counted()), (self.entries.len() - messages.len(), messages.len() + auths));
        assert_eq!((inbox.bytes(), inbox.message_bytes()), (message_bytes + lens(true), message_bytes));
        assert_eq!(inbox.text_bytes() as u64, lens(false));
        assert_eq!((inbox.is_empty(), inbox.has_messages()), (self.entries.is_empty(), held.len() < messages.len()));
        let can_take = self.entries.first().is_some_and(|entry| !matches!(entry, Message { held: true, .. }));
        assert_eq!(inbox.has_items(), can_take || held.len() < messages.len());
        assert_eq!((inbox.dropped(), inbox.refused()), (self.dropped, self.refused));
        for (index, place) in held.iter().enumerate() {
            let Message { kind, bytes, .. } = &self.entries[*place] else { panic!("a mark") };
            assert_eq!(inbox.held_at(index, &self.arena), Some((*kind == MessageType::Text, bytes.as_slice())));
        }
        assert_eq!(inbox.held_at(held.len(), &self.arena), None);
        assert_eq!(inbox.first_held_len(), held.first().map_or(0, |place| text(&self.entries[*place]).len()));
    }
}

/// The bytes of a message, or the text of a mark.
fn text(entry: &Entry) -> Vec<u8> {
    match entry {
        Message { bytes, .. } => bytes.clone(),
        Mark { text, .. } => text.clone(),
    }
}

fn text_of(mark: &QueuedMark) -> Vec<u8> {
    mark.text.as_ref().map_or(Vec::new(), |text| text[..text.len() - 1].to_vec())
}

#[test]
fn items_are_taken_in_order_whatever_is_released_or_dropped() {
    for seed in 1..60 {
        let mut model = Model::new(seed * 0x9E37_79B9);
        for _ in 0..300 {
            model.step();
            model.check();
        }
        model.inbox.release_all();
        while !model.held().is_empty() {
            model.release(|_, _, _| {});
        }
        while model.take() {
            model.check();
        }
        assert!(model.inbox.is_empty() && model.inbox.bytes() == 0);
    }
}

#[test]
fn a_silenced_queue_keeps_only_its_end() {
    for (ended, unadmitted) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut inbox = Inbox::default();
        inbox.holds = true;
        inbox.push_kept(true, vec![1; 10]);
        inbox.release(0, 0);
        inbox.push_kept(true, vec![1; 20]);
        let mut auth = QueuedMark::new(EventKind::Auth, 0);
        auth.set_bytes(b"token");
        inbox.push_mark(auth);
        inbox.push_mark(QueuedMark::new(EventKind::Connected, 0));
        if ended {
            inbox.push_end(QueuedMark::new(EventKind::Closed, 0));
        }
        assert!(inbox.drop_refused(unadmitted).is_none(), "messages are not refused yet");
        inbox.silence();
        assert_eq!((inbox.marks(), inbox.counted(), inbox.bytes()), (usize::from(ended), 2, 30));
        inbox.push_mark(QueuedMark::new(EventKind::Connected, 0));
        inbox.push_mark_here(QueuedMark::new(EventKind::Connected, 0));
        assert_eq!(inbox.marks(), usize::from(ended));
        assert_eq!(inbox.drop_refused(unadmitted).map(|dropped| dropped.len()), Some(2));
        let refused = if unadmitted { (2, 30) } else { (0, 0) };
        assert_eq!((inbox.len(), inbox.bytes(), inbox.dropped(), inbox.refused()), (0, 0, 2, refused));
        assert!(inbox.drop_refused(unadmitted).is_none(), "there are none");
        if !ended {
            inbox.push_end(QueuedMark::new(EventKind::Closed, 0));
        }
        assert!(matches!(inbox.take_item(), Some(Item::Mark(mark)) if mark.kind == EventKind::Closed));
        inbox.begin_again();
        inbox.push_mark(QueuedMark::new(EventKind::Connected, 0));
        inbox.push_kept(true, vec![1; 10]);
        assert!(inbox.drop_refused(unadmitted).is_none());
        assert_eq!((inbox.marks(), inbox.len()), (1, 1));
    }
}

#[test]
fn refused_messages_leave_authentication_data_queued() {
    let mut inbox = Inbox::default();
    let mut auth = QueuedMark::new(EventKind::Auth, 0);
    auth.set_bytes(b"token");
    inbox.push_mark(auth);
    inbox.push_kept(true, vec![1; 10]);
    inbox.refuse_messages();
    assert_eq!(inbox.drop_refused(false).map(|dropped| dropped.len()), Some(1));
    assert_eq!((inbox.bytes(), inbox.counted(), inbox.marks()), (5, 1, 1));
}

#[test]
fn news_are_messages_and_marks_that_were_not_reported() {
    let mut inbox = Inbox::default();
    assert!(!inbox.has_news());
    inbox.push_mark(QueuedMark::new(EventKind::Connected, 0));
    assert_eq!([inbox.has_news(), inbox.has_news()], [true, false], "once, if marks are not read");
    inbox.push_mark(QueuedMark::new(EventKind::Connected, 0));
    assert!(inbox.has_news());
    inbox.reads_marks = true;
    assert_eq!([inbox.has_news(), inbox.has_news()], [true, true]);
    while inbox.take_item().is_some() {}
    assert!(!inbox.has_news());
    inbox.push_kept(true, Vec::new());
    assert_eq!([inbox.has_news(), inbox.has_news()], [true, true]);
    inbox.holds = true;
    inbox.take_item();
    inbox.push_kept(true, Vec::new());
    assert!(!inbox.has_news(), "it is held");
}

#[test]
fn marks_are_found_by_their_order() {
    let mut inbox = Inbox::default();
    for _ in 0..20 {
        inbox.push_mark(QueuedMark::new(EventKind::Connected, 0));
    }
    assert_eq!(inbox.newest_mark(), 20);
    for order in [1, 7, 20] {
        assert_eq!(inbox.ordered_mark(order).map(|mark| mark.order), Some(order));
        assert!(inbox.take_ordered(order, |_| false).is_none());
        assert_eq!(inbox.take_ordered(order, |mark| mark.order == order).map(|mark| mark.order), Some(order));
        assert!(inbox.ordered_mark(order).is_none());
    }
    assert!(inbox.ordered_mark(0).is_none() && inbox.ordered_mark(21).is_none());
    assert_eq!(inbox.marks(), 17);
}
