//! Serving clients in a poll: readiness, one round for each, timers, and the end of the server.

use super::certificate::CERTIFICATE;
use super::client::{Preparing, Stage};
use super::refusals::TurnedAway;
use super::{EVENTS, FIRST_CLIENT, Handles, Server, Slot};
use crate::codes::*;
use crate::endpoint::Mark;
use crate::error::Failure;
use crate::status::{Cause, EventKind, Phase, State};
use crate::work::Cx;
use std::time::{Duration, Instant};

impl Server {
    /// Fetches readiness events. False: there may be more.
    pub(super) fn collect_readiness(&mut self, second: impl Fn() -> u32) -> bool {
        // Interrupted or failed: no event is lost, and the next poll tries again.
        if self.listening.poll.poll(&mut self.listening.events, Some(Duration::ZERO)).is_err() {
            return true;
        }
        let mut count = 0;
        for event in &self.listening.events {
            count += 1;
            let token = event.token().0;
            if token < FIRST_CLIENT {
                self.listening.accept_ready = true;
                continue;
            }
            let key = (token - FIRST_CLIENT) as u32;
            if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
                let readable = event.is_readable() || event.is_read_closed() || event.is_error();
                if !readable && !client.peer.has_output() && !client.peer.line_waits() {
                    // The socket is writable and nothing is queued for it. On Windows every read that found nothing is
                    // followed by such an event.
                    continue;
                }
                // No second edge is reported for an end of file that came with the last bytes, or for bytes behind
                // out-of-band ones, at which a read stops.
                if event.is_read_closed() || event.is_error() || event.is_priority() {
                    client.peer.read_on();
                }
                client.readable |= readable;
                let busy = client.is_busy(&second);
                self.queues.ready.enter(key, busy);
            } else if matches!(self.slots.get(key as usize), Some(Slot::Preparing(_))) {
                self.queues.ready.push(key);
            }
        }
        count < EVENTS
    }

    /// Serves ready clients in rounds until the budget is exhausted. While others wait, a round is limited to a slice
    /// of the budget, and a client that uses up its slice is served after the others for `BUSY` seconds.
    pub(super) fn serve_ready(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles) -> bool {
        if self.queues.ready.len() > 1 {
            // The first slice begins at this reading of the clock.
            cx.budget.is_spent();
        }
        while let Some(key) = self.queues.ready.pop() {
            let alone = self.queues.ready.is_empty();
            if let Some(share) = self.tight_share()
                && self.must_pause(key, share)
            {
                self.pause(cx, key);
                if !self.queues.ready.is_empty() && cx.budget.is_spent() {
                    return true;
                }
                continue;
            }
            let Some(client) = self.client(key) else {
                self.introduce(cx, key, Some(handles));
                continue;
            };
            if !alone {
                cx.budget.begin_slice();
            }
            let mut more = client.peer.pump(cx);
            let (is_served, asks) = (client.is_served(), client.peer.request().is_some() && !client.peer.is_asked());
            if is_served {
                self.go_on_with_download(cx, key);
            }
            if asks {
                more = self.decide(cx, key, handles);
            }
            // Behind the decision, which reads on: a client may have answered its announcement already.
            if self.client(key).is_some_and(|client| client.peer.claim().is_some()) {
                self.take_claim(cx, key, handles);
            }
            let used_up = cx.budget.end_slice();
            self.take_changes(cx, key, Some(handles));
            self.queues.served_lately.push(key);
            if let Some(client) = self.client(key) {
                if used_up {
                    client.busy_until = cx.second() + BUSY;
                }
                let again = more || client.peer.has_backlog();
                client.readable = again || client.peer.is_reading_paused();
                if again {
                    self.queues.ready.push_behind(key);
                }
            }
            if !self.queues.ready.is_empty() && cx.budget.is_spent() {
                return true;
            }
        }
        false
    }

    /// Schedules the timers that were due while there was more to read, for clients that have now been read.
    pub(super) fn time_read(&mut self, now: Instant) {
        for _ in 0..self.queues.unread.len() {
            let Some(key) = self.queues.unread.pop() else { return };
            if self.queues.ready.contains(key) {
                self.queues.unread.push(key);
            } else if let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) {
                client.set_timer(key, now, &mut self.queues);
            }
        }
    }

    /// Checks due timers, within a separate eighth of the budget: if reading used up all of it, dead clients would
    /// never time out.
    #[inline]
    pub(super) fn judge_timers(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles) {
        if self.queues.timers.are_due(cx.now) {
            self.judge_due(cx, handles);
        }
    }

    #[inline(never)]
    fn judge_due(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles) {
        let (now, mut part) = (cx.now.into(), cx.budget.eighth());
        while let Some((at, key, serial)) = self.queues.timers.pop_due(now) {
            let is_paused = self.is_paused(key);
            match self.slots.get_mut(key as usize) {
                Some(Slot::Client(client)) if client.serial == serial && client.timer == Some(at) => {
                    if is_paused || (client.readable && self.queues.ready.contains(key)) {
                        // Not all its bytes have been read: an unread one may be its sign of life.
                        client.peer.check_timers(cx, false);
                        client.timer = None;
                        self.queues.unread.push(key);
                    } else {
                        client.timer = None;
                        if let Some(next) = client.peer.check_timers(cx, true) {
                            if next >= cx.now + IDLE {
                                client.peer.shrink();
                            }
                            client.set_timer(key, next.max(cx.now + Duration::from_millis(1)), &mut self.queues);
                        }
                    }
                    self.take_changes(cx, key, Some(handles));
                }
                Some(Slot::Preparing(preparing)) if preparing.serial == serial => {
                    let since = preparing.source.since;
                    let deadline = self.endpoint.options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS).map(|time| since + time);
                    match deadline {
                        Some(deadline) if deadline > cx.now => self.queues.timers.push(deadline, key, serial),
                        Some(_) => {
                            let Preparing { source, stage, .. } = &**preparing;
                            let address = source.address;
                            let (phase, what) = match stage {
                                Stage::Introducing(..) => (Phase::Proxy, "it did not send its PROXY header in time"),
                                Stage::Securing(_) => (Phase::Tls, "it did not finish its TLS handshake in time"),
                            };
                            let away = TurnedAway::before_http(address, phase, Cause::HandshakeTimeout, what);
                            self.turn_away(cx, away, |_| format!("{address} was dropped: {what}"));
                            self.drop_preparing(key);
                        }
                        None => {}
                    }
                }
                None if key == CERTIFICATE && serial == self.certificates => self.check_certificate(cx.now),
                _ => {}
            }
            if part.is_spent() {
                break;
            }
        }
        self.queues.timers.settle();
    }

    pub(super) fn go_on_closing(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some((code, reason, mut next)) = self.closing.take() else { return false };
        while next < self.slots.len() {
            let key = next as u32;
            next += 1;
            match &mut self.slots[key as usize] {
                Slot::Free => {}
                Slot::Preparing(_) => self.drop_preparing(key),
                Slot::Client(client) => {
                    let failure = Failure::new(Phase::App, Cause::ServerClosed, "the server was closed");
                    client.peer.close_because(cx, code, &reason, Some(failure));
                    self.take_changes(cx, key, None);
                }
            }
            if cx.budget.is_spent() && next < self.slots.len() {
                self.closing = Some((code, reason, next));
                return true;
            }
        }
        false
    }

    pub(super) fn note_closed(&mut self, cx: &Cx<'_>) {
        if self.state == State::Closing && self.closing.is_none() && self.counts.live == 0 {
            self.state = State::Closed;
            let time_ns = cx.now.saturating_duration_since(cx.epoch).as_nanos() as u64;
            let mut mark = Mark {
                code: 1001,
                phase: Phase::App,
                cause: Cause::ClosedByHost,
                clean: true,
                ..Mark::new(EventKind::Closed, time_ns)
            };
            mark.set_text("the server was closed as the host asked");
            self.endpoint.inbox.push_mark(mark);
        }
    }
}

/// Seconds for which a client that used up its slice is served after the others. The first of them has already begun.
const BUSY: u32 = 2;
/// A client whose next timer is at least this far away frees its memory.
const IDLE: Duration = Duration::from_secs(1);
