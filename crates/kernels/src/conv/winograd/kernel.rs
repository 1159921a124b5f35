//! Kernels and frequencies.
//!
//! Contains `unsafe`: parts of the taps are handed to different threads.

// Indices over taps and frequencies mean the same in every array here, and plain loops over them become vectors where
// iterators and closures do not.
#![allow(clippy::needless_range_loop)]

use super::transform::{A, B};
use super::{FREQUENCIES, PATCH};
use crate::conv::shape::product;
use crate::gemm::{Matrix, pack_steps, packed_len};
use crate::parallel::{SharedMut, for_each_chunk};
use crate::pool::parallel_for;

/// The transform of a kernel along one axis to `P` frequencies. In f64: it is computed once for each value of a kernel, and
/// its roundings would be the largest of all.
pub(super) trait Interpolation<const P: usize> {
    const G: [[f64; 3]; P];
}

/// The points of [`Input`](super::transform::Input).
pub(super) struct Points;

impl Interpolation<4> for Points {
    const G: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
}

impl Interpolation<6> for Points {
    const G: [[f64; 3]; 6] = G;
}

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

/// Elements of a kernel that are transformed at a time, about; up to 36 times as many floats are 576 KiB.
const STRIP: usize = 4096;

impl KernelView<'_> {
    /// Packs the transformed kernel: one packed matrix for each of `P` x `P` frequencies.
    pub(super) fn pack<const P: usize>(&self, packed: &mut [f32])
    where
        Points: Interpolation<P>,
    {
        let frequencies = P * P;
        let (inputs, outputs) = (self.inputs, self.outputs);
        let (depth, width) = if self.turned { (outputs, inputs) } else { (inputs, outputs) };
        let len = packed_len(depth, width);
        assert_eq!(self.data.len(), product(&[9, inputs, outputs]));
        assert_eq!(packed.len(), product(&[len, frequencies]), "packed has the length its function gives");
        // At least a cache line of the kernel's last axis.
        let steps = (STRIP / width.max(1)).max(if self.turned { 16 } else { 1 }).min(depth);
        let mut strip = vec![0.0; product(&[frequencies, steps, width])];
        for start in (0..depth).step_by(steps.max(1)) {
            let end = depth.min(start + steps);
            let (rows, columns) = if self.turned { (0..inputs, start..end) } else { (start..end, 0..outputs) };
            let (first, columns_len) = (rows.start, columns.len());
            // Rows of the strip are `[frequency, column]`.
            let row_len = frequencies * columns_len;
            for_each_chunk(&mut strip[..rows.len() * row_len], row_len, |row, to| {
                let taps = std::array::from_fn(|tap| {
                    let tap = if self.turned { 8 - tap } else { tap };
                    &self.data[(tap * inputs + first + row) * outputs..][columns.clone()]
                });
                to_frequencies(&<Points as Interpolation<P>>::G, &taps, to);
            });
            for_each_chunk(packed, len, |frequency, packed| {
                let data = &strip[frequency * columns_len..];
                let (row_stride, column_stride) = if self.turned { (1, row_len) } else { (row_len, 1) };
                pack_steps(depth, start, end - start, width, Matrix { data, row_stride, column_stride }, packed);
            });
        }
    }
}

/// Elements of the gradient of a kernel that a thread computes at a time.
const CHUNK: usize = 1024;

/// `dw` `[3, 3, inputs, outputs]` from the gradients of the frequencies, `[frequency, inputs, outputs]`.
pub(super) fn from_frequencies(frequencies: &[f32], dw: &mut [f32]) {
    let len = dw.len() / 9;
    assert!(dw.len() == 9 * len && frequencies.len() == FREQUENCIES * len);
    let dw = SharedMut::new(dw);
    parallel_for(len.div_ceil(CHUNK), &|chunk| {
        let at = chunk * CHUNK;
        let count = CHUNK.min(len - at);
        let from = std::array::from_fn(|frequency| &frequencies[frequency * len + at..][..count]);
        // SAFETY: the parts of different chunks and taps do not overlap, and end within `dw`.
        let mut to = std::array::from_fn(|tap| unsafe { dw.part(tap * len + at, count) });
        to_taps(&from, &mut to);
    });
}

/// Elements that are computed side by side.
const LANES: usize = 8;

/// Elements side by side.
type Lanes = [f64; LANES];

/// `len` elements from `at` on; whole vectors are told apart so that they are read as such.
#[inline(always)]
fn widen(x: &[f32], at: usize, len: usize) -> Lanes {
    let mut lanes = [0.0; LANES];
    if len == LANES {
        let x = &x[at..at + LANES];
        for l in 0..LANES {
            lanes[l] = f64::from(x[l]);
        }
    } else {
        for l in 0..len {
            lanes[l] = f64::from(x[at + l]);
        }
    }
    lanes
}

/// The reverse of [`widen`].
#[inline(always)]
fn narrow(lanes: &Lanes, to: &mut [f32], at: usize, len: usize) {
    if len == LANES {
        let to = &mut to[at..at + LANES];
        for l in 0..LANES {
            to[l] = lanes[l] as f32;
        }
    } else {
        for l in 0..len {
            to[at + l] = lanes[l] as f32;
        }
    }
}

/// `sum += factor * x`
#[inline(always)]
fn accumulate(sum: &mut Lanes, factor: f64, x: &Lanes) {
    for l in 0..LANES {
        sum[l] += factor * x[l];
    }
}

ferrograph_simd::dispatch! {
    /// `U = G g Gᵀ` of kernels side by side: `to` is `[frequency, kernel]`.
    fn to_frequencies(points: &[[f64; 3]], taps: &[&[f32]; 9], to: &mut [f32]) {
        let len = taps[0].len();
        for at in (0..len).step_by(LANES) {
            let count = LANES.min(len - at);
            let mut g = [[0.0; LANES]; 9];
            for tap in 0..9 {
                g[tap] = widen(taps[tap], at, count);
            }
            for (u, row) in points.iter().enumerate() {
                let mut half = [[0.0; LANES]; 3];
                for j in 0..3 {
                    for i in 0..3 {
                        accumulate(&mut half[j], row[i], &g[i * 3 + j]);
                    }
                }
                for (v, column) in points.iter().enumerate() {
                    let mut sum = [0.0; LANES];
                    for j in 0..3 {
                        accumulate(&mut sum, column[j], &half[j]);
                    }
                    narrow(&sum, to, (u * points.len() + v) * len + at, count);
                }
            }
        }
    }

    /// `dg = Gᵀ dU G` of kernels side by side.
    fn to_taps(frequencies: &[&[f32]; FREQUENCIES], to: &mut [&mut [f32]; 9]) {
        let len = frequencies[0].len();
        for at in (0..len).step_by(LANES) {
            let count = LANES.min(len - at);
            // By tap row and frequency column.
            let mut half = [[[0.0; LANES]; PATCH]; 3];
            for v in 0..PATCH {
                for u in 0..PATCH {
                    let x = widen(frequencies[u * PATCH + v], at, count);
                    for p in 0..3 {
                        accumulate(&mut half[p][v], G[u][p], &x);
                    }
                }
            }
            for p in 0..3 {
                for q in 0..3 {
                    let mut sum = [0.0; LANES];
                    for v in 0..PATCH {
                        accumulate(&mut sum, G[v][q], &half[p][v]);
                    }
                    narrow(&sum, to[p * 3 + q], at, count);
                }
            }
        }
    }
}
