//! Activations of gates that share divisions, which take longer than anything else in a cell.
//!
//! What runs at an instruction level is written without closures: the compiler does not inline them there.

use crate::vecmath::{moderate_exp_v, moderate_expm1_v};
use ferrograph_simd::Simd;

/// Beyond this, `sigmoid` and `tanh` are taken where they are at it: at most 2.2e-19 away. The product of two denominators
/// stays finite, and its inverse normal.
const LIMIT: f32 = 43.0;

/// A quotient that is not divided yet.
#[derive(Clone, Copy)]
pub(crate) struct Fraction<V> {
    numerator: Option<V>,
    denominator: V,
}

#[inline(always)]
fn limited<S: Simd>(simd: S, x: S::V) -> S::V {
    // The order of the operands lets NaN through.
    simd.max(simd.splat(-LIMIT), simd.min(simd.splat(LIMIT), x))
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::V) -> Fraction<S::V> {
    let e = moderate_exp_v(simd, limited(simd, simd.neg(x)));
    Fraction { numerator: None, denominator: simd.add(e, simd.splat(1.0)) }
}

/// `(e^2x - 1) / (e^2x + 1)`
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::V) -> Fraction<S::V> {
    let e = moderate_expm1_v(simd, limited(simd, simd.add(x, x)));
    Fraction { numerator: Some(e), denominator: simd.add(e, simd.splat(2.0)) }
}

impl<V: Copy> Fraction<V> {
    #[inline(always)]
    fn times<S: Simd<V = V>>(self, simd: S, x: V) -> V {
        match self.numerator {
            Some(numerator) => simd.mul(numerator, x),
            None => x,
        }
    }

    /// The quotient.
    #[inline(always)]
    pub(crate) fn divide<S: Simd<V = V>>(self, simd: S) -> V {
        match self.numerator {
            Some(numerator) => simd.div(numerator, self.denominator),
            None => simd.div(simd.splat(1.0), self.denominator),
        }
    }

    /// This and another quotient with one division.
    #[inline(always)]
    pub(crate) fn divide_with<S: Simd<V = V>>(self, simd: S, other: Self) -> (V, V) {
        let inverse = simd.div(simd.splat(1.0), simd.mul(self.denominator, other.denominator));
        let (a, b) = (simd.mul(inverse, other.denominator), simd.mul(inverse, self.denominator));
        (self.times(simd, a), other.times(simd, b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_simd::{Kernel, Level};

    /// Sigmoid and tanh of two numbers that share a division, and tanh by itself.
    struct All(f32, f32);

    impl Kernel for All {
        type Output = [f32; 3];
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> [f32; 3] {
            let (a, b) = (simd.splat(self.0), simd.splat(self.1));
            let (s, t) = sigmoid(simd, a).divide_with(simd, tanh(simd, b));
            [s, t, tanh(simd, b).divide(simd)].map(|v| {
                let mut lanes = [0.0; 64];
                simd.store(&mut lanes[..S::N], v);
                lanes[0]
            })
        }
    }

    #[test]
    fn shared_divisions_stay_within_a_few_units() {
        let values: Vec<f32> = (-400..=400).map(|i| i as f32 * 0.1 + 1e-3 * (i % 7) as f32).collect();
        for level in Level::available() {
            for &a in &values {
                for &b in values.iter().step_by(37) {
                    let expected = [1.0 / (1.0 + (-f64::from(a)).exp()), f64::from(b).tanh(), f64::from(b).tanh()];
                    for (result, expected) in level.run(All(a, b)).into_iter().zip(expected) {
                        let error = (f64::from(result) - expected).abs();
                        assert!(
                            error <= 8.0 * f64::from(f32::EPSILON) * expected.abs(),
                            "{a} {b}: {result} {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_saturates() {
        for level in Level::available() {
            for (x, s, t) in [(f32::INFINITY, 1.0, 1.0), (f32::NEG_INFINITY, 0.0, -1.0), (f32::MAX, 1.0, 1.0)] {
                let [sigmoid, tanh, alone] = level.run(All(x, x));
                assert!((sigmoid - s).abs() < 1e-18 && tanh == t && alone == t, "{x}: {sigmoid} {tanh} {alone}");
            }
            assert!(level.run(All(f32::NAN, 0.0))[0].is_nan());
            assert!(level.run(All(0.0, f32::NAN))[1..].iter().all(|t| t.is_nan()));
        }
    }
}
