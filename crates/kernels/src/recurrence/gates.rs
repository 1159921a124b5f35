//! Weights in panels that hold all gates of a few units.
//!
//! The gates of `N` units (the lanes of a vector) stand side by side, so that one register tile has all that the cell
//! needs of these units: a row of gates is `[block of units][gate][lane]`, units that fill the last block being 0.

use crate::gemm::{TileShape, packed_layout};
use crate::parallel::for_each_chunk;
use ferrograph_simd::Level;
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

    /// How [`Self::pack_projection`] lays weights out: those with the same answer are laid out the same.
    pub(crate) fn projection_layout(&self, depth: usize) -> String {
        format!("gates {:?} of {} units, {}", self.which, self.units, packed_layout(depth, self.len()))
    }

    /// How [`Self::pack_recurrent`] lays weights out.
    pub(crate) fn recurrent_layout(&self) -> String {
        format!("gates {:?} of {} units in blocks of {}", self.which, self.units, lanes())
    }

    /// Packs recurrent weights `[units, total * units]` for a [`Turn`](super::cell::Turn): a panel is a block.
    pub(crate) fn pack_recurrent(&self, from: &[f32], packed: &mut [f32]) {
        self.pack(self.units, self.which.len(), from, packed);
    }
}
