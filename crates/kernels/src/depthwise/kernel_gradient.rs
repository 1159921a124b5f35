//! The gradient of the kernel: every tap is a sum over the pixels of the batch.
//!
//! Contains `unsafe`: rows of the image are read by pointer.

// Indices over the rows and columns of the window mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use super::sliding::is_three_by_three;
use super::window::{Window, load, store};
use super::{MIN_CHUNK, assert_lengths, multiplier};
use crate::conv::{ConvShape, product};
use crate::parallel::for_each_chunk;
use ferrograph_simd::{Kernel, Level, Simd};
use std::ops::Range;

/// The batch's output rows are cut into at most this many parts, whose gradients are added up in order at the end.
const PARTS: usize = 32;
/// Output rows for which one vector of channels is summed before the next is.
const BAND: usize = 8;
/// Elements of the gradient that are added up at a time.
const CHUNK: usize = 4096;

/// Output rows of a part, and the number of parts. Depends on the extents only, not on the number of threads.
fn parts(shape: &ConvShape) -> (usize, usize) {
    let rows = shape.batch.saturating_mul(shape.out_height());
    let work = product(&[shape.out_width(), shape.kernel_len()]).max(1);
    let each = rows.div_ceil(PARTS).max(MIN_CHUNK.div_ceil(work)).min(rows).max(1);
    (each, rows.div_ceil(each))
}

/// Elements of scratch memory [`kernel_gradient`] needs.
pub fn kernel_gradient_scratch_len(shape: &ConvShape) -> usize {
    parts(shape).1.saturating_mul(shape.kernel_len())
}

/// `dw` `[kh, kw, channels, multiplier]` from `x` `[batch, height, width, channels]` and `dy`
/// `[batch, out_height, out_width, channels * multiplier]`. Every element of `dw` is written; `scratch` may hold
/// anything.
pub fn kernel_gradient(shape: &ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
    assert_lengths(shape, x.len(), dw.len(), dy.len());
    let len = dw.len();
    if len == 0 || dy.is_empty() {
        return dw.fill(0.0);
    }
    let (rows, parts) = parts(shape);
    let total = shape.batch * shape.out_height();
    let level = Level::current();
    let partials = &mut scratch[..parts * len];
    for_each_chunk(partials, len, |part, sums| {
        sums.fill(0.0);
        level.run(Part { shape, x, dy, rows: part * rows..total.min((part + 1) * rows), sums });
    });
    for_each_chunk(dw, CHUNK, |index, dw| {
        dw.fill(0.0);
        for partial in partials.chunks_exact(len) {
            let partial = &partial[index * CHUNK..];
            dw.iter_mut().zip(partial).for_each(|(sum, x)| *sum += x);
        }
    });
}

/// The sums over some output rows of the batch.
struct Part<'a> {
    shape: &'a ConvShape,
    x: &'a [f32],
    dy: &'a [f32],
    rows: Range<usize>,
    sums: &'a mut [f32],
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        if !is_three_by_three(self.shape) {
            return self.plain(simd);
        }
        match self.shape.stride[0] {
            1 => self.sliding::<S, 1>(simd),
            _ => self.sliding::<S, 2>(simd),
        }
    }
}

impl Part<'_> {
    #[inline(always)]
    fn sliding<S: Simd, const STRIDE: usize>(&mut self, simd: S) {
        let channels = self.shape.in_channels;
        let whole = channels / S::N * S::N;
        for start in self.rows.clone().step_by(BAND) {
            let rows = start..self.rows.end.min(start + BAND);
            for channel in (0..whole).step_by(S::N) {
                self.strip::<S, STRIDE, false>(simd, rows.clone(), channel, S::N);
            }
            if whole < channels {
                self.strip::<S, STRIDE, true>(simd, rows, whole, channels - whole);
            }
        }
    }

    /// All nine taps of `count` channels, in registers.
    #[inline(always)]
    fn strip<S: Simd, const STRIDE: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        rows: Range<usize>,
        channel: usize,
        count: usize,
    ) {
        let ConvShape { height, width, in_channels: channels, padding, .. } = *self.shape;
        let (out_height, out_width) = (self.shape.out_height(), self.shape.out_width());
        let mut sums = [[simd.zero(); 3]; 3];
        let to = |i: usize, j: usize| (i * 3 + j) * channels + channel;
        for i in 0..3 {
            for j in 0..3 {
                // SAFETY: the sums hold all channels of nine taps.
                sums[i][j] = unsafe { load::<S, PARTIAL>(simd, self.sums.as_ptr().add(to(i, j)), count) };
            }
        }
        for row in rows {
            let (image, y) = (row / out_height, row % out_height);
            // SAFETY: `x` holds the image, `dy` the row, and `channel` and `count` are within their channels.
            unsafe {
                let start = self.x.as_ptr().add(image * height * width * channels + channel);
                let top = (y * STRIDE) as isize - padding[0][0] as isize;
                let first = [top, -(padding[1][0] as isize)];
                let mut window =
                    Window::<S>::new::<STRIDE, PARTIAL>(simd, start, [height, width], channels, first, count);
                let mut dy = self.dy.as_ptr().add(row * out_width * channels + channel);
                macro_rules! pixel {
                    ($turn:expr, $dy:expr) => {
                        window.advance::<STRIDE, PARTIAL>(simd, $turn);
                        let gradient = load::<S, PARTIAL>(simd, $dy, count);
                        for i in 0..3 {
                            for j in 0..3 {
                                sums[i][j] = simd.fma(window.at($turn, i, j), gradient, sums[i][j]);
                            }
                        }
                    };
                }
                // After three pixels the window has turned once.
                let (turns, rest) = (out_width / 3, out_width % 3);
                for _ in 0..turns {
                    pixel!(0, dy);
                    pixel!(STRIDE % 3, dy.add(channels));
                    pixel!(2 * STRIDE % 3, dy.add(2 * channels));
                    dy = dy.wrapping_add(3 * channels);
                }
                if rest > 0 {
                    pixel!(0, dy);
                }
                if rest > 1 {
                    pixel!(STRIDE % 3, dy.add(channels));
                }
            }
        }
        for i in 0..3 {
            for j in 0..3 {
                // SAFETY: as above.
                unsafe { store::<S, PARTIAL>(simd, self.sums.as_mut_ptr().add(to(i, j)), sums[i][j], count) };
            }
        }
    }

    /// Tap by tap, adding to the sums in memory.
    #[inline(always)]
    fn plain<S: Simd>(&mut self, simd: S) {
        let shape = self.shape;
        let (channels, out_channels, multiplier) = (shape.in_channels, shape.out_channels, multiplier(shape));
        let (out_height, out_width) = (shape.out_height(), shape.out_width());
        let position = |axis: usize, o: usize, k: usize| {
            let at = (o * shape.stride[axis] + k * shape.dilation[axis]).checked_sub(shape.padding[axis][0])?;
            (at < [shape.height, shape.width][axis]).then_some(at)
        };
        for row in self.rows.clone() {
            let (image, i) = (row / out_height, row % out_height);
            for p in 0..shape.kernel[0] {
                let Some(h) = position(0, i, p) else { continue };
                for q in 0..shape.kernel[1] {
                    let sums = &mut self.sums[(p * shape.kernel[1] + q) * out_channels..][..out_channels];
                    for j in 0..out_width {
                        let Some(w) = position(1, j, q) else { continue };
                        let x = &self.x[((image * shape.height + h) * shape.width + w) * channels..][..channels];
                        let dy = &self.dy[(row * out_width + j) * out_channels..][..out_channels];
                        add_products(simd, sums, x, dy, multiplier);
                    }
                }
            }
        }
    }
}

/// `sums[c, m] += x[c] * dy[c, m]`
#[inline(always)]
fn add_products<S: Simd>(simd: S, sums: &mut [f32], x: &[f32], dy: &[f32], multiplier: usize) {
    if multiplier == 1 {
        for ((sums, x), dy) in sums.chunks_mut(S::N).zip(x.chunks(S::N)).zip(dy.chunks(S::N)) {
            let sum = simd.fma(simd.load_partial(x), simd.load_partial(dy), simd.load_partial(sums));
            simd.store_partial(sums, sum);
        }
        return;
    }
    for ((sums, x), dy) in sums.chunks_exact_mut(multiplier).zip(x).zip(dy.chunks_exact(multiplier)) {
        sums.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += x * dy);
    }
}
