//! Where the rows of a block start.
//!
//! Contains `unsafe`: a part of an array that has been written is taken as such.

use std::mem::MaybeUninit;
use std::ops::Range;

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

/// Where the rows of `A` and of `C` start that a block multiplies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lines<'a> {
    /// Anywhere; as many of one as of the other.
    Listed { inputs: &'a [*const f32], outputs: &'a [*mut f32] },
    /// As far from one to the next everywhere. For short sums the list alone would take a tenth of the time.
    Spaced { input: *const f32, output: *mut f32, spacing: Spacing, rows: usize },
}

/// Elements from a row to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spacing {
    pub inputs: usize,
    pub outputs: usize,
}

impl Spacing {
    /// Of rows that are listed.
    pub(crate) const UNUSED: Self = Spacing { inputs: 0, outputs: 0 };
}

impl Lines<'_> {
    pub(crate) fn rows(&self) -> usize {
        match self {
            Lines::Listed { inputs, .. } => inputs.len(),
            Lines::Spaced { rows, .. } => *rows,
        }
    }

    /// Some of the rows.
    pub(crate) fn part(&self, part: Range<usize>) -> Self {
        match *self {
            Lines::Listed { inputs, outputs } => {
                Lines::Listed { inputs: &inputs[part.clone()], outputs: &outputs[part] }
            }
            Lines::Spaced { input, output, spacing, .. } => Lines::Spaced {
                input: input.wrapping_add(part.start * spacing.inputs),
                output: output.wrapping_add(part.start * spacing.outputs),
                spacing,
                rows: part.len(),
            },
        }
    }
}
