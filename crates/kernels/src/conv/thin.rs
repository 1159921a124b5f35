//! Few products for each sum: 3 x 3 kernels of a single channel, as first layers of grey images have.
//!
//! The register tile of [`gemm`](crate::gemm) needs longer sums to repay its setting up. Here the kernel stays in
//! registers, a few pixels of a row are summed at a time, and the order of the products is the same.
//!
//! Contains `unsafe`: pixels are given by pointers its caller vouches for.

// Indices over pixels, taps and vectors mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use crate::gemm::Epilogue;
use ferrograph_simd::{Kernel, Simd};

/// Products of a sum.
pub(super) const TAPS: usize = 9;
/// Pixels that are summed side by side, to hide the latency of an addition.
const PIXELS: usize = 4;

/// Neighbouring pixels of a row of the target.
#[derive(Clone, Copy)]
pub(super) struct Run<'a, E> {
    /// Where the products of a pixel lie, from its own place on.
    pub taps: &'a [usize; TAPS],
    /// Where the first pixel begins to read, and the elements from there to where the next does.
    pub source: *const f32,
    pub source_step: usize,
    /// Where its sums go, and the elements from one pixel to the next.
    pub target: *mut f32,
    pub target_step: usize,
    pub pixels: usize,
    /// All of the kernel, packed at the current level, and its columns.
    pub packed: &'a [f32],
    pub columns: usize,
    pub epilogue: E,
}

impl<E: Epilogue> Run<'_, E> {
    /// Computes all columns of the pixels.
    ///
    /// # Safety
    /// Every pixel plus every tap is readable, and `columns` floats of every pixel's target are writable and used by no
    /// other thread. `level` is the one the kernel was packed at.
    pub(super) unsafe fn run(self, level: ferrograph_simd::Level) {
        assert!(self.packed.len() >= TAPS * self.columns);
        level.run(Vouched(self));
    }
}

/// A run whose pointers are vouched for.
struct Vouched<'a, E>(Run<'a, E>);

impl<E: Epilogue> Kernel for Vouched<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = S::TILE_VECTORS * S::N;
        for column in (0..self.0.columns).step_by(width) {
            let columns = width.min(self.0.columns - column);
            let vectors = columns.div_ceil(S::N);
            // Two vectors of every tap and of four pixels fill 32 registers; with 16, there is room for one.
            let side_by_side = if const { S::TILE_ROWS * S::TILE_VECTORS >= 16 } { 2 } else { 1 };
            for first in (0..vectors).step_by(side_by_side) {
                let columns = columns - first * S::N;
                if side_by_side == 2 && first + 2 <= vectors {
                    self.vectors::<S, 2>(simd, column, vectors, first, columns.min(2 * S::N));
                } else {
                    self.vectors::<S, 1>(simd, column, vectors, first, columns.min(S::N));
                }
            }
        }
    }
}

impl<E: Epilogue> Vouched<'_, E> {
    /// `VECTORS` vectors from `first` on of the panel at `column`, which is `vectors` wide; `columns` of theirs exist.
    #[inline(always)]
    fn vectors<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        column: usize,
        vectors: usize,
        first: usize,
        columns: usize,
    ) {
        let Run { taps, source, source_step, target, target_step, pixels, packed, epilogue, .. } = self.0;
        let mut kernel = [[simd.zero(); VECTORS]; TAPS];
        for tap in 0..TAPS {
            for v in 0..VECTORS {
                // SAFETY: `packed` holds `TAPS` rows of the panels before this one and of this one.
                kernel[tap][v] =
                    unsafe { simd.load_ptr(packed.as_ptr().add(TAPS * column + (tap * vectors + first + v) * S::N)) };
            }
        }
        let column = column + first * S::N;
        let last = columns - (VECTORS - 1) * S::N;
        // Several pixels, then the rest one by one.
        macro_rules! pixels {
            ($count:expr, $pixel:expr) => {
                let mut sums = [[simd.zero(); VECTORS]; $count];
                let from = source.wrapping_add($pixel * source_step);
                for tap in 0..TAPS {
                    for i in 0..$count {
                        // SAFETY: the caller vouches for every tap of every pixel.
                        let x = simd.splat(unsafe { *from.add(i * source_step + taps[tap]) });
                        for v in 0..VECTORS {
                            sums[i][v] = simd.fma(x, kernel[tap][v], sums[i][v]);
                        }
                    }
                }
                let to = target.wrapping_add($pixel * target_step + column);
                for i in 0..$count {
                    for v in 0..VECTORS {
                        let sum = epilogue.apply(simd, sums[i][v], column + v * S::N);
                        // SAFETY: the caller vouches for all columns of every pixel.
                        unsafe {
                            let to = to.add(i * target_step + v * S::N);
                            if v + 1 == VECTORS && last < S::N {
                                simd.store_partial_ptr(to, sum, last);
                            } else {
                                simd.store_ptr(to, sum);
                            }
                        }
                    }
                }
            };
        }
        let mut pixel = 0;
        while pixel + PIXELS <= pixels {
            pixels!(PIXELS, pixel);
            pixel += PIXELS;
        }
        while pixel < pixels {
            pixels!(1, pixel);
            pixel += 1;
        }
    }
}
