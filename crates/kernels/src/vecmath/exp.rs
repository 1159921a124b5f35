//! The exponential function and what is made of it.

use super::polynomial;
use ferrograph_simd::Simd;
use std::f32::consts::LOG2_E;

/// ln 2 in two parts. The upper has 9 significant bits, so its product with an exponent is exact.
pub(super) const LN2_HIGH: f32 = 355.0 / 512.0;
pub(super) const LN2_LOW: f32 = -2.121_944_4e-4;

/// 1.5 * 2^23: the last place of numbers about this size is 1.
const NO_FRACTION: f32 = 12_582_912.0;

/// `1 + r + r^2 m` with minimax `m` of `(e^r - 1 - r) / r^2` for `|r|` up to `ln 2 / 2`, relative error of `e^r` 3.1e-9.
const EXP: [f32; 7] = [1.381_461e-3, 8.368_717_5e-3, 4.166_839e-2, 1.666_652_1e-1, 4.999_999_4e-1, 1.0, 1.0];

/// Minimax of `(e^r - 1 - r) / r^2` for `|r|` up to `ln 2 / 2`, relative error of `e^r - 1` 2.7e-10.
const EXPM1: [f32; 6] = [1.996_217_5e-4, 1.394_321e-3, 8.333_22e-3, 4.166_632_5e-2, 1.666_666_7e-1, 0.5];

/// `(n, r)` with `x = n ln 2 + r`, `n` an integer and `|r|` at most `ln 2 / 2`, for moderate `x`.
#[inline(always)]
fn reduce<S: Simd>(simd: S, x: S::V) -> (S::V, S::V) {
    let n = simd.round(simd.mul(x, simd.splat(LOG2_E)));
    let r = simd.neg_fma(n, simd.splat(LN2_HIGH), x);
    (n, simd.neg_fma(n, simd.splat(LN2_LOW), r))
}

/// As [`reduce`], by multiplying and adding at once what leaves no place for a fraction: an operation less.
#[inline(always)]
fn fused_reduce<S: Simd>(simd: S, x: S::V) -> (S::V, S::V) {
    let no_fraction = simd.splat(NO_FRACTION);
    let n = simd.sub(simd.fma(x, simd.splat(LOG2_E), no_fraction), no_fraction);
    let r = simd.neg_fma(n, simd.splat(LN2_HIGH), x);
    (n, simd.neg_fma(n, simd.splat(LN2_LOW), r))
}

/// Limits `x` to `low ..= high`, and leaves NaN as it is.
#[inline(always)]
fn clamp<S: Simd>(simd: S, x: S::V, low: f32, high: f32) -> S::V {
    simd.max(simd.splat(low), simd.min(simd.splat(high), x))
}

/// `e^x`
#[inline(always)]
pub fn exp_v<S: Simd>(simd: S, x: S::V) -> S::V {
    // Beyond these the result is 0 or infinite in f32 already.
    let (n, r) = reduce(simd, clamp(simd, x, -104.0, 89.0));
    let [high @ .., _, _] = EXP;
    // That 1 comes last hides what some levels lose by rounding products before they are added.
    let p = simd.add(simd.fma(simd.mul(r, r), polynomial(simd, r, high), r), simd.splat(1.0));
    simd.scale(p, n)
}

/// `e^x` of `x` from -104 to 89 with fewer operations: a hundredth of the ticket model's time. Levels that round products before
/// they are added give other bits.
#[inline(always)]
pub(crate) fn moderate_exp_v<S: Simd>(simd: S, x: S::V) -> S::V {
    let (n, r) = fused_reduce(simd, x);
    simd.scale(polynomial(simd, r, EXP), n)
}

/// `e^r - 1`
#[inline(always)]
fn small_expm1<S: Simd>(simd: S, r: S::V) -> S::V {
    simd.fma(simd.mul(r, r), polynomial(simd, r, EXPM1), r)
}

/// `e^x - 1` of `x` from -87 to 87, of which 0 may lose its sign.
#[inline(always)]
pub(crate) fn moderate_expm1_v<S: Simd>(simd: S, x: S::V) -> S::V {
    let (n, r) = fused_reduce(simd, x);
    let p = small_expm1(simd, r);
    let one = simd.splat(1.0);
    let power = simd.scale(one, n);
    simd.fma(power, p, simd.sub(power, one))
}

/// `e^x - 1`
#[inline(always)]
pub fn expm1_v<S: Simd>(simd: S, x: S::V) -> S::V {
    // Below -25 the result is -1 in f32 already.
    let (n, r) = reduce(simd, clamp(simd, x, -25.0, 89.0));
    let p = small_expm1(simd, r);
    // 2^n (p + 1) - 1 = 2^n (p + (1 - 2^-n)), which neither overflows early nor cancels.
    let one = simd.splat(1.0);
    let y = simd.add(p, simd.sub(one, simd.scale(one, simd.neg(n))));
    simd.copysign(simd.scale(y, n), x)
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub fn sigmoid_v<S: Simd>(simd: S, x: S::V) -> S::V {
    // e^-|x| never overflows, and keeps full precision where the result is tiny.
    let e = exp_v(simd, simd.neg(simd.abs(x)));
    let one = simd.splat(1.0);
    let numerator = simd.select(simd.lt(x, simd.zero()), e, one);
    simd.div(numerator, simd.add(one, e))
}

/// `tanh(x)`
#[inline(always)]
pub fn tanh_v<S: Simd>(simd: S, x: S::V) -> S::V {
    // t / (t + 2) with t = e^2|x| - 1, which keeps its precision near 0. From |x| = 10 on the result is 1 in f32.
    let magnitude = simd.min(simd.splat(10.0), simd.abs(x));
    let (n, r) = reduce(simd, simd.add(magnitude, magnitude));
    let p = small_expm1(simd, r);
    let one = simd.splat(1.0);
    let power = simd.scale(one, n);
    let t = simd.fma(power, p, simd.sub(power, one));
    simd.copysign(simd.div(t, simd.add(t, simd.splat(2.0))), x)
}
