//! A queue of places. Each stands in it once, and keeps its turn when its client goes and another one comes.

use std::collections::VecDeque;

/// The queue.
#[derive(Default)]
pub struct Line {
    keys: VecDeque<u32>,
    /// By place: whether it stands here.
    stands: Vec<bool>,
}

impl Line {
    /// Puts a place at the end, if it does not stand here.
    pub fn push(&mut self, key: u32) {
        if !self.contains(key) {
            let place = key as usize;
            if place >= self.stands.len() {
                self.stands.resize(place + 1, false);
            }
            self.stands[place] = true;
            self.keys.push_back(key);
        }
    }

    /// Takes the first place.
    pub fn pop(&mut self) -> Option<u32> {
        let key = self.keys.pop_front()?;
        self.stands[key as usize] = false;
        Some(key)
    }

    /// The first place, which stays.
    pub fn front(&self) -> Option<u32> {
        self.keys.front().copied()
    }

    /// The first place goes to the end.
    pub fn rotate(&mut self) {
        if !self.keys.is_empty() {
            self.keys.rotate_left(1);
        }
    }

    /// Whether a place stands here.
    pub fn contains(&self, key: u32) -> bool {
        self.stands.get(key as usize).is_some_and(|stands| *stands)
    }

    /// All places, in turn.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.keys.iter().copied()
    }

    /// Gives memory back when nobody stands here, and it is worth an allocation later.
    pub fn shrink(&mut self) {
        if self.keys.is_empty() && self.stands.capacity() + size_of::<u32>() * self.keys.capacity() > KEPT_BYTES {
            *self = Line::default();
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A queue that nobody stands in keeps this much memory.
const KEPT_BYTES: usize = 1 << 10;
