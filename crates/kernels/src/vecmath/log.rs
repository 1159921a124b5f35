//! Natural logarithms.

use super::exp::{LN2_HIGH, LN2_LOW};
use super::polynomial;
use ferrograph_simd::Simd;
use std::f32::consts::SQRT_2;

/// `(m, e)` with `x = m 2^e` and `m` in `sqrt(1/2) ..= sqrt(2)`, for `x` positive, finite and normal.
#[inline(always)]
fn split<S: Simd>(simd: S, x: S::V) -> (S::V, S::V) {
    let (m, e) = simd.mantissa_exponent(x);
    let large = simd.lt(simd.splat(SQRT_2), m);
    let one = simd.splat(1.0);
    (simd.select(large, simd.mul(m, simd.splat(0.5)), m), simd.select(large, simd.add(e, one), e))
}

/// `ln(1 + f) + e ln 2` for `f` in `sqrt(1/2) - 1 ..= sqrt(2) - 1`.
#[inline(always)]
fn combine<S: Simd>(simd: S, f: S::V, e: S::V) -> S::V {
    // Minimax of (ln(1 + f) - f + f^2 / 2) / f^3, relative error of ln(1 + f) 7.5e-10.
    let coefficients = [
        6.746_647e-2,
        -1.167_565_4e-1,
        1.188_816_1e-1,
        -1.240_558_8e-1,
        1.421_955_2e-1,
        -1.666_799_6e-1,
        2.000_212e-1,
        -2.500_001e-1,
        3.333_333e-1,
    ];
    let square = simd.mul(f, f);
    let mut y = simd.mul(simd.mul(square, f), polynomial(simd, f, coefficients));
    y = simd.fma(e, simd.splat(LN2_LOW), y);
    y = simd.neg_fma(square, simd.splat(0.5), y);
    simd.fma(e, simd.splat(LN2_HIGH), simd.add(f, y))
}

/// Replaces `y` where `x` is not positive and finite: `-inf` at 0, NaN below and for NaN, `inf` at `inf`.
#[inline(always)]
fn fix_special<S: Simd>(simd: S, x: S::V, y: S::V) -> S::V {
    let infinity = simd.splat(f32::INFINITY);
    let y = simd.select(simd.eq(x, infinity), infinity, y);
    let y = simd.select(simd.eq(x, simd.zero()), simd.splat(f32::NEG_INFINITY), y);
    simd.select(simd.le(simd.zero(), x), y, simd.splat(f32::NAN))
}

/// `ln(x)`
#[inline(always)]
pub fn log_v<S: Simd>(simd: S, x: S::V) -> S::V {
    // Subnormal arguments are brought into the normal range first, exactly.
    let subnormal = simd.lt(x, simd.splat(f32::MIN_POSITIVE));
    let normal = simd.select(subnormal, simd.mul(x, simd.splat(33_554_432.0)), x); // 2^25
    let (m, e) = split(simd, normal);
    let e = simd.select(subnormal, simd.sub(e, simd.splat(25.0)), e);
    fix_special(simd, x, combine(simd, simd.sub(m, simd.splat(1.0)), e))
}

/// `ln(1 + x)`
#[inline(always)]
pub fn log1p_v<S: Simd>(simd: S, x: S::V) -> S::V {
    let one = simd.splat(1.0);
    let u = simd.add(one, x);
    // What rounding took from 1 + x; exact where it matters. Not for infinite u, where it would be NaN.
    let lost = simd.sub(x, simd.sub(u, one));
    let (m, e) = split(simd, u);
    let f = simd.add(simd.sub(m, one), simd.scale(lost, simd.neg(e)));
    let y = fix_special(simd, u, combine(simd, f, e));
    // ln(1 + x) has the sign of x, also at -0.
    simd.copysign(y, x)
}
