//! Where the rows of a block start.
//!
//! Contains `unsafe`: a part of an array that has been written is taken as such.

use super::block::FEW;
use crate::parallel::SharedMut;
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

    /// The same rows, which are spaced if they turn out to be as far from one to the next everywhere: of tiles of a
    /// convolution's pixels, direct ones take 0.98 of the time.
    pub(super) fn evened(self) -> Self {
        let Lines::Listed { inputs, outputs } = self else { return self };
        let ([input, next_input, ..], [output, next_output, ..]) = (inputs, outputs) else { return self };
        let apart = [next_input.addr().wrapping_sub(input.addr()), next_output.addr().wrapping_sub(output.addr())];
        for i in 2..inputs.len() {
            let [input, output] = [inputs[i].addr(), outputs[i].addr()];
            if [input.wrapping_sub(inputs[i - 1].addr()), output.wrapping_sub(outputs[i - 1].addr())] != apart {
                return self;
            }
        }
        // Rows that follow each other backwards stay listed.
        if apart[0] > isize::MAX as usize || apart[1] > isize::MAX as usize {
            return self;
        }
        let spacing = Spacing { inputs: apart[0] / size_of::<f32>(), outputs: apart[1] / size_of::<f32>() };
        Lines::Spaced { input: *input, output: *output, spacing, rows: inputs.len() }
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

/// Where the rows of a product start.
pub(super) trait Places: Sync {
    /// Calls `run` with some of them.
    fn with(&self, rows: Range<usize>, run: impl FnOnce(Lines<'_>));
}

/// Rows anywhere: the functions append where some of `A` and of `C` start.
pub(super) struct Scattered<I, O> {
    pub input: I,
    pub output: O,
}

impl<I, O> Places for Scattered<I, O>
where
    I: Fn(Range<usize>, &mut Rows<*const f32>) + Sync,
    O: Fn(Range<usize>, &mut Rows<*mut f32>) + Sync,
{
    fn with(&self, rows: Range<usize>, run: impl FnOnce(Lines<'_>)) {
        let (mut inputs, mut outputs) = (Rows::new(), Rows::new());
        (self.input)(rows.clone(), &mut inputs);
        (self.output)(rows, &mut outputs);
        run(Lines::Listed { inputs: inputs.get(), outputs: outputs.get() });
    }
}

/// Rows as far from one to the next everywhere, from the first ones on.
pub(super) struct Even {
    pub input: SharedMut<f32>,
    pub output: SharedMut<f32>,
    pub spacing: Spacing,
    /// Whether the elements of a row of `A` are neighbours. Otherwise rows are listed.
    pub side_by_side: bool,
}

impl Places for Even {
    fn with(&self, rows: Range<usize>, run: impl FnOnce(Lines<'_>)) {
        let Even { input, output, spacing, side_by_side } = *self;
        // An empty sum reads nothing, so its row may start past the end.
        let input = input.get().cast_const().wrapping_add(rows.start * spacing.inputs);
        let output = output.get().wrapping_add(rows.start * spacing.outputs);
        // Tiles of few rows have no other form than a list.
        if side_by_side && rows.len() > FEW {
            return run(Lines::Spaced { input, output, spacing, rows: rows.len() });
        }
        let (mut inputs, mut outputs) = (Rows::new(), Rows::new());
        inputs.extend(rows.len(), input, |row| row.wrapping_add(spacing.inputs));
        outputs.extend(rows.len(), output, |row| row.wrapping_add(spacing.outputs));
        run(Lines::Listed { inputs: inputs.get(), outputs: outputs.get() });
    }
}
