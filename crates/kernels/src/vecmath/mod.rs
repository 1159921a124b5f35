//! Elementary functions of `f32`, a vector at a time.
//!
//! Every function is within 4 ULP of the true value over all of `f32`, subnormal arguments and results included
//! (the tests state the tighter bound each one meets), and follows IEEE 754 at zeros, infinities and NaN. A result
//! depends on the argument only, not on its position or its neighbours.
//!
//! The functions ending in `_v` work on one vector and serve other kernels; the plain ones work on slices, over the
//! pool when they are long. Polynomials are minimax fits made by `fits/vecmath.py`, but those of sine and cosine, which
//! are known ones.

mod erf;
mod exp;
mod log;
mod sin;
#[cfg(test)]
mod tests;

pub use erf::erf_v;
pub use exp::{exp_v, expm1_v, sigmoid_v, tanh_v};
pub(crate) use exp::{moderate_exp_v, moderate_expm1_v};
pub use log::{log_v, log1p_v};
pub use sin::{cos_v, sin_v};

use crate::parallel::for_each_chunk;
use ferrograph_simd::{Kernel, Level, Simd};

/// A function that one vector at a time can be computed of.
trait Function: Copy + Sync {
    fn apply<S: Simd>(self, simd: S, x: S::V) -> S::V;
}

struct Map<'a, F> {
    function: F,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl<F: Function> Kernel for Map<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (x, tail_x) = self.x.split_at(self.x.len() / S::N * S::N);
        let (y, tail_y) = self.y.split_at_mut(x.len());
        for (x, y) in x.chunks_exact(S::N).zip(y.chunks_exact_mut(S::N)) {
            simd.store(y, self.function.apply(simd, simd.load(x)));
        }
        if !tail_x.is_empty() {
            simd.store_partial(tail_y, self.function.apply(simd, simd.load_partial(tail_x)));
        }
    }
}

/// Elements of a chunk: about 10 microseconds of work.
const CHUNK: usize = 16 * 1024;

fn map<F: Function>(function: F, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "x and y have the same length");
    let level = Level::current();
    for_each_chunk(y, CHUNK, |index, y| {
        let x = &x[index * CHUNK..][..y.len()];
        level.run(Map { function, x, y });
    });
}

/// `a[0] x^(D-1) + ... + a[D-1]` by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, const D: usize>(simd: S, x: S::V, coefficients: [f32; D]) -> S::V {
    let mut sum = simd.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = simd.fma(sum, x, simd.splat(*coefficient));
    }
    sum
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident, $vector:ident, $function:ident;)+) => {$(
        #[derive(Clone, Copy)]
        struct $function;
        impl Function for $function {
            #[inline(always)]
            fn apply<S: Simd>(self, simd: S, x: S::V) -> S::V {
                $vector(simd, x)
            }
        }
        $(#[$doc])*
        ///
        /// Panics unless both slices have the same length.
        pub fn $name(x: &[f32], y: &mut [f32]) {
            map($function, x, y);
        }
    )+};
}

functions! {
    /// `y = e^x`
    exp, exp_v, Exp;
    /// `y = e^x - 1`, accurate near 0.
    expm1, expm1_v, Expm1;
    /// `y = ln(x)`; `-inf` at 0, NaN below.
    log, log_v, Log;
    /// `y = ln(1 + x)`, accurate near 0; `-inf` at -1, NaN below.
    log1p, log1p_v, Log1p;
    /// `y = tanh(x)`
    tanh, tanh_v, Tanh;
    /// `y = 1 / (1 + e^-x)`
    sigmoid, sigmoid_v, Sigmoid;
    /// `y = 2 / sqrt(pi) * (integral of e^(-t^2) from 0 to x)`
    erf, erf_v, Erf;
    /// `y = sin(x)`; NaN of infinities.
    sin, sin_v, Sin;
    /// `y = cos(x)`; NaN of infinities.
    cos, cos_v, Cos;
}
