//! Where tiles lie in images and in buffers of frequencies.

use super::transform::{From, To};
use super::{PATCH, TILE};
use crate::conv::axis::Axis;

/// The tiles of a batch of images, numbered image by image, row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    pub batch: usize,
    /// Source and target extents, rows then columns.
    pub source: [usize; 2],
    pub target: [usize; 2],
    /// The source position that the first tap of target position 0 reads.
    origin: [isize; 2],
    /// Tiles of an image.
    grid: [usize; 2],
}

impl Tiles {
    pub(super) fn new(batch: usize, rows: &Axis, columns: &Axis) -> Self {
        let target = [rows.target, columns.target];
        Tiles {
            batch,
            source: [rows.extent, columns.extent],
            target,
            origin: [rows.origin, columns.origin],
            grid: target.map(|extent| extent.div_ceil(TILE)),
        }
    }

    /// Tiles of the batch.
    pub(super) fn count(&self) -> usize {
        self.batch * self.grid[0] * self.grid[1]
    }

    /// The image of a tile, and its first target position.
    fn place(&self, tile: usize) -> (usize, [usize; 2]) {
        let (row, column) = (tile / self.grid[1], tile % self.grid[1]);
        (row / self.grid[0], [row % self.grid[0] * TILE, column * TILE])
    }

    /// The patch of `source` `[batch, rows, columns, channels]` that a tile reads; `zeros` stands for what is outside.
    pub(super) fn patch(&self, tile: usize, source: &[f32], channels: usize, zeros: *const f32) -> From<PATCH> {
        let (image, at) = self.place(tile);
        let start = [0, 1].map(|axis| at[axis] as isize + self.origin[axis]);
        let within = |axis: usize, i: usize| {
            let position = start[axis] + i as isize;
            (position >= 0 && (position as usize) < self.source[axis]).then_some(position as usize)
        };
        let columns: [Option<usize>; PATCH] = std::array::from_fn(|j| within(1, j));
        std::array::from_fn(|i| {
            let row = within(0, i).map(|row| (image * self.source[0] + row) * self.source[1]);
            columns.map(|column| match (row, column) {
                (Some(row), Some(column)) => source.as_ptr().wrapping_add((row + column) * channels),
                _ => zeros,
            })
        })
    }

    /// The pixels of `target` `[batch, rows, columns, channels]` that a tile covers; null for what is outside.
    pub(super) fn pixels(&self, tile: usize, target: *mut f32, channels: usize) -> To<TILE> {
        let (image, at) = self.place(tile);
        std::array::from_fn(|i| {
            let row = at[0] + i;
            std::array::from_fn(|j| {
                let column = at[1] + j;
                if row >= self.target[0] || column >= self.target[1] {
                    return std::ptr::null_mut();
                }
                target.wrapping_add(((image * self.target[0] + row) * self.target[1] + column) * channels)
            })
        })
    }
}

/// A buffer `[frequency, tile, channel]` of some tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spectrum {
    pub channels: usize,
    /// Elements between frequencies.
    pub stride: usize,
}

impl Spectrum {
    /// For `tiles` tiles. A cache line between the frequencies keeps them out of each other's way: without it they
    /// would lie a power of two apart, in the same set of the cache.
    pub(super) fn new(tiles: usize, channels: usize) -> Self {
        Spectrum { channels, stride: tiles.saturating_mul(channels).next_multiple_of(16) + 16 }
    }

    /// Elements of the buffer.
    pub(super) fn len(&self) -> usize {
        self.stride.saturating_mul(super::FREQUENCIES)
    }

    /// Where the frequencies of the buffer's tile number `slot` lie.
    pub(super) fn to(&self, buffer: *mut f32, slot: usize) -> To<PATCH> {
        let first = buffer.wrapping_add(slot * self.channels);
        std::array::from_fn(|i| std::array::from_fn(|j| first.wrapping_add((i * PATCH + j) * self.stride)))
    }

    /// As [`to`](Self::to), to read.
    pub(super) fn from(&self, buffer: *const f32, slot: usize) -> From<PATCH> {
        self.to(buffer.cast_mut(), slot).map(|row| row.map(<*mut f32>::cast_const))
    }
}
