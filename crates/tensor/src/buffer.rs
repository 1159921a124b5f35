//! Aligned memory that is counted against the budget.

use crate::{DType, ShapeError, View, ViewMut, budget};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// The alignment of every buffer: a cache line, and the widest vector there is.
const ALIGNMENT: usize = 64;

/// Zero-initialised bytes, 64-byte aligned, owned.
#[derive(Debug)]
pub struct Buffer {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a Buffer owns its memory alone; shared references only read it.
unsafe impl Send for Buffer {}
// SAFETY: as above, `&Buffer` gives shared slices only.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Allocates `bytes` zeros.
    pub fn new(bytes: usize) -> Result<Self, ShapeError> {
        if bytes == 0 {
            // SAFETY: ALIGNMENT is not zero.
            return Ok(Self { start: unsafe { NonNull::new_unchecked(ALIGNMENT as *mut u8) }, bytes });
        }
        let layout = Layout::from_size_align(bytes, ALIGNMENT).map_err(|_| ShapeError::Overflow(vec![bytes]))?;
        budget::take(bytes)?;
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        NonNull::new(start).map(|start| Self { start, bytes }).ok_or_else(|| {
            budget::give_back(bytes);
            ShapeError::Memory { wanted: bytes, allocated: budget::allocated_bytes(), limit: budget::memory_limit() }
        })
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
        // SAFETY: allocated in `new` with this very layout, which was valid then.
        unsafe { dealloc(self.start.as_ptr(), Layout::from_size_align_unchecked(self.bytes, ALIGNMENT)) };
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
    fn too_much_is_an_error() {
        assert!(matches!(Buffer::new(usize::MAX), Err(ShapeError::Overflow(_))));
        assert!(Buffer::new(1 << 60).is_err());
    }
}
