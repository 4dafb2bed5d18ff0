//! Replication: what Godot's MultiplayerSpawner and MultiplayerSynchronizer send. A peer that is the authority spawns
//! nodes at the others and synchronizes properties of them. No I/O, no clock.
//!
//! Data flows from `declared` (what the program says of the game's scenes) through `received` (the nodes of other peers)
//! to `report` (what the program decodes), and from `values` (what the program gives) through `own` (its nodes) to packets.

mod declared;
mod own;
mod received;
mod report;
mod values;

pub use declared::Declared;
pub use own::{NodeLimit, Outlet, Own};
pub use received::{Received, Taken};
pub use report::{Entry, next_entry};
pub use values::Values;

use super::{Fault, Form, Reader, short_len};

/// The first byte of packets.
const SPAWN: u8 = 4;
const DESPAWN: u8 = 5;
const SYNC: u8 = 6;
const DELTA: u8 = 0x16;
/// This bit of a synchronizer's number means that the others are that of its path.
const BY_PATH: u32 = 1 << 31;
/// Maximum number of nodes that one peer has spawned, and of our own.
pub(super) const MAX_NODES: usize = 1 << 16;

/// The length of the value in front, in compact form. Its items are taken from those that are `left`.
#[inline]
fn value_len(bytes: &[u8], left: &mut u64) -> Result<usize, Fault> {
    // Most are a bool or an int.
    if let Some(len) = bytes.first().and_then(|first| short_len(*first))
        && len <= bytes.len()
        && *left > 0
    {
        *left -= 1;
        return Ok(len);
    }
    long_value_len(bytes, left)
}

#[inline(never)]
fn long_value_len(bytes: &[u8], left: &mut u64) -> Result<usize, Fault> {
    let mut reader = Reader::new(bytes, Form::Compact);
    loop {
        let items = reader.skip_items(*left)?;
        *left = left
            .checked_sub(items)
            .ok_or_else(|| Fault::TooMany(format!("its values are more than {}", crate::names::MAX_CALL_ITEMS)))?;
        if reader.is_outside() {
            return Ok(bytes.len() - reader.rest().len());
        }
    }
}
