//! Draining: a server that is about to end takes no new clients, and sends those that it has to another one when
//! nothing of theirs is under way.

use super::{Server, Slot};
use crate::error::Failure;
use crate::status::{Cause, Phase, State};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// Code of the close frame (service restart).
const CODE: i32 = 1012;
/// Reason of the close frame.
const REASON: &str = "the server is drained";
/// Clients that are looked at between two checks of the budget.
const AT_ONCE: usize = 64;

/// A drain in progress.
pub(super) struct Drain {
    /// When the clients that are left end.
    deadline: Instant,
    /// How long clients wait before they come back.
    retry: Duration,
    /// Where they come back; "": to the same URL.
    url: Box<str>,
    /// Key of the client that is looked at next.
    next: usize,
}

impl Drain {
    /// Seconds after which a refused client may try again.
    pub(super) fn retry_s(&self) -> u32 {
        u32::try_from(self.retry.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
    }
}

impl Server {
    /// Begins to drain the server, or changes the terms of a drain in progress. False: the server is closed or closing.
    pub fn drain(&mut self, now: Instant, window: Duration, retry: Duration, url: &str) -> bool {
        if self.state != State::Open {
            return false;
        }
        let next = self.drain.as_ref().map_or(0, |drain| drain.next);
        self.drain = Some(Box::new(Drain { deadline: now + window, retry, url: url.into(), next }));
        true
    }

    /// Closes the clients of which nothing is under way, and all when the time is over; then closes the server. True:
    /// the budget was exhausted with some left to look at.
    pub(super) fn go_on_draining(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some(drain) = &mut self.drain else { return false };
        let (is_over, count, mut next) = (cx.now >= drain.deadline, self.slots.len(), drain.next);
        let mut more = false;
        for index in 0..count {
            if index % AT_ONCE == AT_ONCE - 1 && cx.budget.is_spent() {
                more = true;
                break;
            }
            next = if next + 1 < count { next + 1 } else { 0 };
            self.drain_client(cx, next as u32, is_over);
        }
        let is_empty = self.counts.connected == 0 && self.counts.seats == 0;
        if let Some(drain) = &mut self.drain {
            drain.next = next;
        }
        if is_empty || (is_over && !more) {
            self.drain = None;
            self.close(cx, CODE, REASON);
        }
        more
    }

    fn drain_client(&mut self, cx: &mut Cx<'_>, key: u32, is_over: bool) {
        let Some(drain) = &self.drain else { return };
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let peer = &mut client.peer;
        let is_idle = peer.state() == State::Open && !peer.has_output() && peer.unacknowledged()[0] == 0;
        if peer.state() == State::Open && (is_idle || is_over) {
            peer.send_away(u32::try_from(drain.retry.as_millis()).unwrap_or(u32::MAX), &drain.url);
            let failure = Failure::new(Phase::App, Cause::ServerClosed, REASON);
            peer.close_because(cx, CODE, REASON, Some(failure));
            self.take_changes(cx, key, None);
        }
    }

    /// When a drain in progress has to be looked at.
    pub(super) fn drain_deadline(&self) -> Option<Instant> {
        self.drain.as_ref().map(|drain| drain.deadline)
    }

    /// Moves the end of a drain by the length of a gap between polls.
    pub(super) fn shift_drain(&mut self, gap: Duration) {
        if let Some(drain) = &mut self.drain {
            drain.deadline += gap;
        }
    }
}
