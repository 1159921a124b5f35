//! 3 x 3 kernels with a window in registers that slides along a row.
//!
//! Contains `unsafe`: rows of the image are read by pointer.

// Indices over the rows and columns of the window mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use super::multiplier;
use super::stride_two::{Steps, takes_pairs};
use super::window::{Window, load, store};
use crate::conv::ConvShape;
use crate::gemm::Epilogue;
use crate::parallel::{Finished, SharedMut};
use crate::pool::{self, parallel_for};
use ferrograph_simd::{Kernel, Level, Simd};
use std::ops::Range;

/// Bytes of a band's source and target, about: half of a second-level cache of 2 MiB.
const BAND: usize = 1 << 20;
/// Multiply-adds of a band, at least: about a microsecond.
const MIN_BAND: usize = 1 << 16;
/// Bytes of the source and the target that a row of a tile touches, within a first level of 32 to 48 KiB. Tiles, instead of
/// two rows of all channels at a time, are worth a third of the time in the second level and for wide images.
const TILE: usize = 28 << 10;
/// Channels of a tile at most: four cache lines that are neighbours.
const BLOCK: usize = 64;

/// `target[n, y, x, c] = sum over i, j of source[n, y * stride + top + i, x * stride + left + j, c] * kernel[i, j, c]`,
/// where `origin` is `[top, left]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sliding {
    batch: usize,
    channels: usize,
    /// Rows and columns.
    source: [usize; 2],
    target: [usize; 2],
    origin: [isize; 2],
    stride: usize,
    /// The kernel is turned by half a circle.
    turned: bool,
}

/// Whether the window of this file serves the shape, along both axes and with any of the strides it knows.
pub(super) fn is_three_by_three(shape: &ConvShape) -> bool {
    shape.kernel == [3, 3]
        && shape.dilation == [1, 1]
        && matches!(shape.stride, [1, 1] | [2, 2])
        && multiplier(shape) == 1
}

impl Sliding {
    pub(super) fn forward(shape: &ConvShape) -> Option<Self> {
        is_three_by_three(shape).then(|| Sliding {
            batch: shape.batch,
            channels: shape.in_channels,
            source: [shape.height, shape.width],
            target: [shape.out_height(), shape.out_width()],
            origin: shape.padding.map(|[before, _]| -(before as isize)),
            stride: shape.stride[0],
            turned: false,
        })
    }

    /// With stride 1 the gradient is a convolution with the kernel turned.
    pub(super) fn input_gradient(shape: &ConvShape) -> Option<Self> {
        (is_three_by_three(shape) && shape.stride == [1, 1]).then(|| Sliding {
            batch: shape.batch,
            channels: shape.in_channels,
            source: [shape.out_height(), shape.out_width()],
            target: [shape.height, shape.width],
            origin: shape.padding.map(|[before, _]| before as isize - 2),
            stride: 1,
            turned: true,
        })
    }

    /// Into how many bands of rows an image is cut.
    fn bands(&self) -> usize {
        let pixels = self.source[0] * self.source[1] + self.target[0] * self.target[1];
        let mut bands = (pixels * self.channels * size_of::<f32>()).div_ceil(BAND);
        let threads = pool::threads();
        // Few images do not make the threads' shares even.
        if !self.batch.is_multiple_of(threads) && self.batch < 4 * threads {
            bands = bands.next_multiple_of(threads);
        }
        let work = 9 * self.target[0] * self.target[1] * self.channels;
        bands.min(work / MIN_BAND).clamp(1, self.target[0])
    }

    /// `source` `[batch, rows, columns, channels]`, `kernel` `[3, 3, channels]`, `target` as the source, to which
    /// `epilogue` is applied by channel. `finished` gets the parts of the target when they are final.
    pub(super) fn run<E: Epilogue>(
        &self,
        source: &[f32],
        kernel: &[f32],
        target: &mut [f32],
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        let len = |[rows, columns]: [usize; 2]| self.batch * rows * columns * self.channels;
        assert!(source.len() == len(self.source) && target.len() == len(self.target));
        assert_eq!(kernel.len(), 9 * self.channels);
        if target.is_empty() {
            return;
        }
        let rows = self.target[0].div_ceil(self.bands());
        let bands = self.target[0].div_ceil(rows);
        let target = SharedMut::new(target);
        let level = Level::current();
        parallel_for(self.batch * bands, &|chunk| {
            let (image, first) = (chunk / bands, chunk % bands * rows);
            let rows = first..self.target[0].min(first + rows);
            let (source, kernel) = (source.as_ptr(), kernel.as_ptr());
            level.run(Band {
                sliding: *self,
                source,
                kernel,
                target: target.get(),
                image,
                rows: rows.clone(),
                epilogue,
            });
            if let Some(finished) = finished {
                let row_len = self.target[1] * self.channels;
                let start = (image * self.target[0] + rows.start) * row_len;
                // SAFETY: the rows lie within the target, which is borrowed meanwhile, and are this chunk's alone.
                finished(start, unsafe { target.part(start, rows.len() * row_len) });
            }
        });
    }
}

/// Some target rows of one image, which no other thread has. The pointers are to what [`Sliding::run`] has checked.
struct Band<E> {
    sliding: Sliding,
    source: *const f32,
    kernel: *const f32,
    target: *mut f32,
    image: usize,
    rows: Range<usize>,
    epilogue: E,
}

impl<E: Epilogue> Kernel for Band<E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.sliding.stride {
            1 => self.tiles(simd),
            _ => self.steps(simd),
        }
    }
}

impl<E: Epilogue> Band<E> {
    /// Columns of a tile of `block` channels: so few that what a row reads of the image is still in the first level of the cache
    /// when the next row reads most of it again.
    fn width(&self, block: usize) -> usize {
        let Sliding { target: [_, columns], stride, .. } = self.sliding;
        // Each target pixel of a row takes its own place, and `stride` pixels in three rows of the source.
        let most = (TILE / (size_of::<f32>() * block * (3 * stride + 1))).max(1);
        columns.div_ceil(columns.div_ceil(most))
    }

    /// Row by row of some columns and channels at a time.
    #[inline(always)]
    fn tiles<S: Simd>(&self, simd: S) {
        let Sliding { channels, target: [_, end], .. } = self.sliding;
        let block = channels.div_ceil(channels.div_ceil(BLOCK)).next_multiple_of(S::N);
        let width = self.width(block);
        for left in (0..end).step_by(width) {
            let columns = left..end.min(left + width);
            for first in (0..channels).step_by(block) {
                let end = channels.min(first + block);
                let whole = first + (end - first) / S::N * S::N;
                for row in self.rows.clone() {
                    for channel in (first..whole).step_by(S::N) {
                        self.strip::<S, false>(simd, row, &columns, channel, S::N);
                    }
                    if whole < end {
                        self.strip::<S, true>(simd, row, &columns, whole, end - whole);
                    }
                }
            }
        }
    }

    /// The same of windows that are two pixels apart.
    #[inline(always)]
    fn steps<S: Simd>(&self, simd: S) {
        let Sliding { channels, source: [height, width], target: [rows, end], origin, .. } = self.sliding;
        let block = if takes_pairs::<S>() { 2 * S::N } else { S::N };
        let tile = self.width(block);
        for left in (0..end).step_by(tile) {
            let mut channel = 0;
            while channel < channels {
                let steps = Steps {
                    image: self.source.wrapping_add(self.image * height * width * channels + channel),
                    extents: [height, width],
                    origin,
                    kernel: self.kernel.wrapping_add(channel),
                    target: self.target.wrapping_add(self.image * rows * end * channels + channel),
                    target_columns: end,
                    channels,
                    rows: self.rows.clone(),
                    columns: left..end.min(left + tile),
                    epilogue: self.epilogue,
                };
                let left = channels - channel;
                // SAFETY: the operands hold all channels, as `Sliding::run` has checked, and the rows are this band's.
                unsafe {
                    if takes_pairs::<S>() && left >= block {
                        steps.run::<S, 2, false>(simd, channel, S::N);
                        channel += block;
                    } else if left >= S::N {
                        steps.run::<S, 1, false>(simd, channel, S::N);
                        channel += S::N;
                    } else {
                        steps.run::<S, 1, true>(simd, channel, left);
                        channel = channels;
                    }
                }
            }
        }
    }

    /// Some columns of a target row and one vector of channels, of windows side by side.
    #[inline(always)]
    fn strip<S: Simd, const PARTIAL: bool>(
        &self,
        simd: S,
        row: usize,
        columns: &Range<usize>,
        channel: usize,
        count: usize,
    ) {
        let Sliding { channels, source, target, origin, turned, .. } = self.sliding;
        let mut kernel = [[simd.zero(); 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                let tap = if turned { 8 - (i * 3 + j) } else { i * 3 + j };
                // SAFETY: the kernel holds all channels of nine taps.
                kernel[i][j] = unsafe { load::<S, PARTIAL>(simd, self.kernel.add(tap * channels + channel), count) };
            }
        }
        let held = self.epilogue.hold(simd, channel);
        let first = [row as isize + origin[0], columns.start as isize + origin[1]];
        // SAFETY: the source holds the image, and `channel` and `count` are within its channels.
        let mut window = unsafe {
            let image = self.source.add(self.image * source[0] * source[1] * channels + channel);
            Window::<S>::new::<1, PARTIAL>(simd, image, source, channels, first, count)
        };
        let to = ((self.image * target[0] + row) * target[1] + columns.start) * channels + channel;
        let mut to = self.target.wrapping_add(to);
        macro_rules! pixel {
            ($turn:expr, $to:expr) => {
                // SAFETY: as promised to `new`.
                unsafe { window.advance::<1, PARTIAL>(simd, $turn) };
                let mut sum = simd.zero();
                for i in 0..3 {
                    for j in 0..3 {
                        sum = simd.fma(window.at($turn, i, j), kernel[i][j], sum);
                    }
                }
                let sum = E::apply(simd, sum, held);
                // SAFETY: the target holds these channels of the row, which is this band's.
                unsafe { store::<S, PARTIAL>(simd, $to, sum, count) };
            };
        }
        // After three pixels the window has turned once.
        let (turns, rest) = (columns.len() / 3, columns.len() % 3);
        for _ in 0..turns {
            pixel!(0, to);
            pixel!(1, to.wrapping_add(channels));
            pixel!(2, to.wrapping_add(2 * channels));
            to = to.wrapping_add(3 * channels);
        }
        if rest > 0 {
            pixel!(0, to);
        }
        if rest > 1 {
            pixel!(1, to.wrapping_add(channels));
        }
    }
}
