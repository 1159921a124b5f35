//! Any kernel, stride, dilation and multiplier, pixel by pixel.

use super::{MIN_CHUNK, multiplier};
use crate::conv::ConvShape;
use crate::parallel::{Finished, for_each_chunk};
use ferrograph_simd::{Kernel, Level, Simd};

/// The forward pass, or the gradient of the input: which source pixels a target pixel meets at which taps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain<'a> {
    shape: &'a ConvShape,
    backward: bool,
    /// Rows and columns.
    source: [usize; 2],
    target: [usize; 2],
}

/// Products that are summed before the sums are stored.
const RUN: usize = 32;

impl<'a> Plain<'a> {
    pub(super) fn forward(shape: &'a ConvShape) -> Self {
        let (x, y) = ([shape.height, shape.width], [shape.out_height(), shape.out_width()]);
        Plain { shape, backward: false, source: x, target: y }
    }

    pub(super) fn input_gradient(shape: &'a ConvShape) -> Self {
        let (x, y) = ([shape.height, shape.width], [shape.out_height(), shape.out_width()]);
        Plain { shape, backward: true, source: y, target: x }
    }

    /// `source` and `target` are `x` and `y`, or `dy` and `dx`. `finished` gets the parts of the target when they are
    /// final.
    pub(super) fn run(&self, source: &[f32], kernel: &[f32], target: &mut [f32], finished: Option<Finished<'_>>) {
        let width = if self.backward { self.shape.in_channels } else { self.shape.out_channels };
        let row = self.target[1] * width;
        if row == 0 {
            return;
        }
        let work = row.saturating_mul(self.shape.kernel[0].saturating_mul(self.shape.kernel[1])).max(1);
        let rows = MIN_CHUNK.div_ceil(work).min(target.len() / row).max(1);
        let level = Level::current();
        for_each_chunk(target, rows * row, |chunk, target| {
            level.run(Rows { plain: *self, source, kernel, first: chunk * rows, target: &mut *target });
            if let Some(finished) = finished {
                finished(chunk * rows * row, target);
            }
        });
    }

    /// The source position that a target position meets at tap `k`.
    #[inline(always)]
    fn meets(&self, axis: usize, position: usize, k: usize) -> Option<usize> {
        let ConvShape { stride, dilation, padding, .. } = self.shape;
        let (stride, reach, before) = (stride[axis], k * dilation[axis], padding[axis][0]);
        let at = if self.backward {
            let padded = (position + before).checked_sub(reach)?;
            padded.is_multiple_of(stride).then(|| padded / stride)?
        } else {
            (position * stride + reach).checked_sub(before)?
        };
        (at < self.source[axis]).then_some(at)
    }
}

/// Neighbouring target rows of the batch.
struct Rows<'a> {
    plain: Plain<'a>,
    source: &'a [f32],
    kernel: &'a [f32],
    first: usize,
    target: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Rows { plain, source, kernel, first, target } = self;
        let shape = plain.shape;
        let (from, to) = if plain.backward {
            (shape.out_channels, shape.in_channels)
        } else {
            (shape.in_channels, shape.out_channels)
        };
        let multiplier = multiplier(shape);
        for (index, pixel) in target.chunks_exact_mut(to).enumerate() {
            let (row, x) = (first + index / plain.target[1], index % plain.target[1]);
            let (image, y) = (row / plain.target[0], row % plain.target[0]);
            pixel.fill(0.0);
            let (mut terms, mut count) = ([(&[][..], &[][..]); RUN], 0);
            for p in 0..shape.kernel[0] {
                let Some(h) = plain.meets(0, y, p) else { continue };
                for q in 0..shape.kernel[1] {
                    let Some(w) = plain.meets(1, x, q) else { continue };
                    let at = ((image * plain.source[0] + h) * plain.source[1] + w) * from;
                    let tap = (p * shape.kernel[1] + q) * shape.out_channels;
                    terms[count] = (&source[at..][..from], &kernel[tap..][..shape.out_channels]);
                    count += 1;
                    if count == RUN {
                        add(simd, &terms, pixel, multiplier, plain.backward);
                        count = 0;
                    }
                }
            }
            add(simd, &terms[..count], pixel, multiplier, plain.backward);
        }
    }
}

/// Adds the products of source pixels and taps to a target pixel.
#[inline(always)]
fn add<S: Simd>(simd: S, terms: &[(&[f32], &[f32])], pixel: &mut [f32], multiplier: usize, backward: bool) {
    if multiplier == 1 {
        for (part, to) in pixel.chunks_mut(S::N).enumerate() {
            let part = part * S::N..part * S::N + to.len();
            let mut sum = simd.load_partial(to);
            for (x, k) in terms {
                sum = simd.fma(simd.load_partial(&x[part.clone()]), simd.load_partial(&k[part.clone()]), sum);
            }
            simd.store_partial(to, sum);
        }
        return;
    }
    for (x, k) in terms {
        if backward {
            let groups = x.chunks_exact(multiplier).zip(k.chunks_exact(multiplier));
            for (sum, (x, k)) in pixel.iter_mut().zip(groups) {
                *sum = x.iter().zip(k).fold(*sum, |sum, (x, k)| sum + x * k);
            }
        } else {
            let groups = pixel.chunks_exact_mut(multiplier).zip(k.chunks_exact(multiplier));
            for (x, (sums, k)) in x.iter().zip(groups) {
                sums.iter_mut().zip(k).for_each(|(sum, k)| *sum += x * k);
            }
        }
    }
}
