//! What a server gives back: read buffers, memory of clients at rest, places and handles of clients that are gone.

use super::line::Line;
use super::{Handles, Lines, Server, Slot};
use crate::work::Cx;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

impl Server {
    /// Clients that have not been served for a while give back the memory that serving them took.
    pub(super) fn give_memory_back(&mut self, cx: &mut Cx<'_>) {
        let look_at = *self.reuse.look_at.get_or_insert(cx.now + LOOK);
        if cx.now < look_at || cx.budget.look() {
            return;
        }
        while let Some(key) = self.lines.served_before.pop() {
            if !self.lines.served_lately.contains(key)
                && let Some(client) = self.client(key)
            {
                client.peer.shrink();
            }
            if cx.budget.look() {
                return;
            }
        }
        std::mem::swap(&mut self.lines.served_lately, &mut self.lines.served_before);
        self.reuse.look_at = None;
        if self.lines.served_before.is_empty() {
            let lines = [
                &mut self.lines.ready.first,
                &mut self.lines.ready.behind,
                &mut self.lines.waiting,
                &mut self.lines.talking,
                &mut self.lines.dirty,
                &mut self.lines.fresh,
                &mut self.lines.unread,
            ];
            lines.into_iter().chain([&mut self.lines.served_lately, &mut self.lines.served_before]).for_each(Line::shrink);
            self.lines.timers.shrink_to(self.lines.timers.len() + self.lines.timers.len() / 2);
        }
    }

    /// No client is served: after a while the memory for that goes back.
    pub(super) fn rest(&mut self, cx: &mut Cx<'_>) {
        match self.reuse.rest_at {
            Some(at) if cx.now > at && cx.arena.heap_bytes() + cx.codecs.heap_bytes() > 0 && self.lines.fresh.is_empty() => {
                let arena = cx.arena.take_out();
                cx.discard(arena.heap_bytes(), arena);
                cx.codecs.shrink();
                self.reuse.frame = None;
            }
            None => self.reuse.rest_at = Some(cx.now + REST),
            Some(_) => {}
        }
    }

    pub(super) fn settle(&mut self, cx: &mut Cx<'_>) {
        while let Some(key) = self.lines.fresh.pop() {
            if let Some(client) = self.client(key) {
                client.peer.settle(cx.arena);
            }
        }
        cx.renew();
    }

    /// Retires the handles of clients whose last event was taken, for at most half of the budget. True: more of them wait.
    pub(super) fn retire(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles) -> bool {
        if self.lines.retiring.is_empty() {
            return false;
        }
        let mut half = cx.budget.half();
        while let Some(key) = self.lines.retiring.pop_front() {
            if let Some(client) = self.client(key)
                && client.is_over()
            {
                if client.peer.endpoint.handle != 0 {
                    handles.retire(client.peer.endpoint.handle);
                }
                self.remove(cx, key);
                if half.look() {
                    break;
                }
            }
        }
        if self.lines.retiring.is_empty() {
            self.lines.retiring = VecDeque::new();
        }
        !self.lines.retiring.is_empty()
    }

    /// Drops what clients that are gone left in queues that know them by their serial, once it is much.
    pub(super) fn sweep(&mut self) {
        let Server { slots, lines: Lines { finished, ended_unread, .. }, .. } = self;
        let most = SWEEP_AT.max(4 * slots.len());
        if finished.len() > most {
            finished.retain(|(key, serial)| matches!(&slots[*key as usize], Slot::Client(client) if client.serial == *serial && !client.done));
        }
        if ended_unread.len() > most {
            self.unread_ended(None);
        }
        let Server { slots, lines: Lines { timers, .. }, .. } = self;
        if timers.len() > most {
            timers.retain(|Reverse((at, key, serial))| match &slots[*key as usize] {
                Slot::Client(client) => client.serial == *serial && client.timer == Some(*at),
                Slot::Securing(securing) => securing.serial == *serial,
                Slot::Free => false,
            });
        }
    }
}

/// How often it is looked for clients that were not served lately.
const LOOK: Duration = Duration::from_millis(200);
/// A server that served no client for this long gives its read buffers back.
const REST: Duration = Duration::from_secs(5);
/// So many entries of clients that are gone do not matter.
const SWEEP_AT: usize = 64;
