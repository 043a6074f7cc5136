//! An allocator that counts, for costs that no clock and no load can change.

#![allow(
    unsafe_code,
    reason = "an allocator that counts can only be written with it"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Allocations so far, of all threads.
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Their bytes.
static BYTES: AtomicUsize = AtomicUsize::new(0);
/// The bytes that were given back.
static FREED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        FREED.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations that `work` makes, their bytes, and by how many bytes more is allocated after it.
pub(crate) fn count(work: impl FnOnce()) -> (usize, usize, usize) {
    let figures = || [&ALLOCATIONS, &BYTES, &FREED].map(|it| it.load(Ordering::Relaxed));
    let before = figures();
    work();
    let after = figures();
    let [allocations, bytes, freed] = [0, 1, 2].map(|it| after[it] - before[it]);
    (allocations, bytes, bytes.saturating_sub(freed))
}
