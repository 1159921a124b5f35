//! The products of a backward pass over the rows of several steps.
//!
//! Contains `unsafe`: rows of products lie in several buffers.

use super::RecurrentShape;
use crate::gemm::{Depth, Identity, Product, Rows};
use crate::parallel::{SharedMut, for_each_chunk};
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

/// Some steps of a backward pass, and the sequences.
pub(crate) struct Steps<'a> {
    pub shape: &'a RecurrentShape,
    pub range: Range<usize>,
    pub reverse: bool,
    /// Columns of the weights.
    pub columns: usize,
}

impl Steps<'_> {
    /// `dkernel += x^T dz`, `dz` being packed with its rows in the order of the steps.
    pub(crate) fn add_input_products(&self, x: &[f32], packed_dz: &[f32], dkernel: &mut [f32]) {
        let RecurrentShape { batch, steps, input, .. } = *self.shape;
        assert!(x.len() == self.shape.rows() * input && dkernel.len() == input * self.columns);
        let taps: Vec<usize> =
            self.range.clone().map(|step| self.shape.source_step(step, self.reverse) * input).collect();
        // A single sequence is one run of neighbouring steps instead of many runs of one.
        let depth = if batch == 1 && !self.reverse {
            Depth { taps: &taps[..1], len: taps.len(), stride: input }
        } else {
            Depth { taps: &taps, len: batch, stride: steps * input }
        };
        let product = Product {
            rows: input,
            columns: self.columns,
            depth,
            packed: packed_dz,
            accumulate: true,
            epilogue: Identity,
        };
        let sums = SharedMut::new(dkernel);
        let feature = |rows: Range<usize>, to: &mut Rows<_>| {
            to.extend(rows.len(), x.as_ptr().wrapping_add(rows.start), |row| row.wrapping_add(1));
        };
        let sum = |rows: Range<usize>, to: &mut Rows<_>| {
            let first = sums.get().wrapping_add(rows.start * self.columns);
            to.extend(rows.len(), first, |row| row.wrapping_add(self.columns));
        };
        // SAFETY: every feature of every sequence and step lies within `x`, and all rows of the sums within `dkernel`: lengths
        // are asserted above.
        unsafe { product.run(feature, sum) };
    }

    /// `dx = dz W^T` at these steps; `packed_kernel` is the transposed kernel, packed.
    pub(crate) fn input_gradient(&self, dz: &[f32], packed_kernel: &[f32], dx: &mut [f32]) {
        let RecurrentShape { batch, steps, input, .. } = *self.shape;
        let rows = self.range.len() * batch;
        assert!(dx.len() == self.shape.rows() * input && dz.len() == rows * self.columns);
        let product = Product {
            rows,
            columns: input,
            depth: Depth { taps: &[0], len: self.columns, stride: 1 },
            packed: packed_kernel,
            accumulate: false,
            epilogue: Identity,
        };
        let dx = SharedMut::new(dx);
        let source = |part: Range<usize>, to: &mut Rows<_>| {
            let first = dz.as_ptr().wrapping_add(part.start * self.columns);
            to.extend(part.len(), first, |row| row.wrapping_add(self.columns));
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

/// Adds the rows of `d`, of `sums.len()` columns, to `sums`, in order.
pub(crate) fn add_columns(d: &[f32], sums: &mut [f32]) {
    /// Columns added up at a time.
    const CHUNK: usize = 256;
    let columns = sums.len();
    for_each_chunk(sums, CHUNK, |index, sums| {
        add_chunk(d, columns, index * CHUNK, sums);
    });
}

ferrograph_simd::dispatch! {
    /// Adds the columns from `start` on.
    fn add_chunk(d: &[f32], columns: usize, start: usize, sums: &mut [f32]) {
        for row in d.chunks_exact(columns) {
            for (sum, d) in sums.iter_mut().zip(&row[start..]) {
                *sum += *d;
            }
        }
    }
}
