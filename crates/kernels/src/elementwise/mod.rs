//! Loops over corresponding elements, vectorised for the processor at hand.
//!
//! The functions they apply come from the caller and are inlined; what takes more than a closure is a function of
//! slices in a module here. Slices of one call have one length.

mod activation;
mod chain;
mod clamped;

pub use activation::{Activation, Elu, Gelu, GeluTanh, Softplus, activate};
pub use chain::{Rectifier, chain};
pub use clamped::Clamped;

ferrograph_simd::dispatch! {
    /// `y = f(x)`
    pub fn map[X: Copy, Y: Copy, F: Fn(X) -> Y + Copy](x: &[X], y: &mut [Y], f: F) {
        assert_eq!(x.len(), y.len());
        for (y, x) in y.iter_mut().zip(x) {
            *y = f(*x);
        }
    }

    /// `y = f(a, b)`
    pub fn zip[A: Copy, B: Copy, Y: Copy, F: Fn(A, B) -> Y + Copy](a: &[A], b: &[B], y: &mut [Y], f: F) {
        assert_eq!((a.len(), b.len()), (y.len(), y.len()));
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = f(*a, *b);
        }
    }

    /// `y = f(a, b, c)`
    pub fn zip3[A: Copy, B: Copy, C: Copy, Y: Copy, F: Fn(A, B, C) -> Y + Copy](
        a: &[A],
        b: &[B],
        c: &[C],
        y: &mut [Y],
        f: F,
    ) {
        assert_eq!((a.len(), b.len(), c.len()), (y.len(), y.len(), y.len()));
        for (((y, a), b), c) in y.iter_mut().zip(a).zip(b).zip(c) {
            *y = f(*a, *b, *c);
        }
    }

    /// `y = f(a, b, c, d)`
    pub fn zip4[A: Copy, B: Copy, C: Copy, D: Copy, Y: Copy, F: Fn(A, B, C, D) -> Y + Copy](
        a: &[A],
        b: &[B],
        c: &[C],
        d: &[D],
        y: &mut [Y],
        f: F,
    ) {
        assert_eq!((a.len(), b.len(), c.len(), d.len()), (y.len(), y.len(), y.len(), y.len()));
        for ((((y, a), b), c), d) in y.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *y = f(*a, *b, *c, *d);
        }
    }
}
