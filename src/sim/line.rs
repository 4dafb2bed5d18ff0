//! One direction of a line: which bytes arrive when. The bytes themselves are kept by the caller.

use super::{Conditions, PACKET, Random};
use std::collections::VecDeque;

/// A time that does not come.
pub const NEVER: u64 = u64::MAX;
/// What a packet counts beside its bytes.
const OVERHEAD: u64 = 64;
/// Maximum bytes under way that the limit of held bytes adds to the buffer.
const MAX_WINDOW: u64 = 4 << 20;
/// Credit of the token bucket for one byte: a credit of 1 is what a bandwidth of 1 byte/s yields in a microsecond.
const BYTE: u64 = 1_000_000;

/// Bytes that arrive together.
#[derive(Clone, Copy, Debug)]
struct Packet {
    /// When they arrive.
    arrival: u64,
    /// Bytes of it that were not taken yet.
    bytes: u32,
    /// The link is cut behind it.
    cut: bool,
}

/// One direction of a line.
#[derive(Debug)]
pub struct Line {
    conditions: Conditions,
    random: Random,
    /// When these conditions began.
    origin: u64,
    /// Bytes accepted since then.
    offered: u64,
    /// Limit of `held` at which no more is accepted.
    most: u64,
    /// Credit of the token bucket, and when it was computed.
    credit: (u64, u64),
    /// When the last packet left the bucket.
    departed: u64,
    /// When the last packet that arrives at all arrives: none overtakes it.
    arrived: u64,
    packets: VecDeque<Packet>,
    /// Bytes of the packets, and `OVERHEAD` for each.
    held: u64,
    /// Packets that were lost, and arrive late.
    losses: u64,
    /// The last bytes before a cut have been taken.
    cut: bool,
}

impl Line {
    /// A line with resolved conditions from `now` on.
    pub(super) fn new(conditions: Conditions, seed: u32, now: u64) -> Line {
        let mut line = Line {
            conditions: Conditions::default(),
            random: Random::new(seed),
            origin: now,
            offered: 0,
            most: 0,
            credit: (0, 0),
            departed: 0,
            arrived: 0,
            packets: VecDeque::new(),
            held: 0,
            losses: 0,
            cut: false,
        };
        line.change(conditions, seed, now);
        line
    }

    /// Replaces the conditions for the bytes that follow. Those that are under way keep their times;
    /// those that would never arrive come behind them.
    pub(super) fn change(&mut self, conditions: Conditions, seed: u32, now: u64) {
        let window = match conditions.bytes_per_s {
            0 => MAX_WINDOW,
            rate => {
                let ms = (u64::from(conditions.lag_us) + u64::from(conditions.jitter_us)).div_ceil(1_000);
                (u64::from(rate) * ms / 1_000 + u64::from(conditions.burst_bytes)).min(MAX_WINDOW)
            }
        };
        self.most = u64::from(conditions.buffer_bytes) + window;
        self.credit = (u64::from(conditions.burst_bytes) * BYTE, now);
        self.conditions = conditions;
        self.random = Random::new(seed);
        (self.origin, self.offered) = (now, 0);
        (self.departed, self.arrived) = (now, self.arrived.max(now));
        for packet in &mut self.packets {
            packet.cut = false;
            if packet.arrival == NEVER {
                packet.arrival = self.arrived;
            }
        }
    }

    /// Continues with the conditions of another line, which has carried nothing.
    pub fn replace(&mut self, other: Line, now: u64) {
        self.change(other.conditions, 0, now);
        self.random = other.random;
    }

    /// Has all bytes that are under way arrive now.
    pub fn hurry(&mut self, now: u64) {
        self.packets.iter_mut().for_each(|packet| packet.arrival = packet.arrival.min(now));
        self.arrived = now;
    }

    /// Whether bytes are accepted.
    pub fn has_room(&self) -> bool {
        self.held < self.most && !self.is_ending()
    }

    /// Bytes that wait for the bandwidth at `now`; `None`: it is unlimited.
    pub fn waiting(&self, now: u64) -> Option<u64> {
        let rate = u64::from(self.conditions.bytes_per_s);
        (rate > 0).then(|| self.departed.saturating_sub(now).saturating_mul(rate) / BYTE)
    }

    /// Accepts bytes that are sent at `now`, as far as there is room; returns their number. `all`: even beyond it.
    pub fn offer(&mut self, now: u64, bytes: usize, all: bool) -> usize {
        let mut left = bytes as u64;
        while left > 0 && !self.is_ending() && (all || self.held < self.most) {
            let Conditions { half_open_bytes, cut_bytes, .. } = self.conditions;
            let (half_open, cut) = (u64::from(half_open_bytes), u64::from(cut_bytes));
            let mut count = left.min(u64::from(PACKET));
            for at in [half_open, cut] {
                if at > self.offered {
                    count = count.min(at - self.offered);
                }
            }
            let is_late = half_open != 0 && self.offered >= half_open;
            let arrival = self.arrival(now, count);
            self.offered += count;
            self.held += count + OVERHEAD;
            self.packets.push_back(Packet {
                arrival: if is_late { NEVER } else { arrival },
                bytes: count as u32,
                cut: cut != 0 && self.offered == cut,
            });
            left -= count;
        }
        bytes - left as usize
    }

    /// When the end of the stream arrives, if the sender ends it at `now`.
    pub fn end(&mut self, now: u64) -> u64 {
        let half_open = u64::from(self.conditions.half_open_bytes);
        if half_open != 0 && self.offered >= half_open {
            return NEVER;
        }
        self.arrived = self.after_stall((now.max(self.departed) + u64::from(self.conditions.lag_us)).max(self.arrived));
        self.arrived
    }

    /// Number of bytes that have arrived, at most `most`, up to a cut.
    pub fn due(&self, now: u64, most: usize) -> usize {
        let mut count = 0;
        for packet in &self.packets {
            if packet.arrival > now || count >= most {
                break;
            }
            count += packet.bytes as usize;
            if packet.cut {
                break;
            }
        }
        count.min(most)
    }

    /// Takes bytes that have arrived: at most as many as `due` says.
    pub fn take(&mut self, bytes: usize) {
        let mut left = bytes as u64;
        while left > 0
            && let Some(packet) = self.packets.front_mut()
        {
            let count = left.min(u64::from(packet.bytes));
            packet.bytes -= count as u32;
            self.held -= count;
            left -= count;
            if packet.bytes == 0 {
                self.cut |= packet.cut;
                self.held -= OVERHEAD;
                self.packets.pop_front();
            }
        }
    }

    /// When the next bytes arrive; `None`: there are none, or they never do.
    pub fn next(&self) -> Option<u64> {
        self.packets.front().map(|packet| packet.arrival).filter(|arrival| *arrival != NEVER)
    }

    /// Whether the last bytes before a cut have been taken.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether no bytes are under way.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Number of packets that were lost, and arrive late.
    pub fn losses(&self) -> u64 {
        self.losses
    }

    /// Whether all bytes up to a cut have been accepted.
    fn is_ending(&self) -> bool {
        let cut = u64::from(self.conditions.cut_bytes);
        self.cut || (cut != 0 && self.offered >= cut)
    }

    /// When a packet arrives that is sent at `now`. Takes two random numbers, whatever the conditions.
    fn arrival(&mut self, now: u64, bytes: u64) -> u64 {
        let late = self.random.below(self.conditions.jitter_us + 1);
        let lost = self.random.below(1_000_000) < self.conditions.loss_ppm;
        self.departed = self.departure(now.max(self.departed), bytes);
        let mut arrival = self.departed + u64::from(self.conditions.lag_us) + u64::from(late);
        if lost {
            arrival += u64::from(self.conditions.loss_stall_us);
            self.losses += 1;
        }
        self.arrived = self.after_stall(arrival.max(self.arrived));
        self.arrived
    }

    /// When the token bucket lets a packet leave that reaches it at `now`.
    fn departure(&mut self, now: u64, bytes: u64) -> u64 {
        let rate = u64::from(self.conditions.bytes_per_s);
        if rate == 0 {
            return now;
        }
        let (credit, since) = self.credit;
        let full = u64::from(self.conditions.burst_bytes) * BYTE;
        let passed = now - since;
        let credit = if passed >= (full - credit).div_ceil(rate) { full } else { credit + passed * rate };
        let cost = bytes * BYTE;
        let wait = cost.saturating_sub(credit).div_ceil(rate);
        self.credit = (credit + wait * rate - cost, now + wait);
        now + wait
    }

    /// The time itself, or the end of the stall that it is in.
    fn after_stall(&self, time: u64) -> u64 {
        let us = |ms: u32| u64::from(ms) * 1_000;
        let Conditions { stall_from_ms, stall_for_ms, stall_every_ms, .. } = self.conditions;
        let Some(since) = time.checked_sub(self.origin + us(stall_from_ms)) else { return time };
        let into = if stall_every_ms == 0 { since } else { since % us(stall_every_ms) };
        if into < us(stall_for_ms) { time + us(stall_for_ms) - into } else { time }
    }

    /// Bytes that are held, with what each packet counts beside its bytes.
    pub fn held(&self) -> u64 {
        self.held
    }
}

#[cfg(test)]
mod tests;
