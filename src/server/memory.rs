//! What a server gives back: read buffers, memory of clients at rest, places and handles of clients that are gone.

use super::line::Line;
use super::{Handles, Server, Slot};
use crate::peer::Cx;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

impl Server {
    /// Clients that have not been served for a while give back the memory that serving them took.
    pub(super) fn give_memory_back(&mut self, cx: &mut Cx<'_>) {
        let look_at = *self.look_at.get_or_insert(cx.now + LOOK);
        if cx.now < look_at || cx.budget.look() {
            return;
        }
        while let Some(key) = self.served_before.pop() {
            if !self.served_lately.contains(key)
                && let Some(client) = self.client(key)
            {
                client.peer.shrink();
            }
            if cx.budget.look() {
                return;
            }
        }
        std::mem::swap(&mut self.served_lately, &mut self.served_before);
        self.look_at = None;
        if self.served_before.is_empty() {
            let lines = [
                &mut self.ready.first,
                &mut self.ready.behind,
                &mut self.waiting,
                &mut self.talking,
                &mut self.dirty,
                &mut self.fresh,
                &mut self.unread,
            ];
            lines.into_iter().chain([&mut self.served_lately, &mut self.served_before]).for_each(Line::shrink);
            self.timers.shrink_to(self.timers.len() + self.timers.len() / 2);
        }
    }

    /// No client is served: after a while the memory for that goes back.
    pub(super) fn rest(&mut self, cx: &mut Cx<'_>) {
        match self.rest_at {
            Some(at) if cx.now > at && cx.arena.heap_bytes() + cx.codecs.heap_bytes() > 0 && self.fresh.is_empty() => {
                let arena = cx.arena.take_out();
                cx.discard(arena.heap_bytes(), arena);
                cx.codecs.shrink();
                self.frame = None;
            }
            None => self.rest_at = Some(cx.now + REST),
            Some(_) => {}
        }
    }

    pub(super) fn settle(&mut self, cx: &mut Cx<'_>) {
        while let Some(key) = self.fresh.pop() {
            if let Some(client) = self.client(key) {
                client.peer.settle(cx.arena);
            }
        }
        cx.renew();
    }

    /// Retires the handles of clients whose last event was taken, for at most half of the budget. True: more of them wait.
    pub(super) fn retire(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles) -> bool {
        if self.retiring.is_empty() {
            return false;
        }
        let mut half = cx.budget.half();
        while let Some(key) = self.retiring.pop_front() {
            if let Some(client) = self.client(key)
                && client.is_over()
            {
                if client.peer.handle != 0 {
                    handles.retire(client.peer.handle);
                }
                self.remove(cx, key);
                if half.look() {
                    break;
                }
            }
        }
        if self.retiring.is_empty() {
            self.retiring = VecDeque::new();
        }
        !self.retiring.is_empty()
    }

    /// Drops what clients that are gone left in queues that know them by their serial, once it is much.
    pub(super) fn sweep(&mut self) {
        let Server { slots, finished, ended_unread, .. } = self;
        let most = SWEEP_AT.max(4 * slots.len());
        if finished.len() > most {
            finished.retain(|(key, serial)| matches!(&slots[*key as usize], Slot::Client(client) if client.serial == *serial && !client.done));
        }
        if ended_unread.len() > most {
            self.unread_ended(None);
        }
        let Server { slots, timers, .. } = self;
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
