//! Packing a matrix into panels.
//!
//! Contains `unsafe`: panels are handed to different threads, and squares are turned through pointers.

use super::{Matrix, TileShape};
use crate::parallel::SharedMut;
use crate::pool::parallel_for;
use ferrograph_simd::{Kernel, Level, Simd};

/// Elements of a `[k, n]` matrix packed at the current [`Level`].
///
/// Saturates where the number is not representable: such a buffer cannot exist.
pub fn packed_len(k: usize, n: usize) -> usize {
    let tile = TileShape::of(Level::current());
    n.checked_add(tile.lanes).map_or(usize::MAX, |_| tile.padded(n).saturating_mul(k))
}

/// How [`pack`] lays out a `[k, n]` matrix at the current [`Level`]: packed matrices with the same answer are laid out
/// the same. Two levels may share a layout.
pub fn packed_layout(k: usize, n: usize) -> String {
    let TileShape { columns, lanes, .. } = TileShape::of(Level::current());
    format!("{k} x {n} in panels of {columns} by {lanes}")
}

/// Chunks copy at least this many elements, about 10 microseconds.
const CHUNK: usize = 32 * 1024;

/// Packs `b` `[k, n]` for [`gemm`](super::gemm) at the current [`Level`]. Columns added to fill a panel are 0.
///
/// Panics unless `b` holds `k x n` elements and `packed` [`packed_len`].
pub fn pack(k: usize, n: usize, b: Matrix, packed: &mut [f32]) {
    assert_eq!(packed.len(), packed_len(k, n), "packed has the length packed_len gives");
    pack_steps(k, 0, k, n, b, packed);
}

/// As [`pack`], of the steps `start .. start + steps` of `k`; `b` is `[steps, n]`.
pub(crate) fn pack_steps(k: usize, start: usize, steps: usize, n: usize, b: Matrix, packed: &mut [f32]) {
    b.assert_holds(steps, n);
    assert!(start + steps <= k);
    assert_eq!(packed.len(), packed_len(k, n));
    if steps == 0 || n == 0 {
        return;
    }
    let width = TileShape::of(Level::current()).columns;
    let panels = n.div_ceil(width);
    let group = CHUNK.div_ceil(steps * width);
    let len = packed.len();
    let shared = SharedMut::new(packed);
    parallel_for(panels.div_ceil(group), &|index| {
        for panel in index * group..panels.min((index + 1) * group) {
            let at = panel * width * k;
            let panel_width = width.min((len - at) / k);
            // SAFETY: panels do not overlap and end within `packed`.
            let to = unsafe { shared.part(at + start * panel_width, steps * panel_width) };
            pack_panel(panel_width, panel * width, width.min(n - panel * width), b, to);
        }
    });
}

/// Packs `columns` columns from `column` on into steps of one panel of `width` columns.
pub(super) fn pack_panel(width: usize, column: usize, columns: usize, b: Matrix, to: &mut [f32]) {
    let steps = to.len() / width;
    assert!(columns <= width && to.len() == steps * width);
    Matrix { data: b.data.get(column * b.column_stride..).unwrap_or_default(), ..b }.assert_holds(steps, columns);
    Level::current().run(Panel { width, column, columns, b, to });
}

struct Panel<'a> {
    width: usize,
    column: usize,
    columns: usize,
    b: Matrix<'a>,
    to: &'a mut [f32],
}

impl Kernel for Panel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Panel { width, column, columns, b, to } = self;
        let Matrix { data, row_stride, column_stride } = b;
        if column_stride == 1 {
            let full = S::TILE_VECTORS * S::N;
            for (step, row) in to.chunks_exact_mut(width).enumerate() {
                let from = &data[step * row_stride + column..][..columns];
                if columns == full {
                    // The usual width, known while compiling.
                    for v in 0..S::TILE_VECTORS {
                        simd.store(&mut row[v * S::N..], simd.load(&from[v * S::N..]));
                    }
                } else {
                    row[..columns].copy_from_slice(from);
                    row[columns..].fill(0.0);
                }
            }
            return;
        }
        let steps = to.len() / width;
        // Squares that are turned in registers: whole vectors of steps that are neighbours.
        let squares = if row_stride == 1 { [steps / S::N * S::N, columns / S::N * S::N] } else { [0, 0] };
        for step in (0..squares[0]).step_by(S::N) {
            for j in (0..squares[1]).step_by(S::N) {
                let from = &data[step + (column + j) * column_stride..][..(S::N - 1) * column_stride + S::N];
                let to = &mut to[step * width + j..][..(S::N - 1) * width + S::N];
                // SAFETY: both slices end with the last element of the square.
                unsafe { simd.transpose(from.as_ptr(), column_stride, to.as_mut_ptr(), width) };
            }
        }
        for j in 0..columns {
            let from = &data[(column + j) * column_stride..];
            for step in if j < squares[1] { squares[0] } else { 0 }..steps {
                to[step * width + j] = from[step * row_stride];
            }
        }
        if columns < width {
            for row in to.chunks_exact_mut(width) {
                row[columns..].fill(0.0);
            }
        }
    }
}
