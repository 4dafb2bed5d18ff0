//! Memory whose size a peer or the program controls: running out of it is an error, not the end of the process.

use crate::error::Error;
use crate::status::ErrorCode;
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Copies bytes. `None`: out of memory.
pub fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    append(&mut copy, bytes).then_some(copy)
}

/// Reserves room for `len` more bytes. Returns false if there is not enough memory.
pub fn reserve(to: &mut Vec<u8>, len: usize) -> bool {
    to.try_reserve(len).is_ok()
}

/// Appends bytes. Returns false if there is not enough memory.
pub fn append(to: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let fits = reserve(to, bytes.len());
    if fits {
        to.extend_from_slice(bytes);
    }
    fits
}

/// Estimated heap bytes of a tree with `count` entries, which the standard library does not report: leaves of 11, half
/// full.
pub fn tree_bytes<Entry>(count: usize) -> usize {
    count.div_ceil(6) * (11 * size_of::<Entry>() + 16)
}

/// Bytes that are moved to larger storage at a time. With a page fault for every 4 KiB, that takes some 30 µs.
pub const MOVE_SLICE: usize = 64 << 10;

/// Moves bytes to larger storage, slice by slice.
#[derive(Default)]
pub struct Move(Option<Vec<u8>>);

/// The result of a step of moving.
pub enum Moved {
    /// There is nothing to move.
    Nothing,
    /// A slice was moved.
    Slice,
    /// The last slice was moved. Holds the previous storage.
    All(Vec<u8>),
}

impl Move {
    /// Whether a move is in progress.
    pub fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Number of bytes moved so far.
    pub fn moved(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }

    /// Begins a move to storage of `size` bytes. It takes addresses, and no memory until it is written to. Returns
    /// false if there is none.
    pub fn begin(&mut self, size: usize) -> bool {
        let mut place = Vec::new();
        let fits = place.try_reserve_exact(size).is_ok();
        if is_pressed()
            && let Some(give_back) = GIVE_BACK.get()
        {
            // The allocator may have taken it from freed blocks, whose pages are still there.
            give_back(place.spare_capacity_mut());
        }
        self.0 = fits.then_some(place);
        fits
    }

    /// Moves the next slice of the first `filled` bytes of `bytes`. After the last slice `bytes` is the larger storage.
    pub fn step(&mut self, bytes: &mut Vec<u8>, filled: usize) -> Moved {
        let Some(place) = &mut self.0 else { return Moved::Nothing };
        let end = filled.min(place.len() + MOVE_SLICE);
        place.extend_from_slice(&bytes[place.len()..end]);
        if end < filled {
            return Moved::Slice;
        }
        self.0.take().map_or(Moved::Nothing, |place| Moved::All(std::mem::replace(bytes, place)))
    }

    /// Takes the larger storage and ends the move: the bytes are not needed any more.
    pub fn abandon(&mut self) -> Vec<u8> {
        self.0.take().unwrap_or_default()
    }

    /// Heap bytes.
    pub fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::capacity)
    }
}

/// Objects that are dropped outside the frame, with their large memory. An allocator may return freed pages to the
/// system much later, on whichever thread then frees a little, or hold its lock meanwhile: glibc does. So the pages are
/// returned first, explicitly.
pub trait Discarded: Send {
    /// Returns the pages of its large memory to the system, except for the first `keep` bytes of it, which are deducted
    /// from `keep`. Its content is lost: it may only be dropped afterwards.
    fn empty(&mut self, _keep: &mut usize) {}
}

/// Returns pages to the system. Their content is lost.
pub type GiveBack = fn(&mut [MaybeUninit<u8>]);

static GIVE_BACK: OnceLock<GiveBack> = OnceLock::new();

/// Sets how pages are returned to this system, if that has to be explicit.
pub fn set_give_back(give_back: GiveBack) {
    let _ = GIVE_BACK.set(give_back);
}

/// Blocks up to this size keep their pages: a message of 1 MiB in fresh pages takes a millisecond longer to send.
const LARGE: usize = 4 << 20;
/// Blocks up to this size keep them under pressure too.
const LARGE_UNDER_PRESSURE: usize = 64 << 10;

static PRESSURES: AtomicUsize = AtomicUsize::new(0);

/// While there is one in the process, memory is scarce: freed blocks and unused storage give their pages back to the
/// system although fresh ones take time. Otherwise they would lie beside those in use, which grow elsewhere.
pub struct Pressure(());

impl Pressure {
    /// Begins one, which ends when it is dropped.
    pub fn begin() -> Pressure {
        PRESSURES.fetch_add(1, Ordering::Relaxed);
        Pressure(())
    }
}

impl Drop for Pressure {
    fn drop(&mut self) {
        PRESSURES.fetch_sub(1, Ordering::Relaxed);
    }
}

fn is_pressed() -> bool {
    PRESSURES.load(Ordering::Relaxed) > 0
}

/// Whether a block of this size gives its pages back when it is freed.
pub fn gives_back(bytes: usize) -> bool {
    bytes > LARGE || bytes > LARGE_UNDER_PRESSURE && is_pressed()
}

impl Discarded for Vec<u8> {
    fn empty(&mut self, keep: &mut usize) {
        if !gives_back(self.capacity()) {
            return;
        }
        if let Some(less) = keep.checked_sub(self.capacity())
            && !is_pressed()
        {
            *keep = less;
        } else if let Some(give_back) = GIVE_BACK.get() {
            self.clear();
            give_back(self.spare_capacity_mut());
        }
    }
}

impl Discarded for Arc<Vec<u8>> {
    fn empty(&mut self, keep: &mut usize) {
        // If it is shared, the other owners keep it.
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

/// The error of a send that lacks memory.
#[cold]
pub fn lacks() -> Error {
    Error::new(
        ErrorCode::Limit,
        "there is no memory left for the message and nothing of it was taken: free some, or send less at a time",
    )
}
