//! One step of the cell, and its derivative.
//!
//! Contains `unsafe`: threads that share a step write disjoint units of the same rows.

// Indices over rows mean the same in every array here.
#![allow(clippy::needless_range_loop)]

use super::GATES;
use crate::recurrence::activation::{sigmoid, tanh};
use crate::recurrence::cell::{Cell, is_masked, load, store};
use ferrograph_simd::{Kernel, Simd};

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

/// The forward step of some sequences: rows of states are `units` apart.
///
/// The pointers lead to rows of the lengths given; `h_before` is not written meanwhile, and overlaps nothing that is.
/// `c_before` may be `c_after`.
#[derive(Clone, Copy)]
pub(super) struct Forward<'a> {
    pub units: usize,
    /// What the gates get from the input: rows of interleaved gates.
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

impl Cell<GATES> for Forward<'_> {
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, row: usize, block: usize) -> [S::V; GATES] {
        let row = self.projected.wrapping_add(row * GATES * self.units.next_multiple_of(S::N));
        let mut sums = [simd.zero(); GATES];
        for (gate, sum) in sums.iter_mut().enumerate() {
            // SAFETY: a vector of the row of gates, which exists.
            *sum = unsafe { simd.load_ptr(row.add((block * GATES + gate) * S::N)) };
        }
        sums
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, row: usize, block: usize, sums: [S::V; GATES]) {
        // SAFETY: the caller's promises.
        unsafe { self.finish_rows(simd, row, block, [sums]) };
    }

    #[inline(always)]
    unsafe fn finish_rows<S: Simd, const ROWS: usize>(
        &self,
        simd: S,
        first: usize,
        block: usize,
        sums: [[S::V; GATES]; ROWS],
    ) {
        let mut states = [(simd.zero(), simd.zero()); ROWS];
        // SAFETY: the caller's promises.
        unsafe {
            // Either waits for powers and quotients one after another. In loops of their own the processor goes on with the next
            // row meanwhile: the step of 32 units takes 8 % less time, that of 256 units 4 %.
            for row in 0..ROWS {
                states[row] = self.cell(simd, first + row, block, sums[row]);
            }
            for row in 0..ROWS {
                self.hidden(simd, first + row, block, states[row]);
            }
        }
    }
}

impl Forward<'_> {
    /// The cell state after the step, stored too, and the output gate.
    ///
    /// # Safety
    /// As for [`Cell::finish`], of one row.
    #[inline(always)]
    unsafe fn cell<S: Simd>(&self, simd: S, row: usize, block: usize, [i, f, g, o]: [S::V; GATES]) -> (S::V, S::V) {
        let (units, unit) = (self.units, block * S::N);
        let count = S::N.min(units - unit);
        let at = row * units + unit;
        let (i, g) = sigmoid(simd, i).divide_with(simd, tanh(simd, g));
        let (f, o) = sigmoid(simd, f).divide_with(simd, sigmoid(simd, o));
        // SAFETY: `count` units from `unit` on of the row exist in every array.
        unsafe {
            if let Some(gates) = self.gates {
                let gates = gates.add(row * GATES * units + unit);
                store(simd, gates, i, count);
                store(simd, gates.add(units), f, count);
                store(simd, gates.add(2 * units), g, count);
                store(simd, gates.add(3 * units), o, count);
            }
            let before = load(simd, self.c_before.add(at), count);
            let c = if is_masked(self.mask, row) { before } else { simd.fma(f, before, simd.mul(i, g)) };
            store(simd, self.c_after.add(at), c, count);
            (c, o)
        }
    }

    /// Stores the hidden state that follows from the cell state and the output gate.
    ///
    /// # Safety
    /// As for [`Cell::finish`], of one row.
    #[inline(always)]
    unsafe fn hidden<S: Simd>(&self, simd: S, row: usize, block: usize, (c, o): (S::V, S::V)) {
        let (units, unit) = (self.units, block * S::N);
        let count = S::N.min(units - unit);
        let at = row * units + unit;
        // SAFETY: `count` units from `unit` on of the row exist in every array.
        unsafe {
            let h = if is_masked(self.mask, row) {
                load(simd, self.h_before.add(at), count)
            } else {
                simd.mul(o, tanh(simd, c).divide(simd))
            };
            store(simd, self.h_after.add(at), h, count);
            if let Some((y, stride)) = self.y {
                store(simd, y.add(row * stride + unit), h, count);
            }
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
    /// What the output of the step adds to the gradient of the hidden state `[U]`.
    pub dy: Option<&'a [f32]>,
    /// The gradient of the hidden state after the step `[U]`; 0 on return, for the products to add to.
    pub dh: &'a mut [f32],
    /// The gradient of the cell state `[U]` after the step on entry, before it on return.
    pub dc: &'a mut [f32],
    /// The gradient of the gates before activation `[4U]`, written.
    pub dz: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let units = self.c_before.len();
        let [input, forget, candidate, output] = gates(self.gates, units);
        let [dz_i, dz_f, dz_c, dz_o] = gates_mut(self.dz, units);
        let (c_before, c_after) = (&self.c_before[..units], &self.c_after[..units]);
        let (dh, dc) = (&mut self.dh[..units], &mut self.dc[..units]);
        let one = simd.splat(1.0);
        for at in (0..units).step_by(S::N) {
            let count = S::N.min(units - at);
            // SAFETY: `count` elements from `at` on of rows of `units`.
            unsafe {
                let i = load(simd, input.as_ptr().add(at), count);
                let f = load(simd, forget.as_ptr().add(at), count);
                let g = load(simd, candidate.as_ptr().add(at), count);
                let o = load(simd, output.as_ptr().add(at), count);
                let mut dh_after = load(simd, dh.as_ptr().add(at), count);
                if let Some(dy) = self.dy {
                    dh_after = simd.add(dh_after, load(simd, dy.as_ptr().add(at), count));
                }
                let t = tanh(simd, load(simd, c_after.as_ptr().add(at), count)).divide(simd);
                let through_tanh = simd.mul(simd.mul(dh_after, o), simd.neg_fma(t, t, one));
                let d = simd.add(load(simd, dc.as_ptr().add(at), count), through_tanh);
                let before = load(simd, c_before.as_ptr().add(at), count);
                // The slope of the sigmoid is s (1 - s).
                let slope_i = simd.mul(i, simd.sub(one, i));
                let slope_f = simd.mul(f, simd.sub(one, f));
                let slope_o = simd.mul(o, simd.sub(one, o));
                store(simd, dz_i.as_mut_ptr().add(at), simd.mul(simd.mul(d, g), slope_i), count);
                store(simd, dz_f.as_mut_ptr().add(at), simd.mul(simd.mul(d, before), slope_f), count);
                store(simd, dz_c.as_mut_ptr().add(at), simd.mul(simd.mul(d, i), simd.neg_fma(g, g, one)), count);
                store(simd, dz_o.as_mut_ptr().add(at), simd.mul(simd.mul(dh_after, t), slope_o), count);
                store(simd, dc.as_mut_ptr().add(at), simd.mul(d, f), count);
                store(simd, dh.as_mut_ptr().add(at), simd.zero(), count);
            }
        }
    }
}
