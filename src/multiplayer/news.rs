//! Joins and departures that the players of a host have yet to be notified of. They wait for room in the outbound
//! queues, and for the poll's budget.

use crate::server::KeyQueue;
use std::collections::{BTreeMap, VecDeque};

/// The players present, and those with pending notifications.
#[derive(Default)]
pub struct News {
    /// Ids of the players present, by join number.
    present: BTreeMap<u64, i32>,
    last: u64,
    /// Join numbers of players that have left.
    leaving: VecDeque<u64>,
    /// Keys of players to notify, in turn. Some may have no notification left.
    pub waiting: KeyQueue,
}

/// What one player has been notified of.
#[derive(Default)]
pub struct Known {
    /// Its own join number. 0: it is not notified of the others, nor they of it.
    number: u64,
    /// It has been notified of all join numbers up to this one,
    up_to: u64,
    /// and, ahead of their turn, of these greater ones, in ascending order.
    early: Vec<u64>,
    /// Ids of players that it knew and that have left, yet to be notified.
    gone: VecDeque<i32>,
}

/// One notification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// This peer has joined.
    Joined(i32),
    /// This peer has left.
    Left(i32),
}

impl News {
    /// Adds a player, which is to be notified of the others.
    pub fn arrive(&mut self, known: &mut Known, id: i32) {
        self.last += 1;
        *known = Known { number: self.last, ..Known::default() };
        self.present.insert(self.last, id);
    }

    /// Removes a player. `next_left` returns its departure later; until then the others may still be notified of its
    /// arrival.
    pub fn leave(&mut self, known: &mut Known) {
        let number = std::mem::take(known).number;
        if number != 0 {
            self.leaving.push_back(number);
        }
    }

    /// Takes the next departure, to be passed to `lose` for each other player.
    pub fn next_left(&mut self) -> Option<Departure> {
        let number = self.leaving.pop_front()?;
        self.present.remove(&number).map(|id| Departure { number, id })
    }

    /// Takes the next notification for a player, and records it as delivered.
    pub fn pop(&self, known: &mut Known) -> Option<Notice> {
        if let Some(id) = known.gone.pop_front() {
            if known.gone.is_empty() {
                known.gone = VecDeque::new();
            }
            return Some(Notice::Left(id));
        }
        if !known.is_in() {
            return None;
        }
        let is_new = |number: u64| number != known.number && known.early.binary_search(&number).is_err();
        let next = self.present.range(known.up_to + 1..).find(|(number, _)| is_new(**number));
        known.up_to = next.map_or(self.last, |(number, _)| *number);
        let passed = known.early.partition_point(|number| *number <= known.up_to);
        known.early.drain(..passed);
        next.map(|(_, id)| Notice::Joined(*id))
    }
}

/// A player that has left.
#[derive(Clone, Copy)]
pub struct Departure {
    number: u64,
    id: i32,
}

impl Known {
    /// Whether it is notified of the others, and they of it.
    pub fn is_in(&self) -> bool {
        self.number != 0
    }

    /// Whether it has yet to be notified of another player.
    pub fn lacks(&self, of: &Known) -> bool {
        self.is_in() && of.is_in() && self.number != of.number && !self.knows(of.number)
    }

    /// Records that it was notified of another player ahead of its turn.
    pub fn learn_early(&mut self, of: &Known) {
        if let Err(at) = self.early.binary_search(&of.number) {
            self.early.insert(at, of.number);
        }
    }

    /// Records the departure of another player. Returns true if it is to be notified, because it knew that player.
    pub fn lose(&mut self, left: Departure) -> bool {
        let knew = self.is_in() && self.knows(left.number);
        if knew {
            self.gone.push_back(left.id);
        }
        if let Ok(at) = self.early.binary_search(&left.number) {
            self.early.remove(at);
        }
        knew
    }

    /// Heap bytes of its lists.
    pub fn heap_bytes(&self) -> usize {
        8 * self.early.capacity() + 4 * self.gone.capacity()
    }

    fn knows(&self, number: u64) -> bool {
        number <= self.up_to || self.early.binary_search(&number).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The peers that each player believes to be present.
    struct Crowd {
        news: News,
        players: Vec<(i32, Known, HashSet<i32>)>,
        leaving: VecDeque<i32>,
        random: u64,
    }

    impl Crowd {
        fn below(&mut self, bound: usize) -> usize {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.random >> 33) as usize % bound.max(1)
        }

        fn lose(&mut self) {
            let (id, left) = (self.leaving.pop_front().unwrap(), self.news.next_left().unwrap());
            for (_, known, told) in &mut self.players {
                assert_eq!(known.lose(left), told.contains(&id));
            }
        }

        fn tell(&mut self, at: usize) -> bool {
            let (_, known, told) = &mut self.players[at];
            let Some(notice) = self.news.pop(known) else { return false };
            assert!(match notice {
                Notice::Joined(id) => told.insert(id),
                Notice::Left(id) => told.remove(&id),
            });
            true
        }

        fn step(&mut self, next: &mut i32) {
            match self.below(8) {
                0 | 1 => {
                    let mut known = Known::default();
                    self.news.arrive(&mut known, *next);
                    self.players.push((*next, known, HashSet::new()));
                    *next += 1;
                }
                2 if !self.players.is_empty() => {
                    let at = self.below(self.players.len());
                    let (id, mut known, _) = self.players.swap_remove(at);
                    self.news.leave(&mut known);
                    self.leaving.push_back(id);
                }
                4 if !self.leaving.is_empty() => self.lose(),
                3 if self.players.len() > 1 => {
                    let (to, of) = (self.below(self.players.len()), self.below(self.players.len()));
                    let (id, lacks) = (self.players[of].0, self.players[to].1.lacks(&self.players[of].1));
                    assert_eq!(lacks, to != of && !self.players[to].2.contains(&id));
                    if lacks {
                        let of = std::mem::take(&mut self.players[of].1);
                        let (_, known, told) = &mut self.players[to];
                        known.learn_early(&of);
                        assert!(told.insert(id));
                        self.players.iter_mut().find(|(other, ..)| *other == id).unwrap().1 = of;
                    }
                }
                _ => {
                    let at = self.below(self.players.len());
                    if at < self.players.len() {
                        self.tell(at);
                    }
                }
            }
        }
    }

    #[test]
    fn each_peer_learns_once_of_every_other_peer_and_of_its_end() {
        for seed in 0..200 {
            let (mut crowd, mut next) =
                (Crowd { news: News::default(), players: Vec::new(), leaving: VecDeque::new(), random: seed }, 2);
            for _ in 0..400 {
                crowd.step(&mut next);
            }
            while !crowd.leaving.is_empty() {
                crowd.lose();
            }
            for at in 0..crowd.players.len() {
                while crowd.tell(at) {}
            }
            let all: HashSet<i32> = crowd.players.iter().map(|(id, ..)| *id).collect();
            for (id, _, told) in &crowd.players {
                assert!(told.len() + 1 == all.len() && !told.contains(id) && told.is_subset(&all));
            }
        }
    }
}
