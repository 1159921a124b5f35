//! One step of the cell, between the products.

use crate::vecmath::{sigmoid_v, tanh_v};
use ferrograph_simd::{Kernel, Simd};

/// Parts of a row, each of `units` elements.
fn parts<const N: usize>(row: &[f32], units: usize) -> [&[f32]; N] {
    std::array::from_fn(|part| &row[part * units..(part + 1) * units])
}

fn kept_mut(row: &mut [f32], units: usize) -> [&mut [f32]; 4] {
    let (update, rest) = row.split_at_mut(units);
    let (reset, rest) = rest.split_at_mut(units);
    let (candidate, inner) = rest.split_at_mut(units);
    [update, reset, candidate, inner]
}

fn gates_mut(row: &mut [f32], units: usize) -> [&mut [f32]; 3] {
    let (update, rest) = row.split_at_mut(units);
    let (reset, candidate) = rest.split_at_mut(units);
    [update, reset, candidate]
}

/// `sigmoid(p + q)`, where `q` may already be part of `p`.
#[inline(always)]
fn gate<S: Simd>(simd: S, p: &[f32], q: Option<&[f32]>) -> S::V {
    let p = simd.load_partial(p);
    sigmoid_v(simd, q.map_or(p, |q| simd.add(p, simd.load_partial(q))))
}

/// The gates `z` and `r` of one sequence.
pub(super) struct Gates<'a> {
    /// `[3U]`: what the gates get from the input, and without `recurrent` all that `z` and `r` get.
    pub projected: &'a [f32],
    /// With `reset_after`, `[3U]`: what they get from the state.
    pub recurrent: Option<&'a [f32]>,
    /// `[U]`
    pub h_before: &'a [f32],
    /// `[4U]`: `z`, `r` and the last part are written.
    pub kept: &'a mut [f32],
}

impl Kernel for Gates<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let units = self.h_before.len();
        let [p_z, p_r] = parts(self.projected, units);
        let q = self.recurrent.map(|q| parts::<3>(q, units));
        let [update, reset, _, inner] = kept_mut(self.kept, units);
        for at in (0..units).step_by(S::N) {
            let part = at..units.min(at + S::N);
            let of = |index: usize| q.map(|q| &q[index][part.clone()]);
            let z = gate(simd, &p_z[part.clone()], of(0));
            let r = gate(simd, &p_r[part.clone()], of(1));
            let last = match of(2) {
                Some(q) => simd.load_partial(q),
                None => simd.mul(r, simd.load_partial(&self.h_before[part.clone()])),
            };
            simd.store_partial(&mut update[part.clone()], z);
            simd.store_partial(&mut reset[part.clone()], r);
            simd.store_partial(&mut inner[part], last);
        }
    }
}

/// The candidate and the state of one sequence, once the gates are known.
pub(super) struct State<'a> {
    /// `[U]`: what the candidate gets from the input, and without `reset_after` all it gets.
    pub projected: &'a [f32],
    /// Whether the last part of `kept` times the reset gate is to be added.
    pub reset_after: bool,
    /// `[U]`
    pub h_before: &'a [f32],
    /// `[4U]`: the candidate is written.
    pub kept: &'a mut [f32],
    /// `[U]`
    pub h_after: &'a mut [f32],
}

impl Kernel for State<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let units = self.h_before.len();
        let [update, reset, candidate, inner] = kept_mut(self.kept, units);
        for at in (0..units).step_by(S::N) {
            let part = at..units.min(at + S::N);
            let z = simd.load_partial(&update[part.clone()]);
            let mut sum = simd.load_partial(&self.projected[part.clone()]);
            if self.reset_after {
                let (r, q) = (simd.load_partial(&reset[part.clone()]), simd.load_partial(&inner[part.clone()]));
                sum = simd.fma(r, q, sum);
            }
            let g = tanh_v(simd, sum);
            let rest = simd.mul(simd.sub(simd.splat(1.0), z), g);
            let h = simd.fma(z, simd.load_partial(&self.h_before[part.clone()]), rest);
            simd.store_partial(&mut candidate[part.clone()], g);
            simd.store_partial(&mut self.h_after[part], h);
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
