//! One step of the cell, and its derivative.
//!
//! Contains `unsafe`: threads that share a step write disjoint units of the same rows.

// Indices over rows mean the same in every array here.
#![allow(clippy::needless_range_loop)]

use super::GATES;
use crate::recurrence::activation::{sigmoid, tanh};
use crate::recurrence::backward::Layout;
use crate::recurrence::cell::{Cell, is_masked, load, store};
use ferrograph_simd::{Kernel, Simd};

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

/// The backward step of some sequences: rows of states are `units` apart. With `t = tanh(c)` and `d = dc + dh o (1 - t^2)`:
///
/// ```text
/// dz_i = d g i (1 - i)    dz_f = d c_before f (1 - f)    dz_c = d i (1 - g^2)    dz_o = dh t o (1 - o)
/// ```
///
/// The pointers lead to rows of the lengths given. Where a step is masked, the gradients of the states stay what they were.
pub(super) struct Backward<'a> {
    pub units: usize,
    pub rows: usize,
    /// The gates after activation, rows `[4U]`.
    pub gates: *const f32,
    pub c_before: *const f32,
    pub c_after: *const f32,
    /// What the output of the step adds to the gradient of the hidden state, and the distance of its rows.
    pub dy: Option<(*const f32, usize)>,
    /// From the mask of the first row on, and the distance of the rows'. 0 means masked.
    pub mask: Option<(&'a [u8], usize)>,
    /// The gradient of the hidden state after the step. With a mask 0 on return where a row is not masked, for products to add to.
    pub dh: *mut f32,
    /// The gradient of the cell state after the step on entry, before it on return.
    pub dc: *mut f32,
    /// The gradient of the gates before activation, rows `[4U]` in `layout`, written.
    pub dz: *mut f32,
    pub layout: Layout,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // SAFETY: what the pointers lead to.
        unsafe {
            if self.layout.width == GATES * self.units {
                self.all::<S, false>(simd);
            } else {
                assert!(self.layout.width == S::TILE_VECTORS * S::N && self.units.is_multiple_of(S::N));
                self.all::<S, true>(simd);
            }
        }
    }
}

impl Backward<'_> {
    /// # Safety
    /// The pointers lead to what they promise. `PANELS` says whether `dz` lies in panels.
    #[inline(always)]
    unsafe fn all<S: Simd, const PANELS: bool>(&self, simd: S) {
        for row in 0..self.rows {
            for unit in (0..self.units).step_by(S::N) {
                // SAFETY: the caller's promise.
                unsafe {
                    if is_masked(self.mask, row) {
                        self.pass::<S, PANELS>(simd, row, unit);
                    } else {
                        self.step::<S, PANELS>(simd, row, unit);
                    }
                }
            }
        }
    }

    /// Where the gradient of a gate of a unit is.
    #[inline(always)]
    fn place<S: Simd, const PANELS: bool>(&self, row: usize, gate: usize, unit: usize) -> *mut f32 {
        let column = gate * self.units + unit;
        // The width of a panel is known while compiling.
        let width = S::TILE_VECTORS * S::N;
        let column = if PANELS { column / width * width * self.layout.rows + column % width } else { column };
        self.dz.wrapping_add(row * if PANELS { width } else { self.layout.width } + column)
    }

    /// The gradient of the hidden state after the step.
    ///
    /// # Safety
    /// `count` units from `unit` on of the row exist.
    #[inline(always)]
    unsafe fn dh_after<S: Simd>(&self, simd: S, row: usize, unit: usize, count: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let dh = load(simd, self.dh.add(row * self.units + unit), count);
            match self.dy {
                Some((dy, stride)) => simd.add(dh, load(simd, dy.add(row * stride + unit), count)),
                None => dh,
            }
        }
    }

    /// The step of a row that is masked, for a vector of units: the states passed through unchanged, so their gradients do.
    ///
    /// # Safety
    /// The row and the unit exist.
    #[inline(always)]
    unsafe fn pass<S: Simd, const PANELS: bool>(&self, simd: S, row: usize, unit: usize) {
        let count = S::N.min(self.units - unit);
        for gate in 0..GATES {
            // SAFETY: `count` units from `unit` on of the row exist.
            unsafe { store(simd, self.place::<S, PANELS>(row, gate, unit), simd.zero(), count) };
        }
        // SAFETY: as above.
        unsafe {
            let dh = self.dh_after(simd, row, unit, count);
            store(simd, self.dh.add(row * self.units + unit), dh, count);
        }
    }

    /// The step of a row for a vector of units.
    ///
    /// # Safety
    /// The row and the unit exist.
    #[inline(always)]
    unsafe fn step<S: Simd, const PANELS: bool>(&self, simd: S, row: usize, unit: usize) {
        let units = self.units;
        let count = S::N.min(units - unit);
        let at = row * units + unit;
        let one = simd.splat(1.0);
        // SAFETY: `count` units from `unit` on of the row exist in every array.
        unsafe {
            let gates = self.gates.add(row * GATES * units + unit);
            let i = load(simd, gates, count);
            let f = load(simd, gates.add(units), count);
            let g = load(simd, gates.add(2 * units), count);
            let o = load(simd, gates.add(3 * units), count);
            let dh_after = self.dh_after(simd, row, unit, count);
            let t = tanh(simd, load(simd, self.c_after.add(at), count)).divide(simd);
            let through_tanh = simd.mul(simd.mul(dh_after, o), simd.neg_fma(t, t, one));
            let d = simd.add(load(simd, self.dc.add(at), count), through_tanh);
            let before = load(simd, self.c_before.add(at), count);
            // The slope of the sigmoid is s (1 - s).
            let slope_i = simd.mul(i, simd.sub(one, i));
            let slope_f = simd.mul(f, simd.sub(one, f));
            let slope_o = simd.mul(o, simd.sub(one, o));
            let dz = [
                simd.mul(simd.mul(d, g), slope_i),
                simd.mul(simd.mul(d, before), slope_f),
                simd.mul(simd.mul(d, i), simd.neg_fma(g, g, one)),
                simd.mul(simd.mul(dh_after, t), slope_o),
            ];
            for gate in 0..GATES {
                store(simd, self.place::<S, PANELS>(row, gate, unit), dz[gate], count);
            }
            store(simd, self.dc.add(at), simd.mul(d, f), count);
            if self.mask.is_some() {
                store(simd, self.dh.add(at), simd.zero(), count);
            }
        }
    }
}
