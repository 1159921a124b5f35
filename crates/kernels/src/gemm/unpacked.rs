//! The product with a `B` that is met once, in the form in which it is: a weight that every step of training changes.
//!
//! A panel is packed while the first rows of `A` are multiplied by it, into memory that the next panel uses again. So `B` is
//! read once, beside multiplications, and its packed form never leaves the cache: 64 rows x 512 x 512 from beyond the caches
//! take 0.83 of the time.
//!
//! Contains `unsafe`: panels of `C` are handed to different threads.

use super::pack::pack_panel;
use super::rows::{Lines, MAX_ROWS, Spacing};
use super::tile::{Packing, Walk, tile};
use super::{Block, Depth, Epilogue, Matrix, Next, TileShape};
use crate::parallel::{SharedMut, for_each_with_scratch};
use crate::pool;
use ferrograph_simd::{Kernel, Level, Simd};

/// Rows of `A`, at least: fewer need several panels side by side.
const MIN_ROWS: usize = 4;
/// Steps of a panel, at most: 2048 x 32 columns are 256 KiB, an eighth of the second-level cache.
const MAX_STEPS: usize = 2048;
/// Panels that may be packed at the same time.
const SLOTS: usize = 64;
/// Chunks for each thread: enough for threads that are slowed down to give work away.
const CHUNKS: usize = 4;

/// Elements of scratch memory that [`gemm_unpacked`] needs at the current level; `None` where `B` is better packed before.
pub fn unpacked_scratch_len(m: usize, k: usize, n: usize) -> Option<usize> {
    let width = TileShape::of(Level::current()).columns;
    let fits = (MIN_ROWS..=MAX_ROWS).contains(&m) && (1..=MAX_STEPS).contains(&k) && n > width;
    fits.then(|| n.div_ceil(width).min(SLOTS) * k * width)
}

/// `C = epilogue(A B)` with `a` `[m, k]` and `c` `[m, n]` row-major and `b` `[k, n]`, to the bits of
/// [`gemm_with`](super::gemm_with).
///
/// Panics unless the slices hold the matrices and `scratch` has [`unpacked_scratch_len`].
#[allow(clippy::too_many_arguments, reason = "the field's signature of a matrix product")]
pub fn gemm_unpacked<E: Epilogue>(
    m: usize,
    k: usize,
    n: usize,
    a: &[f32],
    b: Matrix,
    scratch: &mut [f32],
    c: &mut [f32],
    epilogue: E,
) {
    let level = Level::current();
    let shape = TileShape::of(level);
    assert!(
        unpacked_scratch_len(m, k, n).is_some_and(|len| scratch.len() >= len),
        "the scratch memory of this product"
    );
    Matrix::row_major(a, k).assert_holds(m, k);
    b.assert_holds(k, n);
    Matrix::row_major(c, n).assert_holds(m, n);
    epilogue.assert_fits(n);
    let panels = n.div_ceil(shape.columns);
    let group = panels.div_ceil(CHUNKS * pool::threads());
    let c = SharedMut::new(c);
    for_each_with_scratch(panels.div_ceil(group), scratch, k * shape.columns, |chunk, slot| {
        for panel in chunk * group..panels.min((chunk + 1) * group) {
            let columns = panel * shape.columns..n.min((panel + 1) * shape.columns);
            let (input, output) = (a.as_ptr(), c.get().wrapping_add(columns.start));
            let lines = Lines::Spaced { input, output, spacing: Spacing { inputs: k, outputs: n }, rows: m };
            let mut first = 0;
            let packed = &mut slot[..k * columns.len().next_multiple_of(shape.lanes)];
            let epilogue = epilogue.part(columns.clone());
            if columns.len() == shape.columns && b.column_stride == 1 {
                first = m.div_ceil(m.div_ceil(shape.rows));
                let (data, stride) = (&b.data[columns.start..], b.row_stride);
                let first = First { lines: lines.part(0..first), data, stride, packed, epilogue };
                // SAFETY: A and B hold their rows and C holds its, asserted above; no other panel has these columns.
                unsafe { first.run(level) };
            } else {
                pack_panel(packed.len() / k, columns.start, columns.len(), b, packed);
            }
            if first == m {
                continue;
            }
            let block = Block {
                lines: lines.part(first..m),
                depth: Depth { taps: &[0], len: k, stride: 1 },
                packed,
                columns: columns.len(),
                panels: 0..1,
                next: Next::Panel(packed.as_ptr()),
                accumulate: false,
                epilogue,
            };
            // SAFETY: as above.
            unsafe { block.run(level) };
        }
    });
}

/// The first rows of `A` x a full panel that is packed meanwhile.
struct First<'a, E> {
    /// Where the rows of `A` and of the panel's `C` start, as far from one to the next everywhere.
    lines: Lines<'a>,
    /// `B` from the panel's first column on.
    data: &'a [f32],
    /// Elements between its rows.
    stride: usize,
    packed: &'a mut [f32],
    epilogue: E,
}

impl<E: Epilogue> First<'_, E> {
    /// Computes and packs.
    ///
    /// # Safety
    /// * `data` holds the panel's columns at as many rows as `packed` has, and every input row has as many elements.
    /// * Every output row has a panel's width of writable floats that no other thread uses.
    /// * There are as many rows as a tile has at `level`, at most.
    unsafe fn run(self, level: Level) {
        level.run(self);
    }
}

impl<E: Epilogue> Kernel for First<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let First { lines, data, stride, packed, epilogue } = self;
        let Lines::Spaced { input, output, spacing, rows } = lines else { unreachable!("rows of a matrix") };
        let (width, ahead) = (S::TILE_VECTORS * S::N, packed.as_ptr());
        let walk = Walk { taps: &[0], len: packed.len() / width, stride: 1, accumulate: false };
        let b = Packing { b: data.as_ptr(), stride, to: packed.as_mut_ptr() };
        macro_rules! tiles {
            ($vectors:literal: $($rows:literal)+) => {
                match rows {
                    $($rows if const { $rows <= S::TILE_ROWS && $vectors == S::TILE_VECTORS } => {
                        tile::<S, E, Packing, $rows, 1, $vectors, true>(
                            simd, walk, spacing, &[input], b, ahead, 0, &[output], 0, width, epilogue,
                        );
                    })+
                    _ => unreachable!("tiles have 1 to 8 rows"),
                }
            };
        }
        // SAFETY: the promises of `First::run`.
        unsafe {
            if const { S::TILE_VECTORS == 2 } {
                tiles!(2: 1 2 3 4 5 6 7 8);
            } else {
                tiles!(4: 1 2 3 4 5 6);
            }
        }
    }
}
