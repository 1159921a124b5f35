//! The transforms of tiles between pixels and frequencies, vectors of channels at a time.
//!
//! Contains `unsafe`: pixels are given by pointers its caller vouches for.

// Indices over the axes of a tile mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use crate::gemm::Epilogue;
use crate::pooling::larger;
use ferrograph_simd::{Kernel, Simd};
use std::ops::Range;

/// The interpolation points of tiles of 4 x 4 besides 0 and infinity are `±A` and `±B`. Their powers and products are exact in f32.
pub(super) const A: f32 = 0.75;
pub(super) const B: f32 = 1.5;

/// A transform along one axis, from `I` to `O` elements. The transform of a tile is that of its columns, then of its
/// rows.
pub(super) trait Transform<const I: usize, const O: usize>: Copy {
    fn apply<S: Simd>(self, simd: S, x: [S::V; I]) -> [S::V; O];
}

/// Pixels of a patch to frequencies: the transposed matrix of interpolation.
#[derive(Clone, Copy)]
pub(super) struct Input;

/// With the points 0, ±A, ±B and infinity.
impl Transform<6, 6> for Input {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x0, x1, x2, x3, x4, x5]: [S::V; 6]) -> [S::V; 6] {
        let (a, b) = (simd.splat(A), simd.splat(B));
        let (a2, b2) = (simd.splat(A * A), simd.splat(B * B));
        let (sum, product) = (simd.splat(A * A + B * B), simd.splat(A * A * B * B));
        let (even_a, odd_a) = (simd.neg_fma(x2, b2, x4), simd.neg_fma(x1, b2, x3));
        let (even_b, odd_b) = (simd.neg_fma(x2, a2, x4), simd.neg_fma(x1, a2, x3));
        [
            simd.fma(x0, product, simd.neg_fma(x2, sum, x4)),
            simd.fma(odd_a, a, even_a),
            simd.neg_fma(odd_a, a, even_a),
            simd.fma(odd_b, b, even_b),
            simd.neg_fma(odd_b, b, even_b),
            simd.fma(x1, product, simd.neg_fma(x3, sum, x5)),
        ]
    }
}

/// With the points 0, ±1 and infinity.
impl Transform<4, 4> for Input {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x0, x1, x2, x3]: [S::V; 4]) -> [S::V; 4] {
        [simd.sub(x0, x2), simd.add(x1, x2), simd.sub(x2, x1), simd.sub(x3, x1)]
    }
}

/// Frequencies to pixels of the output: a polynomial from its values at the points.
#[derive(Clone, Copy)]
pub(super) struct Output;

impl Transform<6, 4> for Output {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [m0, m1, m2, m3, m4, m5]: [S::V; 6]) -> [S::V; 4] {
        let (even_a, odd_a) = (simd.add(m1, m2), simd.sub(m1, m2));
        let (even_b, odd_b) = (simd.add(m3, m4), simd.sub(m3, m4));
        let mix = |a: f32, x, b: f32, y| simd.fma(y, simd.splat(b), simd.mul(x, simd.splat(a)));
        [
            simd.add(m0, simd.add(even_a, even_b)),
            mix(A, odd_a, B, odd_b),
            mix(A * A, even_a, B * B, even_b),
            simd.fma(odd_b, simd.splat(B * B * B), simd.fma(odd_a, simd.splat(A * A * A), m5)),
        ]
    }
}

impl Transform<4, 2> for Output {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [m0, m1, m2, m3]: [S::V; 4]) -> [S::V; 2] {
        [simd.add(m0, simd.add(m1, m2)), simd.add(simd.sub(m1, m2), m3)]
    }
}

/// Gradients of pixels of the output to frequencies: the transpose of [`Output`].
#[derive(Clone, Copy)]
pub(super) struct OutputGradient;

impl Transform<4, 6> for OutputGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [y0, y1, y2, y3]: [S::V; 4]) -> [S::V; 6] {
        let at = |point: f32| {
            let square = simd.splat(point * point);
            let (even, odd) = (simd.fma(y2, square, y0), simd.fma(y3, square, y1));
            let point = simd.splat(point);
            (simd.fma(odd, point, even), simd.neg_fma(odd, point, even))
        };
        let ((plus_a, minus_a), (plus_b, minus_b)) = (at(A), at(B));
        [y0, plus_a, minus_a, plus_b, minus_b, y3]
    }
}

/// Where the pixels or frequencies of one tile begin.
pub(super) type From<const I: usize> = [[*const f32; I]; I];
/// Where the results of one tile begin; what goes to null is dropped.
pub(super) type To<const O: usize> = [[*mut f32; O]; O];

/// The transform of some tiles, all channels of each. If `POOLED`, only the largest of each window of 2 x 2 results is kept,
/// where the pointer to its number says.
pub(super) struct Transformation<T, F, G, E, const I: usize, const O: usize, const POOLED: bool> {
    pub transform: T,
    pub tiles: Range<usize>,
    pub channels: usize,
    pub from: F,
    pub to: G,
    pub epilogue: E,
}

impl<T, F, G, E, const I: usize, const O: usize, const POOLED: bool> Transformation<T, F, G, E, I, O, POOLED>
where
    T: Transform<I, O>,
    F: Fn(usize) -> From<I>,
    G: Fn(usize) -> To<O>,
    E: Epilogue,
{
    /// Runs it at the level.
    ///
    /// # Safety
    /// For every tile, `from` gives pointers to `channels` readable and `to` to as many writable floats (or null),
    /// which no other thread uses.
    pub(super) unsafe fn run(self, level: ferrograph_simd::Level) {
        level.run(Vouched(self));
    }
}

/// A transformation whose pointers are vouched for.
struct Vouched<K>(K);

impl<T, F, G, E, const I: usize, const O: usize, const POOLED: bool> Kernel
    for Vouched<Transformation<T, F, G, E, I, O, POOLED>>
where
    T: Transform<I, O>,
    F: Fn(usize) -> From<I>,
    G: Fn(usize) -> To<O>,
    E: Epilogue,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Transformation { transform, tiles, channels, from, to, epilogue } = self.0;
        let whole = channels / S::N * S::N;
        for tile in tiles {
            let (from, to) = (from(tile), to(tile));
            // SAFETY: the caller of `Transformation::run` vouches for all channels at every pointer.
            unsafe {
                for channel in (0..whole).step_by(S::N) {
                    let results = vectors::<S, T, I, O, false>(simd, transform, &from, channel, S::N);
                    store::<S, E, O, POOLED, false>(simd, results, &to, channel, S::N, epilogue);
                }
                if whole < channels {
                    let count = channels - whole;
                    let results = vectors::<S, T, I, O, true>(simd, transform, &from, whole, count);
                    store::<S, E, O, POOLED, true>(simd, results, &to, whole, count, epilogue);
                }
            }
        }
    }
}

/// Transforms `count` channels from `channel` on: a whole vector unless `PARTIAL`.
///
/// # Safety
/// As for [`Transformation::run`], of these channels.
#[inline(always)]
unsafe fn vectors<S: Simd, T: Transform<I, O>, const I: usize, const O: usize, const PARTIAL: bool>(
    simd: S,
    transform: T,
    from: &From<I>,
    channel: usize,
    count: usize,
) -> [[S::V; O]; O] {
    let mut half = [[simd.zero(); I]; O];
    for j in 0..I {
        let mut x = [simd.zero(); I];
        for i in 0..I {
            // SAFETY: the caller's promise.
            x[i] = unsafe {
                let p = from[i][j].add(channel);
                if PARTIAL { simd.load_partial_ptr(p, count) } else { simd.load_ptr(p) }
            };
        }
        let y = transform.apply(simd, x);
        for i in 0..O {
            half[i][j] = y[i];
        }
    }
    let mut results = [[simd.zero(); O]; O];
    for i in 0..O {
        results[i] = transform.apply(simd, half[i]);
    }
    results
}

/// Stores the results of a tile, or the largest of each window of 2 x 2 of them if `POOLED`.
///
/// # Safety
/// As for [`Transformation::run`], of these channels.
#[inline(always)]
unsafe fn store<S: Simd, E: Epilogue, const O: usize, const POOLED: bool, const PARTIAL: bool>(
    simd: S,
    results: [[S::V; O]; O],
    to: &To<O>,
    channel: usize,
    count: usize,
    epilogue: E,
) {
    let size = if POOLED { 2 } else { 1 };
    let held = epilogue.hold(simd, channel);
    for i in 0..O / size {
        for j in 0..O / size {
            if to[i][j].is_null() {
                continue;
            }
            let mut y = E::apply(simd, results[size * i][size * j], held);
            if POOLED {
                for other in 1..4 {
                    let result = results[size * i + other / 2][size * j + other % 2];
                    y = larger(simd, y, E::apply(simd, result, held));
                }
            }
            // SAFETY: the caller's promise.
            unsafe {
                let p = to[i][j].add(channel);
                if PARTIAL { simd.store_partial_ptr(p, y, count) } else { simd.store_ptr(p, y) }
            }
        }
    }
}
