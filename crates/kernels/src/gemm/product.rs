//! The product of two matrices, cut into blocks.
//!
//! Contains `unsafe`: blocks of `C` are handed to different threads.

use super::block::STAGED_PANELS;
use super::{Block, Depth, Epilogue, Identity, Matrix, TileShape, packed_len};
use crate::parallel::SharedMut;
use crate::pool::parallel_for;
use ferrograph_simd::Level;

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
    // An empty sum reads nothing, so its row may start past the end.
    let input = |row| a.data.as_ptr().wrapping_add(row * a.row_stride);
    let output = |row| c.get().wrapping_add(row * c_row_stride);
    // SAFETY: A and C hold the rows and steps, and the rows of C do not overlap: asserted above.
    unsafe { product.run(input, output) };
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
    /// Computes the product over the pool. `input` and `output` tell where a row of `A` and of `C` starts.
    ///
    /// # Safety
    /// * Every input row plus every tap plus every step lies within readable memory.
    /// * Every output row has `columns` writable floats that belong to no other row and are not used meanwhile.
    pub(crate) unsafe fn run(
        self,
        input: impl Fn(usize) -> *const f32 + Sync,
        output: impl Fn(usize) -> *mut f32 + Sync,
    ) {
        let Product { rows: m, columns: n, depth, packed, accumulate, epilogue } = self;
        assert_eq!(packed.len(), packed_len(depth.total(), n), "packed_b has the length packed_len gives");
        if m == 0 || n == 0 {
            return;
        }
        let level = Level::current();
        let tile = TileShape::of(level);
        let grid = Grid::new(tile, m, depth.total(), n, depth.stride != 1);
        parallel_for(grid.row_blocks * grid.panel_groups, &|index| {
            let (row_block, group) = (index / grid.panel_groups, index % grid.panel_groups);
            let rows = row_block * grid.rows..m.min((row_block + 1) * grid.rows);
            let mut inputs = [std::ptr::null(); MAX_ROWS];
            let mut outputs = [std::ptr::null_mut(); MAX_ROWS];
            let count = rows.len();
            for (i, row) in rows.enumerate() {
                inputs[i] = input(row);
                outputs[i] = output(row);
            }
            let block = Block {
                inputs: &inputs[..count],
                outputs: &outputs[..count],
                depth,
                packed,
                columns: n,
                panels: group * grid.panels..n.div_ceil(tile.columns).min((group + 1) * grid.panels),
                accumulate,
                epilogue,
            };
            // SAFETY: the caller's promises; blocks differ in rows or panels, and `packed` has this level's layout.
            unsafe { block.run(level) };
        });
    }
}

/// Rows of a block at most.
const MAX_ROWS: usize = 256;
/// Rows of a block at most where the columns of `A` are apart: a few strips of a cache line.
const STRIDED_ROWS: usize = 64;
/// Elements of `A` in a block: 512 KiB, which stay in the second-level cache while the panels pass by.
const BLOCK_ELEMENTS: usize = 128 * 1024;
/// Multiply-adds of a chunk, at least: some 10 microseconds.
const MIN_CHUNK: usize = 1 << 20;
/// Products below this are not worth waking a thread for, which costs 15 to 30 microseconds.
const MIN_SHARED: usize = 4 << 20;
/// Chunks of a large product, about: enough for threads that are slowed down to give work away.
const CHUNKS: usize = 64;

/// How a product is cut. Depends on the extents only, not on the number of threads.
struct Grid {
    /// Rows of a block.
    rows: usize,
    row_blocks: usize,
    /// Panels of a group.
    panels: usize,
    panel_groups: usize,
}

impl Grid {
    fn new(tile: TileShape, m: usize, k: usize, n: usize, strided: bool) -> Self {
        let panels = n.div_ceil(tile.columns);
        // Strided rows are copied once per group of panels, others are read in place.
        let (most, least_panels) = if strided { (STRIDED_ROWS, panels.min(STAGED_PANELS)) } else { (MAX_ROWS, 1) };
        let most = (BLOCK_ELEMENTS / k.max(1)).clamp(tile.rows, most);
        let rows = m.div_ceil(m.div_ceil(most)).next_multiple_of(tile.rows).min(MAX_ROWS / tile.rows * tile.rows);
        let row_blocks = m.div_ceil(rows);
        // With few rows, reading B is what takes the time.
        let work = |rows: usize, columns: usize| rows.max(4).saturating_mul(k).saturating_mul(columns);
        let total = work(m, n);
        let group = if total < MIN_SHARED {
            panels
        } else {
            (total / CHUNKS).max(MIN_CHUNK).div_ceil(work(rows.min(m), tile.columns)).clamp(least_panels, panels)
        };
        Grid { rows, row_blocks, panels: group, panel_groups: panels.div_ceil(group) }
    }
}
