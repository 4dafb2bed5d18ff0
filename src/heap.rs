//! Memory for what a peer or the host makes long: that there is none is a result, not the end of the process.

use crate::error::Error;
use crate::status::ErrorCode;
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

/// A copy, where there is memory for it.
pub fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    append(&mut copy, bytes).then_some(copy)
}

/// Makes room for so many bytes more, where there is memory for them.
pub fn reserve(to: &mut Vec<u8>, len: usize) -> bool {
    to.try_reserve(len).is_ok()
}

/// Appends, where there is memory for it.
pub fn append(to: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let fits = reserve(to, bytes.len());
    if fits {
        to.extend_from_slice(bytes);
    }
    fits
}

/// About what a tree of so many entries has of heap, which the standard library does not tell: leaves of 11, half full.
pub fn tree_bytes<Entry>(count: usize) -> usize {
    count.div_ceil(6) * (11 * size_of::<Entry>() + 16)
}

/// Of bytes that outgrow their place, so many are moved at a time: with a page fault for every 4 KiB, that takes some 30 µs.
pub const MOVE_SLICE: usize = 64 << 10;

/// Bytes on the way from the place that they have outgrown to a larger one, slice by slice.
#[derive(Default)]
pub struct Move(Option<Vec<u8>>);

/// What a step of moving did.
pub enum Moved {
    /// Nothing: there is nothing to move.
    Nothing,
    /// A slice was moved.
    Slice,
    /// The last slice was moved. This is what the bytes lay in before.
    All(Vec<u8>),
}

impl Move {
    /// Whether it is under way.
    pub fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Bytes that were moved so far.
    pub fn moved(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }

    /// Begins, with a place of that size; that takes addresses, and no memory until it is written to. False: there is none.
    pub fn begin(&mut self, size: usize) -> bool {
        let mut place = Vec::new();
        let fits = place.try_reserve_exact(size).is_ok();
        self.0 = fits.then_some(place);
        fits
    }

    /// Moves the next slice of what `bytes` begins with, its first `filled` bytes. After the last one the larger place is in `bytes`.
    pub fn step(&mut self, bytes: &mut Vec<u8>, filled: usize) -> Moved {
        let Some(place) = &mut self.0 else { return Moved::Nothing };
        let end = filled.min(place.len() + MOVE_SLICE);
        place.extend_from_slice(&bytes[place.len()..end]);
        if end < filled {
            return Moved::Slice;
        }
        self.0.take().map_or(Moved::Nothing, |place| Moved::All(std::mem::replace(bytes, place)))
    }

    /// Takes out the larger place: the bytes are not needed any more.
    pub fn abandon(&mut self) -> Vec<u8> {
        self.0.take().unwrap_or_default()
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::capacity)
    }
}

/// What goes back beside the frame, and its large memory. An allocator may give the pages of what was freed back to the system much later, and in whichever
/// thread then frees a little, or it holds its lock meanwhile: glibc does. So the pages go back first, by themselves.
pub trait Discarded: Send {
    /// Gives the pages of its large memory back, beyond the first `keep` bytes of it, which are taken off: its bytes are lost, and it is good for nothing
    /// but to be dropped.
    fn empty(&mut self, _keep: &mut usize) {}
}

/// Gives pages back to the system; what they held is lost.
pub type GiveBack = fn(&mut [MaybeUninit<u8>]);

static GIVE_BACK: OnceLock<GiveBack> = OnceLock::new();

/// How pages go back to this system, where they have to go by themselves.
pub fn set_give_back(give_back: GiveBack) {
    let _ = GIVE_BACK.set(give_back);
}

/// Blocks up to this size keep their pages: a message of 1 MiB that finds fresh ones takes a millisecond more to put.
const LARGE: usize = 4 << 20;

impl Discarded for Vec<u8> {
    fn empty(&mut self, keep: &mut usize) {
        if self.capacity() <= LARGE {
            return;
        }
        if let Some(less) = keep.checked_sub(self.capacity()) {
            *keep = less;
        } else if let Some(give_back) = GIVE_BACK.get() {
            self.clear();
            give_back(self.spare_capacity_mut());
        }
    }
}

impl Discarded for Arc<Vec<u8>> {
    fn empty(&mut self, keep: &mut usize) {
        // Where others hold it, it lives on.
        if let Some(bytes) = Arc::get_mut(self) {
            bytes.empty(keep);
        }
    }
}

impl<T: Discarded> Discarded for Vec<T> {
    fn empty(&mut self, keep: &mut usize) {
        self.iter_mut().for_each(|each| each.empty(keep));
    }
}

impl<T: Discarded> Discarded for VecDeque<T> {
    fn empty(&mut self, keep: &mut usize) {
        self.iter_mut().for_each(|each| each.empty(keep));
    }
}

impl<T: Discarded, const COUNT: usize> Discarded for [T; COUNT] {
    fn empty(&mut self, keep: &mut usize) {
        self.iter_mut().for_each(|each| each.empty(keep));
    }
}

impl<T: Discarded> Discarded for Option<T> {
    fn empty(&mut self, keep: &mut usize) {
        self.iter_mut().for_each(|each| each.empty(keep));
    }
}

impl<T: Discarded + ?Sized> Discarded for Box<T> {
    fn empty(&mut self, keep: &mut usize) {
        T::empty(self, keep);
    }
}

impl<T: Discarded, U: Discarded> Discarded for (T, U) {
    fn empty(&mut self, keep: &mut usize) {
        self.0.empty(keep);
        self.1.empty(keep);
    }
}

impl Discarded for Move {
    fn empty(&mut self, keep: &mut usize) {
        self.0.empty(keep);
    }
}

/// The failure of a put.
#[cold]
pub fn lacks() -> Error {
    Error::new(ErrorCode::Limit, "there is no memory left for the message and nothing of it was taken: free some, or send less at a time")
}
