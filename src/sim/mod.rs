//! A model of a bad line: how long bytes take to the other end. No sockets and no clock: times are microseconds that
//! the caller passes, and all arithmetic is in integers below 2^53, so that the browser build (library_wspeer_sim.js)
//! yields the same times. docs/simulator.md describes the model to the bit.

mod line;
mod presets;
mod random;

pub use line::{Line, NEVER};
pub use presets::{PRESETS, Preset};
pub use random::Random;

/// Maximum of a lag, a jitter and the time that a loss costs, in microseconds.
const MAX_TIME_US: u32 = 60_000_000;
/// Maximum of `Conditions::buffer_bytes`.
const MAX_BUFFER: u32 = 16 << 20;
/// What a loss costs beside a round trip, in microseconds: the minimum of Linux's retransmission timer beyond the
/// measured round-trip time.
const LEAST_RTO_US: u32 = 200_000;
/// Default of `Conditions::buffer_bytes`.
const BUFFER: u32 = 64 << 10;
/// Default of `Conditions::burst_bytes`: ten packets, the initial window of TCP (RFC 6928).
const BURST: u32 = 10 * PACKET;
/// Maximum bytes of a packet.
const PACKET: u32 = 1_400;

/// The conditions in one direction. Zeros: a perfect line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Conditions {
    /// Time that each packet takes, in microseconds.
    pub lag_us: u32,
    /// Up to this time is added, uniformly distributed, in microseconds.
    pub jitter_us: u32,
    /// Bandwidth; 0: unlimited.
    pub bytes_per_s: u32,
    /// Bytes that may leave at once after a pause; 0: `BURST`.
    pub burst_bytes: u32,
    /// Lost packets in a million.
    pub loss_ppm: u32,
    /// Time after which a lost packet arrives after all, in microseconds; 0: a round trip and `LEAST_RTO_US`.
    pub loss_stall_us: u32,
    /// Bytes that wait for the line; 0: `BUFFER`.
    pub buffer_bytes: u32,
    /// Nothing arrives from this time on, in milliseconds,
    pub stall_from_ms: u32,
    /// for this time; 0: no stall.
    pub stall_for_ms: u32,
    /// The next stall begins this time after the one before began; 0: there is only one.
    pub stall_every_ms: u32,
    /// After this number of bytes nothing arrives any more; 0: never.
    pub half_open_bytes: u32,
    /// After this number of bytes the link is cut; 0: never.
    pub cut_bytes: u32,
}

/// The conditions in both directions.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Spec {
    /// Seed of the random numbers.
    pub seed: u32,
    /// From the client to the server.
    pub up: Conditions,
    /// From the server to the client.
    pub down: Conditions,
}

impl Spec {
    /// The direction, the field and what is wrong with it, if anything is.
    pub fn mistake(&self) -> Option<(&'static str, &'static str, String)> {
        let of = |direction, one: &Conditions| one.mistake().map(|(field, why)| (direction, field, why));
        of("up", &self.up).or_else(|| of("down", &self.down))
    }

    /// The lines of a link, up and down. `index` counts the links that the spec was given to: each has its own random
    /// numbers.
    pub fn lines(&self, index: u32, now: u64) -> [Line; 2] {
        let (up, down) = self.resolved();
        let [first, second] = self.seeds(index);
        [Line::new(up, first, now), Line::new(down, second, now)]
    }

    /// The conditions with their defaults.
    pub(crate) fn resolved(&self) -> (Conditions, Conditions) {
        let recovery = self.up.lag_us + self.down.lag_us + LEAST_RTO_US;
        (self.up.resolved(recovery), self.down.resolved(recovery))
    }

    /// The seeds of both directions.
    pub(crate) fn seeds(&self, index: u32) -> [u32; 2] {
        let own = self.seed.wrapping_add(index.wrapping_mul(2));
        [own, own.wrapping_add(1)]
    }

    /// The same without what happens only once for a call of ws_set_sim: half-open and cut.
    pub fn again(&self) -> Spec {
        let again = |one: &Conditions| Conditions { half_open_bytes: 0, cut_bytes: 0, ..*one };
        Spec { seed: self.seed, up: again(&self.up), down: again(&self.down) }
    }
}

impl Conditions {
    fn mistake(&self) -> Option<(&'static str, String)> {
        let most = |field, value: u32, most: u32| {
            (value > most).then(|| (field, format!("is {value}: it must be 0 to {most}")))
        };
        most("lag_us", self.lag_us, MAX_TIME_US)
            .or_else(|| most("jitter_us", self.jitter_us, MAX_TIME_US))
            .or_else(|| most("loss_ppm", self.loss_ppm, 1_000_000))
            .or_else(|| most("loss_stall_us", self.loss_stall_us, MAX_TIME_US))
            .or_else(|| most("buffer_bytes", self.buffer_bytes, MAX_BUFFER))
            .or_else(|| {
                let (length, every) = (self.stall_for_ms, self.stall_every_ms);
                let why = || format!("is {every}: it must be 0, or more than stall_for_ms, which is {length}");
                (every != 0 && length >= every).then(|| ("stall_every_ms", why()))
            })
    }

    fn resolved(&self, recovery_us: u32) -> Conditions {
        let or = |value: u32, default: u32| if value == 0 { default } else { value };
        Conditions {
            burst_bytes: or(self.burst_bytes, BURST).max(PACKET),
            loss_stall_us: or(self.loss_stall_us, recovery_us),
            buffer_bytes: or(self.buffer_bytes, BUFFER),
            ..*self
        }
    }
}
