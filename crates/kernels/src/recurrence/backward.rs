//! The products of a backward pass over the rows of several steps.
//!
//! Contains `unsafe`: rows of products lie in several buffers.

use super::RecurrentShape;
use super::strips::{Source, Strips};
use crate::gemm::{Depth, Identity, Product, Rows, TileShape};
use crate::parallel::SharedMut;
use ferrograph_simd::Level;
use std::ops::Range;

/// Steps taken back at a time, for gates of that many columns.
pub(crate) fn steps_at_a_time(shape: &RecurrentShape, columns: usize) -> usize {
    /// Rows of the products over several steps, at most.
    const ROWS: usize = 1024;
    /// Rows at least, about: each time the sums for the weights are read and written.
    const MIN_ROWS: usize = 128;
    /// Elements of the gradient of the gates, about: 512 KiB stay in the second-level cache, with their packed form, until all
    /// products have read them. For 256 units that makes the way back 6 % shorter than rows as for 32 units.
    const ELEMENTS: usize = 128 * 1024;
    let rows = (ELEMENTS / columns.max(1)).clamp(MIN_ROWS, ROWS);
    (rows / shape.batch.max(1)).clamp(1, shape.steps.max(1))
}

/// Where gradients of gates lie: column `j` of row `i` is element `(j / width * rows + i) * width + j % width`. So rows of all
/// columns do, being a single panel, and the panels that [`gemm`](crate::gemm) multiplies by.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub rows: usize,
    pub width: usize,
}

impl Layout {
    /// Panels as [`gemm::pack`](crate::gemm::pack) makes them, unless they would have to be filled up, or vectors of the gates of
    /// `units` units would lie in two of them.
    pub(crate) fn panels(rows: usize, units: usize, columns: usize) -> Option<Self> {
        let tile = TileShape::of(Level::current());
        let fits = units.is_multiple_of(tile.lanes) && columns.is_multiple_of(tile.columns);
        fits.then_some(Self { rows, width: tile.columns })
    }

    /// The element where a column of the first row is. The next row's is `width` elements further.
    pub(crate) fn column(self, column: usize) -> usize {
        column / self.width * self.rows * self.width + column % self.width
    }

    /// Where the runs of a row begin, from its first element on.
    pub(crate) fn runs(self, columns: usize) -> Vec<usize> {
        (0..columns).step_by(self.width).map(|column| self.column(column)).collect()
    }
}

/// Some steps of a backward pass, and the sequences.
#[derive(Clone)]
pub(crate) struct Steps<'a> {
    pub shape: &'a RecurrentShape,
    pub range: Range<usize>,
    pub reverse: bool,
    /// Columns of the weights.
    pub columns: usize,
}

impl Steps<'_> {
    /// The inputs of the steps.
    pub(crate) fn inputs<'a>(&self, x: &'a [f32]) -> Source<'a> {
        let RecurrentShape { steps, input, .. } = *self.shape;
        let first = self.shape.source_step(self.range.start, self.reverse) * input;
        Source { data: x, columns: input, first, step: input, backwards: self.reverse, sequence: steps * input }
    }

    /// `columns` columns from `first` on of the rows `[T, B, stride]` of the steps.
    pub(crate) fn rows<'a>(&self, data: &'a [f32], stride: usize, first: usize, columns: usize) -> Source<'a> {
        let step = self.shape.batch * stride;
        Source { data, columns, first: self.range.start * step + first, step, backwards: false, sequence: stride }
    }

    /// Adds `[sources, 1]^T dz` to `sums`, or writes it there if these are the last steps: the rows of each source's weights,
    /// `stride` apart, and those of the bias. `packed_dz` has its rows in the order of the steps. `strips` is scratch memory of
    /// [`Strips::len`] elements.
    ///
    /// One product of all has every element of `dz` pass by once; and a row of ones beside hundreds of others takes a
    /// quarter of the time of adding up the columns of `dz`.
    pub(crate) fn add_weights<const N: usize>(
        &self,
        sources: [Source; N],
        sums: [&mut [f32]; N],
        bias: Option<&mut [f32]>,
        stride: usize,
        packed_dz: &[f32],
        strips: &mut [f32],
    ) {
        let rows = self.range.len() * self.shape.batch;
        let strips = Strips::fill(&sources, bias.is_some(), self.range.len(), self.shape.batch, strips);
        let mut targets = [(0, SharedMut::new(&mut [])); N];
        for ((target, sums), source) in targets.iter_mut().zip(sums).zip(&sources) {
            assert!(source.columns == 0 || sums.len() >= (source.columns - 1) * stride + self.columns);
            *target = (source.columns, SharedMut::new(sums));
        }
        let bias = bias.map(|bias| {
            assert_eq!(bias.len(), self.columns);
            SharedMut::new(bias)
        });
        let weights: usize = sources.iter().map(|source| source.columns).sum();
        let product = Product {
            rows: weights + usize::from(bias.is_some()),
            columns: self.columns,
            depth: Depth { taps: &[0], len: rows, stride: Strips::WIDTH },
            packed: packed_dz,
            // The last steps come first.
            accumulate: self.range.end < self.shape.steps,
            epilogue: Identity,
        };
        let column = |part: Range<usize>, to: &mut Rows<_>| part.for_each(|row| to.push(strips.column(row)));
        let sum = |part: Range<usize>, to: &mut Rows<_>| {
            for mut row in part {
                let mut target = None;
                for (count, sums) in &targets {
                    if row < *count {
                        target = Some(sums.get().wrapping_add(row * stride));
                        break;
                    }
                    row -= count;
                }
                to.push(target.or(bias.map(SharedMut::get)).expect("as many rows as sums"));
            }
        };
        // SAFETY: every column of the strips has `rows` elements; all rows of the sums exist (lengths are asserted above) and do
        // not overlap.
        unsafe { product.run(column, sum) };
    }

    /// `dx = dz W^T` at these steps; `packed_kernel` is the transposed kernel, packed.
    pub(crate) fn input_gradient(&self, dz: &[f32], layout: Layout, packed_kernel: &[f32], dx: &mut [f32]) {
        let RecurrentShape { batch, steps, input, .. } = *self.shape;
        let rows = self.range.len() * batch;
        assert!(dx.len() == self.shape.rows() * input && dz.len() == rows * self.columns && layout.rows == rows);
        let product = Product {
            rows,
            columns: input,
            depth: Depth { taps: &layout.runs(self.columns), len: layout.width, stride: 1 },
            packed: packed_kernel,
            accumulate: false,
            epilogue: Identity,
        };
        let dx = SharedMut::new(dx);
        let source = |part: Range<usize>, to: &mut Rows<_>| {
            let first = dz.as_ptr().wrapping_add(part.start * layout.width);
            to.extend(part.len(), first, |row| row.wrapping_add(layout.width));
        };
        let target = |part: Range<usize>, to: &mut Rows<_>| {
            for row in part {
                let step = self.shape.source_step(self.range.start + row / batch, self.reverse);
                to.push(dx.get().wrapping_add((row % batch * steps + step) * input));
            }
        };
        // SAFETY: rows of `dz` and of `dx` exist (lengths are asserted above), one per sequence and step.
        unsafe { product.run(source, target) };
    }
}

/// `dh += dz R^T` for the rows of a step, or `dh = dz R^T`; `packed` is the transposed recurrent kernel, packed. `dz` is the
/// first row, and `runs` are the layout's.
///
/// # Safety
/// As many rows as `dh` has lie in `dz`, which nobody writes meanwhile.
pub(crate) unsafe fn state_gradient(
    dz: *const f32,
    layout: Layout,
    runs: &[usize],
    units: usize,
    packed: &[f32],
    dh: &mut [f32],
    accumulate: bool,
) {
    let product = Product {
        rows: dh.len() / units,
        columns: units,
        depth: Depth { taps: runs, len: layout.width, stride: 1 },
        packed,
        accumulate,
        epilogue: Identity,
    };
    let (dz, dh) = (SharedMut::from_ptr(dz.cast_mut()), SharedMut::new(dh));
    let source = |part: Range<usize>, to: &mut Rows<_>| {
        let first = dz.get().cast_const().wrapping_add(part.start * layout.width);
        to.extend(part.len(), first, |row| row.wrapping_add(layout.width));
    };
    let target = |part: Range<usize>, to: &mut Rows<_>| {
        to.extend(part.len(), dh.get().wrapping_add(part.start * units), |row| row.wrapping_add(units));
    };
    // SAFETY: the caller's promise; rows of `dh` are counted by its length.
    unsafe { product.run(source, target) };
}
