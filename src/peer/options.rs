//! What a handle may be told after it was opened, as numbers by WS_OPT_*.

use crate::codes::*;
use std::time::Duration;

const COUNT: usize = 29;

/// The longest message that is sent or taken, whatever the options say: lengths inside are 32 bits wide.
pub const MAX_LEN: usize = u32::MAX as usize - 64;

/// The values of all options, defaults resolved.
#[derive(Clone, Debug)]
pub struct Options {
    /// Index: WS_OPT_*.
    values: [u32; COUNT],
    /// Of compressors that are made from now on: 1 (fast) to 9 (small).
    pub deflate_level: u8,
}

impl Options {
    /// The defaults; a server's clients are pinged, a client pings nobody unasked.
    pub fn defaults(server: bool) -> Options {
        let mut values = [0; COUNT];
        for (option, value) in [
            (WS_OPT_NO_DELAY, 1),
            (WS_OPT_HEARTBEAT_MS, if server { 20_000 } else { WS_OFF }),
            (WS_OPT_PONG_TIMEOUT_MS, 0),
            (WS_OPT_CLOSE_TIMEOUT_MS, 3_000),
            (WS_OPT_POLL_BUDGET_US, 1_000),
            (WS_OPT_MAX_MESSAGE_BYTES, 16 << 20),
            (WS_OPT_MAX_FRAGMENTS, 131_072),
            (WS_OPT_INBOUND_PACKETS, 4_096),
            (WS_OPT_INBOUND_BYTES, 4 << 20),
            (WS_OPT_OUTBOUND_PACKETS, 4_096),
            (WS_OPT_OUTBOUND_BYTES, 4 << 20),
            (WS_OPT_MAX_MESSAGES_PER_S, WS_OFF),
            (WS_OPT_MAX_BYTES_PER_S, WS_OFF),
            (WS_OPT_MAX_CLIENTS, 4_096),
            (WS_OPT_MAX_CLIENTS_PER_ADDRESS, WS_OFF),
            (WS_OPT_MAX_PENDING_HANDSHAKES, 256),
            (WS_OPT_HANDSHAKE_TIMEOUT_MS, 3_000),
            (WS_OPT_ON_FULL, WS_FULL_SKIP),
            (WS_OPT_DEFLATE_THRESHOLD_BYTES, 64),
            (WS_OPT_MAX_INFLATE_RATIO, 256),
            (WS_OPT_TRANSFER_MODE, 2),
            (WS_OPT_AUTH_TIMEOUT_MS, 3_000),
            (WS_OPT_MAX_CALL_BYTES, 1 << 20),
            (WS_OPT_MAX_CALL_ITEMS, 65_536),
        ] {
            values[option as usize] = value;
        }
        Options { values, deflate_level: 1 }
    }

    /// The number as it is given to and by the host. `None`: no such option.
    pub fn raw(&self, option: i32) -> Option<u32> {
        if option == WS_OPT_PONG_TIMEOUT_MS && self.values[option as usize] == 0 {
            let beat = self.values[WS_OPT_HEARTBEAT_MS as usize];
            return Some(if beat == WS_OFF { WS_OFF } else { beat.saturating_mul(3) });
        }
        (1..COUNT as i32).contains(&option).then(|| self.values[option as usize])
    }

    /// Changes one value; `Err` is what is wrong with it.
    pub fn set(&mut self, option: i32, value: u32) -> Result<(), &'static str> {
        match option {
            WS_OPT_NO_DELAY | WS_OPT_COALESCE | WS_OPT_REFUSE_NEW if value > 1 => Err("must be 0 or 1"),
            WS_OPT_ON_FULL if !(WS_FULL_SKIP..=WS_FULL_ALL_OR_NONE).contains(&value) => Err("must be one of WS_FULL_*"),
            WS_OPT_TRANSFER_MODE if value > 2 => Err("must be 0, 1 or 2"),
            WS_OPT_TRANSFER_CHANNEL if value > i32::MAX as u32 => Err("must be below 2147483648"),
            WS_OPT_PORT => Err("cannot be set"),
            WS_OPT_POLL_BUDGET_US
            | WS_OPT_AUTH_TIMEOUT_MS
            | WS_OPT_CLOSE_TIMEOUT_MS
            | WS_OPT_HANDSHAKE_TIMEOUT_MS
            | WS_OPT_MAX_PENDING_HANDSHAKES
                if value == 0 =>
            {
                Err("must be above 0")
            }
            WS_OPT_CLOSE_TIMEOUT_MS if value == WS_OFF => Err("cannot be off: a close has to end"),
            _ if (1..COUNT as i32).contains(&option) => {
                self.values[option as usize] = value;
                Ok(())
            }
            _ => Err("there is no such option"),
        }
    }

    /// A switch.
    pub fn is_on(&self, option: i32) -> bool {
        self.values[option as usize] == 1
    }

    /// A limit, `u64::MAX` where it is lifted.
    pub fn limit(&self, option: i32) -> u64 {
        match self.values[option as usize] {
            WS_OFF => u64::MAX,
            value => u64::from(value),
        }
    }

    /// Bytes of a message, however it comes: `max_message_bytes`, and at most `MAX_LEN`.
    pub fn max_message(&self) -> u64 {
        self.limit(WS_OPT_MAX_MESSAGE_BYTES).min(MAX_LEN as u64)
    }

    /// Whether a limit lets so many pass.
    #[inline]
    pub fn allows(&self, option: i32, amount: usize) -> bool {
        let value = self.values[option as usize];
        amount as u64 <= u64::from(value) || value == WS_OFF
    }

    /// A time in milliseconds, `None` where it is off.
    pub fn time(&self, option: i32) -> Option<Duration> {
        match self.raw(option) {
            None | Some(WS_OFF) => None,
            Some(value) => Some(Duration::from_millis(u64::from(value))),
        }
    }

    /// How many microseconds a poll may work; `None`: without end.
    #[inline]
    pub fn budget(&self) -> Option<u32> {
        match self.values[WS_OPT_POLL_BUDGET_US as usize] {
            WS_OFF => None,
            micros => Some(micros),
        }
    }
}
