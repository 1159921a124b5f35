//! 3 x 3 windows that are two pixels apart, for two vectors of channels at a time.
//!
//! A window shares one column with the next, which stays in registers; the other two are read where they are multiplied. So
//! there is room for the kernels of two vectors, and what is read of a pixel is two neighbouring cache lines, for all rows of
//! a tile with the same kernel: 0.75 of the time of windows of one vector wholly in registers.
//!
//! Contains `unsafe`: rows of the image are read by pointer.

// Indices over the rows and columns of the window mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use super::window::{ZEROS, load, store};
use crate::gemm::Epilogue;
use ferrograph_simd::Simd;
use std::ops::Range;

/// Pixels between windows.
const STRIDE: usize = 2;

/// Some rows and columns of a target. The pointers are to the same channels of everything.
pub(super) struct Steps<E> {
    /// The image, its rows and columns, and where the first window of the target begins.
    pub image: *const f32,
    pub extents: [usize; 2],
    pub origin: [isize; 2],
    /// Nine taps.
    pub kernel: *const f32,
    /// The target of the image, and the columns of a row of it.
    pub target: *mut f32,
    pub target_columns: usize,
    /// Elements of a pixel, or of a tap.
    pub channels: usize,
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    pub epilogue: E,
}

/// Whether registers hold the kernels of two vectors.
pub(super) const fn takes_pairs<S: Simd>() -> bool {
    S::TILE_ROWS * S::TILE_VECTORS >= 16
}

impl<E: Epilogue> Steps<E> {
    /// Computes `VECTORS` vectors of channels, or only `count` channels if `PARTIAL`. `channel` is the first one's number for the
    /// epilogue.
    ///
    /// # Safety
    /// The image and the kernel hold these channels of their pixels and taps, and the target of the rows and columns, which
    /// nobody else uses.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd, const VECTORS: usize, const PARTIAL: bool>(
        &self,
        simd: S,
        channel: usize,
        count: usize,
    ) {
        const { assert!(VECTORS * S::N <= ZEROS.len()) };
        let Steps { image, extents: [height, width], origin, channels, .. } = *self;
        macro_rules! read {
            ($p:expr, $v:expr) => {
                // SAFETY: the caller's promise.
                unsafe { load::<S, PARTIAL>(simd, $p.add($v * S::N), count) }
            };
        }
        let mut kernel = [[simd.zero(); VECTORS]; 9];
        for tap in 0..9 {
            for v in 0..VECTORS {
                kernel[tap][v] = read!(self.kernel.wrapping_add(tap * channels), v);
            }
        }
        let mut held = [self.epilogue.hold(simd, channel); VECTORS];
        for v in 1..VECTORS {
            held[v] = self.epilogue.hold(simd, channel + v * S::N);
        }
        // The windows whose second and third column lie in the image.
        let first = self.columns.start;
        let end = (width as isize - 1 - origin[1]).max(0) as usize / STRIDE;
        let end = end.clamp(first, self.columns.end);
        let inner = ((-origin[1]).max(0) as usize / STRIDE).clamp(first, end)..end;
        for row in self.rows.clone() {
            // Rows outside of the image are zeros, which all pixels read at the same place.
            let (mut lines, mut steps) = ([ZEROS.as_ptr(); 3], [0; 3]);
            for i in 0..3 {
                let y = (row * STRIDE + i) as isize + origin[0];
                if y >= 0 && (y as usize) < height {
                    (lines[i], steps[i]) = (image.wrapping_add(y as usize * width * channels), channels);
                }
            }
            let mut to = self.target.wrapping_add((row * self.target_columns + first) * channels);
            // The column of the window at `x` that is `j` from its left; no column of the image is so large if it lies outside.
            let column = |x: usize, j: usize| ((x * STRIDE + j) as isize + origin[1]) as usize;
            macro_rules! checked {
                ($column:expr, $i:expr, $v:expr) => {
                    if $column < width { read!(lines[$i].wrapping_add($column * steps[$i]), $v) } else { simd.zero() }
                };
            }
            let mut last = [[simd.zero(); VECTORS]; 3];
            for i in 0..3 {
                for v in 0..VECTORS {
                    last[i][v] = checked!(column(first, 0), i, v);
                }
            }
            macro_rules! pixel {
                ($i:ident, $v:ident => $second:expr, $third:expr) => {
                    let mut sums = [simd.zero(); VECTORS];
                    for $i in 0..3 {
                        for $v in 0..VECTORS {
                            sums[$v] = simd.fma(last[$i][$v], kernel[3 * $i][$v], sums[$v]);
                            sums[$v] = simd.fma($second, kernel[3 * $i + 1][$v], sums[$v]);
                            last[$i][$v] = $third;
                            sums[$v] = simd.fma(last[$i][$v], kernel[3 * $i + 2][$v], sums[$v]);
                        }
                    }
                    for v in 0..VECTORS {
                        let sum = E::apply(simd, sums[v], held[v]);
                        // SAFETY: the caller's promise.
                        unsafe { store::<S, PARTIAL>(simd, to.add(v * S::N), sum, count) };
                    }
                    to = to.wrapping_add(channels);
                };
            }
            macro_rules! at_an_edge {
                ($columns:expr) => {
                    for x in $columns {
                        pixel!(i, v => checked!(column(x, 1), i, v), checked!(column(x, 2), i, v));
                    }
                };
            }
            at_an_edge!(first..inner.start);
            let mut from = [ZEROS.as_ptr(); 3];
            for i in 0..3 {
                from[i] = lines[i].wrapping_add(column(inner.start, 1).wrapping_mul(steps[i]));
            }
            for _ in inner.clone() {
                pixel!(i, v => read!(from[i], v), read!(from[i].wrapping_add(steps[i]), v));
                for i in 0..3 {
                    from[i] = from[i].wrapping_add(STRIDE * steps[i]);
                }
            }
            at_an_edge!(inner.end..self.columns.end);
        }
    }
}
