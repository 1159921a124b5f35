//! Where tiles lie in images and in buffers of frequencies.

use super::transform::{From, To};
use crate::conv::axis::Axis;
use std::ops::Range;

/// The tiles of `T` x `T` pixels of a batch of images, numbered image by image, row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles<const T: usize> {
    pub batch: usize,
    /// Source and target extents, rows then columns.
    pub source: [usize; 2],
    pub target: [usize; 2],
    /// The source position that the first tap of target position 0 reads.
    origin: [isize; 2],
    /// Tiles of an image.
    grid: [usize; 2],
}

impl<const T: usize> Tiles<T> {
    pub(super) fn new(batch: usize, rows: &Axis, columns: &Axis) -> Self {
        let target = [rows.target, columns.target];
        Tiles {
            batch,
            source: [rows.extent, columns.extent],
            target,
            origin: [rows.origin, columns.origin],
            grid: target.map(|extent| extent.div_ceil(T)),
        }
    }

    /// Tiles of the batch.
    pub(super) fn count(&self) -> usize {
        self.batch * self.grid[0] * self.grid[1]
    }

    /// The image of a tile, and its first target position.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, [usize; 2]) {
        let (row, column) = (tile / self.grid[1], tile % self.grid[1]);
        (row / self.grid[0], [row % self.grid[0] * T, column * T])
    }

    /// Calls `f` with runs of neighbouring target pixels that together are those of the tiles; a run may be empty.
    pub(super) fn for_each_run(&self, tiles: Range<usize>, mut f: impl FnMut(Range<usize>)) {
        let pixel = |image: usize, row: usize, column: usize| (image * self.target[0] + row) * self.target[1] + column;
        let mut tile = tiles.start;
        let mut whole = 0..0;
        while tile < tiles.end {
            let (image, [row, column]) = self.place(tile);
            let count = (tiles.end - tile).min(self.grid[1] - tile % self.grid[1]);
            let last_row = self.target[0].min(row + T);
            if count == self.grid[1] {
                // Rows of tiles that follow each other are one run.
                let run = pixel(image, row, 0)..pixel(image, last_row, 0);
                if whole.end == run.start {
                    whole.end = run.end;
                } else {
                    f(std::mem::replace(&mut whole, run));
                }
            } else {
                let end = self.target[1].min(column + count * T);
                (row..last_row).for_each(|row| f(pixel(image, row, column)..pixel(image, row, end)));
            }
            tile += count;
        }
        f(whole);
    }

    /// The patch of `source` `[batch, rows, columns, channels]` that a tile reads; `zeros` stands for what is outside.
    #[inline(always)]
    pub(super) fn patch<const P: usize>(
        &self,
        tile: usize,
        source: &[f32],
        channels: usize,
        zeros: *const f32,
    ) -> From<P> {
        let (image, at) = self.place(tile);
        let [rows, columns] = self.source;
        let [top, left] = [0, 1].map(|axis| at[axis] as isize + self.origin[axis]);
        let mut patch = [[zeros; P]; P];
        for (i, patch) in patch.iter_mut().enumerate() {
            let row = top + i as isize;
            if row < 0 || row as usize >= rows {
                continue;
            }
            let start = source.as_ptr().wrapping_add((image * rows + row as usize) * columns * channels);
            for (j, place) in patch.iter_mut().enumerate() {
                let column = left + j as isize;
                if column >= 0 && (column as usize) < columns {
                    *place = start.wrapping_add(column as usize * channels);
                }
            }
        }
        patch
    }

    /// The pixels of `target` `[batch, rows, columns, channels]` that a tile covers; null for what is outside.
    #[inline(always)]
    pub(super) fn pixels(&self, tile: usize, target: *mut f32, channels: usize) -> To<T> {
        self.covered(tile, target, channels, self.target, 1)
    }

    /// The pixels of `target` `[batch, rows / 2, columns / 2, channels]` that stand for the windows of 2 x 2 pixels a tile
    /// covers; null for the others.
    #[inline(always)]
    pub(super) fn windows(&self, tile: usize, target: *mut f32, channels: usize) -> To<T> {
        self.covered(tile, target, channels, self.target.map(|extent| extent / 2), 2)
    }

    /// The pixels of `target`, each for `size` x `size` of those that tiles are made of, that a tile covers.
    #[inline(always)]
    fn covered(
        &self,
        tile: usize,
        target: *mut f32,
        channels: usize,
        [rows, columns]: [usize; 2],
        size: usize,
    ) -> To<T> {
        let (image, at) = self.place(tile);
        let at = at.map(|at| at / size);
        let mut pixels = [[std::ptr::null_mut(); T]; T];
        for (i, pixels) in pixels.iter_mut().enumerate().take((rows - at[0]).min(T / size)) {
            let start = target.wrapping_add((image * rows + at[0] + i) * columns * channels);
            for (j, pixel) in pixels.iter_mut().enumerate().take((columns - at[1]).min(T / size)) {
                *pixel = start.wrapping_add((at[1] + j) * channels);
            }
        }
        pixels
    }
}

/// A buffer `[frequency, tile, channel]` of some tiles, with `P` x `P` frequencies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spectrum<const P: usize> {
    pub channels: usize,
    /// Elements between frequencies.
    pub stride: usize,
}

impl<const P: usize> Spectrum<P> {
    /// For `tiles` tiles. A cache line between the frequencies keeps them out of each other's way: without it they
    /// would lie a power of two apart, in the same set of the cache.
    pub(super) fn new(tiles: usize, channels: usize) -> Self {
        Spectrum { channels, stride: tiles.saturating_mul(channels).next_multiple_of(16) + 16 }
    }

    /// Elements of the buffer.
    pub(super) fn len(&self) -> usize {
        self.stride.saturating_mul(P * P)
    }

    /// Where the frequencies of the buffer's tile number `slot` lie.
    #[inline(always)]
    pub(super) fn to(&self, buffer: *mut f32, slot: usize) -> To<P> {
        let mut next = buffer.wrapping_add(slot * self.channels);
        let mut to = [[next; P]; P];
        for to in to.as_flattened_mut() {
            *to = next;
            next = next.wrapping_add(self.stride);
        }
        to
    }

    /// As [`to`](Self::to), to read.
    #[inline(always)]
    pub(super) fn from(&self, buffer: *const f32, slot: usize) -> From<P> {
        let to = self.to(buffer.cast_mut(), slot);
        let mut from = [[buffer; P]; P];
        for (from, to) in from.as_flattened_mut().iter_mut().zip(to.as_flattened()) {
            *from = *to;
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conv::tests::PLAIN;

    #[test]
    fn runs_of_tiles_are_their_pixels() {
        for (height, width) in [(9, 8), (3, 3), (4, 13), (13, 5)] {
            let shape = crate::conv::ConvShape { height, width, ..PLAIN };
            let tiles = Tiles::<4>::new(2, &Axis::forward(&shape, 0), &Axis::forward(&shape, 1));
            for (first, end) in (0..=tiles.count()).flat_map(|end| (0..=end).map(move |first| (first, end))) {
                let (mut seen, mut expected) = (vec![0; 2 * height * width], vec![0; 2 * height * width]);
                tiles.for_each_run(first..end, |pixels| pixels.for_each(|pixel| seen[pixel] += 1));
                for tile in first..end {
                    let pixels = tiles.pixels(tile, std::ptr::dangling_mut(), 1);
                    for pixel in pixels.iter().flatten().filter(|pixel| !pixel.is_null()) {
                        expected[pixel.addr() / align_of::<f32>() - 1] += 1;
                    }
                }
                assert_eq!(seen, expected, "{height} x {width}, tiles {first}..{end}");
            }
        }
    }
}
