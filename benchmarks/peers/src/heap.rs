//! An allocator that counts the bytes of the heap while it is asked to. Between
//! counts it only looks at a flag, so that it does not show in times.
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

pub struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static NOW: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

/// Bytes beyond those that were allocated before.
pub struct Heap {
    pub peak: isize,
    /// While the result is alive.
    pub steady: isize,
}

/// Runs `work` and counts what it allocates.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, Heap) {
    NOW.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
    let result = work();
    COUNTS.store(false, Relaxed);
    (result, Heap { peak: PEAK.load(Relaxed), steady: NOW.load(Relaxed) })
}

fn grow(bytes: isize) {
    if COUNTS.load(Relaxed) {
        let now = NOW.fetch_add(bytes, Relaxed) + bytes;
        PEAK.fetch_max(now, Relaxed);
    }
}

// SAFETY: every call is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        grow(-(layout.size() as isize));
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        grow(bytes as isize - layout.size() as isize);
        unsafe { System.realloc(memory, layout, bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far more than what other tests allocate at the same time.
    const BLOCK: usize = 1 << 26;

    #[test]
    fn peak_and_steady_are_counted_apart() {
        let (kept, heap) = count(|| {
            drop(std::hint::black_box(vec![0u8; 2 * BLOCK]));
            vec![0u8; BLOCK]
        });
        let blocks = |bytes: isize| (bytes as f64 / BLOCK as f64).round();
        assert_eq!((blocks(heap.peak), blocks(heap.steady)), (2.0, 1.0));
        drop(kept);
    }
}
