//! Aligned memory that is counted against the budget.

use crate::{DType, ShapeError, View, ViewMut, budget};
use std::alloc::{Layout, LayoutError, alloc, dealloc};
use std::ptr::NonNull;

/// The alignment of every buffer: a cache line, and the widest vector there is.
const ALIGNMENT: usize = 64;

/// The size of a huge page on processors whose ordinary page is 4 KiB.
const HUGE_PAGE: usize = 2 << 20;

/// Where `bytes` bytes may lie. Large buffers begin at a huge page, and end with one if that wastes little of it: matrices
/// spread over small pages of any addresses collide in the second-level cache and pass the limit of the page tables' caches.
/// On a processor of the Sapphire Rapids family products of 1024 x 1024 run at 55 % of the processor's peak on small pages, at 90 % on huge
/// ones.
fn layout(bytes: usize) -> Result<Layout, LayoutError> {
    let whole = bytes.checked_next_multiple_of(HUGE_PAGE).filter(|whole| whole - bytes <= HUGE_PAGE / 4);
    match whole {
        Some(whole) => Layout::from_size_align(whole, HUGE_PAGE),
        None if bytes > HUGE_PAGE => Layout::from_size_align(bytes, HUGE_PAGE),
        None => Layout::from_size_align(bytes, ALIGNMENT),
    }
}

/// As [`alloc`]. The system is asked to back large memory with huge pages; it may do so or not.
///
/// # Safety
/// As for [`alloc`].
unsafe fn fresh(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    let start = unsafe { alloc(layout) };
    #[cfg(all(target_os = "linux", not(miri)))]
    if layout.align() == HUGE_PAGE && !start.is_null() {
        const MADV_HUGEPAGE: i32 = 14;
        unsafe extern "C" {
            fn madvise(start: *mut u8, bytes: usize, advice: i32) -> i32;
        }
        // It has to be asked before the first touch, which decides on the size of a page.
        // SAFETY: this is the C library's function, and the advice changes the contents of no page.
        unsafe { madvise(start, layout.size(), MADV_HUGEPAGE) };
    }
    start
}

/// Initialised bytes, 64-byte aligned, owned.
#[derive(Debug)]
pub struct Buffer {
    start: NonNull<u8>,
    bytes: usize,
    /// Where the memory is not the allocator's.
    #[cfg(feature = "guard-pages")]
    guarded: Option<crate::guard::Guarded>,
}

// SAFETY: a Buffer owns its memory alone; shared references only read it.
unsafe impl Send for Buffer {}
// SAFETY: as above, `&Buffer` gives shared slices only.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Allocates `bytes` zeros.
    pub fn new(bytes: usize) -> Result<Self, ShapeError> {
        #[cfg(feature = "guard-pages")]
        if let Some(guarded) = Self::guarded(bytes)? {
            return Ok(guarded);
        }
        let zeros = |layout: Layout| {
            // SAFETY: as for `alloc` itself; the memory is as large as the layout.
            unsafe {
                let start = fresh(layout);
                if !start.is_null() {
                    start.write_bytes(0, bytes);
                }
                start
            }
        };
        // SAFETY: the memory is zeroed.
        unsafe { Self::allocate(bytes, zeros) }
    }

    /// Allocates a copy.
    pub fn copy_of(bytes: &[u8]) -> Result<Self, ShapeError> {
        #[cfg(feature = "guard-pages")]
        if let Some(mut guarded) = Self::guarded(bytes.len())? {
            guarded.bytes_mut().copy_from_slice(bytes);
            return Ok(guarded);
        }
        let copy = |layout: Layout| {
            // SAFETY: as for `alloc` itself; new memory of that size does not overlap `bytes`.
            unsafe {
                let start = fresh(layout);
                if !start.is_null() {
                    start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
                }
                start
            }
        };
        // SAFETY: the memory is all copied to.
        unsafe { Self::allocate(bytes.len(), copy) }
    }

    /// # Safety
    /// `alloc` initialises what it allocates, and is as the global allocator's otherwise.
    unsafe fn allocate(bytes: usize, alloc: impl FnOnce(Layout) -> *mut u8) -> Result<Self, ShapeError> {
        if bytes == 0 {
            // SAFETY: ALIGNMENT is not zero.
            return Ok(Self::of(unsafe { NonNull::new_unchecked(ALIGNMENT as *mut u8) }, bytes));
        }
        let layout = layout(bytes).map_err(|_| ShapeError::Overflow(vec![bytes]))?;
        budget::take(bytes)?;
        let start = alloc(layout);
        NonNull::new(start).map(|start| Self::of(start, bytes)).ok_or_else(|| {
            budget::give_back(bytes);
            ShapeError::Memory { wanted: bytes, allocated: budget::allocated_bytes(), limit: budget::memory_limit() }
        })
    }

    /// Zeros between guard pages, if they are wanted.
    #[cfg(feature = "guard-pages")]
    fn guarded(bytes: usize) -> Result<Option<Self>, ShapeError> {
        if bytes == 0 {
            return Ok(None);
        }
        layout(bytes).map_err(|_| ShapeError::Overflow(vec![bytes]))?;
        budget::take(bytes)?;
        let guarded = crate::guard::Guarded::wanted(bytes);
        if guarded.is_none() {
            budget::give_back(bytes);
        }
        Ok(guarded.map(|guarded| Self { start: guarded.start(), bytes, guarded: Some(guarded) }))
    }

    fn of(start: NonNull<u8>, bytes: usize) -> Self {
        Self {
            start,
            bytes,
            #[cfg(feature = "guard-pages")]
            guarded: None,
        }
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start` points at `bytes` initialised bytes that `self` owns.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    /// The bytes, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes the access unique.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }

    /// The whole buffer as elements of `dtype`.
    pub fn view(&self, dtype: DType) -> View<'_> {
        // SAFETY: the memory is initialised, aligned to 64, borrowed from self; every bit pattern is a value.
        unsafe { View::from_raw(dtype, self.start, self.bytes) }
    }

    /// The whole buffer as elements of `dtype`, to write.
    pub fn view_mut(&mut self, dtype: DType) -> ViewMut<'_> {
        // SAFETY: as in `view`, and `&mut self` makes the access unique.
        unsafe { ViewMut::from_raw(dtype, self.start, self.bytes) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        #[cfg(feature = "guard-pages")]
        if self.guarded.is_some() {
            return budget::give_back(self.bytes);
        }
        if let Ok(layout) = layout(self.bytes) {
            // SAFETY: allocated in `allocate` with this very layout, which follows from the number of bytes.
            unsafe { dealloc(self.start.as_ptr(), layout) };
        }
        budget::give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_zeroed_aligned_and_counted() {
        let buffer = Buffer::new(100).unwrap();
        assert_eq!(buffer.start().as_ptr() as usize % ALIGNMENT, 0);
        assert!(buffer.bytes().iter().all(|&b| b == 0));
        assert!(Buffer::new(0).unwrap().is_empty());
    }

    #[test]
    fn copies_are_equal_and_aligned() {
        for length in [0, 1, 63, 64, 1000] {
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let buffer = Buffer::copy_of(&bytes).unwrap();
            assert_eq!(buffer.bytes(), bytes);
            assert_eq!(buffer.start().as_ptr() as usize % ALIGNMENT, 0);
        }
    }

    #[test]
    fn large_buffers_are_zeroed_and_begin_at_huge_pages() {
        for bytes in [HUGE_PAGE - 1000, HUGE_PAGE, HUGE_PAGE + 1, 3 * HUGE_PAGE - 5] {
            let mut buffer = Buffer::new(bytes).unwrap();
            assert_eq!((buffer.start().as_ptr() as usize % HUGE_PAGE, buffer.len()), (0, bytes));
            assert!(buffer.bytes().iter().all(|&b| b == 0));
            buffer.bytes_mut().fill(1);
        }
    }

    #[test]
    fn too_much_is_an_error() {
        assert!(matches!(Buffer::new(usize::MAX), Err(ShapeError::Overflow(_))));
        assert!(Buffer::new(1 << 60).is_err());
    }
}
