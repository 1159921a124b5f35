//! One step of the cell, between the products.

use crate::vecmath::{sigmoid_v, tanh_v};
use ferrograph_simd::{Kernel, Level, Simd};

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

/// The forward step of one sequence.
pub(super) struct Forward<'a> {
    /// The gates `[4U]` before activation on entry, after it on return.
    pub gates: &'a mut [f32],
    /// `[U]`
    pub c_before: &'a [f32],
    /// `[U]`
    pub c_after: &'a mut [f32],
    /// `[U]`
    pub h_after: &'a mut [f32],
}

impl Forward<'_> {
    pub(super) fn run(self, level: Level) {
        level.run(self);
    }
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let units = self.c_before.len();
        let [input, forget, candidate, output] = gates_mut(self.gates, units);
        for at in (0..units).step_by(S::N) {
            // Slices of equal length keep the bounds checks out of the way; only the last is shorter than a vector.
            let part = at..units.min(at + S::N);
            let i = sigmoid_v(simd, simd.load_partial(&input[part.clone()]));
            let f = sigmoid_v(simd, simd.load_partial(&forget[part.clone()]));
            let g = tanh_v(simd, simd.load_partial(&candidate[part.clone()]));
            let o = sigmoid_v(simd, simd.load_partial(&output[part.clone()]));
            let c = simd.fma(f, simd.load_partial(&self.c_before[part.clone()]), simd.mul(i, g));
            let h = simd.mul(o, tanh_v(simd, c));
            simd.store_partial(&mut input[part.clone()], i);
            simd.store_partial(&mut forget[part.clone()], f);
            simd.store_partial(&mut candidate[part.clone()], g);
            simd.store_partial(&mut output[part.clone()], o);
            simd.store_partial(&mut self.c_after[part.clone()], c);
            simd.store_partial(&mut self.h_after[part], h);
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
