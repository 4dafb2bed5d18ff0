//! The system's allocator with a count of the bytes in use: those of threads that called `be_elsewhere`, and those of
//! all others.
#![allow(unsafe_code)] // An allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

pub struct Counting;

static HERE: AtomicI64 = AtomicI64::new(0);
static ELSEWHERE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static IS_ELSEWHERE: Cell<bool> = const { Cell::new(false) };
}

/// From now on, allocations of this thread are counted separately.
pub fn be_elsewhere() {
    IS_ELSEWHERE.set(true);
}

/// Bytes in use: of normal threads, and of threads that called `be_elsewhere`.
pub fn live() -> (i64, i64) {
    (HERE.load(Ordering::Relaxed), ELSEWHERE.load(Ordering::Relaxed))
}

fn count(bytes: i64) {
    let elsewhere = IS_ELSEWHERE.try_with(Cell::get).unwrap_or(false);
    if elsewhere { &ELSEWHERE } else { &HERE }.fetch_add(bytes, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
