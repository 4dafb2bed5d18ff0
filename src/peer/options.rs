//! The options of a handle: a table of what each one is, and the values that a handle has.

use crate::codes::*;
use std::time::Duration;

/// The longest message that is sent or taken, whatever the options say: lengths inside are 32 bits wide.
pub const MAX_LEN: usize = u32::MAX as usize - 64;

/// The handles that have an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Every connection and server.
    Every,
    /// Servers and hosts.
    Server,
    /// Hosts and joins.
    Multiplayer,
}

/// The values that an option takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Range {
    /// Every number.
    Any,
    /// 0 or 1.
    Switch,
    /// Numbers above 0; WS_OFF too.
    AboveZero,
    /// Numbers above 0, without WS_OFF.
    Finite,
    /// Numbers up to this one.
    UpTo(u32),
    /// One of WS_FULL_*.
    FullPolicy,
    /// Set by the library alone.
    ReadOnly,
}

/// One option: a row of the table.
pub struct Definition {
    /// WS_OPT_*.
    pub number: i32,
    /// The field of ws_config of that meaning; without such a field, the constant's name in lower case.
    pub name: &'static str,
    /// Which handles have it.
    pub scope: Scope,
    range: Range,
    /// The value where nothing was set; `Options::defaults` has the one exception.
    default: u32,
}

const fn row(number: i32, name: &'static str, scope: Scope, range: Range, default: u32) -> Definition {
    Definition { number, name, scope, range, default }
}

/// All options, in the order of their numbers, which begin at 1.
const TABLE: [Definition; 28] = [
    row(WS_OPT_NO_DELAY, "no_delay", Scope::Every, Range::Switch, 1),
    row(WS_OPT_HEARTBEAT_MS, "heartbeat_ms", Scope::Every, Range::Any, WS_OFF),
    row(WS_OPT_PONG_TIMEOUT_MS, "pong_timeout_ms", Scope::Every, Range::Any, 0),
    row(WS_OPT_CLOSE_TIMEOUT_MS, "close_timeout_ms", Scope::Every, Range::Finite, 3_000),
    row(WS_OPT_POLL_BUDGET_US, "poll_budget_us", Scope::Every, Range::AboveZero, 1_000),
    row(WS_OPT_MAX_MESSAGE_BYTES, "max_message_bytes", Scope::Every, Range::Any, 16 << 20),
    row(WS_OPT_MAX_FRAGMENTS, "max_fragments", Scope::Every, Range::Any, 131_072),
    row(WS_OPT_INBOUND_PACKETS, "inbound_packets", Scope::Every, Range::Any, 4_096),
    row(WS_OPT_INBOUND_BYTES, "inbound_bytes", Scope::Every, Range::Any, 4 << 20),
    row(WS_OPT_OUTBOUND_PACKETS, "outbound_packets", Scope::Every, Range::Any, 4_096),
    row(WS_OPT_OUTBOUND_BYTES, "outbound_bytes", Scope::Every, Range::Any, 4 << 20),
    row(WS_OPT_MAX_MESSAGES_PER_S, "max_messages_per_s", Scope::Every, Range::Any, WS_OFF),
    row(WS_OPT_MAX_BYTES_PER_S, "max_bytes_per_s", Scope::Every, Range::Any, WS_OFF),
    row(WS_OPT_COALESCE, "coalesce", Scope::Every, Range::Switch, 0),
    row(WS_OPT_REFUSE_NEW, "refuse_new", Scope::Server, Range::Switch, 0),
    row(WS_OPT_MAX_CLIENTS, "max_clients", Scope::Server, Range::Any, 4_096),
    row(WS_OPT_MAX_CLIENTS_PER_ADDRESS, "max_clients_per_address", Scope::Server, Range::Any, WS_OFF),
    row(WS_OPT_MAX_PENDING_HANDSHAKES, "max_pending_handshakes", Scope::Server, Range::AboveZero, 256),
    row(WS_OPT_HANDSHAKE_TIMEOUT_MS, "handshake_timeout_ms", Scope::Server, Range::AboveZero, 3_000),
    row(WS_OPT_ON_FULL, "on_full", Scope::Server, Range::FullPolicy, WS_FULL_SKIP),
    row(WS_OPT_PORT, "port", Scope::Every, Range::ReadOnly, 0),
    row(WS_OPT_DEFLATE_THRESHOLD_BYTES, "deflate_threshold_bytes", Scope::Every, Range::Any, 64),
    row(WS_OPT_MAX_INFLATE_RATIO, "max_inflate_ratio", Scope::Every, Range::Any, 256),
    row(WS_OPT_TRANSFER_MODE, "transfer_mode", Scope::Multiplayer, Range::UpTo(2), 2),
    row(WS_OPT_TRANSFER_CHANNEL, "transfer_channel", Scope::Multiplayer, Range::UpTo(i32::MAX as u32), 0),
    row(WS_OPT_AUTH_TIMEOUT_MS, "auth_timeout_ms", Scope::Multiplayer, Range::AboveZero, 3_000),
    row(WS_OPT_MAX_CALL_BYTES, "max_call_bytes", Scope::Multiplayer, Range::Any, 1 << 20),
    row(WS_OPT_MAX_CALL_ITEMS, "max_call_items", Scope::Multiplayer, Range::Any, 65_536),
];

/// The row of an option; `None`: there is no such option.
pub fn definition(option: i32) -> Option<&'static Definition> {
    TABLE.get(usize::try_from(option).ok()?.checked_sub(1)?)
}

impl Range {
    /// What a value has to be instead, where it cannot be taken.
    fn refuses(self, value: u32) -> Option<String> {
        let must = match self {
            Range::Switch if value > 1 => "must be 0 or 1",
            Range::AboveZero | Range::Finite if value == 0 => "must be above 0",
            Range::Finite if value == WS_OFF => "cannot be off: a close has to end",
            Range::FullPolicy if !(WS_FULL_SKIP..=WS_FULL_ALL_OR_NONE).contains(&value) => "must be one of WS_FULL_*",
            Range::ReadOnly => "can only be read",
            Range::UpTo(most) if value > most => return Some(format!("must be 0 to {most}")),
            _ => return None,
        };
        Some(must.to_owned())
    }
}

/// Why an option was not set.
#[derive(Debug)]
pub enum Refused {
    /// There is no such option.
    Unknown,
    /// The value cannot be taken: what it has to be instead, to be said behind the option's name.
    Value(String),
}

/// The values of all options, defaults resolved.
#[derive(Clone, Debug)]
pub struct Options {
    /// Index: WS_OPT_*; the first is unused.
    values: [u32; TABLE.len() + 1],
    /// Of compressors that are made from now on: 1 (fast) to 9 (small).
    pub deflate_level: u8,
}

impl Options {
    /// The defaults; a server's clients are pinged, a client pings nobody unasked.
    pub fn defaults(server: bool) -> Options {
        let mut values = [0; TABLE.len() + 1];
        for definition in &TABLE {
            values[definition.number as usize] = definition.default;
        }
        if server {
            values[WS_OPT_HEARTBEAT_MS as usize] = 20_000;
        }
        Options { values, deflate_level: 1 }
    }

    /// The number as it is given to and by the host. `None`: no such option.
    pub fn raw(&self, option: i32) -> Option<u32> {
        if option == WS_OPT_PONG_TIMEOUT_MS && self.values[option as usize] == 0 {
            let beat = self.values[WS_OPT_HEARTBEAT_MS as usize];
            return Some(if beat == WS_OFF { WS_OFF } else { beat.saturating_mul(3) });
        }
        definition(option).map(|definition| self.values[definition.number as usize])
    }

    /// Changes one value.
    pub fn set(&mut self, option: i32, value: u32) -> Result<(), Refused> {
        let definition = definition(option).ok_or(Refused::Unknown)?;
        if let Some(why) = definition.range.refuses(value) {
            return Err(Refused::Value(why));
        }
        self.values[option as usize] = value;
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_numbers_and_accept_their_defaults() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.number as usize, index + 1, "{}", row.name);
            assert!(row.range == Range::ReadOnly || row.range.refuses(row.default).is_none(), "{}", row.name);
        }
        assert!(definition(0).is_none() && definition(-1).is_none() && definition(29).is_none() && definition(i32::MAX).is_none());
    }
}
