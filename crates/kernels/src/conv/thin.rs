//! Few products for each sum: 3 x 3 kernels of a single channel, as first layers of grey images have.
//!
//! The register tile of [`gemm`](crate::gemm) needs longer sums to repay its setting up. Here the kernel stays in
//! registers, a few pixels of a row are summed at a time, and the order of the products is the same.
//!
//! Contains `unsafe`: pixels are given by pointers its caller vouches for.

// Indices over pixels, taps and vectors mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use crate::gemm::Epilogue;
use crate::pooling::larger;
use ferrograph_simd::{Kernel, Simd};

/// Products of a sum.
pub(super) const TAPS: usize = 9;
/// Pixels that are summed side by side at most: with two vectors, their sums and the kernel fill 30 of 32 registers.
const PIXELS: usize = 6;

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
    /// If only the largest of every two pixels in this row and the next is wanted: the elements to where that row reads. Then
    /// `pixels` and `target` are of these windows.
    pub pooled: Option<usize>,
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
            // Two vectors of every tap and of the pixels need 32 registers; with 16, there is room for one.
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
        let Run { packed, pixels, .. } = self.0;
        let mut kernel = [[simd.zero(); VECTORS]; TAPS];
        for tap in 0..TAPS {
            for v in 0..VECTORS {
                // SAFETY: `packed` holds `TAPS` rows of the panels before this one and of this one.
                kernel[tap][v] =
                    unsafe { simd.load_ptr(packed.as_ptr().add(TAPS * column + (tap * vectors + first + v) * S::N)) };
            }
        }
        let column = column + first * S::N;
        let mut held = [self.0.epilogue.hold(simd, column); VECTORS];
        for v in 1..VECTORS {
            held[v] = self.0.epilogue.hold(simd, column + v * S::N);
        }
        let strip = Strip { run: self.0, kernel, held, column, last: columns - (VECTORS - 1) * S::N };
        if let Some(below) = self.0.pooled {
            for window in 0..pixels {
                strip.window(simd, window, below);
            }
            return;
        }
        // Leaving two of 26 pixels to the end, one by one, would hide no latency.
        let mut pixel = 0;
        while pixel + PIXELS <= pixels {
            strip.pixels::<PIXELS>(simd, pixel);
            pixel += PIXELS;
        }
        match pixels - pixel {
            0 => {}
            1 => strip.pixels::<1>(simd, pixel),
            2 => strip.pixels::<2>(simd, pixel),
            3 => strip.pixels::<3>(simd, pixel),
            4 => strip.pixels::<4>(simd, pixel),
            _ => strip.pixels::<5>(simd, pixel),
        }
    }
}

/// Some vectors of columns of all pixels.
struct Strip<'a, S: Simd, E: Epilogue, const VECTORS: usize> {
    run: Run<'a, E>,
    kernel: [[S::V; VECTORS]; TAPS],
    held: [E::Held<S>; VECTORS],
    /// The first column.
    column: usize,
    /// Columns of the last vector.
    last: usize,
}

impl<S: Simd, E: Epilogue, const VECTORS: usize> Strip<'_, S, E, VECTORS> {
    /// `COUNT` pixels from `pixel` on.
    #[inline(always)]
    fn pixels<const COUNT: usize>(&self, simd: S, pixel: usize) {
        let Run { source, source_step, .. } = self.run;
        let mut from = [source; COUNT];
        for i in 0..COUNT {
            from[i] = source.wrapping_add((pixel + i) * source_step);
        }
        let sums = self.sums(simd, from);
        for i in 0..COUNT {
            self.store(simd, sums[i], pixel + i);
        }
    }

    /// The largest of the two pixels at twice `window` and the two in the row `below`.
    #[inline(always)]
    fn window(&self, simd: S, window: usize, below: usize) {
        let Run { source, source_step, .. } = self.run;
        let first = source.wrapping_add(2 * window * source_step);
        let lower = first.wrapping_add(below);
        let sums = self.sums(simd, [first, first.wrapping_add(source_step), lower, lower.wrapping_add(source_step)]);
        let mut largest = sums[0];
        for i in 1..4 {
            for v in 0..VECTORS {
                largest[v] = larger(simd, largest[v], sums[i][v]);
            }
        }
        self.store(simd, largest, window);
    }

    /// The results of the pixels that read from these places on.
    #[inline(always)]
    fn sums<const COUNT: usize>(&self, simd: S, from: [*const f32; COUNT]) -> [[S::V; VECTORS]; COUNT] {
        let mut sums = [[simd.zero(); VECTORS]; COUNT];
        for tap in 0..TAPS {
            for i in 0..COUNT {
                // SAFETY: the caller of `Run::run` vouches for every tap of every pixel.
                let x = simd.splat(unsafe { *from[i].add(self.run.taps[tap]) });
                for v in 0..VECTORS {
                    sums[i][v] = simd.fma(x, self.kernel[tap][v], sums[i][v]);
                }
            }
        }
        for i in 0..COUNT {
            for v in 0..VECTORS {
                sums[i][v] = E::apply(simd, sums[i][v], self.held[v]);
            }
        }
        sums
    }

    #[inline(always)]
    fn store(&self, simd: S, results: [S::V; VECTORS], pixel: usize) {
        let to = self.run.target.wrapping_add(pixel * self.run.target_step + self.column);
        for v in 0..VECTORS {
            // SAFETY: the caller of `Run::run` vouches for all columns of every pixel.
            unsafe {
                let to = to.add(v * S::N);
                if v + 1 == VECTORS && self.last < S::N {
                    simd.store_partial_ptr(to, results[v], self.last);
                } else {
                    simd.store_ptr(to, results[v]);
                }
            }
        }
    }
}
