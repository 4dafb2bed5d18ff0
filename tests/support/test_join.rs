//! A join in memory, polled with a fake clock. The test plays the host and exchanges messages as bytes.
#![allow(dead_code)] // Each test program uses a part.

use crate::test_connection::{End, Ticking};
use crate::test_host::{Took, event};
use std::cell::Cell;
use std::time::{Duration, Instant};
use wspeer::internals::connection::Connection;
use wspeer::internals::endpoint::Item;
use wspeer::internals::error::Error;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{Join, SceneSettings, Target, Wire};
use wspeer::internals::status::{EventKind, MessageType, State};
use wspeer::internals::work::{Clock, Cx, LONG_GAP};

/// Bytes that the transport holds in each direction, unless a test says otherwise.
const CAPACITY: usize = 8 << 20;

/// The join, its connection, and what its host has received.
pub struct TestJoin {
    pub end: End,
    pub join: Join,
    last_poll: Instant,
    /// Received bytes that do not make up a frame yet.
    unread: Vec<u8>,
    /// Status code of the close frame that the host has received.
    pub closed: Option<u16>,
}

/// How a join is opened.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    pub wire: Wire,
    pub scene: SceneSettings,
    /// Within which the id must be received.
    pub timeout: Option<Duration>,
    /// WS_QUEUE_BEFORE_OPEN.
    pub early: bool,
    pub capacity: usize,
    pub changes: &'a [(i32, u32)],
}

pub fn opening(wire: Wire) -> Opening<'static> {
    let scene = SceneSettings { auth: false, relay: true, raw_replication: false };
    Opening { wire, scene, timeout: None, early: false, capacity: CAPACITY, changes: &[] }
}

impl TestJoin {
    /// A join whose opening handshake is complete; it has no id yet.
    pub fn new(opening: Opening<'_>) -> TestJoin {
        let mut end = End::requesting(opening.capacity, false, None, opening.changes);
        let Opening { wire, scene, timeout, early, .. } = opening;
        let join = Join::new(wire, scene, &mut end.peer, timeout, early, end.now);
        end.accept();
        let last_poll = end.now;
        let mut join = TestJoin { end, join, last_poll, unread: Vec::new(), closed: None };
        join.poll();
        join
    }

    /// A join that has the id 7.
    pub fn with_id(opening: Opening<'_>) -> TestJoin {
        let mut join = TestJoin::new(opening);
        match opening.wire {
            Wire::Godot3 => join.tell(&[3, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]),
            Wire::Godot4 | Wire::Scene => join.tell(&[7, 0, 0, 0]),
        }
        join.poll();
        assert_eq!(join.join.id(), 7);
        join
    }

    /// Polls without a budget. Returns whether work is left.
    pub fn poll(&mut self) -> bool {
        let clock = Ticking { now: Cell::new(self.end.now), step: Duration::ZERO, asked: Cell::new(0) };
        self.poll_within(&clock, None)
    }

    /// Polls with a budget of which each reading of the clock uses up all.
    pub fn poll_briefly(&mut self) -> bool {
        let clock = Ticking { now: Cell::new(self.end.now), step: Duration::from_millis(1), asked: Cell::new(0) };
        self.poll_within(&clock, Some(1))
    }

    /// Polls with a budget, like `ws_poll`. Returns whether work is left.
    pub fn poll_within(&mut self, clock: &dyn Clock, budget: Option<u32>) -> bool {
        let TestJoin { end, join, last_poll, .. } = self;
        let gap = end.now - std::mem::replace(last_poll, end.now);
        end.act_within(clock, budget, |peer, cx| {
            peer.leave_arena(cx.arena);
            cx.renew();
            if gap > LONG_GAP {
                peer.shift(gap);
            }
            if join.is_late {
                join.process_held(peer, cx);
            }
            let goes_on = peer.pump(cx);
            peer.check_timers(cx, !goes_on);
            if gap > LONG_GAP {
                join.shift(gap);
            }
            goes_on | join.process_held(peer, cx) | peer.has_backlog()
        })
    }

    /// Calls a function of the join.
    pub fn act<R>(&mut self, act: impl FnOnce(&mut Join, &mut Connection, &mut Cx<'_>) -> R) -> R {
        let join = &mut self.join;
        self.end.act(|peer, cx| act(join, peer, cx))
    }

    pub fn state(&self) -> State {
        self.join.state(&self.end.peer)
    }

    /// The join's program sends a binary message.
    pub fn put(&mut self, target: Option<Target>, payload: &[u8]) -> Result<Sent, Error> {
        self.act(|join, peer, cx| join.put(peer, cx, target, false, payload))
    }

    /// The host sends a binary message.
    pub fn tell(&mut self, payload: &[u8]) {
        let mut bytes = crate::test_server::frame(0x82, payload);
        // A server's frames have no masking key.
        bytes[1] &= 0x7F;
        let head = bytes.len() - payload.len();
        bytes.drain(head - 4..head);
        self.end.feed(&bytes);
    }

    /// The messages that the host has received since the last call.
    pub fn heard(&mut self) -> Vec<Vec<u8>> {
        let output = self.end.output();
        self.unread.extend(output);
        std::iter::from_fn(|| self.next_heard()).collect()
    }

    fn next_heard(&mut self) -> Option<Vec<u8>> {
        loop {
            let [first, len, rest @ ..] = self.unread.as_slice() else { return None };
            let (len, head) = match *len & 0x7F {
                126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
                127 => (u64::from_be_bytes(*rest.first_chunk()?), 10),
                len => (u64::from(len), 2),
            };
            let end = head + 4 + len as usize;
            let (opcode, bytes) = (first & 0x0F, self.unread.get(head..end)?);
            let payload: Vec<u8> = bytes[4..].iter().zip(bytes[..4].iter().cycle()).map(|(a, b)| a ^ b).collect();
            self.unread.drain(..end);
            match opcode {
                2 => return Some(payload),
                8 => self.closed = Some(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))),
                opcode => panic!("a frame with opcode {opcode}"),
            }
        }
    }

    /// All items for the program. `of` is the peer that each is about, or 0.
    pub fn items(&mut self) -> Vec<Took> {
        std::iter::from_fn(|| self.item()).collect()
    }

    pub fn item(&mut self) -> Option<Took> {
        Some(match self.end.peer.take_item()? {
            Item::Message(taken) => {
                assert!(taken.kind != MessageType::Text);
                let is_call = taken.kind == MessageType::Call;
                Took { is_call, bytes: self.end.bytes(&taken), ..event(taken.from, EventKind::Message) }
            }
            Item::Mark(mark) => {
                let text = mark.text.as_ref().map_or(&b"\0"[..], |text| text);
                Took {
                    cause: mark.cause,
                    code: mark.code,
                    count: mark.count,
                    bytes: text.strip_suffix(b"\0").unwrap().to_vec(),
                    ..event(mark.label, mark.kind)
                }
            }
        })
    }
}
