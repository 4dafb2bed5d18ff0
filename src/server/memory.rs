//! Freeing a server's memory: read buffers, memory of idle clients, slots and handles of removed clients.

use super::key_queue::KeyQueue;
use super::{Handles, Queues, Server, Slot};
use crate::work::Cx;
use std::collections::VecDeque;
use std::time::Duration;

impl Server {
    /// Frees the serving memory of clients that have not been served for a while.
    pub(super) fn give_memory_back(&mut self, cx: &mut Cx<'_>) {
        let period_end = *self.reuse.period_end.get_or_insert(cx.now + PERIOD);
        if cx.now < period_end || cx.budget.is_spent() {
            return;
        }
        while let Some(key) = self.queues.served_before.pop() {
            if !self.queues.served_lately.contains(key)
                && let Some(client) = self.client(key)
            {
                client.peer.shrink();
            }
            if cx.budget.is_spent() {
                return;
            }
        }
        std::mem::swap(&mut self.queues.served_lately, &mut self.queues.served_before);
        self.reuse.period_end = None;
        if self.queues.served_before.is_empty() {
            let lines = [
                &mut self.queues.ready.first,
                &mut self.queues.ready.behind,
                &mut self.queues.waiting,
                &mut self.queues.with_messages,
                &mut self.queues.to_flush,
                &mut self.queues.corked,
                &mut self.queues.fresh,
                &mut self.queues.unread,
            ];
            lines
                .into_iter()
                .chain([&mut self.queues.served_lately, &mut self.queues.served_before])
                .for_each(KeyQueue::shrink);
            // Each client that opened lately still has the timer of its handshake.
            if self.queues.timers.len() > SWEEP_AT.max(self.slots.len() + self.slots.len() / 4) {
                self.sweep_timers();
            }
        }
    }

    /// Frees the read buffers and compressors once no client has been served for `IDLE`.
    pub(super) fn free_idle_buffers(&mut self, cx: &mut Cx<'_>) {
        match self.reuse.idle_at {
            Some(at)
                if cx.now > at
                    && cx.arena.heap_bytes() + cx.codecs.heap_bytes() > 0
                    && self.queues.fresh.is_empty() =>
            {
                let arena = cx.arena.take_out();
                cx.discard(arena.heap_bytes(), arena);
                cx.codecs.shrink();
                self.reuse.frame = None;
            }
            None => self.reuse.idle_at = Some(cx.now + IDLE),
            Some(_) => {}
        }
    }

    pub(super) fn leave_arena(&mut self, cx: &mut Cx<'_>) {
        while let Some(key) = self.queues.fresh.pop() {
            if let Some(client) = self.client(key) {
                client.peer.leave_arena(cx.arena);
            }
        }
        cx.renew();
    }

    /// Retires the handles of clients whose last event has been taken, for at most half of the budget. True: there are
    /// more.
    pub(super) fn retire(&mut self, cx: &mut Cx<'_>, handles: &dyn Handles) -> bool {
        if self.queues.retiring.is_empty() {
            return false;
        }
        let mut half = cx.budget.half();
        while let Some(key) = self.queues.retiring.pop_front() {
            if let Some(client) = self.client(key)
                && client.is_over()
            {
                if client.peer.endpoint.handle != 0 {
                    handles.retire(client.peer.endpoint.handle);
                }
                if client.peer.is_leaving() {
                    self.let_go(key);
                } else {
                    self.remove(cx, key);
                }
                if half.is_spent() {
                    break;
                }
            }
        }
        if self.queues.retiring.is_empty() {
            self.queues.retiring = VecDeque::new();
        }
        !self.queues.retiring.is_empty()
    }

    /// Removes stale entries of removed clients from queues that identify clients by serial number, once there are
    /// many.
    pub(super) fn sweep(&mut self) {
        let Server { slots, queues: Queues { finished, ended_unread, .. }, .. } = self;
        let most = SWEEP_AT.max(4 * slots.len());
        if finished.len() > most {
            finished.retain(|(key, serial)| matches!(&slots[*key as usize], Slot::Client(client) if client.serial == *serial && !client.done));
        }
        if ended_unread.len() > most {
            self.unread_ended(None);
        }
        if self.queues.timers.len() > most {
            self.sweep_timers();
        }
    }

    /// Removes timers that have been replaced.
    fn sweep_timers(&mut self) {
        let Server { slots, certificates, queues: Queues { timers, .. }, .. } = self;
        timers.retain(|at, key, serial| match slots.get(key as usize) {
            Some(Slot::Client(client)) => client.serial == serial && client.timer == Some(at),
            Some(Slot::Preparing(preparing)) => preparing.serial == serial,
            Some(Slot::Free) => false,
            // The certificate's.
            None => serial == *certificates,
        });
    }
}

/// Length of a period after which clients that were not served free memory.
const PERIOD: Duration = Duration::from_millis(200);
/// Idle time after which a server frees its read buffers.
const IDLE: Duration = Duration::from_secs(5);
/// Minimum number of entries before a queue is swept.
const SWEEP_AT: usize = 64;
