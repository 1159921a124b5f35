//! The error function.

use super::{exp_v, polynomial};
use ferrograph_simd::Simd;

/// `2 / sqrt(pi) * (integral of e^(-t^2) from 0 to x)`
#[inline(always)]
pub fn erf_v<S: Simd>(simd: S, x: S::V) -> S::V {
    let magnitude = simd.abs(x);
    // Near 0: x + x p(x^2), relative error 1.7e-8 for |x| <= 0.93.
    let square = simd.mul(x, x);
    let coefficients = [-5.953_742_7e-4, 4.985_940_6e-3, -2.676_172e-2, 1.128_168_26e-1, -3.761_248e-1, 1.283_791_5e-1];
    let near = simd.fma(polynomial(simd, square, coefficients), x, x);
    // Elsewhere: 1 - e^-(t + t q(t)), relative error 6.8e-10 for t up to 3.95, from where erf is 1 in f32.
    let t = simd.min(simd.splat(3.95), magnitude);
    let coefficients = [
        1.161_251_9e-5,
        -3.266_247_5e-4,
        3.658_017_8e-3,
        -2.379_502_4e-2,
        1.062_752_1e-1,
        6.351_281e-1,
        1.286_542_3e-1,
    ];
    let exponent = simd.fma(polynomial(simd, t, coefficients), t, t);
    let far = simd.sub(simd.splat(1.0), exp_v(simd, simd.neg(exponent)));
    let y = simd.select(simd.lt(magnitude, simd.splat(0.93)), near, far);
    simd.copysign(y, x)
}
