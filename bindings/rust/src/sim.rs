//! Bad networks, to play a game on.
//! Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.

use wspeer_core::ffi::ws_sim;

/// A bad network, for `set_sim()`. The fields `up_*` are about the bytes from the client to the server, `down_*`
/// about those from the server to the client, whichever end simulates. `Sim::default()` is a perfect network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sim {
    /// Seed of the random numbers. The same seed has the same effect.
    pub seed: u32,
    /// Time that each byte takes, in microseconds; at most 60000000.
    pub up_lag_us: u32,
    /// As up_lag_us.
    pub down_lag_us: u32,
    /// Up to this time is added for each packet, uniformly distributed, in microseconds; at most 60000000. Bytes never
    /// overtake others: a late packet holds up those behind it, and they arrive together.
    pub up_jitter_us: u32,
    /// As up_jitter_us.
    pub down_jitter_us: u32,
    /// Bandwidth in bytes per second. 0: unlimited.
    pub up_bytes_per_s: u32,
    /// As up_bytes_per_s.
    pub down_bytes_per_s: u32,
    /// Bytes that may leave at once after a pause, the size of the token bucket. 0: 14000.
    pub up_burst_bytes: u32,
    /// As up_burst_bytes.
    pub down_burst_bytes: u32,
    /// Packets out of a million that are lost. TCP repeats them: they arrive loss_stall_us later, and all behind them
    /// waits. A packet has up to 1400 bytes of one write.
    pub up_loss_ppm: u32,
    /// As up_loss_ppm.
    pub down_loss_ppm: u32,
    /// Time that a loss costs, in microseconds; at most 60000000. 0: lag_us of both directions and 200000.
    pub up_loss_stall_us: u32,
    /// As up_loss_stall_us.
    pub down_loss_stall_us: u32,
    /// Bytes that may wait to leave; at most 16777216. 0: 65536. Beside them a line holds those that are under way, at
    /// most 4 MiB of them. Each packet counts 64 bytes more.
    pub up_buffer_bytes: u32,
    /// As up_buffer_bytes.
    pub down_buffer_bytes: u32,
    /// Nothing arrives from this time on, in milliseconds since the link is OPEN, or since the call.
    pub up_stall_from_ms: u32,
    /// As up_stall_from_ms.
    pub down_stall_from_ms: u32,
    /// Duration of the stall in milliseconds; then all arrives at once. 0: no stall.
    pub up_stall_for_ms: u32,
    /// As up_stall_for_ms.
    pub down_stall_for_ms: u32,
    /// Another stall begins this time after the one before has begun, in milliseconds; more than stall_for_ms. 0:
    /// there is only one.
    pub up_stall_every_ms: u32,
    /// As up_stall_every_ms.
    pub down_stall_every_ms: u32,
    /// After this number of bytes nothing arrives any more, and no error tells of it. 0: never.
    pub up_half_open_bytes: u32,
    /// As up_half_open_bytes.
    pub down_half_open_bytes: u32,
    /// After this number of bytes the link is cut, at both ends: it ends with `Cause::Reset` here. 0: never.
    pub up_cut_bytes: u32,
    /// As up_cut_bytes.
    pub down_cut_bytes: u32,
}

impl Sim {
    pub(crate) fn from_raw(raw: &ws_sim) -> Sim {
        Sim {
            seed: raw.seed,
            up_lag_us: raw.up_lag_us,
            down_lag_us: raw.down_lag_us,
            up_jitter_us: raw.up_jitter_us,
            down_jitter_us: raw.down_jitter_us,
            up_bytes_per_s: raw.up_bytes_per_s,
            down_bytes_per_s: raw.down_bytes_per_s,
            up_burst_bytes: raw.up_burst_bytes,
            down_burst_bytes: raw.down_burst_bytes,
            up_loss_ppm: raw.up_loss_ppm,
            down_loss_ppm: raw.down_loss_ppm,
            up_loss_stall_us: raw.up_loss_stall_us,
            down_loss_stall_us: raw.down_loss_stall_us,
            up_buffer_bytes: raw.up_buffer_bytes,
            down_buffer_bytes: raw.down_buffer_bytes,
            up_stall_from_ms: raw.up_stall_from_ms,
            down_stall_from_ms: raw.down_stall_from_ms,
            up_stall_for_ms: raw.up_stall_for_ms,
            down_stall_for_ms: raw.down_stall_for_ms,
            up_stall_every_ms: raw.up_stall_every_ms,
            down_stall_every_ms: raw.down_stall_every_ms,
            up_half_open_bytes: raw.up_half_open_bytes,
            down_half_open_bytes: raw.down_half_open_bytes,
            up_cut_bytes: raw.up_cut_bytes,
            down_cut_bytes: raw.down_cut_bytes,
        }
    }

    pub(crate) fn write(&self, raw: &mut ws_sim) {
        raw.seed = self.seed;
        raw.up_lag_us = self.up_lag_us;
        raw.down_lag_us = self.down_lag_us;
        raw.up_jitter_us = self.up_jitter_us;
        raw.down_jitter_us = self.down_jitter_us;
        raw.up_bytes_per_s = self.up_bytes_per_s;
        raw.down_bytes_per_s = self.down_bytes_per_s;
        raw.up_burst_bytes = self.up_burst_bytes;
        raw.down_burst_bytes = self.down_burst_bytes;
        raw.up_loss_ppm = self.up_loss_ppm;
        raw.down_loss_ppm = self.down_loss_ppm;
        raw.up_loss_stall_us = self.up_loss_stall_us;
        raw.down_loss_stall_us = self.down_loss_stall_us;
        raw.up_buffer_bytes = self.up_buffer_bytes;
        raw.down_buffer_bytes = self.down_buffer_bytes;
        raw.up_stall_from_ms = self.up_stall_from_ms;
        raw.down_stall_from_ms = self.down_stall_from_ms;
        raw.up_stall_for_ms = self.up_stall_for_ms;
        raw.down_stall_for_ms = self.down_stall_for_ms;
        raw.up_stall_every_ms = self.up_stall_every_ms;
        raw.down_stall_every_ms = self.down_stall_every_ms;
        raw.up_half_open_bytes = self.up_half_open_bytes;
        raw.down_half_open_bytes = self.down_half_open_bytes;
        raw.up_cut_bytes = self.up_cut_bytes;
        raw.down_cut_bytes = self.down_cut_bytes;
    }
}
