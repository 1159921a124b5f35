//! What recurrent kernels share: weights in panels that hold all gates of a few units, and their product with a state.
//!
//! The gates of `N` units (the lanes of a vector) stand side by side, so that one register tile has all that the cell
//! needs of these units: a row of gates is `[block of units][gate][lane]`, units that fill the last block being 0.
//!
//! Contains `unsafe`: the product reads through pointers its caller vouches for.

// Indices over rows, blocks and gates mean the same in every array here; iterators would hide that.
#![allow(clippy::needless_range_loop)]

use crate::gemm::TileShape;
use crate::parallel::for_each_chunk;
use ferrograph_simd::{Level, Simd};
use std::ops::Range;

/// Units of a block at the current [`Level`].
pub(crate) fn lanes() -> usize {
    TileShape::of(Level::current()).lanes
}

/// Units that whole blocks cover.
pub(crate) fn padded(units: usize) -> usize {
    units.checked_next_multiple_of(lanes()).unwrap_or(usize::MAX)
}

/// Gates side by side: `which` of the `total` gates that the columns of a weight hold one after the other.
#[derive(Clone)]
pub(crate) struct Gates {
    pub units: usize,
    pub total: usize,
    pub which: Range<usize>,
}

impl Gates {
    /// Elements of a row.
    pub(crate) fn len(&self) -> usize {
        padded(self.units).saturating_mul(self.which.len())
    }

    /// Writes one row; `from` holds all gates.
    pub(crate) fn fill(&self, from: &[f32], to: &mut [f32]) {
        assert!(from.len() == self.total * self.units && to.len() == self.len());
        to.chunks_exact_mut(lanes()).enumerate().for_each(|(vector, to)| self.fill_vector(vector, from, to));
    }

    fn fill_vector(&self, vector: usize, from: &[f32], to: &mut [f32]) {
        let (block, gate) = (vector / self.which.len(), self.which.start + vector % self.which.len());
        let unit = block * to.len();
        let count = to.len().min(self.units - unit);
        to[..count].copy_from_slice(&from[gate * self.units + unit..][..count]);
        to[count..].fill(0.0);
    }

    /// Packs `[depth, total * units]` into panels of `vectors` vectors, `[panel][k][column]`; the last may be narrower.
    fn pack(&self, depth: usize, vectors: usize, from: &[f32], packed: &mut [f32]) {
        /// Chunks copy at least this many elements, about 10 microseconds.
        const CHUNK: usize = 32 * 1024;
        let columns = self.total * self.units;
        assert!(from.len() == depth * columns && packed.len() == depth * self.len());
        let panel_len = vectors * lanes() * depth;
        if packed.is_empty() {
            return;
        }
        let group = CHUNK.div_ceil(panel_len);
        for_each_chunk(packed, group * panel_len, |chunk, packed| {
            for (panel, packed) in packed.chunks_mut(panel_len).enumerate() {
                let first = (chunk * group + panel) * vectors;
                for (row, from) in packed.chunks_exact_mut(packed.len() / depth).zip(from.chunks_exact(columns)) {
                    let vectors = row.chunks_exact_mut(lanes()).enumerate();
                    vectors.for_each(|(vector, to)| self.fill_vector(first + vector, from, to));
                }
            }
        });
    }

    /// Packs the weights of a projection for [`gemm`](crate::gemm), whose rows are then rows of these gates.
    pub(crate) fn pack_projection(&self, depth: usize, from: &[f32], packed: &mut [f32]) {
        let tile = TileShape::of(Level::current());
        self.pack(depth, tile.columns / tile.lanes, from, packed);
    }

    /// Packs recurrent weights `[units, total * units]` for [`accumulate`]: a panel is a block.
    pub(crate) fn pack_recurrent(&self, from: &[f32], packed: &mut [f32]) {
        self.pack(self.units, self.which.len(), from, packed);
    }
}

/// Rows of a cell's tile at most: the sums of a block of four gates for each row, a row of the panel and a broadcast
/// must fit into 32 registers, or 16 where a matrix product's tile has fewer sums.
pub(crate) const fn tile_rows<S: Simd>() -> usize {
    if S::TILE_ROWS * S::TILE_VECTORS >= 16 { 6 } else { 3 }
}

/// `sums[row][block][gate] += sum over k of h[row][k] * panels[block][k][gate]`, one chain of multiply-adds per element
/// in the order of `k`, so that bits depend on neither rows nor blocks.
///
/// # Safety
/// Every row of `h` has `depth` readable floats, and `panels` points to `BLOCKS` panels of `depth * GATES * N` floats.
#[inline(always)]
pub(crate) unsafe fn accumulate<S: Simd, const ROWS: usize, const BLOCKS: usize, const GATES: usize>(
    simd: S,
    sums: &mut [[[S::V; GATES]; BLOCKS]; ROWS],
    h: [*const f32; ROWS],
    depth: usize,
    panels: *const f32,
) {
    let panel_len = depth * GATES * S::N;
    let mut local = *sums;
    let mut panel = panels;
    for k in 0..depth {
        let mut weights = [[simd.zero(); GATES]; BLOCKS];
        for block in 0..BLOCKS {
            for gate in 0..GATES {
                // SAFETY: row `k` of a panel the caller vouches for.
                weights[block][gate] = unsafe { simd.load_ptr(panel.add(block * panel_len + gate * S::N)) };
            }
        }
        for row in 0..ROWS {
            // SAFETY: the caller vouches for `depth` floats of every row.
            let x = simd.splat(unsafe { *h[row].add(k) });
            for block in 0..BLOCKS {
                for gate in 0..GATES {
                    local[row][block][gate] = simd.fma(x, weights[block][gate], local[row][block][gate]);
                }
            }
        }
        panel = panel.wrapping_add(GATES * S::N);
    }
    *sums = local;
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

/// Whether a cell of these gates should multiply by the recurrent weights itself, for groups of `rows` sequences. Where
/// the panel of a block leaves the first-level cache before the next tile of rows comes, a matrix product is faster, whose
/// panels are narrower: at 256 units and 16 rows by a quarter. The sums are the same to the bit.
pub(crate) fn is_fused(gates: &Gates, rows: usize) -> bool {
    /// Elements of a panel that stays: 32 KiB.
    const PANEL: usize = 8 * 1024;
    let tile = TileShape::of(Level::current());
    rows < tile.rows || gates.which.len().saturating_mul(tile.lanes).saturating_mul(gates.units) <= PANEL
}

/// Runs a cell for the blocks of units of one step on the free threads, if the step is long enough to share:
/// `weights` elements are read for every tile of the `rows` sequences.
pub(crate) fn for_each_unit_part(blocks: usize, rows: usize, weights: usize, f: impl Fn(Range<usize>) + Sync) {
    /// Multiply-adds of a part at least. Handing one to a thread that looks out for it takes 1 to 2 microseconds.
    const PART: usize = 256 * 1024;
    // A single row waits for its weights from the second-level cache.
    let parts = (rows.max(2).saturating_mul(weights) / PART).min(crate::pool::threads()).min(blocks).max(1);
    crate::pool::parallel_for(parts, &|part| f(blocks * part / parts..blocks * (part + 1) / parts));
}
