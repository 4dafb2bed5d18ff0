//! Generational handles: 20 bits of index, 11 bits of generation. A slot whose generations are used up is *spent*: it
//! is reused only when no other slot is free, oldest first. So a handle repeats only after 2,146,435,072 opens (`2^20 *
//! 2047`), less 2047 for each handle that stays open meanwhile.

use super::family::{Family, Member};
use std::collections::VecDeque;

const INDEX_BITS: u32 = 20;

/// A slot, in 16 bytes: there is one for each client of a server.
struct Slot {
    /// `None`: the slot is free.
    family: Option<&'static Family>,
    /// The object of the family: `number_of(member)`.
    member: u32,
    /// 1 to 2047: a handle is never 0.
    generation: u32,
}

/// Numbers of members other than a server's clients, whose keys are far below these.
const ONLY: u32 = u32::MAX;
const SERVER: u32 = u32::MAX - 1;
const ENDS: [u32; 2] = [u32::MAX - 3, u32::MAX - 2];

/// A member as a number.
fn number_of(member: Member) -> u32 {
    match member {
        Member::Only => ONLY,
        Member::Server => SERVER,
        Member::End(end) => ENDS[usize::from(end)],
        Member::Client(key) => key,
    }
}

/// The member with a number.
fn member_of(number: u32) -> Member {
    match number {
        ONLY => Member::Only,
        SERVER => Member::Server,
        number if number == ENDS[0] => Member::End(0),
        number if number == ENDS[1] => Member::End(1),
        key => Member::Client(key),
    }
}

impl Slot {
    /// The object in the slot.
    fn entry(&self) -> Option<(&'static Family, Member)> {
        self.family.map(|family| (family, member_of(self.member)))
    }
}

/// Number of slots and generations.
#[derive(Clone, Copy)]
struct Limits {
    slots: usize,
    generations: u32,
    /// A slot is reused, oldest first, only while at least this many are free. The table stays small at first, and no
    /// slot is reused soon.
    free: usize,
}

const LIMITS: Limits = Limits { slots: 1 << INDEX_BITS, generations: (1 << 11) - 1, free: 4_096 };

/// The handle table.
pub struct Slots {
    limits: Limits,
    slots: Vec<Slot>,
    free: VecDeque<u32>,
    /// Free slots that have used up their generations.
    spent: VecDeque<u32>,
    first_generation: u32,
    /// Families without objects, for reuse.
    idle: Vec<&'static Family>,
}

impl Slots {
    /// An empty table.
    pub fn new(fork: u32) -> Slots {
        Slots::with(LIMITS, fork)
    }

    fn with(limits: Limits, fork: u32) -> Slots {
        let first_generation = 1 + (fork.wrapping_mul(509)) % limits.generations;
        Slots {
            limits,
            slots: Vec::new(),
            free: VecDeque::new(),
            spent: VecDeque::new(),
            first_generation,
            idle: Vec::new(),
        }
    }

    /// Returns a family without objects.
    pub fn take_family(&mut self) -> &'static Family {
        self.idle.pop().unwrap_or_else(|| Box::leak(Box::new(Family::new())))
    }

    /// Takes back a family that has no objects and no handles.
    pub fn give_family(&mut self, family: &'static Family) {
        self.idle.push(family);
    }

    /// Creates a handle for a new object. `None`: all 2^20 are in use.
    pub fn add(&mut self, family: &'static Family, member: Member) -> Option<u32> {
        let index = if self.free.len() >= self.limits.free || self.slots.len() >= self.limits.slots {
            self.free.pop_front().or_else(|| self.spent.pop_front())? as usize
        } else {
            self.slots.push(Slot { family: None, member: ONLY, generation: self.first_generation });
            self.slots.len() - 1
        };
        let slot = &mut self.slots[index];
        (slot.family, slot.member) = (Some(family), number_of(member));
        Some(slot.generation << INDEX_BITS | index as u32)
    }

    /// The object that a handle refers to, or `None` if the handle is stale.
    pub fn find(&self, handle: u32) -> Option<(&'static Family, Member)> {
        let slot = self.slots.get(handle as usize & (LIMITS.slots - 1))?;
        if slot.generation != handle >> INDEX_BITS {
            return None;
        }
        slot.entry()
    }

    /// Retires a handle, and returns what it referred to.
    pub fn remove(&mut self, handle: u32) -> Option<(&'static Family, Member)> {
        let index = handle as usize & (LIMITS.slots - 1);
        let slot = self.slots.get_mut(index)?;
        if slot.generation != handle >> INDEX_BITS {
            return None;
        }
        let entry = slot.entry()?;
        slot.family = None;
        slot.generation = slot.generation % self.limits.generations + 1;
        let line = if slot.generation == self.first_generation { &mut self.spent } else { &mut self.free };
        line.push_back(index as u32);
        Some(entry)
    }

    /// Retires all handles of one family.
    pub fn remove_family(&mut self, family: &Family) {
        for handle in self.handles(|other, _| std::ptr::eq(other, family)) {
            self.remove(handle);
        }
    }

    /// The handles whose object satisfies `wanted`.
    pub fn handles(&self, wanted: impl Fn(&Family, Member) -> bool) -> Vec<u32> {
        let used = self.slots.iter().enumerate();
        used.filter_map(|(index, slot)| match slot.entry() {
            Some((family, member)) if wanted(family, member) => Some(slot.generation << INDEX_BITS | index as u32),
            _ => None,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Opens and frees one handle.
    fn open_and_free(slots: &mut Slots, family: &'static Family) -> u32 {
        let handle = slots.add(family, Member::Only).unwrap();
        slots.remove(handle).unwrap();
        handle
    }

    #[test]
    fn a_slot_keeps_its_member() {
        let mut slots = Slots::new(0);
        let family = slots.take_family();
        let others = [Member::Only, Member::Server, Member::End(0), Member::End(1)];
        for member in others.into_iter().chain([0, 1, 1 << INDEX_BITS].map(Member::Client)) {
            let handle = slots.add(family, member).unwrap();
            assert!(slots.find(handle).is_some_and(|(_, found)| found == member), "{member:?}");
        }
        assert_eq!(size_of::<Slot>(), 16);
    }

    #[test]
    fn no_handle_repeats_before_all_were_used() {
        let limits = Limits { slots: 64, generations: 7, free: 8 };
        for fork in 0..9 {
            let mut slots = Slots::with(limits, fork);
            let family = slots.take_family();
            // Three handles stay open, which removes their slots from the rounds.
            let kept: Vec<u32> = (0..3).map(|_| slots.add(family, Member::Only).unwrap()).collect();
            let most = (limits.slots - kept.len()) * limits.generations as usize;
            let mut given = Vec::new();
            for _ in 0..3 {
                let round: Vec<u32> = (0..most).map(|_| open_and_free(&mut slots, family)).collect();
                assert_eq!(round.iter().collect::<HashSet<_>>().len(), most, "a number came back early");
                assert!(kept.iter().all(|handle| !round.contains(handle) && slots.find(*handle).is_some()));
                given.push(round);
            }
            // Spent slots are reused oldest first, so a handle does not repeat early in later rounds either.
            assert!(given[0].iter().all(|handle| *handle != 0 && slots.find(*handle).is_none()));
        }
    }

    #[test]
    fn exhausted_slots_are_reused_when_no_others_remain() {
        let limits = Limits { slots: 4, generations: 2, free: 2 };
        let mut slots = Slots::with(limits, 0);
        let family = slots.take_family();
        for _ in 0..100 {
            let all: Vec<u32> = (0..4).map(|_| slots.add(family, Member::Only).unwrap()).collect();
            assert!(slots.add(family, Member::Only).is_none());
            all.into_iter().for_each(|handle| assert!(slots.remove(handle).is_some()));
        }
    }

    #[test]
    fn a_stale_handle_stays_invalid_when_its_slot_is_reused() {
        // 4 096 slots of 2 047 generations lasted for 8 386 556 opens. WSPEER_OPENS=2200000000 exceeds the whole table.
        let opens = std::env::var("WSPEER_OPENS").ok().and_then(|count| count.parse().ok()).unwrap_or(9_000_000_u64);
        let mut slots = Slots::new(0);
        let family = slots.take_family();
        let stale = open_and_free(&mut slots, family);
        for open in 1..opens {
            let handle = open_and_free(&mut slots, family);
            assert!(handle != stale || open >= 2_146_435_072, "the number is back after {open} opens");
        }
    }
}
