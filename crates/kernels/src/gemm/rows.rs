//! Where the rows of a block start.
//!
//! Contains `unsafe`: a part of an array that has been written is taken as such.

use std::mem::MaybeUninit;

/// Rows of a block at most.
pub(crate) const MAX_ROWS: usize = 256;

/// Up to [`MAX_ROWS`] pointers, on the stack. What is not pushed is not written either: for a small block, clearing the
/// whole arrays took a tenth of the time.
pub(crate) struct Rows<P> {
    pointers: [MaybeUninit<P>; MAX_ROWS],
    len: usize,
}

impl<P: Copy> Rows<P> {
    pub(crate) fn new() -> Self {
        Rows { pointers: [const { MaybeUninit::uninit() }; MAX_ROWS], len: 0 }
    }

    /// Appends `count` pointers, each the `next` of the one before. Panics if there is no room for them.
    pub(crate) fn extend(&mut self, count: usize, first: P, next: impl Fn(P) -> P) {
        let mut pointer = first;
        for place in &mut self.pointers[self.len..][..count] {
            place.write(pointer);
            pointer = next(pointer);
        }
        self.len += count;
    }

    pub(crate) fn push(&mut self, pointer: P) {
        self.pointers[self.len].write(pointer);
        self.len += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn get(&self) -> &[P] {
        // SAFETY: the first `len` pointers have been written, see `extend`.
        unsafe { std::slice::from_raw_parts(self.pointers.as_ptr().cast(), self.len) }
    }

    pub(crate) fn get_mut(&mut self) -> &mut [P] {
        // SAFETY: as for `get`.
        unsafe { std::slice::from_raw_parts_mut(self.pointers.as_mut_ptr().cast(), self.len) }
    }
}
