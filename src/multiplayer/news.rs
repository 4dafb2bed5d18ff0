//! Joins and departures that the players of a host have yet to be notified of. They wait for room in the outbound
//! queues, and for the poll's budget.

use crate::server::Line;
use std::collections::{BTreeMap, VecDeque};

/// The players present, and those with pending notifications.
#[derive(Default)]
pub struct News {
    /// Ids of the players present, by join number.
    there: BTreeMap<u64, i32>,
    last: u64,
    /// Join numbers of players that have left.
    leaving: VecDeque<u64>,
    /// Keys of players to notify, in turn. Some may have no notification left.
    pub waiting: Line,
}

/// What one player has been notified of.
#[derive(Default)]
pub struct Heard {
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
pub enum Piece {
    /// This peer has joined.
    Came(i32),
    /// This peer has left.
    Went(i32),
}

impl News {
    /// Adds a player, which is to be notified of the others.
    pub fn arrive(&mut self, heard: &mut Heard, id: i32) {
        self.last += 1;
        *heard = Heard { number: self.last, ..Heard::default() };
        self.there.insert(self.last, id);
    }

    /// Removes a player. `next_left` returns its departure later; until then the others may still be notified of its
    /// arrival.
    pub fn leave(&mut self, heard: &mut Heard) {
        let number = std::mem::take(heard).number;
        if number != 0 {
            self.leaving.push_back(number);
        }
    }

    /// Takes the next departure, to be passed to `lose` for each other player.
    pub fn next_left(&mut self) -> Option<Left> {
        let number = self.leaving.pop_front()?;
        self.there.remove(&number).map(|id| Left { number, id })
    }

    /// Takes the next notification for a player, and records it as delivered.
    pub fn pop(&self, heard: &mut Heard) -> Option<Piece> {
        if let Some(id) = heard.gone.pop_front() {
            if heard.gone.is_empty() {
                heard.gone = VecDeque::new();
            }
            return Some(Piece::Went(id));
        }
        if !heard.is_in() {
            return None;
        }
        let is_new = |number: u64| number != heard.number && heard.early.binary_search(&number).is_err();
        let next = self.there.range(heard.up_to + 1..).find(|(number, _)| is_new(**number));
        heard.up_to = next.map_or(self.last, |(number, _)| *number);
        let passed = heard.early.partition_point(|number| *number <= heard.up_to);
        heard.early.drain(..passed);
        next.map(|(_, id)| Piece::Came(*id))
    }
}

/// A player that has left.
#[derive(Clone, Copy)]
pub struct Left {
    number: u64,
    id: i32,
}

impl Heard {
    /// Whether it is notified of the others, and they of it.
    pub fn is_in(&self) -> bool {
        self.number != 0
    }

    /// Whether it has yet to be notified of another player.
    pub fn lacks(&self, of: &Heard) -> bool {
        self.is_in() && of.is_in() && self.number != of.number && !self.knows(of.number)
    }

    /// Records that it was notified of another player ahead of its turn.
    pub fn hear_early(&mut self, of: &Heard) {
        if let Err(at) = self.early.binary_search(&of.number) {
            self.early.insert(at, of.number);
        }
    }

    /// Records the departure of another player. Returns true if it is to be notified, because it knew that player.
    pub fn lose(&mut self, left: Left) -> bool {
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
        players: Vec<(i32, Heard, HashSet<i32>)>,
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
            for (_, heard, told) in &mut self.players {
                assert_eq!(heard.lose(left), told.contains(&id));
            }
        }

        fn tell(&mut self, at: usize) -> bool {
            let (_, heard, told) = &mut self.players[at];
            let Some(piece) = self.news.pop(heard) else { return false };
            assert!(match piece {
                Piece::Came(id) => told.insert(id),
                Piece::Went(id) => told.remove(&id),
            });
            true
        }

        fn step(&mut self, next: &mut i32) {
            match self.below(8) {
                0 | 1 => {
                    let mut heard = Heard::default();
                    self.news.arrive(&mut heard, *next);
                    self.players.push((*next, heard, HashSet::new()));
                    *next += 1;
                }
                2 if !self.players.is_empty() => {
                    let at = self.below(self.players.len());
                    let (id, mut heard, _) = self.players.swap_remove(at);
                    self.news.leave(&mut heard);
                    self.leaving.push_back(id);
                }
                4 if !self.leaving.is_empty() => self.lose(),
                3 if self.players.len() > 1 => {
                    let (to, of) = (self.below(self.players.len()), self.below(self.players.len()));
                    let (id, lacks) = (self.players[of].0, self.players[to].1.lacks(&self.players[of].1));
                    assert_eq!(lacks, to != of && !self.players[to].2.contains(&id));
                    if lacks {
                        let of = std::mem::take(&mut self.players[of].1);
                        let (_, heard, told) = &mut self.players[to];
                        heard.hear_early(&of);
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
