//! The product of two matrices, cut into blocks.
//!
//! Contains `unsafe`: blocks of `C` are handed to different threads.

use super::block::{STAGED_PANELS, STRIP};
use super::rows::{Even, MAX_ROWS, Places, Rows, Scattered, Spacing};
use super::{Beside, Block, Depth, Epilogue, Identity, Matrix, Next, TileShape, packed_len};
use crate::parallel::{SharedMut, for_each_chunk};
use crate::pool::{self, parallel_for};
use ferrograph_simd::Level;
use std::ops::Range;

/// `C = A B`, or `C += A B` if `accumulate`.
///
/// `a` is `[m, k]`, `packed_b` is `[k, n]` from [`pack`](super::pack) at the current level, and `c` is `[m, n]` with
/// rows `c_row_stride` apart. An empty sum (`k` = 0) is 0.
///
/// Panics unless the slices hold the matrices and the rows of `c` do not overlap.
#[allow(clippy::too_many_arguments, reason = "the field's signature of a matrix product")]
pub fn gemm(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix,
    packed_b: &[f32],
    c: &mut [f32],
    c_row_stride: usize,
    accumulate: bool,
) {
    gemm_with(m, k, n, a, packed_b, c, c_row_stride, accumulate, Identity);
}

/// As [`gemm`], with `epilogue` applied to every element of `C` before it is stored.
#[allow(clippy::too_many_arguments, reason = "the field's signature of a matrix product")]
pub fn gemm_with<E: Epilogue>(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix,
    packed_b: &[f32],
    c: &mut [f32],
    c_row_stride: usize,
    accumulate: bool,
    epilogue: E,
) {
    multiply(m, k, n, a, packed_b, c, c_row_stride, accumulate, None, epilogue);
}

/// As [`gemm_with`], and brings what lies `beside` the sums.
#[allow(clippy::too_many_arguments, reason = "the field's signature of a matrix product")]
pub(super) fn multiply<E: Epilogue>(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix,
    packed_b: &[f32],
    c: &mut [f32],
    c_row_stride: usize,
    accumulate: bool,
    beside: Option<&Beside>,
    epilogue: E,
) {
    a.assert_holds(m, k);
    Matrix { data: c, row_stride: c_row_stride, column_stride: 1 }.assert_holds(m, n);
    assert!(m <= 1 || c_row_stride >= n, "the rows of c do not overlap");
    epilogue.assert_fits(n);
    let c = SharedMut::new(c);
    let product = Product {
        rows: m,
        columns: n,
        depth: Depth { taps: &[0], len: k, stride: a.column_stride },
        packed: packed_b,
        accumulate,
        epilogue,
    };
    let places = places(&a, c, c_row_stride);
    // SAFETY: A and C hold the rows and steps, and the rows of C do not overlap: asserted above.
    unsafe { product.run_beside(beside, &places) };
}

/// As [`gemm`] without gaps between the rows of `c`; `finished(start, part)` is called for the elements of `c` from `start`
/// on when they are final, on whole rows, each row once, from any thread. Where threads share the product by rows, that
/// is while the part is still in the cache.
#[allow(clippy::too_many_arguments, reason = "the field's signature of a matrix product")]
pub fn gemm_then(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix,
    packed_b: &[f32],
    c: &mut [f32],
    finished: impl Fn(usize, &mut [f32]) + Sync,
) {
    if m == 0 || n == 0 {
        return;
    }
    let level = Level::current();
    let tile = TileShape::of(level);
    let Some(grid) = Grid::new(tile, m, k, n, a.column_stride > STRIP).by_rows(tile, m, k, n) else {
        gemm(m, k, n, a, packed_b, c, n, false);
        let rows = MIN_FINISHED.div_ceil(n);
        return for_each_chunk(&mut c[..m * n], rows * n, |index, part| finished(index * rows * n, part));
    };
    a.assert_holds(m, k);
    Matrix::row_major(c, n).assert_holds(m, n);
    let c = SharedMut::new(c);
    let product = Product {
        rows: m,
        columns: n,
        depth: Depth { taps: &[0], len: k, stride: a.column_stride },
        packed: packed_b,
        accumulate: false,
        epilogue: Identity,
    };
    let finished = |rows: Range<usize>| {
        // SAFETY: these rows lie within C, which is borrowed meanwhile; no other block has any of them, and theirs is done.
        finished(rows.start * n, unsafe { c.part(rows.start * n, rows.len() * n) });
    };
    // SAFETY: A and C hold the rows and steps, and the rows of C do not overlap: asserted above.
    unsafe { product.run_on(&grid, level, None, &places(&a, c, n), finished) };
}

/// Where the rows of `a` and of `c` start.
fn places(a: &Matrix, c: SharedMut<f32>, c_row_stride: usize) -> Even {
    // It is read from only.
    let input = SharedMut::from_ptr(a.data.as_ptr().cast_mut());
    let spacing = Spacing { inputs: a.row_stride, outputs: c_row_stride };
    Even { input, output: c, spacing, side_by_side: a.column_stride == 1 }
}

/// Whether [`gemm_then`] hands out parts while they are in the cache at the current level.
pub fn finishes_by_rows(m: usize, k: usize, n: usize, column_stride: usize) -> bool {
    let tile = TileShape::of(Level::current());
    m > 0 && n > 0 && Grid::new(tile, m, k, n, column_stride > STRIP).by_rows(tile, m, k, n).is_some()
}

/// A product whose rows lie anywhere.
#[derive(Debug)]
pub(crate) struct Product<'a, E> {
    pub rows: usize,
    pub columns: usize,
    /// How a row of `A` is walked.
    pub depth: Depth<'a>,
    /// `B`, packed at the current level.
    pub packed: &'a [f32],
    pub accumulate: bool,
    pub epilogue: E,
}

impl<E: Epilogue> Product<'_, E> {
    /// Computes the product over the pool. `input` and `output` append where some rows of `A` and of `C` start.
    ///
    /// # Safety
    /// * Every input row plus every tap plus every step lies within readable memory.
    /// * Every output row has `columns` writable floats that belong to no other row and are not used meanwhile.
    pub(crate) unsafe fn run(
        self,
        input: impl Fn(Range<usize>, &mut Rows<*const f32>) + Sync,
        output: impl Fn(Range<usize>, &mut Rows<*mut f32>) + Sync,
    ) {
        // SAFETY: the caller's promises.
        unsafe { self.run_beside(None, &Scattered { input, output }) };
    }

    /// As [`Self::run`], and brings what lies `beside` the sums.
    ///
    /// # Safety
    /// As for [`Self::run`].
    unsafe fn run_beside(self, beside: Option<&Beside>, places: &impl Places) {
        let Product { rows: m, columns: n, depth, .. } = self;
        if m == 0 || n == 0 {
            assert_eq!(self.packed.len(), packed_len(depth.total(), n), "packed_b has the length packed_len gives");
            return;
        }
        let level = Level::current();
        let grid = Grid::new(TileShape::of(level), m, depth.total(), n, depth.is_far_apart());
        // SAFETY: the caller's promises.
        unsafe { self.run_on(&grid, level, beside, places, |_| ()) };
    }

    /// As [`Self::run`], cut as `grid` says; `finished` is called after each block with its rows.
    ///
    /// # Safety
    /// As for [`Self::run`]. `level` is the current one.
    unsafe fn run_on(
        self,
        grid: &Grid,
        level: Level,
        beside: Option<&Beside>,
        places: &impl Places,
        finished: impl Fn(Range<usize>) + Sync,
    ) {
        let Product { rows: m, columns: n, depth, packed, accumulate, epilogue } = self;
        assert_eq!(packed.len(), packed_len(depth.total(), n), "packed_b has the length packed_len gives");
        let tile = TileShape::of(level);
        parallel_for(grid.row_blocks * grid.panel_groups, &|index| {
            let (row_block, group) = (index / grid.panel_groups, index % grid.panel_groups);
            let rows = grid.rows_of(row_block, m);
            let panels = group * grid.panels..n.div_ceil(tile.columns).min((group + 1) * grid.panels);
            let following = pool::following(index) % grid.panel_groups * grid.panels * tile.columns;
            let following = packed.as_ptr().wrapping_add(depth.total() * following);
            places.with(rows.clone(), |lines| {
                let block = Block {
                    lines,
                    depth,
                    packed,
                    columns: n,
                    panels,
                    next: beside.map_or(Next::Panel(following), Next::Beside),
                    accumulate,
                    epilogue,
                };
                // SAFETY: the caller's promise; blocks differ in rows or panels, and `packed` has this level's layout.
                unsafe { block.run(level) };
            });
            finished(rows);
        });
    }
}

/// Rows of a block at most where the columns of `A` are apart: a few strips of a cache line.
const STRIDED_ROWS: usize = 64;
/// Elements of `A` in a block: 512 KiB, which stay in the second-level cache while the panels pass by.
const BLOCK_ELEMENTS: usize = 128 * 1024;
/// Multiply-adds of a chunk, at least: about 1.5 microseconds.
const MIN_CHUNK: usize = 128 * 1024;
/// Multiply-adds of a product, at least, that is worth sharing with a thread that is awake: to hand it over takes a
/// fraction of a microsecond.
const MIN_SHARED: usize = 256 * 1024;
/// Multiply-adds of a product, at most, that is cut into a share for each thread: some 100 microseconds of one. Of 96 x 96 x
/// 96 on two threads it is worth a tenth of the time.
const MAX_SHARES: usize = 16 << 20;
/// Elements of `B` at most where each thread reads all of it: 256 KiB stay in the second-level cache.
const MAX_SHARED_B: usize = 64 * 1024;
/// Multiply-adds that the caller is done with before another thread begins: a quarter of a microsecond.
const LEAD: usize = 24_000;
/// The rows of a share are a multiple of this.
const SHARE_ROWS: usize = 4;
/// With so many rows at most a product takes as long as `B` takes to come from the cache.
const FEW_ROWS: usize = 3;
/// Panels that a block of one row takes side by side.
const ROW_PANELS: usize = 4;
/// Chunks of a large product, about: enough for threads that are slowed down to give work away.
const CHUNKS: usize = 64;

/// Elements of a finished part where the product is not shared by rows: some microseconds of work.
const MIN_FINISHED: usize = 16 * 1024;
/// Rows of a block at least where it takes all panels, so that reading `B` is not what takes the time.
const MIN_ROWS: usize = 32;
/// Elements of a `B` that every block may read anew: 1 MiB stays in the second-level cache.
const MAX_REREAD: usize = 256 * 1024;

/// How a product is cut. No element's sum depends on it.
struct Grid {
    /// Rows of a block.
    rows: usize,
    /// Rows that the first block has more.
    lead: usize,
    row_blocks: usize,
    /// Panels of a group.
    panels: usize,
    panel_groups: usize,
}

impl Grid {
    fn new(tile: TileShape, m: usize, k: usize, n: usize, strided: bool) -> Self {
        let panels = n.div_ceil(tile.columns);
        if let Some(grid) = Self::shares(tile, m, k, n, strided) {
            return grid;
        }
        // Strided rows are copied once per group of panels, others are read in place.
        let least_panels = if strided { STAGED_PANELS } else { (ROW_PANELS / m.max(1)).max(1) }.min(panels);
        let most = if strided { STRIDED_ROWS } else { MAX_ROWS };
        let most = (BLOCK_ELEMENTS / k.max(1)).clamp(tile.rows, most);
        let evenly = |most: usize| m.div_ceil(m.div_ceil(most)).next_multiple_of(tile.rows);
        let mut rows = evenly(most).min(MAX_ROWS / tile.rows * tile.rows);
        // With few rows, reading B is what takes the time.
        let work = |rows: usize, columns: usize| rows.max(4).saturating_mul(k).saturating_mul(columns);
        let total = work(m, n);
        let threads = pool::threads();
        // A lone thread cuts products of few rows too, so that they change direction from run to run
        // (`pool::in_direction`): 2.6 MB of weights then take 50 us instead of 65.
        let group = if total < MIN_SHARED || (threads == 1 && m > FEW_ROWS) {
            panels
        } else {
            let share = (total / CHUNKS).max(MIN_CHUNK);
            // Few panels: the rows are cut too.
            if strided
                && m.div_ceil(rows) * panels.div_ceil(least_panels) < threads
                && k.saturating_mul(n) <= MAX_REREAD
            {
                // Strips are copied for every block anyway. Otherwise one thread makes the gradient of a recurrent layer's
                // weights.
                rows = m.div_ceil(threads).next_multiple_of(STRIP).min(rows);
            }
            if !strided && m.div_ceil(rows) * panels < 2 * threads && k.saturating_mul(n) <= MAX_REREAD {
                rows = evenly((share / (k * n.min(tile.columns)).max(1)).clamp(tile.rows, rows));
            }
            let group = share.div_ceil(work(rows.min(m), tile.columns));
            group.next_multiple_of(least_panels).clamp(least_panels, panels)
        };
        Grid { rows, lead: 0, row_blocks: m.div_ceil(rows), panels: group, panel_groups: panels.div_ceil(group) }
    }

    /// A block of rows for each thread, if the product is so small that more would cost more than they could save. The first
    /// is larger: its thread is the caller, who begins while the others are on their way.
    fn shares(tile: TileShape, m: usize, k: usize, n: usize, strided: bool) -> Option<Self> {
        let b = k.saturating_mul(n).max(1);
        let work = b.saturating_mul(m);
        let shares = pool::threads().min(work / MIN_CHUNK);
        if shares < 2 || strided || b > MAX_SHARED_B || work > MAX_SHARES {
            return None;
        }
        let evenly = m.saturating_sub(LEAD / b) / shares;
        let rows = (evenly + SHARE_ROWS / 2) / SHARE_ROWS * SHARE_ROWS;
        let first = m.checked_sub(rows * (shares - 1))?;
        (tile.rows <= rows && rows <= first && first <= MAX_ROWS).then(|| Grid {
            rows,
            lead: first - rows,
            row_blocks: shares,
            panels: n.div_ceil(tile.columns),
            panel_groups: 1,
        })
    }

    /// The rows of block `block`.
    fn rows_of(&self, block: usize, m: usize) -> Range<usize> {
        let start = if block == 0 { 0 } else { self.lead + block * self.rows };
        start..m.min(self.lead + (block + 1) * self.rows)
    }

    /// The same work in blocks of all panels, if that makes as many chunks and costs nothing.
    fn by_rows(self, tile: TileShape, m: usize, k: usize, n: usize) -> Option<Self> {
        if self.panel_groups == 1 {
            return Some(self);
        }
        if m < MIN_ROWS * CHUNKS / 2 || k.saturating_mul(n) > MAX_REREAD {
            return None;
        }
        let rows = m.div_ceil(CHUNKS).clamp(MIN_ROWS, self.rows).next_multiple_of(tile.rows).min(self.rows);
        Some(Grid { rows, lead: 0, row_blocks: m.div_ceil(rows), panels: n.div_ceil(tile.columns), panel_groups: 1 })
    }
}
