//! Exports that simulate a bad network, and that advance the time of connections in memory.

use super::guard::{guard, wrong};
use super::pointers::{known_part, need, put_part};
use super::types::*;
use crate::error::Error;
use crate::names::said::SIM_PRESETS;
use crate::sim::{Conditions, PRESETS, Spec};
use crate::status::{ErrorCode, Success};
use crate::table;

/// Fills a ws_sim with the figures of a preset (WS_SIM_*), which the program may change before it passes it to
/// ws_set_sim(), and sets its struct_size. WS_SIM_NONE: zeros, a perfect network. Pass sizeof(ws_sim) as `size`.
///
/// Returns WS_OK, WS_ERR_NULL, WS_ERR_CONFIG (an impossible size), WS_ERR_ARG (no such preset). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_sim_init(sim: *mut ws_sim, size: usize, preset: i32) -> ws_result {
    guard(|| {
        need("sim", sim)?;
        if !(MIN_SIZE..=MAX_SIZE).contains(&size) {
            return Err(wrong(ErrorCode::Config, format!("size is {size}: pass sizeof(ws_sim)")));
        }
        let Some(preset) = PRESETS.iter().find(|one| one.number == preset) else {
            return Err(wrong(ErrorCode::Arg, format!("{preset} is no preset: use one of {SIM_PRESETS}")));
        };
        put_part(sim, size, ws_sim { struct_size: size as u32, ..told(&preset.spec) });
        Ok(Success::Ok)
    })
}

/// Simulates a bad network between a connection and its peer, to play a game on it: lag, jitter, little bandwidth,
/// losses, stalls, links that are half-open or cut. A server's handle: for all its clients, and those to come. The
/// handle of a server's client: for that client. `sim` is copied; NULL switches the simulation off, and what was held
/// then leaves at once, in order.
/// It applies from when a connection is OPEN, over TLS to the bytes inside. A bad network never reorders or loses bytes
/// of a connection: what TCP repeats comes later, and all behind it waits. The same `sim` and the same calls at the same
/// times have the same effect, in the browser too. What is held counts as sent, is bounded (buffer_bytes), and is
/// reported in ws_stats.sim_bytes; beyond that, writing stops as on a full line. Half-open and cut happen once for each
/// call and link; another link of the same client (WS_RECONNECT) has the other conditions.
/// The work of a line is done by ws_poll(), whose rate limits how exact the times are; ws_wait() returns when something
/// arrives. docs/simulator.md describes the model and the presets.
///
/// Returns WS_OK, WS_ERR_CONFIG (struct_size, or the value of a field: ws_last_error() names it), WS_ERR_HANDLE.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_set_sim(h: ws_handle, sim: *const ws_sim) -> ws_result {
    guard(|| {
        let spec = if sim.is_null() { None } else { Some(read(sim)?) };
        table::set_sim(h, spec).map(|()| Success::Ok)
    })
}

/// Advances the time of a handle of ws_pair() or ws_attach() by `us` microseconds. From the first call on (`us` may be
/// 0) its time, and that of the other end of a pair, moves in no other way: timeouts, heartbeats, times of events and
/// simulated networks follow it, and polls have no time budget, so that a test does the same each time. ws_wait() then
/// waits for no timer of it. As always, more than a second between two polls extends all timeouts: advance in smaller
/// steps, and poll after each.
///
/// Returns WS_OK, WS_ERR_KIND (sockets follow the system's time), WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_advance_time(h: ws_handle, us: u32) -> ws_result {
    guard(|| table::advance_time(h, us).map(|()| Success::Ok))
}

/// Size of the first published ws_sim.
const MIN_SIZE: usize = size_of::<ws_sim>();
/// More than any ws_sim will ever have.
const MAX_SIZE: usize = 4_096;

fn read(sim: *const ws_sim) -> Result<Spec, Error> {
    let bad = |text| wrong(ErrorCode::Config, text);
    let (sim, size, is_known) = known_part(sim);
    if !(MIN_SIZE..=MAX_SIZE).contains(&size) {
        let own = size_of::<ws_sim>();
        return Err(bad(format!("struct_size is {size} and should be {own}: fill the sim with ws_sim_init() first")));
    }
    if !is_known {
        let text = "it sets a field that this version of wspeer does not know: update the library";
        return Err(bad(text.to_owned()));
    }
    let spec = understood(&sim);
    match spec.mistake() {
        Some((direction, field, why)) => Err(bad(format!("{direction}_{field} {why}"))),
        None => Ok(spec),
    }
}

fn understood(sim: &ws_sim) -> Spec {
    Spec {
        seed: sim.seed,
        up: Conditions {
            lag_us: sim.up_lag_us,
            jitter_us: sim.up_jitter_us,
            bytes_per_s: sim.up_bytes_per_s,
            burst_bytes: sim.up_burst_bytes,
            loss_ppm: sim.up_loss_ppm,
            loss_stall_us: sim.up_loss_stall_us,
            buffer_bytes: sim.up_buffer_bytes,
            stall_from_ms: sim.up_stall_from_ms,
            stall_for_ms: sim.up_stall_for_ms,
            stall_every_ms: sim.up_stall_every_ms,
            half_open_bytes: sim.up_half_open_bytes,
            cut_bytes: sim.up_cut_bytes,
        },
        down: Conditions {
            lag_us: sim.down_lag_us,
            jitter_us: sim.down_jitter_us,
            bytes_per_s: sim.down_bytes_per_s,
            burst_bytes: sim.down_burst_bytes,
            loss_ppm: sim.down_loss_ppm,
            loss_stall_us: sim.down_loss_stall_us,
            buffer_bytes: sim.down_buffer_bytes,
            stall_from_ms: sim.down_stall_from_ms,
            stall_for_ms: sim.down_stall_for_ms,
            stall_every_ms: sim.down_stall_every_ms,
            half_open_bytes: sim.down_half_open_bytes,
            cut_bytes: sim.down_cut_bytes,
        },
    }
}

fn told(spec: &Spec) -> ws_sim {
    let Spec { seed, up, down } = *spec;
    ws_sim {
        struct_size: 0,
        seed,
        up_lag_us: up.lag_us,
        down_lag_us: down.lag_us,
        up_jitter_us: up.jitter_us,
        down_jitter_us: down.jitter_us,
        up_bytes_per_s: up.bytes_per_s,
        down_bytes_per_s: down.bytes_per_s,
        up_burst_bytes: up.burst_bytes,
        down_burst_bytes: down.burst_bytes,
        up_loss_ppm: up.loss_ppm,
        down_loss_ppm: down.loss_ppm,
        up_loss_stall_us: up.loss_stall_us,
        down_loss_stall_us: down.loss_stall_us,
        up_buffer_bytes: up.buffer_bytes,
        down_buffer_bytes: down.buffer_bytes,
        up_stall_from_ms: up.stall_from_ms,
        down_stall_from_ms: down.stall_from_ms,
        up_stall_for_ms: up.stall_for_ms,
        down_stall_for_ms: down.stall_for_ms,
        up_stall_every_ms: up.stall_every_ms,
        down_stall_every_ms: down.stall_every_ms,
        up_half_open_bytes: up.half_open_bytes,
        down_half_open_bytes: down.half_open_bytes,
        up_cut_bytes: up.cut_bytes,
        down_cut_bytes: down.cut_bytes,
    }
}
