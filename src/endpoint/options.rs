//! The options of a handle: a table of their definitions, and the values of a handle.

mod table;

use crate::codes::*;
use crate::names::said::FULL_POLICIES;
use crate::net::Simulation;
use std::sync::Arc;
use std::time::Duration;
use table::TABLE;

/// Maximum length of a message, whatever the options: internal lengths have 32 bits.
pub const MAX_LEN: usize = u32::MAX as usize - 64;

/// Which handles have an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Every connection and server.
    Every,
    /// Servers and hosts.
    Server,
    /// Hosts and joins.
    Multiplayer,
}

/// The valid values of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Range {
    /// Any number.
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
    /// The host cannot set it.
    ReadOnly,
}

/// One option: a row of the table.
pub struct Definition {
    /// WS_OPT_*.
    pub number: i32,
    /// Name of the corresponding ws_config field; without one, the constant's name in lower case.
    pub name: &'static str,
    /// Which handles have it.
    pub scope: Scope,
    range: Range,
    /// Default value.
    default: u32,
    /// Default value for a server and its clients.
    server_default: u32,
}

const fn row(
    number: i32,
    name: &'static str,
    scope: Scope,
    range: Range,
    default: u32,
    server_default: u32,
) -> Definition {
    Definition { number, name, scope, range, default, server_default }
}

/// The highest number of an option.
const LAST: usize = TABLE[TABLE.len() - 1].number as usize;
/// Entry of `ROWS` for a number that is not an option.
const NO_ROW: u8 = u8::MAX;
/// Index: WS_OPT_*; value: the index of its row in `TABLE`.
static ROWS: [u8; LAST + 1] = {
    let mut rows = [NO_ROW; LAST + 1];
    let mut at = 0;
    while at < TABLE.len() {
        rows[TABLE[at].number as usize] = at as u8;
        at += 1;
    }
    rows
};

/// Index of an option's row and value; out of range for a number that is not an option.
#[inline]
fn place(option: i32) -> usize {
    usize::from(ROWS[option as usize])
}

/// The row of an option; `None`: no such option.
pub fn definition(option: i32) -> Option<&'static Definition> {
    let row = *ROWS.get(usize::try_from(option).ok()?)?;
    TABLE.get(usize::from(row))
}

impl Range {
    /// `Some`: the value is invalid, and this text says what is valid.
    fn refuses(self, value: u32) -> Option<String> {
        let must = match self {
            Range::Switch if value > 1 => "must be 0 or 1",
            Range::AboveZero | Range::Finite if value == 0 => "must be above 0",
            Range::Finite if value == WS_OFF => "cannot be off",
            Range::FullPolicy if !(WS_FULL_SKIP..=WS_FULL_ALL_OR_NONE).contains(&value) => {
                return Some(format!("must be one of {FULL_POLICIES}"));
            }
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
    /// No such option.
    Unknown,
    /// The value is invalid: the text says what is valid, to be appended to the option's name.
    Value(String),
}

/// The values of all options, defaults resolved.
#[derive(Clone, Debug)]
pub struct Options {
    /// Values in the order of `TABLE`.
    values: [u32; TABLE.len()],
    /// The result of `max_put`.
    max_put: u64,
    /// Level of compressors made from now on: 1 (fast) to 9 (small).
    pub deflate_level: u8,
    /// The simulated network of links that open from now on; `None`: none.
    pub simulation: Option<Arc<Simulation>>,
}

impl Options {
    /// The defaults. A server pings its clients; a client does not ping unless asked to.
    pub fn defaults(server: bool) -> Options {
        let mut values = [0; TABLE.len()];
        for (value, row) in values.iter_mut().zip(&TABLE) {
            *value = if server { row.server_default } else { row.default };
        }
        let mut options = Options { values, max_put: 0, deflate_level: 1, simulation: None };
        options.limit_puts();
        options
    }

    /// The value as the host sets and reads it; `None`: no such option.
    #[inline]
    pub fn raw(&self, option: i32) -> Option<u32> {
        let row = *ROWS.get(usize::try_from(option).ok()?)?;
        let value = *self.values.get(usize::from(row))?;
        if option == WS_OPT_PONG_TIMEOUT_MS && value == 0 {
            let heartbeat = self.values[place(WS_OPT_HEARTBEAT_MS)];
            return Some(if heartbeat == WS_OFF { WS_OFF } else { heartbeat.saturating_mul(3) });
        }
        Some(value)
    }

    /// Sets one value.
    pub fn set(&mut self, option: i32, value: u32) -> Result<(), Refused> {
        let definition = definition(option).ok_or(Refused::Unknown)?;
        if let Some(why) = definition.range.refuses(value) {
            return Err(Refused::Value(why));
        }
        self.values[place(option)] = value;
        self.limit_puts();
        Ok(())
    }

    fn limit_puts(&mut self) {
        self.max_put = self.max_message().min(self.limit(WS_OPT_MAX_PUT_BYTES));
    }

    /// Whether a switch is on.
    #[inline]
    pub fn is_on(&self, option: i32) -> bool {
        self.values[place(option)] == 1
    }

    /// A limit; `u64::MAX`: unlimited.
    #[inline]
    pub fn limit(&self, option: i32) -> u64 {
        match self.values[place(option)] {
            WS_OFF => u64::MAX,
            value => u64::from(value),
        }
    }

    /// Maximum bytes of a message, compressed or not: `max_message_bytes`, and at most `MAX_LEN`.
    pub fn max_message(&self) -> u64 {
        self.limit(WS_OPT_MAX_MESSAGE_BYTES).min(MAX_LEN as u64)
    }

    /// Maximum bytes of a message that is sent: also `max_put_bytes`.
    #[inline]
    pub fn max_put(&self) -> u64 {
        self.max_put
    }

    /// Whether `amount` is within a limit.
    #[inline]
    pub fn allows(&self, option: i32, amount: usize) -> bool {
        let value = self.values[place(option)];
        amount as u64 <= u64::from(value) || value == WS_OFF
    }

    /// A time; `None`: off.
    #[inline]
    pub fn time(&self, option: i32) -> Option<Duration> {
        match self.raw(option) {
            None | Some(WS_OFF) => None,
            Some(value) => Some(Duration::from_millis(u64::from(value))),
        }
    }

    /// Time budget of a poll in microseconds; `None`: unlimited.
    #[inline]
    pub fn budget(&self) -> Option<u32> {
        match self.values[place(WS_OPT_POLL_BUDGET_US)] {
            WS_OFF => None,
            micros => Some(micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_found_by_number_and_accepts_its_default() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(index == 0 || TABLE[index - 1].number < row.number, "{}", row.name);
            assert_eq!(definition(row.number).map(|found| found.name), Some(row.name));
            for default in [row.default, row.server_default] {
                assert!(row.range == Range::ReadOnly || row.range.refuses(default).is_none(), "{}", row.name);
            }
        }
        for number in [0, -1, LAST as i32 + 1, i32::MAX, i32::MIN] {
            assert!(definition(number).is_none(), "{number}");
        }
    }
}
