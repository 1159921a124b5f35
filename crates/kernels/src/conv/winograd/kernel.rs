//! Kernels and frequencies.

use super::transform::{A, B};
use super::{FREQUENCIES, PATCH};
use crate::conv::shape::product;
use crate::gemm::{Matrix, pack_steps, packed_len};
use crate::parallel::for_each_chunk;
use std::ops::Range;

/// The transform of a kernel along one axis. In f64: it is computed once for each value of a kernel, and its roundings
/// would be the largest of all.
const G: [[f64; 3]; PATCH] = {
    let (a, b) = (A as f64, B as f64);
    let (at_a, at_b) = (1.0 / (2.0 * a * a * (a * a - b * b)), 1.0 / (2.0 * b * b * (b * b - a * a)));
    [
        [1.0 / (a * a * b * b), 0.0, 0.0],
        [at_a, a * at_a, a * a * at_a],
        [at_a, -a * at_a, a * a * at_a],
        [at_b, b * at_b, b * b * at_b],
        [at_b, -b * at_b, b * b * at_b],
        [0.0, 0.0, 1.0],
    ]
};

/// A kernel `[3, 3, inputs, outputs]` as the matrices `[depth, width]` of a correlation.
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelView<'a> {
    pub data: &'a [f32],
    pub inputs: usize,
    pub outputs: usize,
    /// The gradient of the input is a correlation with the kernel turned by half a circle, from outputs to inputs.
    pub turned: bool,
}

/// Elements of a kernel that are transformed at a time, about: 16 KiB.
const STRIP: usize = 4096;

impl KernelView<'_> {
    fn depth(&self) -> usize {
        if self.turned { self.outputs } else { self.inputs }
    }

    fn width(&self) -> usize {
        if self.turned { self.inputs } else { self.outputs }
    }

    /// Packs the transformed kernel: one packed matrix for each frequency.
    pub(super) fn pack(&self, packed: &mut [f32]) {
        let (depth, width) = (self.depth(), self.width());
        let len = packed_len(depth, width);
        assert_eq!(packed.len(), product(&[len, FREQUENCIES]), "packed has the length its function gives");
        let steps = (STRIP / width.max(1)).clamp(if self.turned { 16 } else { 1 }, depth.max(1));
        for_each_chunk(packed, len, |frequency, packed| {
            let factors = self.factors(frequency);
            let mut strip = vec![0.0; steps * width];
            for start in (0..depth).step_by(steps) {
                let end = depth.min(start + steps);
                // The last axis of the kernel is the strip's, in either case.
                let matrix = if self.turned {
                    self.combine(&factors, 0..self.inputs, start..end, &mut strip);
                    Matrix { data: &strip, row_stride: 1, column_stride: end - start }
                } else {
                    self.combine(&factors, start..end, 0..self.outputs, &mut strip);
                    Matrix::row_major(&strip, width)
                };
                pack_steps(depth, start, end - start, width, matrix, packed);
            }
        });
    }

    /// What each of the nine taps counts for at a frequency.
    fn factors(&self, frequency: usize) -> [f64; 9] {
        let (rows, columns) = (G[frequency / PATCH], G[frequency % PATCH]);
        std::array::from_fn(|tap| {
            let tap = if self.turned { 8 - tap } else { tap };
            rows[tap / 3] * columns[tap % 3]
        })
    }

    /// Writes the weighted sums of the taps to `strip` `[inputs, outputs]`.
    fn combine(&self, factors: &[f64; 9], inputs: Range<usize>, outputs: Range<usize>, strip: &mut [f32]) {
        for (input, to) in inputs.zip(strip.chunks_exact_mut(outputs.len())) {
            let taps = std::array::from_fn(|tap| {
                &self.data[(tap * self.inputs + input) * self.outputs..][outputs.start..outputs.end]
            });
            weighted_sums(factors, &taps, to);
        }
    }
}

/// `dw` `[3, 3, inputs, outputs]` from the gradients of the frequencies, `[frequency, inputs, outputs]`.
pub(super) fn untransform(frequencies: &[f32], dw: &mut [f32]) {
    let tap_len = dw.len() / 9;
    for_each_chunk(dw, tap_len, |tap, dw| {
        let mut factors = [0.0; FREQUENCIES];
        for (frequency, factor) in factors.iter_mut().enumerate() {
            *factor = G[frequency / PATCH][tap / 3] * G[frequency % PATCH][tap % 3];
        }
        for (part, to) in dw.chunks_mut(STRIP).enumerate() {
            let terms = std::array::from_fn(|frequency| &frequencies[frequency * tap_len + part * STRIP..][..to.len()]);
            weighted_sums::<FREQUENCIES>(&factors, &terms, to);
        }
    });
}

ferrograph_simd::dispatch! {
    /// `y = sum of factor * term`, in f64.
    fn weighted_sums[const N: usize](factors: &[f64; N], terms: &[&[f32]; N], y: &mut [f32]) {
        const LANES: usize = 16;
        let mut at = 0;
        while at < y.len() {
            let count = LANES.min(y.len() - at);
            let mut sums = [0.0; LANES];
            for (factor, term) in factors.iter().zip(terms) {
                if count == LANES {
                    for (sum, x) in sums.iter_mut().zip(&term[at..at + LANES]) {
                        *sum += factor * f64::from(*x);
                    }
                } else {
                    for (sum, x) in sums.iter_mut().zip(&term[at..at + count]) {
                        *sum += factor * f64::from(*x);
                    }
                }
            }
            for (y, sum) in y[at..at + count].iter_mut().zip(&sums) {
                *y = *sum as f32;
            }
            at += count;
        }
    }
}
