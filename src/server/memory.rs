//! Freeing a server's memory: read buffers, memory of idle clients, slots and handles of removed clients.

use super::line::Line;
use super::{Handles, Lines, Server, Slot};
use crate::work::Cx;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

impl Server {
    /// Frees the serving memory of clients that have not been served for a while.
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
            lines
                .into_iter()
                .chain([&mut self.lines.served_lately, &mut self.lines.served_before])
                .for_each(Line::shrink);
            self.lines.timers.shrink_to(self.lines.timers.len() + self.lines.timers.len() / 2);
        }
    }

    /// Frees the read buffers and compressors once no client has been served for `REST`.
    pub(super) fn rest(&mut self, cx: &mut Cx<'_>) {
        match self.reuse.rest_at {
            Some(at)
                if cx.now > at && cx.arena.heap_bytes() + cx.codecs.heap_bytes() > 0 && self.lines.fresh.is_empty() =>
            {
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

    /// Retires the handles of clients whose last event has been taken, for at most half of the budget. True: there are
    /// more.
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

    /// Removes stale entries of removed clients from queues that identify clients by serial number, once there are
    /// many.
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

/// Length of a period after which clients that were not served free memory.
const LOOK: Duration = Duration::from_millis(200);
/// Idle time after which a server frees its read buffers.
const REST: Duration = Duration::from_secs(5);
/// Minimum number of entries before a queue is swept.
const SWEEP_AT: usize = 64;
