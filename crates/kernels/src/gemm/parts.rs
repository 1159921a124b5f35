//! A product that is made in parts, none of which is kept.

use super::product::multiply;
use super::{Beside, Identity, Matrix};
use crate::parallel::{Finished, for_each_with_scratch};

/// Elements of a piece, about: 128 KiB stay in the cache with what its user reads beside it.
const PIECE: usize = 32 * 1024;
/// Rows of a piece are a multiple of this: strips of a cache line (`block`).
const STRIP: usize = 16;
/// Pieces that may be computed at the same time.
const SLOTS: usize = 16;

/// How the rows of a product are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Rows that are computed together.
    piece: usize,
    /// Rows of a part: whole pieces.
    part: usize,
}

impl Parts {
    /// A product `[m, n]` in at most `most` parts.
    pub fn new(m: usize, n: usize, most: usize) -> Self {
        let piece = (PIECE / n.max(1)).max(1).next_multiple_of(STRIP).min(m.max(1));
        let pieces = m.div_ceil(piece).max(1);
        Self { piece, part: piece * pieces.div_ceil(most.max(1)) }
    }

    /// Elements of a part of a product of `n` columns.
    pub fn part_len(self, n: usize) -> usize {
        self.part * n
    }

    /// Elements of scratch memory that [`gemm_in_parts`] needs.
    pub fn scratch_len(self, n: usize) -> usize {
        SLOTS.saturating_mul(self.piece).saturating_mul(n)
    }
}

/// As [`gemm_then`](super::gemm_then), without memory for `C`: `finished` gets pieces in `scratch`, each within one part. A
/// part is made by one thread. `reads(start)` are the addresses of what `finished` reads for the elements from `start` on, as
/// many of each; it is brought into the cache meanwhile.
#[allow(clippy::too_many_arguments, reason = "the field's signature of a matrix product")]
pub fn gemm_in_parts(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix,
    packed_b: &[f32],
    parts: Parts,
    scratch: &mut [f32],
    reads: &(dyn Fn(usize) -> Option<[usize; 3]> + Sync),
    finished: Finished<'_>,
) {
    if m == 0 || n == 0 {
        return;
    }
    a.assert_holds(m, k);
    for_each_with_scratch(m.div_ceil(parts.part), scratch, parts.piece * n, |part, slot| {
        let end = m.min((part + 1) * parts.part);
        for row in (part * parts.part..end).step_by(parts.piece) {
            let rows = parts.piece.min(end - row);
            let c = &mut slot[..rows * n];
            let a = Matrix { data: a.data.get(row * a.row_stride..).unwrap_or_default(), ..a };
            let beside = reads(row * n).map(Beside::new);
            multiply(rows, k, n, a, packed_b, c, n, false, beside.as_ref(), Identity);
            finished(row * n, c);
        }
    });
}
