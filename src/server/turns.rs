//! Whose turn it is to be served: everyone once, and behind them those who have much to read.

use super::line::Line;

/// In so many polls everyone else may come before those behind.
const PASSED_OVER: u32 = 16;

/// Two lines; a place stands in one of them at most.
#[derive(Default)]
pub(super) struct Turns {
    pub(super) first: Line,
    pub(super) behind: Line,
    /// Polls since one from behind had its turn.
    passed_over: u32,
}

impl Turns {
    /// Puts a place at the end of the first line, if it stands nowhere.
    pub(super) fn push(&mut self, key: u32) {
        if !self.behind.contains(key) {
            self.first.push(key);
        }
    }

    /// Puts a place at the end of the line behind, if it stands nowhere.
    pub(super) fn push_behind(&mut self, key: u32) {
        if !self.first.contains(key) {
            self.behind.push(key);
        }
    }

    /// Puts a place where it belongs.
    pub(super) fn enter(&mut self, key: u32, behind: bool) {
        if behind { self.push_behind(key) } else { self.push(key) }
    }

    /// Takes the place whose turn it is.
    pub(super) fn pop(&mut self) -> Option<u32> {
        if self.first.is_empty() || self.passed_over >= PASSED_OVER {
            self.passed_over = 0;
            if let Some(key) = self.behind.pop() {
                return Some(key);
            }
        }
        self.first.pop()
    }

    /// A poll begins.
    pub(super) fn begin_poll(&mut self) {
        self.passed_over = if self.behind.is_empty() { 0 } else { self.passed_over + 1 };
    }

    /// Whether a place stands here.
    pub(super) fn contains(&self, key: u32) -> bool {
        self.first.contains(key) || self.behind.contains(key)
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.behind.len()
    }

    /// None.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.behind.is_empty()
    }
}
