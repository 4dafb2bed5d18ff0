//! Generational handles: 20 bits of index, 11 of generation.

use super::family::{Family, Member};
use std::collections::VecDeque;

const INDEX_BITS: u32 = 20;
const MAX_SLOTS: usize = 1 << INDEX_BITS;
const GENERATIONS: u32 = (1 << 11) - 1;
/// A slot is used again only while at least so many are free, oldest first, so that a stale handle stays stale for long.
const MIN_FREE: usize = 4_096;

struct Slot {
    /// 1 to 2047: a handle is never 0.
    generation: u32,
    entry: Option<(&'static Family, Member)>,
}

/// The table.
pub struct Slots {
    slots: Vec<Slot>,
    free: VecDeque<u32>,
    first_generation: u32,
    /// Families that nothing is in.
    idle: Vec<&'static Family>,
}

impl Slots {
    /// An empty table.
    pub fn new(fork: u32) -> Slots {
        Slots { slots: Vec::new(), free: VecDeque::new(), first_generation: 1 + (fork.wrapping_mul(509)) % GENERATIONS, idle: Vec::new() }
    }

    /// A family with nothing in it.
    pub fn take_family(&mut self) -> &'static Family {
        self.idle.pop().unwrap_or_else(|| Box::leak(Box::new(Family::new())))
    }

    /// Takes back a family that nothing is in and no handle means.
    pub fn give_family(&mut self, family: &'static Family) {
        self.idle.push(family);
    }

    /// A handle for a new object; `None`: 2^20 are in use.
    pub fn add(&mut self, family: &'static Family, member: Member) -> Option<u32> {
        let index = if self.free.len() >= MIN_FREE || self.slots.len() >= MAX_SLOTS {
            self.free.pop_front()? as usize
        } else {
            self.slots.push(Slot { generation: self.first_generation, entry: None });
            self.slots.len() - 1
        };
        let slot = &mut self.slots[index];
        slot.entry = Some((family, member));
        Some(slot.generation << INDEX_BITS | index as u32)
    }

    /// What a handle means.
    pub fn find(&self, handle: u32) -> Option<(&'static Family, Member)> {
        let slot = self.slots.get(handle as usize & (MAX_SLOTS - 1))?;
        if slot.generation != handle >> INDEX_BITS {
            return None;
        }
        slot.entry
    }

    /// Retires a handle.
    pub fn remove(&mut self, handle: u32) -> Option<(&'static Family, Member)> {
        let index = handle as usize & (MAX_SLOTS - 1);
        let slot = self.slots.get_mut(index)?;
        if slot.generation != handle >> INDEX_BITS {
            return None;
        }
        let entry = slot.entry.take()?;
        slot.generation = slot.generation % GENERATIONS + 1;
        self.free.push_back(index as u32);
        Some(entry)
    }

    /// Retires all handles of one family.
    pub fn remove_family(&mut self, family: &Family) {
        for handle in self.handles(|other, _| std::ptr::eq(other, family)) {
            self.remove(handle);
        }
    }

    /// The handles whose object is wanted.
    pub fn handles(&self, wanted: impl Fn(&Family, Member) -> bool) -> Vec<u32> {
        let used = self.slots.iter().enumerate();
        used.filter_map(|(index, slot)| match &slot.entry {
            Some((family, member)) if wanted(family, *member) => Some(slot.generation << INDEX_BITS | index as u32),
            _ => None,
        })
        .collect()
    }
}
