//! One step of the cell.
//!
//! Contains `unsafe`: threads that share a step write disjoint units of the same rows.

// Indices over rows, blocks and gates mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use crate::recurrence::{accumulate, lanes, load, padded, store, tile_rows};
use crate::vecmath::{sigmoid_v, tanh_v};
use ferrograph_simd::{Kernel, Level, Simd};
use std::ops::Range;

/// Parts of a row of gates `[4U]`, each of `units` elements.
fn gates(row: &[f32], units: usize) -> [&[f32]; 4] {
    let (input, rest) = row.split_at(units);
    let (forget, rest) = rest.split_at(units);
    let (candidate, output) = rest.split_at(units);
    [input, forget, candidate, output]
}

fn gates_mut(row: &mut [f32], units: usize) -> [&mut [f32]; 4] {
    let (input, rest) = row.split_at_mut(units);
    let (forget, rest) = rest.split_at_mut(units);
    let (candidate, output) = rest.split_at_mut(units);
    [input, forget, candidate, output]
}

/// The forward step of some sequences, for some blocks of units.
///
/// Rows of states are `units` apart. Where several threads share a step, each has its own blocks.
pub(super) struct Forward<'a> {
    pub units: usize,
    pub rows: usize,
    pub blocks: Range<usize>,
    /// From [`pack_recurrent`](super::pack_recurrent) if the cell multiplies by it; else empty.
    pub recurrent: &'a [f32],
    /// What the gates get from the input, or, if the cell does not multiply, all of it: rows of interleaved gates.
    pub projected: *const f32,
    pub h_before: *const f32,
    pub c_before: *const f32,
    pub h_after: *mut f32,
    pub c_after: *mut f32,
    /// A second place for the hidden state, and the distance of its rows.
    pub y: Option<(*mut f32, usize)>,
    /// Where the gates go after activation, rows `[4U]`.
    pub gates: Option<*mut f32>,
    /// From the mask of the first row on, and the distance of the rows'. 0 means masked.
    pub mask: Option<(&'a [u8], usize)>,
}

impl Forward<'_> {
    /// Runs the step.
    ///
    /// # Safety
    /// The pointers lead to `rows` rows of the lengths given, of which no other thread uses the columns of `blocks`
    /// where they are written; `h_before` is not written meanwhile, and overlaps nothing that is. `c_before` may be
    /// `c_after`. `level` is the one that the weights were packed at.
    pub(super) unsafe fn run(self, level: Level) {
        let lanes = lanes();
        assert!(self.blocks.end * lanes <= padded(self.units));
        assert!(self.recurrent.is_empty() || self.recurrent.len() == 4 * padded(self.units) * self.units);
        level.run(self);
    }

    /// `BLOCKS` neighbouring blocks of `ROWS` neighbouring rows.
    ///
    /// # Safety
    /// As for [`Forward::run`]; the rows and blocks exist.
    #[inline(always)]
    unsafe fn tile<S: Simd, const ROWS: usize, const BLOCKS: usize>(&self, simd: S, first: usize, block: usize) {
        let units = self.units;
        let row_len = 4 * units.next_multiple_of(S::N);
        let mut sums = [[[simd.zero(); 4]; BLOCKS]; ROWS];
        for row in 0..ROWS {
            for b in 0..BLOCKS {
                for gate in 0..4 {
                    let at = (first + row) * row_len + ((block + b) * 4 + gate) * S::N;
                    // SAFETY: a vector of the row of gates.
                    sums[row][b][gate] = unsafe { simd.load_ptr(self.projected.add(at)) };
                }
            }
        }
        if !self.recurrent.is_empty() {
            let h = std::array::from_fn(|row| self.h_before.wrapping_add((first + row) * units));
            // SAFETY: the rows have `units` elements; the blocks' panels lie within `recurrent`, whose length `run` asserts.
            unsafe { accumulate(simd, &mut sums, h, units, self.recurrent.as_ptr().add(block * 4 * S::N * units)) };
        }
        for row in 0..ROWS {
            for b in 0..BLOCKS {
                // SAFETY: the row and the block exist.
                unsafe { self.finish(simd, first + row, (block + b) * S::N, sums[row][b]) };
            }
        }
    }

    /// From the gates before activation to the states after the step, for the units from `unit` on of one row.
    ///
    /// # Safety
    /// As for [`Forward::run`]; the row and the unit exist.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, row: usize, unit: usize, [i, f, g, o]: [S::V; 4]) {
        let units = self.units;
        let count = S::N.min(units - unit);
        let at = row * units + unit;
        let (i, f) = (sigmoid_v(simd, i), sigmoid_v(simd, f));
        let (g, o) = (tanh_v(simd, g), sigmoid_v(simd, o));
        // SAFETY: `count` units from `unit` on of the row exist in every array.
        unsafe {
            if let Some(gates) = self.gates {
                for (gate, v) in [i, f, g, o].into_iter().enumerate() {
                    store(simd, gates.add(row * 4 * units + gate * units + unit), v, count);
                }
            }
            let before = load(simd, self.c_before.add(at), count);
            let (c, h) = if self.mask.is_some_and(|(mask, stride)| mask[row * stride] == 0) {
                (before, load(simd, self.h_before.add(at), count))
            } else {
                let c = simd.fma(f, before, simd.mul(i, g));
                (c, simd.mul(o, tanh_v(simd, c)))
            };
            store(simd, self.c_after.add(at), c, count);
            store(simd, self.h_after.add(at), h, count);
            if let Some((y, stride)) = self.y {
                store(simd, y.add(row * stride + unit), h, count);
            }
        }
    }
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let tiles = self.rows.div_ceil(tile_rows::<S>());
        let mut block = self.blocks.start;
        while block < self.blocks.end {
            // SAFETY: the promises of `Forward::run`; rows and blocks are counted here.
            unsafe {
                // One row of one block has too few independent sums to hide the latency of an addition.
                if self.rows == 1 && block + 2 <= self.blocks.end {
                    self.tile::<S, 1, 2>(simd, 0, block);
                    block += 2;
                    continue;
                }
                let mut row = 0;
                // Rows are dealt out evenly, since a tile of few rows is slow.
                for tile in 0..tiles {
                    let rows = (self.rows - row).div_ceil(tiles - tile);
                    macro_rules! rows {
                        ($($rows:literal)+) => {
                            match rows {
                                $($rows if const { $rows <= tile_rows::<S>() } => {
                                    self.tile::<S, $rows, 1>(simd, row, block);
                                })+
                                _ => unreachable!("tiles have 1 to 6 rows"),
                            }
                        };
                    }
                    rows!(1 2 3 4 5 6);
                    row += rows;
                }
            }
            block += 1;
        }
    }
}

/// The backward step of one sequence. With `t = tanh(c)` and `d = dc + dh o (1 - t^2)`:
///
/// ```text
/// dz_i = d g i (1 - i)    dz_f = d c_before f (1 - f)    dz_c = d i (1 - g^2)    dz_o = dh t o (1 - o)
/// ```
pub(super) struct Backward<'a> {
    /// The gates `[4U]` after activation.
    pub gates: &'a [f32],
    /// `[U]`
    pub c_before: &'a [f32],
    /// `[U]`
    pub c_after: &'a [f32],
    /// The gradient of the hidden state after the step `[U]`; 0 on return, for the products to add to.
    pub dh: &'a mut [f32],
    /// The gradient of the cell state `[U]` after the step on entry, before it on return.
    pub dc: &'a mut [f32],
    /// The gradient of the gates before activation `[4U]`, written.
    pub dz: &'a mut [f32],
}

impl Backward<'_> {
    pub(super) fn run(self, level: Level) {
        level.run(self);
    }
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let units = self.c_before.len();
        let [input, forget, candidate, output] = gates(self.gates, units);
        let [dz_i, dz_f, dz_c, dz_o] = gates_mut(self.dz, units);
        let one = simd.splat(1.0);
        for at in (0..units).step_by(S::N) {
            let part = at..units.min(at + S::N);
            let i = simd.load_partial(&input[part.clone()]);
            let f = simd.load_partial(&forget[part.clone()]);
            let g = simd.load_partial(&candidate[part.clone()]);
            let o = simd.load_partial(&output[part.clone()]);
            let dh = simd.load_partial(&self.dh[part.clone()]);
            let t = tanh_v(simd, simd.load_partial(&self.c_after[part.clone()]));
            let through_tanh = simd.mul(simd.mul(dh, o), simd.neg_fma(t, t, one));
            let d = simd.add(simd.load_partial(&self.dc[part.clone()]), through_tanh);
            let c_before = simd.load_partial(&self.c_before[part.clone()]);
            // The slope of the sigmoid, s (1 - s).
            let slope = |s: S::V| simd.mul(s, simd.sub(one, s));
            simd.store_partial(&mut dz_i[part.clone()], simd.mul(simd.mul(d, g), slope(i)));
            simd.store_partial(&mut dz_f[part.clone()], simd.mul(simd.mul(d, c_before), slope(f)));
            simd.store_partial(&mut dz_c[part.clone()], simd.mul(simd.mul(d, i), simd.neg_fma(g, g, one)));
            simd.store_partial(&mut dz_o[part.clone()], simd.mul(simd.mul(dh, t), slope(o)));
            simd.store_partial(&mut self.dc[part.clone()], simd.mul(d, f));
            simd.store_partial(&mut self.dh[part], simd.zero());
        }
    }
}
