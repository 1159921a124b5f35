//! A turn of a cell: sums of gates in registers, from their projections to the new state.
//!
//! Contains `unsafe`: threads that share a turn write disjoint units of the same rows.

// Indices over rows, blocks and gates mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use super::gates::{lanes, padded};
use ferrograph_simd::{Kernel, Level, Simd, opaque};
use std::mem::MaybeUninit;
use std::ops::Range;

/// Rows of a turn at most. Twice as many read the weights half as often.
pub(crate) const MAX_ROWS: usize = 32;

/// What is done with the sums of `GATES` gates of a block of units. A block has as many units as a vector has lanes.
pub(crate) trait Cell<const GATES: usize>: Copy {
    /// What the sums of a row and a block start from.
    ///
    /// # Safety
    /// The row and the block exist.
    unsafe fn start<S: Simd>(&self, simd: S, row: usize, block: usize) -> [S::V; GATES];

    /// Takes the finished sums.
    ///
    /// # Safety
    /// As for [`Self::start`]; no other thread has this block.
    unsafe fn finish<S: Simd>(&self, simd: S, row: usize, block: usize, sums: [S::V; GATES]);

    /// Takes the finished sums of neighbouring rows.
    ///
    /// # Safety
    /// As for [`Self::finish`], of every row.
    #[inline(always)]
    unsafe fn finish_rows<S: Simd, const ROWS: usize>(
        &self,
        simd: S,
        first: usize,
        block: usize,
        sums: [[S::V; GATES]; ROWS],
    ) {
        for row in 0..ROWS {
            // SAFETY: the caller's promise.
            unsafe { self.finish(simd, first + row, block, sums[row]) };
        }
    }
}

/// A turn of a cell for some sequences and some blocks of units.
pub(crate) struct Turn<'a, C, const GATES: usize> {
    pub cell: C,
    pub rows: usize,
    pub blocks: Range<usize>,
    pub units: usize,
    /// Rows of `units` elements that are multiplied by the weights.
    pub h: *const f32,
    /// From [`Gates::pack_recurrent`](super::gates::Gates::pack_recurrent).
    pub panels: &'a [f32],
}

impl<C: Cell<GATES>, const GATES: usize> Turn<'_, C, GATES> {
    /// Runs the turn.
    ///
    /// # Safety
    /// `h` has the rows, which nobody writes meanwhile. `level` is the one that the weights were packed at. The promises of
    /// the cell hold.
    pub(crate) unsafe fn run(self, level: Level) {
        assert!(self.rows <= MAX_ROWS && self.blocks.end * lanes() <= padded(self.units));
        assert_eq!(self.panels.len(), GATES * padded(self.units) * self.units);
        level.run(self);
    }

    /// Adds the products of the elements `depth` of `ROWS` rows with the panels of `BLOCKS` neighbouring blocks to `sums`,
    /// one chain of multiply-adds for each in their order, so that bits depend on neither rows nor blocks.
    ///
    /// # Safety
    /// As for [`Turn::run`]; the rows, blocks and elements exist.
    #[inline(always)]
    unsafe fn accumulate<S: Simd, const ROWS: usize, const BLOCKS: usize>(
        &self,
        simd: S,
        first: usize,
        block: usize,
        depth: Range<usize>,
        sums: &mut [[[S::V; GATES]; BLOCKS]; ROWS],
    ) {
        let panel_len = self.units * GATES * S::N;
        let mut local = *sums;
        let mut panel = self.panels.as_ptr().wrapping_add(block * panel_len + depth.start * GATES * S::N);
        let mut h = [std::ptr::null::<f32>(); ROWS];
        for row in 0..ROWS {
            h[row] = self.h.wrapping_add(opaque((first + row) * self.units));
        }
        // Steps are unrolled, and no pointer to a row follows from another's: instructions for addresses take turns of the units
        // that multiply and add, a tenth of them otherwise.
        let steps = depth.len();
        let mut k = depth.start;
        macro_rules! steps {
            ($count:expr) => {
                for _ in 0..$count {
                    let mut weights = [[simd.zero(); GATES]; BLOCKS];
                    for b in 0..BLOCKS {
                        for gate in 0..GATES {
                            if const { ROWS >= 4 } {
                                simd.prefetch(panel.wrapping_add(b * panel_len + PREFETCH + gate * S::N));
                            }
                            // SAFETY: row `k` of the panel of a block that exists; `run` asserts the length of all panels.
                            weights[b][gate] = unsafe { simd.load_ptr(panel.add(b * panel_len + gate * S::N)) };
                        }
                    }
                    for row in 0..ROWS {
                        // SAFETY: the caller vouches for the elements of every row.
                        let x = simd.splat(unsafe { *h[row].add(k) });
                        for b in 0..BLOCKS {
                            for gate in 0..GATES {
                                local[row][b][gate] = simd.fma(x, weights[b][gate], local[row][b][gate]);
                            }
                        }
                    }
                    panel = panel.wrapping_add(GATES * S::N);
                    k += 1;
                }
            };
        }
        for _ in 0..steps / UNROLL {
            steps!(UNROLL);
        }
        steps!(steps % UNROLL);
        *sums = local;
    }

    /// The part `depth` of the sums of `ROWS` neighbouring rows and `BLOCKS` neighbouring blocks. Between parts `partial`
    /// holds the sums of one block.
    ///
    /// # Safety
    /// As for [`Turn::run`]; the rows and blocks exist, and the parts before have been done.
    #[inline(always)]
    unsafe fn tile<S: Simd, const ROWS: usize, const BLOCKS: usize>(
        &self,
        simd: S,
        first: usize,
        block: usize,
        depth: Range<usize>,
        partial: &mut [[MaybeUninit<S::V>; GATES]; MAX_ROWS],
    ) {
        let mut sums = [[[simd.zero(); GATES]; BLOCKS]; ROWS];
        for row in 0..ROWS {
            for b in 0..BLOCKS {
                if depth.start == 0 {
                    // SAFETY: the row and the block exist.
                    sums[row][b] = unsafe { self.cell.start(simd, first + row, block + b) };
                } else {
                    for gate in 0..GATES {
                        // SAFETY: the part before this one has written it.
                        sums[row][b][gate] = unsafe { partial[first + row][gate].assume_init() };
                    }
                }
            }
        }
        let is_last = depth.end == self.units;
        // SAFETY: the caller's promises.
        unsafe { self.accumulate(simd, first, block, depth, &mut sums) };
        if is_last {
            for b in 0..BLOCKS {
                let mut of_block = [[simd.zero(); GATES]; ROWS];
                for row in 0..ROWS {
                    of_block[row] = sums[row][b];
                }
                // SAFETY: the rows and the block exist.
                unsafe { self.cell.finish_rows(simd, first, block + b, of_block) };
            }
            return;
        }
        for row in 0..ROWS {
            for b in 0..BLOCKS {
                for gate in 0..GATES {
                    partial[first + row][gate].write(sums[row][b][gate]);
                }
            }
        }
    }
}

/// Steps of an iteration.
const UNROLL: usize = 4;

/// How far ahead of the multiplications a panel is prefetched: 8 steps of 4 gates of 16 units, worth 2 % for 256 units.
const PREFETCH: usize = 512;

/// Elements of a panel that are multiplied by all rows before the next: 32 KiB stay in the first-level cache until the last
/// tile has read them.
const PANEL: usize = 8 * 1024;

/// Rows of a tile at most: their sums, a row of the panel and a broadcast must fit into 32 registers, or 16 where a matrix
/// product's tile has fewer sums.
const fn tile_rows<S: Simd>(gates: usize) -> usize {
    let sums = if S::TILE_ROWS * S::TILE_VECTORS >= 16 { 24 } else { 12 };
    if sums / gates > 8 { 8 } else { sums / gates }
}

impl<C: Cell<GATES>, const GATES: usize> Kernel for Turn<'_, C, GATES> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let most = const { tile_rows::<S>(GATES) };
        let tiles = self.rows.div_ceil(most);
        let parts = if tiles > 1 { (self.units * GATES * S::N).div_ceil(PANEL) } else { 1 };
        let piece = self.units.div_ceil(parts.max(1)).max(1);
        let mut partial = [[MaybeUninit::<S::V>::uninit(); GATES]; MAX_ROWS];
        let mut block = self.blocks.start;
        while block < self.blocks.end {
            // SAFETY: the promises of `Turn::run`; rows and blocks are counted here.
            unsafe {
                // One row of one block has too few independent sums to hide the latency of an addition.
                if self.rows == 1 && block + 2 <= self.blocks.end {
                    self.tile::<S, 1, 2>(simd, 0, block, 0..self.units, &mut partial);
                    block += 2;
                    continue;
                }
                for start in (0..self.units).step_by(piece) {
                    let mut row = 0;
                    // Rows are dealt out evenly, since a tile of few rows is slow.
                    for tile in 0..tiles {
                        let rows = (self.rows - row).div_ceil(tiles - tile);
                        let depth = start..self.units.min(start + piece);
                        macro_rules! rows {
                            ($($rows:literal)+) => {
                                match rows {
                                    $($rows if const { $rows <= tile_rows::<S>(GATES) } => {
                                        self.tile::<S, $rows, 1>(simd, row, block, depth, &mut partial);
                                    })+
                                    _ => unreachable!("tiles have 1 to 8 rows"),
                                }
                            };
                        }
                        rows!(1 2 3 4 5 6 7 8);
                        row += rows;
                    }
                }
            }
            block += 1;
        }
    }
}

/// Whether a row is masked: `mask` holds that of the first row and the distance of the rows'.
#[inline(always)]
pub(crate) fn is_masked(mask: Option<(&[u8], usize)>, row: usize) -> bool {
    match mask {
        Some((mask, stride)) => mask[row * stride] == 0,
        None => false,
    }
}

/// Reads the `count` lanes of a vector that exist.
///
/// # Safety
/// `p` points to `count` readable floats, `count` being 1 to `N`.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd>(simd: S, p: *const f32, count: usize) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { if count == S::N { simd.load_ptr(p) } else { simd.load_partial_ptr(p, count) } }
}

/// Writes the `count` lanes of a vector that exist.
///
/// # Safety
/// `p` points to `count` writable floats, `count` being 1 to `N`.
#[inline(always)]
pub(crate) unsafe fn store<S: Simd>(simd: S, p: *mut f32, v: S::V, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { if count == S::N { simd.store_ptr(p, v) } else { simd.store_partial_ptr(p, v, count) } }
}
