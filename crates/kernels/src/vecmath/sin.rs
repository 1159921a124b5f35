//! Sine and cosine.

use ferrograph_simd::Simd;
use std::f32::consts::FRAC_2_PI;

/// pi / 2 in three parts, each the float next to what the ones before leave. The product of the first with a number of
/// quarter turns below 2^17, taken from an argument, leaves an exact difference where multiplications are fused.
const HALF_PI: [f32; 3] = [1.570_796_4, -4.371_139e-8, -1.715_124_5e-15];
/// Larger arguments are left to the standard library, and so is everything where multiplications are not fused.
const LIMIT: f32 = 100_000.0;
/// No instruction set has more lanes in a vector.
const MAX_LANES: usize = 16;

/// `sin(x)`
#[inline(always)]
pub fn sin_v<S: Simd>(simd: S, x: S::V) -> S::V {
    // Odd: the sign, also that of 0, is put back at the end.
    let [y, _] = sin_cos(simd, simd.abs(x));
    let y = simd.mul(y, simd.copysign(simd.splat(1.0), x));
    repair(simd, x, y, f32::sin)
}

/// `cos(x)`
#[inline(always)]
pub fn cos_v<S: Simd>(simd: S, x: S::V) -> S::V {
    let [_, y] = sin_cos(simd, simd.abs(x));
    repair(simd, x, y, f32::cos)
}

/// Sine and cosine of `0 ..= LIMIT`.
#[inline(always)]
fn sin_cos<S: Simd>(simd: S, x: S::V) -> [S::V; 2] {
    let quarters = simd.round(simd.mul(x, simd.splat(FRAC_2_PI)));
    let r = HALF_PI.into_iter().fold(x, |r, part| simd.neg_fma(quarters, simd.splat(part), r));
    let z = simd.mul(r, r);
    // The polynomials of Cephes (S. L. Moshier, `single/sinf.c`) for at most an eighth of a turn.
    let p = super::polynomial(simd, z, [-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1]);
    let sin = simd.fma(simd.mul(p, z), r, r);
    let p = super::polynomial(simd, z, [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2, -0.5]);
    let cos = simd.fma(p, z, simd.splat(1.0));
    // Which quarter of the turn, from -2 to 2.
    let turns = simd.round(simd.mul(quarters, simd.splat(0.25)));
    let quarter = simd.neg_fma(turns, simd.splat(4.0), quarters);
    let one = simd.splat(1.0);
    let odd = simd.eq(simd.abs(quarter), one);
    let opposite = simd.eq(simd.abs(quarter), simd.splat(2.0));
    let [s, c] = [simd.select(odd, cos, sin), simd.select(odd, sin, cos)];
    let s_negative = simd.select(opposite, one, simd.select(simd.eq(quarter, simd.splat(-1.0)), one, simd.zero()));
    let c_negative = simd.select(opposite, one, simd.select(simd.eq(quarter, one), one, simd.zero()));
    let signed = |y, negative| simd.select(simd.eq(negative, one), simd.neg(y), y);
    [signed(s, s_negative), signed(c, c_negative)]
}

/// `y`, but `f(x)` where `x` is finite and beyond the limit, or everywhere if this instruction set does not fuse.
#[inline(always)]
fn repair<S: Simd>(simd: S, x: S::V, y: S::V, f: impl Fn(f32) -> f32) -> S::V {
    let limit = if S::FUSES { LIMIT } else { -1.0 };
    let magnitude = simd.abs(x);
    let beyond = simd.select(simd.lt(simd.splat(limit), magnitude), simd.splat(1.0), simd.zero());
    if simd.reduce_max(beyond) == 0.0 {
        return y;
    }
    let (mut from, mut to) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
    simd.store(&mut from, x);
    simd.store(&mut to, y);
    for (x, y) in from.into_iter().zip(&mut to) {
        if x.abs() > limit {
            *y = f(x);
        }
    }
    simd.load(&to)
}
