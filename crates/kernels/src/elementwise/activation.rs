//! Activation functions that need an elementary function and more.

use crate::vecmath::{erf_v, exp_v, expm1_v, log1p_v, tanh_v};
use ferrograph_simd::{Kernel, Level, Simd};

/// A function of one element, written for a vector.
pub trait Activation: Copy {
    /// The function.
    fn of<S: Simd>(self, simd: S, x: S::V) -> S::V;
}

/// `x` where `x > 0`, else `alpha * expm1(x)`
#[derive(Clone, Copy, Debug)]
pub struct Elu {
    /// The negated limit for large negative arguments.
    pub alpha: f32,
}

/// `log(1 + exp(x))`
#[derive(Clone, Copy, Debug)]
pub struct Softplus;

/// `x / 2 * (1 + erf(x / sqrt(2)))`
#[derive(Clone, Copy, Debug)]
pub struct Gelu;

/// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`
#[derive(Clone, Copy, Debug)]
pub struct GeluTanh;

impl Activation for Elu {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let negative = simd.mul(simd.splat(self.alpha), expm1_v(simd, x));
        simd.select(simd.lt(simd.zero(), x), x, negative)
    }
}

impl Activation for Softplus {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: S::V) -> S::V {
        // max(x, 0) + log1p(exp(-|x|)): the exponential never overflows. The second operand is the one that stays if
        // one is NaN.
        let rest = log1p_v(simd, exp_v(simd, simd.neg(simd.abs(x))));
        simd.add(simd.max(simd.zero(), x), rest)
    }
}

impl Activation for Gelu {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let t = erf_v(simd, simd.mul(x, simd.splat(std::f32::consts::FRAC_1_SQRT_2)));
        gate(simd, x, t)
    }
}

impl Activation for GeluTanh {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: S::V) -> S::V {
        /// sqrt(2 / pi)
        const SCALE: f32 = 0.797_884_6;
        let cubed = simd.mul(simd.mul(x, x), x);
        let t = simd.mul(simd.splat(SCALE), simd.fma(simd.splat(0.044_715), cubed, x));
        gate(simd, x, tanh_v(simd, t))
    }
}

/// `x / 2 * (1 + t)`
#[inline(always)]
fn gate<S: Simd>(simd: S, x: S::V, t: S::V) -> S::V {
    simd.mul(simd.mul(simd.splat(0.5), x), simd.add(simd.splat(1.0), t))
}

/// `y = activation(x)`
pub fn activate(activation: impl Activation, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    Level::current().run(Activate { activation, x, y });
}

struct Activate<'a, A> {
    activation: A,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl<A: Activation> Kernel for Activate<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (x, y) in self.x.chunks(S::N).zip(self.y.chunks_mut(S::N)) {
            if x.len() == S::N {
                simd.store(y, self.activation.of(simd, simd.load(x)));
            } else {
                simd.store_partial(y, self.activation.of(simd, simd.load_partial(x)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(activation: impl Activation, x: f32) -> f32 {
        let mut y = [0.0];
        activate(activation, &[x], &mut y);
        y[0]
    }

    #[test]
    fn softplus_is_stable() {
        assert_eq!([100.0, 1000.0, f32::INFINITY].map(|x| of(Softplus, x)), [100.0, 1000.0, f32::INFINITY]);
        assert_eq!(of(Softplus, f32::NEG_INFINITY), 0.0);
        // exp(-20) to the last bits: log1p does not lose it.
        assert!((of(Softplus, -20.0) / 2.061_153_6e-9 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn elu_saturates() {
        assert_eq!([-1000.0, 0.0, 1e30].map(|x| of(Elu { alpha: 0.5 }, x)), [-0.5, 0.0, 1e30]);
    }

    #[test]
    fn nan_propagates() {
        assert!(of(Softplus, f32::NAN).is_nan());
        assert!(of(Gelu, f32::NAN).is_nan());
        assert!(of(GeluTanh, f32::NAN).is_nan());
        assert!(of(Elu { alpha: 1.0 }, f32::NAN).is_nan());
    }
}
