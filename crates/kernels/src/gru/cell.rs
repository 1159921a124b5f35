//! One step of the cell, and its derivative between the products.
//!
//! Contains `unsafe`: threads that share a step write disjoint units of the same rows.

use super::GATES;
use crate::recurrence::activation::{sigmoid, tanh};
use crate::recurrence::cell::{Cell, is_masked, load, store};
use ferrograph_simd::{Kernel, Simd};

/// Parts of a row, each of `units` elements.
fn parts<const N: usize>(row: &[f32], units: usize) -> [&[f32]; N] {
    std::array::from_fn(|part| &row[part * units..(part + 1) * units])
}

fn gates_mut(row: &mut [f32], units: usize) -> [&mut [f32]; 3] {
    let (update, rest) = row.split_at_mut(units);
    let (reset, candidate) = rest.split_at_mut(units);
    [update, reset, candidate]
}

/// What the forward step of some sequences reads and writes: rows of states are `units` apart.
///
/// The pointers lead to rows of the lengths given; `h_before` and, in the second phase, `reset` are not written meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    pub units: usize,
    /// What the gates get from the input: rows of interleaved gates.
    pub projected: *const f32,
    /// With `reset_after` `[2, 3U]`.
    pub bias: &'a [f32],
    pub h_before: *const f32,
    pub h_after: *mut f32,
    /// Without `reset_after`, the update gate between the phases.
    pub z: *mut f32,
    /// Without `reset_after`, `r * h_before` between the phases.
    pub reset: *mut f32,
    /// A second place for the hidden state, and the distance of its rows.
    pub y: Option<(*mut f32, usize)>,
    /// Where `z`, `r`, `g` and `q_h` or `r * h_before` go, rows `[4U]`.
    pub kept: Option<*mut f32>,
    /// From the mask of the first row on, and the distance of the rows'. 0 means masked.
    pub mask: Option<(&'a [u8], usize)>,
}

impl Places<'_> {
    /// What a gate gets from the input.
    ///
    /// # Safety
    /// The row and the block exist.
    #[inline(always)]
    unsafe fn projected<S: Simd>(&self, simd: S, row: usize, block: usize, gate: usize) -> S::V {
        let row = self.projected.wrapping_add(row * GATES * self.units.next_multiple_of(S::N));
        // SAFETY: a vector of the row of gates, which exists.
        unsafe { simd.load_ptr(row.add((block * GATES + gate) * S::N)) }
    }

    /// What the second bias gives to a gate.
    ///
    /// # Safety
    /// The block exists.
    #[inline(always)]
    unsafe fn state_bias<S: Simd>(&self, simd: S, block: usize, gate: usize) -> S::V {
        let (unit, count) = (block * S::N, S::N.min(self.units - block * S::N));
        // SAFETY: `count` units from `unit` on of a gate of the second bias.
        unsafe { load(simd, self.bias.as_ptr().add((GATES + gate) * self.units + unit), count) }
    }

    /// # Safety
    /// As for [`Cell::finish`].
    #[inline(always)]
    unsafe fn keep<S: Simd>(&self, simd: S, row: usize, block: usize, part: usize, v: S::V) {
        let (unit, count) = (block * S::N, S::N.min(self.units - block * S::N));
        if let Some(kept) = self.kept {
            // SAFETY: `count` units from `unit` on of the row exist.
            unsafe { store(simd, kept.add((row * 4 + part) * self.units + unit), v, count) };
        }
    }

    /// `h_t = z * h_{t-1} + (1 - z) * g`
    ///
    /// # Safety
    /// As for [`Cell::finish`].
    #[inline(always)]
    unsafe fn state<S: Simd>(&self, simd: S, row: usize, block: usize, z: S::V, g: S::V) {
        let (unit, count) = (block * S::N, S::N.min(self.units - block * S::N));
        let at = row * self.units + unit;
        // SAFETY: `count` units from `unit` on of the row exist in every array.
        unsafe {
            let before = load(simd, self.h_before.add(at), count);
            let h = if is_masked(self.mask, row) {
                before
            } else {
                simd.fma(z, before, simd.mul(simd.sub(simd.splat(1.0), z), g))
            };
            store(simd, self.h_after.add(at), h, count);
            if let Some((y, stride)) = self.y {
                store(simd, y.add(row * stride + unit), h, count);
            }
        }
    }
}

/// The step with `reset_after`.
#[derive(Clone, Copy)]
pub(super) struct ResetAfter<'a>(pub Places<'a>);

impl Cell<GATES> for ResetAfter<'_> {
    /// `z` and `r` before activation and `q_h`, all without the second bias: added last, it costs the sums no digits.
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, row: usize, block: usize) -> [S::V; GATES] {
        // SAFETY: the caller's promise.
        unsafe { [self.0.projected(simd, row, block, 0), self.0.projected(simd, row, block, 1), simd.zero()] }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, row: usize, block: usize, [z, r, q]: [S::V; GATES]) {
        // SAFETY: the caller's promise.
        unsafe {
            let z = simd.add(z, self.0.state_bias(simd, block, 0));
            let r = simd.add(r, self.0.state_bias(simd, block, 1));
            let q = simd.add(q, self.0.state_bias(simd, block, 2));
            let (z, r) = sigmoid(simd, z).divide_with(simd, sigmoid(simd, r));
            let p = self.0.projected(simd, row, block, 2);
            let g = tanh(simd, simd.fma(r, q, p)).divide(simd);
            self.0.keep(simd, row, block, 0, z);
            self.0.keep(simd, row, block, 1, r);
            self.0.keep(simd, row, block, 2, g);
            self.0.keep(simd, row, block, 3, q);
            self.0.state(simd, row, block, z, g);
        }
    }
}

/// The first phase of the step without `reset_after`: the gates `z` and `r`.
#[derive(Clone, Copy)]
pub(super) struct ResetBefore<'a>(pub Places<'a>);

impl Cell<2> for ResetBefore<'_> {
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, row: usize, block: usize) -> [S::V; 2] {
        // SAFETY: the caller's promise.
        unsafe { [self.0.projected(simd, row, block, 0), self.0.projected(simd, row, block, 1)] }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, row: usize, block: usize, [z, r]: [S::V; 2]) {
        let (unit, count) = (block * S::N, S::N.min(self.0.units - block * S::N));
        let at = row * self.0.units + unit;
        let (z, r) = sigmoid(simd, z).divide_with(simd, sigmoid(simd, r));
        // SAFETY: the caller's promise; `count` units from `unit` on of the row exist in every array.
        unsafe {
            let reset = simd.mul(r, load(simd, self.0.h_before.add(at), count));
            store(simd, self.0.z.add(at), z, count);
            store(simd, self.0.reset.add(at), reset, count);
            self.0.keep(simd, row, block, 0, z);
            self.0.keep(simd, row, block, 1, r);
            self.0.keep(simd, row, block, 3, reset);
        }
    }
}

/// The second phase: the candidate and the state.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a>(pub Places<'a>);

impl Cell<1> for Candidate<'_> {
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, row: usize, block: usize) -> [S::V; 1] {
        // SAFETY: the caller's promise.
        [unsafe { self.0.projected(simd, row, block, 2) }]
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, row: usize, block: usize, [g]: [S::V; 1]) {
        let (unit, count) = (block * S::N, S::N.min(self.0.units - block * S::N));
        let g = tanh(simd, g).divide(simd);
        // SAFETY: the caller's promise; `count` units from `unit` on of the row exist.
        unsafe {
            let z = load(simd, self.0.z.add(row * self.0.units + unit), count);
            self.0.keep(simd, row, block, 2, g);
            self.0.state(simd, row, block, z, g);
        }
    }
}

/// The backward step of one sequence, up to the products:
///
/// ```text
/// dz = dh (h_before - g) z (1 - z)    dg = dh (1 - z) (1 - g^2)    dr = dg q_h r (1 - r)    dq_h = dg r
/// ```
pub(super) struct Backward<'a> {
    /// `[4U]`
    pub kept: &'a [f32],
    /// `[U]`
    pub h_before: &'a [f32],
    /// `[U]`: the gradient of the state after the step on entry; what passes straight to the state before it on return.
    pub dh: &'a mut [f32],
    /// `[3U]`: the gradient of `p`; without `dq`, `dr` is left out.
    pub dp: &'a mut [f32],
    /// With `reset_after`, `[3U]`: the gradient of `q`.
    pub dq: Option<&'a mut [f32]>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let units = self.h_before.len();
        let [update, reset, candidate, inner] = parts(self.kept, units);
        let [dz, dr, dg] = gates_mut(self.dp, units);
        let mut dq = self.dq.map(|dq| gates_mut(dq, units));
        let one = simd.splat(1.0);
        for at in (0..units).step_by(S::N) {
            let part = at..units.min(at + S::N);
            let [z, r, g, q] = [update, reset, candidate, inner].map(|x| simd.load_partial(&x[part.clone()]));
            let dh = simd.load_partial(&self.dh[part.clone()]);
            // The slope of the sigmoid, s (1 - s).
            let slope = |s: S::V| simd.mul(s, simd.sub(one, s));
            let change = simd.sub(simd.load_partial(&self.h_before[part.clone()]), g);
            let z_gradient = simd.mul(simd.mul(dh, change), slope(z));
            let g_gradient = simd.mul(simd.mul(dh, simd.sub(one, z)), simd.neg_fma(g, g, one));
            simd.store_partial(&mut dz[part.clone()], z_gradient);
            simd.store_partial(&mut dg[part.clone()], g_gradient);
            simd.store_partial(&mut self.dh[part.clone()], simd.mul(dh, z));
            if let Some([q_z, q_r, q_h]) = &mut dq {
                let r_gradient = simd.mul(simd.mul(g_gradient, q), slope(r));
                simd.store_partial(&mut dr[part.clone()], r_gradient);
                simd.store_partial(&mut q_z[part.clone()], z_gradient);
                simd.store_partial(&mut q_r[part.clone()], r_gradient);
                simd.store_partial(&mut q_h[part], simd.mul(g_gradient, r));
            }
        }
    }
}

/// The part of the backward step that needs the gradient of `r * h_before`, without `reset_after`.
pub(super) struct BackwardReset<'a> {
    /// `[4U]`
    pub kept: &'a [f32],
    /// `[U]`
    pub h_before: &'a [f32],
    /// `[U]`: the gradient of `r * h_before`.
    pub dreset: &'a [f32],
    /// `[U]`: added to.
    pub dh: &'a mut [f32],
    /// `[3U]`: `dr` is written.
    pub dp: &'a mut [f32],
}

impl Kernel for BackwardReset<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let units = self.h_before.len();
        let [_, reset] = parts(self.kept, units);
        let [_, dr, _] = gates_mut(self.dp, units);
        for at in (0..units).step_by(S::N) {
            let part = at..units.min(at + S::N);
            let (r, d) = (simd.load_partial(&reset[part.clone()]), simd.load_partial(&self.dreset[part.clone()]));
            let h = simd.load_partial(&self.h_before[part.clone()]);
            let slope = simd.mul(r, simd.sub(simd.splat(1.0), r));
            simd.store_partial(&mut dr[part.clone()], simd.mul(simd.mul(d, h), slope));
            let dh = simd.fma(d, r, simd.load_partial(&self.dh[part.clone()]));
            simd.store_partial(&mut self.dh[part], dh);
        }
    }
}
