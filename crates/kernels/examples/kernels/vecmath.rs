//! Elementary functions.

use crate::report::{Floats, Work, measure};
use ferrograph_kernels::vecmath;

/// Elements: in the second-level cache, and far beyond.
const LENGTHS: [usize; 2] = [1 << 16, 1 << 20];

/// A function of one slice into another.
type Function = fn(&[f32], &mut [f32]);

const FUNCTIONS: [(&str, Function); 8] = [
    ("exp", vecmath::exp),
    ("tanh", vecmath::tanh),
    ("sigmoid", vecmath::sigmoid),
    ("erf", vecmath::erf),
    ("log", vecmath::log),
    ("expm1", vecmath::expm1),
    ("sin", vecmath::sin),
    ("cos", vecmath::cos),
];

pub fn report() {
    for (name, function) in FUNCTIONS {
        for len in LENGTHS {
            let (mut x, mut y) = (Floats::new(len), Floats::new(len));
            for (index, x) in x.get_mut().iter_mut().enumerate() {
                // From -4 to 4, or from 0.1 for the logarithm.
                let part = (index % 4096) as f32 / 4096.0;
                *x = if name == "log" { 0.1 + 4.0 * part } else { 8.0 * part - 4.0 };
            }
            let bytes = Work::Bytes((2 * len * size_of::<f32>()) as f64);
            measure(name, &len.to_string(), bytes, &[&x], &mut y, |y| function(x.get(), y));
        }
    }
}
