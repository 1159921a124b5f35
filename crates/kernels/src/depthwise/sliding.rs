//! 3 x 3 kernels with a window in registers that slides along a row.
//!
//! Contains `unsafe`: rows of the image are read by pointer.

// Indices over the rows and columns of the window mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use super::{MIN_CHUNK, multiplier};
use crate::conv::ConvShape;
use crate::gemm::Epilogue;
use crate::parallel::{Finished, SharedMut};
use crate::pool::parallel_for;
use ferrograph_simd::{Kernel, Level, Simd};
use std::ops::Range;

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

    /// `source` `[batch, rows, columns, channels]`, `kernel` `[3, 3, channels]`, `target` as the source, to which
    /// `epilogue` is applied by channel. `finished` gets
    /// the parts of the target when they are final.
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
        let work = 9 * self.target[1] * self.channels;
        let rows = MIN_CHUNK.div_ceil(work).next_multiple_of(2).min(self.target[0]);
        let bands = self.target[0].div_ceil(rows);
        // Of about the same height.
        let rows = self.target[0].div_ceil(bands).next_multiple_of(2);
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
            1 => self.strips::<S, 1, 4>(simd),
            _ => self.strips::<S, 2, 5>(simd),
        }
    }
}

impl<E: Epilogue> Band<E> {
    /// Two rows and one vector of channels at a time; together they read `IN` source rows.
    #[inline(always)]
    fn strips<S: Simd, const STRIDE: usize, const IN: usize>(&self, simd: S) {
        let channels = self.sliding.channels;
        let whole = channels / S::N * S::N;
        for row in self.rows.clone().step_by(2) {
            for channel in (0..whole).step_by(S::N) {
                self.strip::<S, STRIDE, IN, false>(simd, row, channel, S::N);
            }
            if whole < channels {
                self.strip::<S, STRIDE, IN, true>(simd, row, whole, channels - whole);
            }
        }
    }

    #[inline(always)]
    fn strip<S: Simd, const STRIDE: usize, const IN: usize, const PARTIAL: bool>(
        &self,
        simd: S,
        row: usize,
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
        let first = row as isize * STRIDE as isize + origin[0];
        // SAFETY: the source holds the image, and `channel` and `count` are within its channels.
        let mut window = unsafe {
            let image = self.source.add(self.image * source[0] * source[1] * channels + channel);
            Window::<S, IN>::new(simd, image, source, channels, first, count)
        };
        // The columns that the first shift moves to the left.
        for j in 0..3 - STRIDE {
            // SAFETY: as promised to `new`.
            unsafe { window.fill::<PARTIAL>(simd, j + STRIDE, origin[1] + j as isize) };
        }
        let out = |row: usize| {
            let at = ((self.image * target[0] + row) * target[1]) * channels + channel;
            self.target.wrapping_add(at)
        };
        let (upper, lower) = (out(row), out(row + 1));
        let two = row + 1 < self.rows.end;
        for x in 0..target[1] {
            // SAFETY: as promised to `new`.
            unsafe { window.advance::<STRIDE, PARTIAL>(simd, (x * STRIDE) as isize + origin[1]) };
            let mut sums = [simd.zero(); 2];
            for i in 0..3 {
                for j in 0..3 {
                    sums[0] = simd.fma(window.x[i][j], kernel[i][j], sums[0]);
                    sums[1] = simd.fma(window.x[i + STRIDE][j], kernel[i][j], sums[1]);
                }
            }
            let sums = sums.map(|sum| self.epilogue.apply(simd, sum, channel));
            // SAFETY: the target holds these channels of both rows, of which the lower is this band's if `two`.
            unsafe {
                store::<S, PARTIAL>(simd, upper.add(x * channels), sums[0], count);
                if two {
                    store::<S, PARTIAL>(simd, lower.add(x * channels), sums[1], count);
                }
            }
        }
    }
}

/// `ROWS` x 3 pixels of some channels of an image, in registers. Pixels outside of it are 0.
pub(super) struct Window<S: Simd, const ROWS: usize> {
    pub(super) x: [[S::V; 3]; ROWS],
    rows: [Option<*const f32>; ROWS],
    columns: usize,
    channels: usize,
    count: usize,
}

impl<S: Simd, const ROWS: usize> Window<S, ROWS> {
    /// At the rows from `first` on. `image` points to the first of `count` channels of an image of `extents` pixels of
    /// `channels` channels, which must be readable while the window lives.
    #[inline(always)]
    pub(super) unsafe fn new(
        simd: S,
        image: *const f32,
        [height, columns]: [usize; 2],
        channels: usize,
        first: isize,
        count: usize,
    ) -> Self {
        let mut rows = [None; ROWS];
        for i in 0..ROWS {
            let row = first + i as isize;
            if row >= 0 && (row as usize) < height {
                rows[i] = Some(image.wrapping_add(row as usize * columns * channels));
            }
        }
        Window { x: [[simd.zero(); 3]; ROWS], rows, columns, channels, count }
    }

    /// Reads one column of the image into column `j`.
    ///
    /// # Safety
    /// The image that was given to `new` is readable.
    #[inline(always)]
    pub(super) unsafe fn fill<const PARTIAL: bool>(&mut self, simd: S, j: usize, column: isize) {
        let inside = column >= 0 && (column as usize) < self.columns;
        for i in 0..ROWS {
            self.x[i][j] = match self.rows[i] {
                // SAFETY: the row and the column are within the image.
                Some(row) if inside => unsafe {
                    load::<S, PARTIAL>(simd, row.add(column as usize * self.channels), self.count)
                },
                _ => simd.zero(),
            };
        }
    }

    /// Moves by `STRIDE` columns, so that the window begins at `column`.
    ///
    /// # Safety
    /// As for [`fill`](Self::fill).
    #[inline(always)]
    pub(super) unsafe fn advance<const STRIDE: usize, const PARTIAL: bool>(&mut self, simd: S, column: isize) {
        for i in 0..ROWS {
            for j in 0..3 - STRIDE {
                self.x[i][j] = self.x[i][j + STRIDE];
            }
        }
        for j in 3 - STRIDE..3 {
            // SAFETY: the caller's promise.
            unsafe { self.fill::<PARTIAL>(simd, j, column + j as isize) };
        }
    }
}

/// # Safety
/// `p` points to a vector, or `count` readable floats if `PARTIAL`.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const PARTIAL: bool>(simd: S, p: *const f32, count: usize) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { if PARTIAL { simd.load_partial_ptr(p, count) } else { simd.load_ptr(p) } }
}

/// # Safety
/// `p` points to a vector, or `count` writable floats if `PARTIAL`.
#[inline(always)]
pub(super) unsafe fn store<S: Simd, const PARTIAL: bool>(simd: S, p: *mut f32, v: S::V, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { if PARTIAL { simd.store_partial_ptr(p, v, count) } else { simd.store_ptr(p, v) } }
}
