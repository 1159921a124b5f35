//! The register tile: a few rows by pointer x packed panels.
//!
//! Contains `unsafe`: it reads and writes through the row pointers its caller vouches for.

// Indices over rows, panels and vectors mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use super::Epilogue;
use super::rows::Spacing;
use ferrograph_simd::{Simd, opaque, opaque_pointer};

/// How far ahead of the multiplications a panel is prefetched: 8 steps of 32 columns. The second-level cache answers
/// within that time; measured on Sapphire Rapids it is worth 1 to 4 % where panels do not fit into the first level.
const PREFETCH: usize = 256;

/// Steps of an iteration where the elements of a run are neighbours.
const UNROLL: usize = 4;

/// Rows that are read by one pointer where they are equally far apart: the distance and twice the distance are added to it.
const GROUP: usize = 3;

/// What all tiles of a block share.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    /// Offsets of the runs along `k`, added to each row pointer.
    pub taps: &'a [usize],
    /// Steps of a run.
    pub len: usize,
    /// Distance between the elements of a run.
    pub stride: usize,
    /// Start from what `C` holds instead of from 0.
    pub accumulate: bool,
}

/// The rows of `B` that a tile meets, one after the other.
pub(super) trait Source: Copy {
    /// Has what comes later brought into the first-level cache, as far as vector `v` of every panel goes.
    fn prefetch<S: Simd>(self, simd: S, v: usize);

    /// Vector `v` of panel `p`.
    ///
    /// # Safety
    /// The row is one of those that whoever made this vouches for.
    unsafe fn load<S: Simd>(self, simd: S, p: usize, v: usize) -> S::V;

    /// The next row, of panels of that many elements.
    #[must_use]
    fn next(self, width: usize) -> Self;
}

/// Rows of packed panels that are `panel_stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Packed {
    pub b: *const f32,
    pub panel_stride: usize,
}

impl Source for Packed {
    #[inline(always)]
    fn prefetch<S: Simd>(self, simd: S, v: usize) {
        simd.prefetch(self.b.wrapping_add(PREFETCH + v * S::N));
    }
    #[inline(always)]
    unsafe fn load<S: Simd>(self, simd: S, p: usize, v: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { simd.load_ptr(self.b.add(p * self.panel_stride + v * S::N)) }
    }
    #[inline(always)]
    fn next(self, width: usize) -> Self {
        Self { b: self.b.wrapping_add(width), ..self }
    }
}

/// Rows of a matrix, `stride` apart, that are packed `to` a panel on the way.
#[derive(Clone, Copy)]
pub(super) struct Packing {
    pub b: *const f32,
    pub stride: usize,
    pub to: *mut f32,
}

/// How many rows ahead a matrix is asked for that may lie beyond the caches.
const FAR: usize = 48;
/// How many rows ahead it is brought to the first of them.
const NEAR: usize = 8;

impl Source for Packing {
    #[inline(always)]
    fn prefetch<S: Simd>(self, simd: S, v: usize) {
        simd.prefetch_far(self.b.wrapping_add(FAR * self.stride + v * S::N));
        simd.prefetch(self.b.wrapping_add(NEAR * self.stride + v * S::N));
    }
    #[inline(always)]
    unsafe fn load<S: Simd>(self, simd: S, _: usize, v: usize) -> S::V {
        // SAFETY: the caller's promise; what is written is a row of the panel.
        unsafe {
            let row = simd.load_ptr(self.b.add(v * S::N));
            simd.store_ptr(self.to.add(v * S::N), row);
            row
        }
    }
    #[inline(always)]
    fn next(self, width: usize) -> Self {
        Self { b: self.b.wrapping_add(self.stride), to: self.to.wrapping_add(width), ..self }
    }
}

/// Computes `ROWS` rows x `PANELS` neighbouring panels of `VECTORS` vectors each:
/// `C[i][j] = epilogue(sum over taps and steps of A[i][tap + step * stride] * B[tap, step][j])`.
///
/// If `SPACED`, `a` and `c` hold the first row only, from which the others follow by `spacing`, and elements of a run are
/// neighbours. Then few registers hold where the rows are: a tenth of the time of sums of 16 products.
///
/// Meanwhile `share` floats for each step are brought into the second-level cache from `ahead`, which may point anywhere.
///
/// # Safety
/// * Row `i` of `A` plus every tap plus every step lies within readable memory.
/// * `b` is the first of `taps * len` rows of `PANELS` panels of `VECTORS * N` floats each.
/// * Row `i` of `C` points to `columns` writable floats (readable, if accumulating), `columns` being more than
///   `(PANELS * VECTORS - 1) * N` and at most `PANELS * VECTORS * N`. No other thread uses them.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of the innermost loop; a struct would only rename them")]
#[allow(clippy::too_many_lines, reason = "one loop nest, whichever way rows are found")]
pub(super) unsafe fn tile<
    S: Simd,
    E: Epilogue,
    B: Source,
    const ROWS: usize,
    const PANELS: usize,
    const VECTORS: usize,
    const SPACED: bool,
>(
    simd: S,
    walk: Walk,
    spacing: Spacing,
    a: &[*const f32],
    b: B,
    ahead: *const f32,
    share: usize,
    c: &[*mut f32],
    column: usize,
    columns: usize,
    epilogue: E,
) {
    let lanes = S::N;
    debug_assert!(SPACED || (a.len() == ROWS && c.len() == ROWS));
    debug_assert!(columns > (PANELS * VECTORS - 1) * lanes && columns <= PANELS * VECTORS * lanes);
    // Only the last vector can be partial.
    let last = columns - (PANELS * VECTORS - 1) * lanes;
    let mut sums = [[[simd.zero(); VECTORS]; PANELS]; ROWS];
    macro_rules! output {
        ($i:expr) => {
            if SPACED { c.get_unchecked(0).add($i * spacing.outputs) } else { *c.get_unchecked($i) }
        };
    }

    if walk.accumulate {
        for i in 0..ROWS {
            for p in 0..PANELS {
                for v in 0..VECTORS {
                    let at = p * VECTORS + v;
                    // SAFETY: within the `columns` floats of row `i`.
                    sums[i][p][v] = unsafe {
                        let c = output!(i).add(column + at * lanes);
                        if at + 1 == PANELS * VECTORS { simd.load_partial_ptr(c, last) } else { simd.load_ptr(c) }
                    };
                }
            }
        }
    }

    // Where few rows or one vector share what is loaded, loads are what limits the tile; such panels are small, or read in
    // long streams anyway.
    let prefetches = const { ROWS >= 4 && VECTORS > 1 };
    // Of a single vector the rows of `A` are what takes the time, and those of the next tile are wanted in the first level: of
    // 112 x 112 x 32 pixels a 1x1 convolution with 16 outputs takes 0.87 of the time.
    let nears = const { SPACED && VECTORS == 1 };
    let (mut b, mut ahead) = (b, ahead);
    for tap in walk.taps {
        macro_rules! step {
            ($i:ident => $x:expr) => {
                if prefetches {
                    simd.prefetch_far(ahead);
                    ahead = ahead.wrapping_add(share);
                }
                let mut panel = [[simd.zero(); VECTORS]; PANELS];
                for p in 0..PANELS {
                    for v in 0..VECTORS {
                        if prefetches {
                            b.prefetch(simd, v);
                        }
                        // SAFETY: `b` is at a row of the panels the caller vouches for.
                        panel[p][v] = unsafe { b.load(simd, p, v) };
                    }
                }
                for i in 0..ROWS {
                    let $i = i;
                    // SAFETY: the caller vouches for every step of every row.
                    let x = simd.splat(unsafe { *$x });
                    for p in 0..PANELS {
                        for v in 0..VECTORS {
                            sums[i][p][v] = simd.fma(x, panel[p][v], sums[i][p][v]);
                        }
                    }
                }
                b = b.next(VECTORS * lanes);
            };
        }
        if SPACED {
            let mut firsts = [std::ptr::null::<f32>(); ROWS];
            for group in 0..ROWS.div_ceil(GROUP) {
                // SAFETY: the caller vouches for row 0 plus every tap.
                firsts[group] = unsafe { a.get_unchecked(0).add(*tap) }.wrapping_add(group * GROUP * spacing.inputs);
            }
            macro_rules! steps {
                ($count:expr, $steps:expr) => {
                    for _ in 0..$count {
                        for step in 0..$steps {
                            if nears && step % 2 == 0 {
                                simd.prefetch(ahead);
                                ahead = ahead.wrapping_add(2 * share);
                            }
                            step!(i => firsts[i / GROUP].add(i % GROUP * spacing.inputs + step));
                        }
                        for group in 0..ROWS.div_ceil(GROUP) {
                            // Otherwise the compiler makes a pointer for each row again.
                            firsts[group] = opaque_pointer(firsts[group].wrapping_add($steps));
                        }
                    }
                };
            }
            steps!(walk.len / UNROLL, UNROLL);
            steps!(walk.len % UNROLL, 1);
            continue;
        }
        let mut rows = [std::ptr::null::<f32>(); ROWS];
        for i in 0..ROWS {
            // SAFETY: the caller vouches for every row plus every tap.
            rows[i] = unsafe { a.get_unchecked(i).add(*tap) };
        }
        let mut offset = 0;
        macro_rules! steps {
            ($count:expr, $next:expr) => {
                for _ in 0..$count {
                    step!(i => rows[i].add(offset));
                    offset = $next;
                }
            };
        }
        if walk.stride == 1 {
            // Known strides and counts leave one index for all rows to the loop: 2 to 5 % where panels are read often.
            for _ in 0..walk.len / UNROLL {
                steps!(UNROLL, offset.wrapping_add(1));
            }
            steps!(walk.len % UNROLL, offset.wrapping_add(1));
        } else {
            // The rows share the offset. As a pointer of its own for each, which the compiler sometimes prefers, the gradient of a
            // dense weight took a tenth longer.
            steps!(walk.len, opaque(offset.wrapping_add(walk.stride)));
        }
    }

    let mut held = [[epilogue.hold(simd, column); VECTORS]; PANELS];
    for at in 1..PANELS * VECTORS {
        held[at / VECTORS][at % VECTORS] = epilogue.hold(simd, column + at * lanes);
    }
    for i in 0..ROWS {
        for p in 0..PANELS {
            for v in 0..VECTORS {
                let at = p * VECTORS + v;
                let sum = E::apply(simd, sums[i][p][v], held[p][v]);
                // SAFETY: within the `columns` floats of row `i`.
                unsafe {
                    let c = output!(i).add(column + at * lanes);
                    if at + 1 == PANELS * VECTORS {
                        simd.store_partial_ptr(c, sum, last);
                    } else {
                        simd.store_ptr(c, sum);
                    }
                }
            }
        }
    }
}
