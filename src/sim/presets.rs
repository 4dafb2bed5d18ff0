//! Conditions with names. docs/simulator.md derives each figure from its source.

use super::{Conditions, Spec};

/// A preset, by its number in the header.
pub struct Preset {
    /// WS_SIM_*.
    pub number: i32,
    /// The conditions, with the seed 0.
    pub spec: Spec,
}

const PERFECT: Conditions = Conditions {
    lag_us: 0,
    jitter_us: 0,
    bytes_per_s: 0,
    burst_bytes: 0,
    loss_ppm: 0,
    loss_stall_us: 0,
    buffer_bytes: 0,
    stall_from_ms: 0,
    stall_for_ms: 0,
    stall_every_ms: 0,
    half_open_bytes: 0,
    cut_bytes: 0,
};

/// All presets. The first changes nothing.
pub static PRESETS: [Preset; 5] = [
    Preset { number: 0, spec: Spec { seed: 0, up: PERFECT, down: PERFECT } },
    // Pei et al., "WiFi can be the weakest link of round trip network latency in the wild" (INFOCOM 2016): the Wi-Fi
    // hop adds more than 20 ms to the round trip of half of the packets, and more than 100 ms to that of a tenth.
    Preset {
        number: 1,
        spec: Spec {
            seed: 0,
            up: Conditions {
                lag_us: 5_000,
                jitter_us: 10_000,
                stall_from_ms: 1_000,
                stall_for_ms: 280,
                stall_every_ms: 4_000,
                ..PERFECT
            },
            down: Conditions {
                lag_us: 5_000,
                jitter_us: 10_000,
                stall_from_ms: 3_000,
                stall_for_ms: 280,
                stall_every_ms: 4_000,
                ..PERFECT
            },
        },
    },
    // Bandwidth, waiting times and gaps of Mahimahi's traces Verizon-LTE-short (Winstein et al., NSDI 2013); round trip
    // of 35 ms: Ookla's means of four operators, 31 to 39 ms.
    Preset {
        number: 2,
        spec: Spec {
            seed: 0,
            up: Conditions {
                lag_us: 11_000,
                jitter_us: 12_000,
                bytes_per_s: 743_000,
                stall_from_ms: 30_000,
                stall_for_ms: 1_718,
                stall_every_ms: 140_000,
                ..PERFECT
            },
            down: Conditions {
                lag_us: 11_000,
                jitter_us: 13_000,
                bytes_per_s: 628_000,
                stall_from_ms: 30_000,
                stall_for_ms: 1_447,
                stall_every_ms: 140_000,
                ..PERFECT
            },
        },
    },
    // Bandwidth, waiting times and gaps of Mahimahi's traces TMobile-UMTS-driving; lag as 4G.
    Preset {
        number: 3,
        spec: Spec {
            seed: 0,
            up: Conditions {
                lag_us: 11_000,
                jitter_us: 45_000,
                bytes_per_s: 118_000,
                stall_from_ms: 10_000,
                stall_for_ms: 2_198,
                stall_every_ms: 40_488,
                ..PERFECT
            },
            down: Conditions {
                lag_us: 11_000,
                jitter_us: 53_000,
                bytes_per_s: 252_000,
                stall_from_ms: 10_000,
                stall_for_ms: 1_946,
                stall_every_ms: 29_013,
                ..PERFECT
            },
        },
    },
    // Ookla, Q2 2021, Viasat in the USA: medians of 18.13 Mbit/s down, 3.38 Mbit/s up and 630 ms, of which at least
    // 558 ms are propagation (RFC 2488, section 2).
    Preset {
        number: 4,
        spec: Spec {
            seed: 0,
            up: Conditions { lag_us: 300_000, jitter_us: 30_000, bytes_per_s: 422_500, ..PERFECT },
            down: Conditions { lag_us: 300_000, jitter_us: 30_000, bytes_per_s: 2_266_000, ..PERFECT },
        },
    },
];
