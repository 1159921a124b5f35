//! Packing a matrix into panels.
//!
//! Contains `unsafe`: panels are handed to different threads.

use super::{Matrix, TileShape};
use crate::parallel::SharedMut;
use crate::pool::parallel_for;
use ferrograph_simd::Level;

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

/// Steps of a panel written at a time when columns are read along: 64 x 32 floats fit into the first-level cache.
const STEPS: usize = 64;

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
fn pack_panel(width: usize, column: usize, columns: usize, b: Matrix, to: &mut [f32]) {
    if b.column_stride == 1 {
        for (step, row) in to.chunks_exact_mut(width).enumerate() {
            row[..columns].copy_from_slice(&b.data[step * b.row_stride + column..][..columns]);
            row[columns..].fill(0.0);
        }
        return;
    }
    for (part, to) in to.chunks_mut(STEPS * width).enumerate() {
        for j in 0..columns {
            let from = &b.data[part * STEPS * b.row_stride + (column + j) * b.column_stride..];
            for (step, row) in to.chunks_exact_mut(width).enumerate() {
                row[j] = from[step * b.row_stride];
            }
        }
        for row in to.chunks_exact_mut(width) {
            row[columns..].fill(0.0);
        }
    }
}
