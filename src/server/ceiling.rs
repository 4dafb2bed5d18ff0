//! The ceiling: how much memory all clients together may make a server hold, and what happens there. Reading stops for
//! clients above their equal share, and messages to them are refused; if that does not suffice, the session that was lost
//! first ends, then the client that holds most and has moved nothing for longest; until then nobody with a queue adds to
//! it. One of those who wait with an incomplete message is read from ten times a second, so that none waits for ever.

use super::client::{Client, Handshaking};
use super::key_queue::KeyQueue;
use super::{Server, Slot};
use crate::codes::WS_OPT_MAX_TOTAL_MIB;
use crate::endpoint::Mark;
use crate::error::Failure;
use crate::heap::Pressure;
use crate::journal;
use crate::names::MAX_TOTAL_MIB;
use crate::status::{Cause, EventKind, Level, Phase};
use crate::work::{Chunk, Cx};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a client counts beside its queues: its state, and what the system and TLS keep for it.
const EACH: u64 = 2 << 10;
/// What an opening handshake counts beside its bytes, with TLS.
const HANDSHAKE: u64 = 32 << 10;
/// A client that holds less counts as `EACH` only, so that those who play are not counted anew with every message.
const SMALL: u64 = 4 << 10;
/// A client that holds this much may be ended.
const HEAVY: u64 = 64 << 10;
/// A shared message of at least this size is counted once, not for each client.
pub(super) const SHARED: usize = 1 << 10;
/// Time between two clients that are read from although they wait.
const TURN: Duration = Duration::from_millis(100);
/// Shared messages, or paused clients, that are looked at in one poll.
const LOOKED_AT: usize = 64;

/// What the clients hold.
#[derive(Default)]
pub(super) struct Ceiling {
    /// The sum of `Client::holds`.
    holds: u64,
    /// The most that they have held.
    peak: u64,
    /// More than half of the limit is held: what is freed goes back to the system.
    pressure: Option<Pressure>,
    /// The limit is near: clients above their share wait.
    is_tight: bool,
    /// The limit was reached, and less than a sixteenth of it is free: everyone who holds `SMALL` or more waits.
    is_over: bool,
    /// Clients that hold `HEAVY` or more, those that hold most first, among these those that moved nothing for longest:
    /// the complement of the size's magnitude, the time of the last move in 64 polls, the key.
    heavy: BTreeSet<(u32, u64, u32)>,
    /// Where each of them stands in `heavy`, and the bytes that it had moved then.
    places: HashMap<u32, (u32, u64, u64)>,
    /// Clients that are not read from.
    paused: KeyQueue,
    /// The one of them whose turn it is: it is read from, so that its message becomes complete, or it is
    /// noticed that it has gone. Not one whose messages wait for the program.
    turn: Option<u32>,
    /// When the next one has its turn.
    next_turn: Option<Instant>,
    /// Number of polls.
    polls: u64,
    /// Clients that were ended.
    ended: u64,
}

fn bytes(kib: u32) -> u64 {
    u64::from(kib) << 10
}

impl Client {
    /// Whether it holds more than `share`, and waits for the others.
    fn exceeds(&self, share: u64) -> bool {
        bytes(self.holds) >= share
    }

    /// As `Server::refuses_put`.
    #[cold]
    pub(super) fn refuses_put(&mut self, share: u64, len: usize) -> bool {
        let waits = self.peer.has_output() || self.peer.unacknowledged()[0] > 0;
        let refuses = self.exceeds(share) && waits && self.peer.may_put();
        if refuses {
            self.peer.endpoint.owe_writable(len);
        }
        refuses
    }
}

impl Ceiling {
    fn leave(&mut self, key: u32) {
        if let Some((magnitude, since, _)) = self.places.remove(&key) {
            self.heavy.remove(&(magnitude, since, key));
        }
    }

    /// Ends the pressure when nothing is held, because nothing is looked at then.
    fn relax(&mut self) {
        if self.holds == 0 {
            self.pressure = None;
        }
    }

    /// A client holds so much; `moved`: bytes that it has read and sent so far.
    fn set(&mut self, key: u32, holds: u64, moved: u64) {
        let place = self.places.get(&key).copied();
        if holds < HEAVY {
            return self.leave(key);
        }
        let magnitude = holds.leading_zeros();
        let since = match place {
            Some((_, since, before)) if before == moved => since,
            _ => self.polls >> 6,
        };
        if place.is_none_or(|(of, at, _)| (of, at) != (magnitude, since)) {
            self.leave(key);
            self.heavy.insert((magnitude, since, key));
        }
        self.places.insert(key, (magnitude, since, moved));
    }
}

impl Server {
    /// Counts anew what a client holds.
    #[inline]
    pub(super) fn weigh(&mut self, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if client.holds == 0 && client.peer.is_light() {
            return;
        }
        let holds = client.peer.held_bytes();
        if holds >= SMALL || client.holds != 0 {
            self.weigh_heavy(key, holds);
        }
    }

    #[inline(never)]
    fn weigh_heavy(&mut self, key: u32, holds: u64) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let kib = if holds < SMALL { 0 } else { holds.div_ceil(1 << 10) as u32 };
        let counters = &client.peer.endpoint.counters;
        let moved = counters.wire_in + counters.wire_out;
        self.ceiling.holds = self.ceiling.holds + bytes(kib) - bytes(std::mem::replace(&mut client.holds, kib));
        self.ceiling.set(key, bytes(kib), moved);
        self.ceiling.relax();
        if bytes(kib) < self.share() && self.ceiling.paused.contains(key) {
            self.queues.ready.push(key);
        }
    }

    /// A client is removed.
    pub(super) fn forget_weight(&mut self, key: u32) {
        self.ceiling.turn.take_if(|turn| *turn == key);
        if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
            self.ceiling.holds -= bytes(std::mem::take(&mut client.holds));
            self.ceiling.leave(key);
            self.ceiling.relax();
        }
    }

    /// The limit in bytes.
    fn most(&self) -> u64 {
        self.endpoint.options.limit(WS_OPT_MAX_TOTAL_MIB).saturating_mul(1 << 20)
    }

    /// What each client may hold when the limit is near.
    #[cold]
    fn share(&self) -> u64 {
        if self.ceiling.is_over {
            return SMALL;
        }
        (self.most() / (self.counts.live as u64).max(1)).max(SMALL)
    }

    /// Bytes that clients make the server hold. A message that several of them wait for counts once.
    pub fn held_bytes(&self) -> u64 {
        let again = |chunk: &Chunk| chunk.len() as u64 * (Arc::strong_count(chunk) as u64).saturating_sub(2);
        let shared: u64 = self.reuse.passed.iter().map(again).sum();
        let handshake = if self.settings.tls.is_some() { HANDSHAKE } else { EACH };
        let all = self.counts.live as u64 * EACH + self.counts.pending as u64 * handshake;
        all + self.ceiling.holds.saturating_sub(shared)
    }

    /// `held_bytes`, the most that it was at the end of a poll, and the number of clients that were ended for it.
    pub fn ceiling_counts(&self) -> [u64; 3] {
        [self.held_bytes(), self.ceiling.peak, self.ceiling.ended]
    }

    /// What a client may hold now; `None`: the limit is not near.
    #[inline]
    pub fn tight_share(&self) -> Option<u64> {
        if self.ceiling.is_tight { Some(self.share()) } else { None }
    }

    /// Whether a client that is served now is not read from. One whose link has failed is, to its end.
    pub(super) fn must_pause(&mut self, key: u32, share: u64) -> bool {
        let Some(Slot::Client(client)) = self.slots.get(key as usize) else { return false };
        let has_turn = self.ceiling.turn.take_if(|turn| *turn == key).is_some();
        client.exceeds(share) && !client.peer.has_failed() && !has_turn
    }

    /// Whether a message to a client with this handle is refused, because it holds more than its share. It gets WRITABLE
    /// later.
    #[inline]
    pub fn refuses_put(&mut self, key: u32, handle: u32, len: usize) -> bool {
        self.ceiling.is_tight && self.refuses_put_now(key, handle, len)
    }

    #[cold]
    fn refuses_put_now(&mut self, key: u32, handle: u32, len: usize) -> bool {
        let share = self.share();
        self.client(key).is_some_and(|client| client.peer.endpoint.handle == handle && client.refuses_put(share, len))
    }

    /// A client above its share is written to and not read from.
    pub(super) fn pause(&mut self, cx: &mut Cx<'_>, key: u32) {
        self.ceiling.paused.push(key);
        if let Some(client) = self.client(key) {
            client.readable = true;
            client.peer.write(cx);
            self.take_changes(cx, key, None);
        }
    }

    /// Whether a client has bytes that are not read.
    pub(super) fn is_paused(&self, key: u32) -> bool {
        let is_readable = |slot: &Slot| matches!(slot, Slot::Client(client) if client.readable);
        self.ceiling.is_tight
            && self.ceiling.paused.contains(key)
            && self.slots.get(key as usize).is_some_and(is_readable)
    }

    /// After clients were served, and before if the limit is near, as the program may have taken messages: keeps to the
    /// limit, within an eighth of the budget. True: there is more to end.
    pub(super) fn keep_ceiling(&mut self, cx: &mut Cx<'_>) -> bool {
        self.ceiling.polls += 1;
        if self.ceiling.holds == 0 && !self.ceiling.is_tight {
            return false;
        }
        let most = self.most();
        if self.ceiling.holds + self.counts.live as u64 * EACH <= most / 2 && !self.ceiling.is_tight {
            self.ceiling.pressure = None;
            return false;
        }
        self.keep_near_ceiling(cx, most)
    }

    #[inline(never)]
    fn keep_near_ceiling(&mut self, cx: &mut Cx<'_>, most: u64) -> bool {
        self.ceiling.pressure.get_or_insert_with(Pressure::begin);
        let held = self.held_bytes();
        self.ceiling.peak = self.ceiling.peak.max(held);
        let below = most - most / 16;
        self.ceiling.is_over = held >= if self.ceiling.is_over { below } else { most };
        if held < most - most / 4 {
            self.ceiling.is_tight = false;
        } else if held >= most - most / 8 && !self.ceiling.is_tight {
            self.ceiling.is_tight = true;
            self.report_ceiling(cx, held);
        }
        for _ in 0..if self.ceiling.is_tight { LOOKED_AT } else { usize::MAX } {
            let Some(key) = self.ceiling.paused.pop() else { break };
            let share = self.tight_share();
            let Some(Slot::Client(client)) = self.slots.get(key as usize) else { continue };
            let waits = share.is_some_and(|share| client.exceeds(share));
            let has_turn = !self.ceiling.is_over
                && self.ceiling.turn.is_none()
                && self.ceiling.next_turn.is_none_or(|next| next <= cx.now)
                && client.peer.endpoint.inbox.counted() == 0;
            if waits && !has_turn {
                self.ceiling.paused.push(key);
                continue;
            }
            if waits {
                (self.ceiling.turn, self.ceiling.next_turn) = (Some(key), Some(cx.now + TURN));
            }
            self.queues.ready.push(key);
        }
        let mut part = cx.budget.eighth();
        let mut over = if self.ceiling.is_over { held.saturating_sub(below) } else { 0 };
        while over > 0 {
            let Some(freed) = self.end_one(cx) else { return false };
            over = over.saturating_sub(freed);
            if part.is_spent() {
                return over > 0;
            }
        }
        false
    }

    /// Ends the session that was lost first, or the client that holds most. Returns the bytes that it held; `None`: there
    /// is none.
    fn end_one(&mut self, cx: &mut Cx<'_>) -> Option<u64> {
        let lost = self.sessions.first_lost();
        let key = lost.or_else(|| self.ceiling.heavy.first().map(|(.., key)| *key))?;
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else {
            self.ceiling.leave(key);
            return Some(0);
        };
        let holds = bytes(client.holds);
        let what = if lost.is_some() { "its link was lost for longest" } else { "it held most and moved least" };
        let why = format!("all clients together reached {MAX_TOTAL_MIB}, and {what}");
        let cause = if lost.is_some() { Cause::Session } else { Cause::Ceiling };
        let failure = Failure { close_code: 1013, ..Failure::new(Phase::App, cause, why) };
        client.peer.endpoint.refuse_messages(cx);
        if !client.peer.has_output() && client.progress == Handshaking::Over {
            client.peer.close_because(cx, 1013, "the server holds too much", Some(failure.clone()));
        }
        client.peer.close_because(cx, -1, "", Some(failure));
        self.ceiling.ended += 1;
        self.take_changes(cx, key, None);
        // What its last event keeps is little; it is never ended again.
        self.ceiling.leave(key);
        Some(holds.max(EACH))
    }

    fn report_ceiling(&mut self, cx: &Cx<'_>, held: u64) {
        let (held, most, share) = (held.div_ceil(1 << 20), self.most() >> 20, self.share() >> 10);
        let why = format!(
            "clients make the server hold {held} MiB, and {MAX_TOTAL_MIB} is {most}: those that hold more than {share} \
             KiB are not read from, and messages to them are refused"
        );
        journal::note(Level::Warn, || why.clone());
        if !self.endpoint.inbox.add_to_cause(EventKind::Error, Cause::Ceiling) {
            let mut mark = Mark {
                phase: Phase::App,
                cause: Cause::Ceiling,
                count: 1,
                ..Mark::new(EventKind::Error, cx.time_ns())
            };
            mark.set_text(&why);
            self.endpoint.inbox.push_mark(mark);
        }
    }
}
