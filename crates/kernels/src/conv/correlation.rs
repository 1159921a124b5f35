//! What the forward pass and the gradient of the input have in common.
//!
//! Contains `unsafe`: pixels are given to the register tile by pointer, and parts of the target to who finishes them.

use super::axis::Axis;
use super::band;
use super::shape::product;
use super::thin;
use crate::gemm::{Block, Depth, Epilogue, Lines, MAX_ROWS, Next, Rows, Spacing, TileShape, packed_len};
use crate::parallel::{Finished, SharedMut, finish, for_each_chunk, for_each_with_scratch};
use crate::pool::{self, parallel_for};
use ferrograph_simd::Level;
use std::ops::Range;

/// `target[n, y, x, :] = sum over taps of source[n, taps of y, taps of x, :] * kernel[tap, :, :]`, for the positions of
/// two axes; group by group.
pub(super) struct Correlation {
    batch: usize,
    rows: Axis,
    columns: Axis,
    groups: usize,
    /// Source and target channels of a group.
    depth: usize,
    width: usize,
    /// Only the largest of each window of 2 x 2 target pixels is wanted; see [`Self::pooled`].
    pooled: bool,
}

/// Pixels that a panel meets in a row.
const PIXELS: usize = MAX_ROWS;
/// Pixels equally far apart, at least, that are worth a block of their own instead of one with a list of pixels.
const MIN_SPACED: usize = 32;
/// Products of a sum at most where each row of the image is a block, so that panels are read again from the first-level cache:
/// with 32 columns they take 16 KiB.
const MAX_REREAD: usize = 128;
/// Elements of a band at most: 256 KiB, so that it stays in the second-level cache. A single row may be larger.
const BAND: usize = 64 * 1024;
/// Elements of a batch with its padding that is laid out once for all chunks: 1 MiB, which stays in the second-level cache.
/// Bands of their own would be copied for each group of panels: a tenth of the time for single images.
const PADDED: usize = 256 * 1024;
/// Multiply-adds of an image at least: smaller ones are cut into few chunks, and that loop would cost more than it saves.
const MIN_PADDED: usize = 1 << 24;
/// Elements that a thread copies at a time.
const COPIED: usize = 16 * 1024;
/// Multiply-adds of a chunk, at least: some 3 microseconds.
const MIN_CHUNK: usize = 1 << 18;
/// Multiply-adds that are worth sharing with a thread that is awake.
const MIN_SHARED: usize = 1 << 17;
/// Chunks for each thread that are few.
const FEW: usize = 4;
/// Multiply-adds of an image at least that is cut into halves for the sake of equal shares: some 30 microseconds.
const MIN_HALVED: usize = 1 << 21;
/// Channels of a pixel that are worth handing out as a part: 512 bytes.
const MIN_FINISHED: usize = 128;
/// Chunks of a large correlation, about.
const CHUNKS: usize = 64;

impl Correlation {
    pub(super) fn new(batch: usize, rows: Axis, columns: Axis, groups: usize, depth: usize, width: usize) -> Self {
        Correlation { batch, rows, columns, groups, depth, width, pooled: false }
    }

    /// The same with the largest of each window of 2 x 2 target pixels in place of these, if it is known: the target is
    /// `[batch, rows.target / 2, columns.target / 2, width]`.
    pub(super) fn pooled(self) -> Option<Self> {
        let fits = self.is_thin() && self.rows.count >= 2 && self.columns.count >= 2;
        (fits && self.rows.every == 1 && self.columns.every == 1).then_some(Correlation { pooled: true, ..self })
    }

    /// Rows and columns of the target.
    fn target(&self) -> [usize; 2] {
        let extents = [self.rows.target, self.columns.target];
        if self.pooled { extents.map(|extent| extent / 2) } else { extents }
    }

    /// Products in the sum of one target element.
    pub(super) fn total_depth(&self) -> usize {
        product(&[self.rows.taps.len(), self.columns.taps.len(), self.depth])
    }

    /// Elements of the packed kernels of all groups.
    pub(super) fn packed_len(&self) -> usize {
        packed_len(self.total_depth(), self.width).saturating_mul(self.groups)
    }

    fn channels(&self) -> usize {
        self.depth * self.groups
    }

    fn is_inside(&self) -> bool {
        self.rows.is_inside() && self.columns.is_inside()
    }

    /// Whether the sums are too short for the register tile.
    fn is_thin(&self) -> bool {
        self.groups == 1 && self.depth == 1 && self.total_depth() == thin::TAPS
    }

    /// Elements of the band for `rows` target rows of one image.
    fn band_len(&self, rows: usize) -> usize {
        product(&[self.rows.reach(rows), self.columns.reach(self.columns.count), self.channels()])
    }

    /// Elements of the batch with its padding, if that is laid out before anything is multiplied.
    fn padded_len(&self) -> Option<usize> {
        let len = self.band_len(self.rows.count).saturating_mul(self.batch);
        let work = product(&[self.rows.count, self.columns.count, self.total_depth(), self.width, self.groups]);
        (!self.is_inside() && !self.is_thin() && len <= PADDED && work >= MIN_PADDED).then_some(len)
    }

    /// Elements of scratch memory of a chunk.
    fn slot_len(&self, grid: &Grid) -> usize {
        if self.is_inside() { 0 } else { self.band_len(grid.rows).saturating_mul(grid.images) }
    }

    /// Elements of scratch memory for as many threads as there are now.
    pub(super) fn scratch_len(&self) -> usize {
        if let Some(len) = self.padded_len() {
            return len;
        }
        let grid = self.grid();
        self.slot_len(&grid).saturating_mul(grid.chunks().min(pool::threads()))
    }

    /// How the work is cut. Depends on the extents, and on the number of threads only where no scratch memory is needed; no
    /// sum depends on it.
    fn grid(&self) -> Grid {
        let tile = TileShape::of(Level::current());
        let panels = self.width.div_ceil(tile.columns);
        let row = product(&[self.columns.count, self.total_depth(), self.width, self.groups]).max(1);
        let image = row.saturating_mul(self.rows.count).max(1);
        let total = image.saturating_mul(self.batch);
        let share = if total < MIN_SHARED { total } else { (total / CHUNKS).max(MIN_CHUNK).min(total.div_ceil(2)) };
        // Whole images as long as they are small, else bands of rows, else groups of panels of a band.
        let whole = self.is_inside() || self.padded_len().is_some();
        let fits = |rows: usize, images: usize| whole || self.band_len(rows).saturating_mul(images) <= BAND;
        let mut rows = share.div_ceil(row).clamp(1, self.rows.count.max(1));
        while rows > 1 && !fits(rows, 1) {
            rows = rows.div_ceil(2);
        }
        // Bands of equal height, and never so low that the pixels do not fill a block.
        rows = rows.max((PIXELS / 4).div_ceil(self.columns.count.max(1))).min(self.rows.count.max(1));
        let bands = self.rows.count.div_ceil(rows);
        let rows = self.rows.count.div_ceil(bands.max(1)).max(1);
        // Windows are whole.
        let mut rows = if self.pooled { rows.next_multiple_of(2) } else { rows };
        let mut bands = self.rows.count.div_ceil(rows);
        // Few bands are equal shares only if each thread gets as many rows: 14 as two bands of 7 instead of 5, 5 and 4 take 0.93
        // of the time.
        let threads = pool::threads();
        let few = self.batch == 1 && threads > 1 && (2..2 * FEW * threads).contains(&bands);
        if few && self.is_inside() && !self.pooled {
            let even = |bands: &usize| bands.is_multiple_of(threads) && self.rows.count.is_multiple_of(*bands);
            if let Some(even) = (2..=bands).rev().find(even) {
                (rows, bands) = (self.rows.count / even, even);
            }
        }
        let mut images = if bands <= 1 { (share / image).clamp(1, self.batch.max(1)) } else { 1 };
        while images > 1 && !fits(rows, images) {
            images /= 2;
        }
        let band_work = row.saturating_mul(rows).saturating_mul(images);
        let divisible = self.groups == 1 && !self.is_thin();
        let pieces = if divisible { (band_work / share.max(1)).clamp(1, panels.max(1)) } else { 1 };
        let panels_each = panels.div_ceil(pieces).max(1);
        // A few groups of panels are no equal shares for all threads, of halves of the image they are.
        let few = self.batch == 1 && bands == 1 && panels.div_ceil(panels_each) < FEW * pool::threads();
        if few && pool::threads() > 1 && self.is_inside() && pieces > 1 && row.saturating_mul(rows) >= MIN_HALVED {
            (rows, bands) = (rows.div_ceil(2), 2);
        }
        Grid {
            rows,
            bands,
            images,
            image_groups: self.batch.div_ceil(images),
            panels: panels_each,
            panel_groups: panels.div_ceil(panels_each),
        }
    }

    /// Computes all target positions of the axes. The others are not touched.
    ///
    /// `source` is `[batch, rows.extent, columns.extent, groups * depth]`, `target`
    /// `[batch, rows.target, columns.target, groups * width]`, and `packed` one packed matrix
    /// `[row taps, column taps, depth; width]` per group.
    ///
    /// `finished` gets the parts of the target when they are final.
    pub(super) fn run<E: Epilogue>(
        &self,
        source: &[f32],
        packed: &[f32],
        target: &mut [f32],
        scratch: &mut [f32],
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        assert_eq!(source.len(), product(&[self.batch, self.rows.extent, self.columns.extent, self.channels()]));
        let [target_rows, target_columns] = self.target();
        assert_eq!(target.len(), product(&[self.batch, target_rows, target_columns, self.groups, self.width]));
        assert_eq!(packed.len(), self.packed_len(), "the packed kernel has the length its function gives");
        epilogue.assert_fits(self.groups * self.width);
        let grid = self.grid();
        let in_parts = self.finishes_in_parts(&grid);
        self.run_on(&grid, source, packed, target, scratch, epilogue, finished.filter(|_| in_parts));
        if let Some(finished) = finished.filter(|_| !in_parts) {
            finish(target, self.groups * self.width, finished);
        }
    }

    /// Whether chunks are pixels that are neighbours, and enough channels of each.
    fn finishes_in_parts(&self, grid: &Grid) -> bool {
        let channels = grid.panels * TileShape::of(Level::current()).columns;
        self.rows.every == 1 && self.columns.every == 1 && (grid.panel_groups == 1 || channels >= MIN_FINISHED)
    }

    /// Whether parts of the target are handed out while they are in the cache.
    pub(super) fn is_finished_in_cache(&self) -> bool {
        self.finishes_in_parts(&self.grid())
    }

    /// As [`Self::run`]; `finished` gets parts only if they are final.
    #[allow(clippy::too_many_arguments, reason = "the arguments of `run`")]
    fn run_on<E: Epilogue>(
        &self,
        grid: &Grid,
        source: &[f32],
        packed: &[f32],
        target: &mut [f32],
        scratch: &mut [f32],
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        if target.is_empty() || self.rows.count == 0 || self.columns.count == 0 {
            return;
        }
        let target = SharedMut::new(target);
        let taps = self.taps();
        let level = Level::current();
        let chunk = |chunk: usize| {
            let next = pool::following(chunk) % grid.panel_groups * grid.panels;
            let (chunk, panels) = (chunk / grid.panel_groups, chunk % grid.panel_groups);
            let (images, band_index) = (chunk / grid.bands, chunk % grid.bands);
            let images = images * grid.images..self.batch.min((images + 1) * grid.images);
            let rows = band_index * grid.rows..self.rows.count.min((band_index + 1) * grid.rows);
            Chunk { images, rows, panels: grid.panels * panels, panel_count: grid.panels, next }
        };
        if let Some(len) = self.padded_len() {
            let padded = &mut scratch[..len];
            self.pad(source, padded);
            let padded = Pixels { data: padded, images: 0, rows: 0, all: self.rows.count };
            return parallel_for(grid.chunks(), &|index| {
                self.run_chunk(level, &chunk(index), &taps, padded, packed, target, epilogue, finished);
            });
        }
        for_each_with_scratch(grid.chunks(), scratch, self.slot_len(grid), |index, band| {
            let chunk = chunk(index);
            let pixels = if self.is_inside() {
                Pixels { data: source, images: 0, rows: 0, all: self.rows.count }
            } else {
                self.copy_band(&chunk, source, band);
                Pixels { data: band, images: chunk.images.start, rows: chunk.rows.start, all: chunk.rows.len() }
            };
            self.run_chunk(level, &chunk, &taps, pixels, packed, target, epilogue, finished);
        });
    }

    /// Elements of an image of the source.
    fn image_len(&self) -> usize {
        self.rows.extent * self.columns.extent * self.channels()
    }

    /// Lays the batch out with its padding.
    fn pad(&self, source: &[f32], padded: &mut [f32]) {
        let (height, line, image_len) = (self.rows.reach(self.rows.count), self.source_line(), self.image_len());
        let rows = COPIED.div_ceil(line.max(1));
        for_each_chunk(padded, rows * line, |chunk, part| {
            for (index, to) in part.chunks_exact_mut(line).enumerate() {
                let (image, row) = ((chunk * rows + index) / height, (chunk * rows + index) % height);
                let image = &source[image * image_len..][..image_len];
                band::copy(image, &self.rows, &self.columns, self.channels(), row..row + 1, to);
            }
        });
    }

    /// Lays out what a chunk reads, with its padding.
    fn copy_band(&self, chunk: &Chunk, source: &[f32], bands: &mut [f32]) {
        let (band_len, image_len) = (self.band_len(chunk.rows.len()), self.image_len());
        if band_len == 0 {
            return;
        }
        let start = chunk.rows.start * self.rows.step;
        let padded = start..start + self.rows.reach(chunk.rows.len());
        for (image, band) in chunk.images.clone().zip(bands.chunks_exact_mut(band_len)) {
            let image = &source[image * image_len..][..image_len];
            band::copy(image, &self.rows, &self.columns, self.channels(), padded.clone(), band);
        }
    }

    /// Offsets of the runs a pixel reads, and the length of a run. Neighbouring column taps are one run.
    fn taps(&self) -> (Vec<usize>, usize) {
        let (channels, line) = (self.channels(), self.source_line());
        let merge = self.groups == 1 && self.columns.is_dense();
        let columns: &[usize] = if merge { &[0] } else { &self.columns.taps };
        let taps = self.rows.taps.iter().flat_map(|y| columns.iter().map(move |x| y * line + x * channels));
        (taps.collect(), if merge { self.columns.taps.len() * self.depth } else { self.depth })
    }

    /// Elements between the rows that pixels are read from: of the source, or of a band.
    fn source_line(&self) -> usize {
        let columns = if self.is_inside() { self.columns.extent } else { self.columns.reach(self.columns.count) };
        columns * self.channels()
    }

    #[allow(clippy::too_many_arguments, reason = "the arguments of `run` and what it derived from them")]
    fn run_chunk<E: Epilogue>(
        &self,
        level: Level,
        chunk: &Chunk,
        (taps, run): &(Vec<usize>, usize),
        source: Pixels,
        packed: &[f32],
        target: SharedMut<f32>,
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        let (rows, columns) = (&self.rows, &self.columns);
        let (channels, line) = (self.channels(), self.source_line());
        let inside = self.is_inside();
        let (image_len, origin) = if inside {
            let origin = rows.origin.wrapping_mul(columns.extent as isize).wrapping_add(columns.origin);
            (self.image_len(), origin.wrapping_mul(channels as isize))
        } else {
            (self.band_len(source.all), 0)
        };
        // Where target row `row` of image `image` begins to read.
        let line_start = |image: usize, row: usize| -> *const f32 {
            let first = (row - source.rows) * rows.step;
            source
                .data
                .as_ptr()
                .wrapping_add((image - source.images) * image_len + first * line)
                .wrapping_offset(origin)
        };
        if self.is_thin() {
            return self.run_thin_chunk(level, chunk, line_start, packed, target, epilogue, finished);
        }
        let pixels = chunk.images.len() * chunk.rows.len() * columns.count;
        let out_channels = self.groups * self.width;
        let (mut inputs, mut outputs) = (Rows::new(), Rows::new());
        // The position of the next pixel that is listed.
        let (mut image, mut row, mut column) = (chunk.images.start, chunk.rows.start, 0);
        let spacing = Spacing { inputs: columns.step * channels, outputs: columns.every * out_channels };
        let spaced = self.spaced(chunk, image_len, line, spacing);
        let run_pixels = spaced.unwrap_or(pixels);
        let run_pieces = run_pixels.div_ceil(PIXELS);
        let pieces = pixels / run_pixels.max(1) * run_pieces;
        let first = (chunk.images.start * rows.target + chunk.rows.start) * columns.target;
        let input =
            |image: usize, row: usize, column: usize| line_start(image, row).wrapping_add(column * spacing.inputs);
        let output = |image: usize, row: usize, column: usize| {
            let y = (image * rows.target + rows.first + row * rows.every) * columns.target;
            target.get().wrapping_add((y + columns.first) * out_channels + column * spacing.outputs)
        };
        for piece in 0..pieces {
            let (run_first, part) = (piece / run_pieces * run_pixels, piece % run_pieces);
            let done = run_first + run_pixels * part / run_pieces;
            let count = run_first + run_pixels * (part + 1) / run_pieces - done;
            inputs.clear();
            outputs.clear();
            while spaced.is_none() && inputs.get().len() < count {
                let run = (count - inputs.get().len()).min(columns.count - column);
                inputs.extend(run, input(image, row, column), |pixel| pixel.wrapping_add(spacing.inputs));
                outputs.extend(run, output(image, row, column), |pixel| pixel.wrapping_add(spacing.outputs));
                column += run;
                if column == columns.count {
                    (column, row) = (0, row + 1);
                    if row == chunk.rows.end {
                        (row, image) = (chunk.rows.start, image + 1);
                    }
                }
            }
            for group in 0..self.groups {
                if group > 0 {
                    inputs.get_mut().iter_mut().for_each(|input| *input = input.wrapping_add(self.depth));
                    outputs.get_mut().iter_mut().for_each(|output| *output = output.wrapping_add(self.width));
                }
                let packed_group = packed.len() / self.groups;
                let tile = TileShape::of(level);
                let all = self.width.div_ceil(tile.columns);
                // The pieces of a chunk meet the same panels one after the other.
                let next = tile.columns * if piece + 1 < pieces { chunk.panels } else { chunk.next };
                let lines = if spaced.is_some() {
                    let (row, column) = (done / columns.count, done % columns.count);
                    let image = chunk.images.start + row / chunk.rows.len();
                    let row = chunk.rows.start + row % chunk.rows.len();
                    let (input, output) = (input(image, row, column), output(image, row, column));
                    Lines::Spaced { input, output, spacing, rows: count }
                } else {
                    Lines::Listed { inputs: inputs.get(), outputs: outputs.get() }
                };
                let block = Block {
                    lines,
                    depth: Depth { taps, len: *run, stride: 1 },
                    packed: &packed[group * packed_group..][..packed_group],
                    columns: self.width,
                    panels: chunk.panels..all.min(chunk.panels + chunk.panel_count),
                    next: Next::Panel(packed.as_ptr().wrapping_add(group * packed_group + next * self.total_depth())),
                    accumulate: false,
                    epilogue: epilogue.part(group * self.width..(group + 1) * self.width),
                };
                // SAFETY: the taps of every pixel lie within the source (`is_inside`) or its band (`Axis::reach`);
                // pixels are within the target (`Axis`), and no other chunk has the same pixels and panels; `packed`
                // has the length and so the layout of this level.
                unsafe { block.run(level) };
            }
            if let Some(finished) = finished {
                // All of several pixels, or the chunk's panels of one after the other.
                let width = TileShape::of(level).columns;
                let columns = chunk.panels * width..out_channels.min((chunk.panels + chunk.panel_count) * width);
                let whole = self.groups > 1 || columns.len() == out_channels;
                let (parts, columns) = if whole { (1, 0..count * out_channels) } else { (count, columns) };
                for part in 0..parts {
                    let start = (first + done + part) * out_channels + columns.start;
                    // SAFETY: the chunk's pixels are neighbours (`finishes_in_parts`) within the target, which is
                    // borrowed meanwhile; no other chunk has them and these panels, and they are done.
                    finished(start, unsafe { target.part(start, columns.len()) });
                }
            }
        }
    }

    /// How many neighbouring pixels of a chunk are equally far apart, in runs that make up all of it, if that is worth a block
    /// for each run: those of a row, of an image if a row goes on where the one before ended, or all.
    fn spaced(&self, chunk: &Chunk, image_len: usize, line: usize, spacing: Spacing) -> Option<usize> {
        let (rows, columns) = (&self.rows, &self.columns);
        let image = chunk.rows.len() * columns.count;
        let out_line = columns.target * self.width;
        let goes_on = |pixels: usize, input: usize, output: usize| {
            pixels * spacing.inputs == input && pixels * spacing.outputs == output
        };
        let run = if !goes_on(columns.count, rows.step * line, rows.every * out_line) {
            if self.total_depth() > MAX_REREAD {
                return None;
            }
            columns.count
        } else if !goes_on(image, image_len, rows.target * out_line) {
            image
        } else {
            image * chunk.images.len()
        };
        (self.groups == 1 && run >= MIN_SPACED).then_some(run)
    }

    /// As [`Self::run_chunk`] where sums are too short for the register tile. `line_start` says where a target row of an image
    /// begins to read.
    #[allow(clippy::too_many_arguments, reason = "the arguments of `run_chunk`")]
    fn run_thin_chunk<E: Epilogue>(
        &self,
        level: Level,
        chunk: &Chunk,
        line_start: impl Fn(usize, usize) -> *const f32,
        packed: &[f32],
        target: SharedMut<f32>,
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        let (rows, columns, line) = (&self.rows, &self.columns, self.source_line());
        let taps = std::array::from_fn(|i| {
            let (y, x) = (i / columns.taps.len(), i % columns.taps.len());
            rows.taps[y] * line + columns.taps[x]
        });
        let [target_rows, target_columns] = self.target();
        let (height, pixels, pooled) =
            if self.pooled { (2, columns.count / 2, Some(rows.step * line)) } else { (1, columns.count, None) };
        let windows = chunk.rows.start / height..chunk.rows.end / height;
        for (image, row) in chunk.images.clone().flat_map(|image| windows.clone().map(move |row| (image, row))) {
            let (y, x) = (rows.first + row * rows.every, columns.first);
            let run = thin::Run {
                taps: &taps,
                source: line_start(image, row * height),
                source_step: columns.step,
                target: target.get().wrapping_add(((image * target_rows + y) * target_columns + x) * self.width),
                target_step: columns.every * self.width,
                pixels,
                pooled,
                packed,
                columns: self.width,
                epilogue,
            };
            // SAFETY: as for the blocks of `run_chunk`; there is one group of panels, see `grid`.
            unsafe { run.run(level) };
        }
        if let Some(finished) = finished {
            let start = (chunk.images.start * rows.target + chunk.rows.start) * columns.target * self.width;
            let pixels = chunk.images.len() * chunk.rows.len() * columns.count;
            // SAFETY: as in `run_chunk`.
            finished(start, unsafe { target.part(start, pixels * self.width) });
        }
    }
}

/// How a correlation is cut into chunks: images x bands of rows x groups of panels.
struct Grid {
    /// Target rows of a band.
    rows: usize,
    bands: usize,
    /// Images of a chunk, more than one only if a band is a whole image.
    images: usize,
    image_groups: usize,
    panels: usize,
    panel_groups: usize,
}

impl Grid {
    fn chunks(&self) -> usize {
        self.image_groups * self.bands * self.panel_groups
    }
}

/// What a chunk reads: the source, or the pixels that some target rows of some images read with their padding.
#[derive(Clone, Copy)]
struct Pixels<'a> {
    data: &'a [f32],
    /// The first image and target row, and the number of target rows.
    images: usize,
    rows: usize,
    all: usize,
}

struct Chunk {
    images: Range<usize>,
    rows: Range<usize>,
    /// The first panel.
    panels: usize,
    panel_count: usize,
    /// The first panel of what this thread computes next, most likely.
    next: usize,
}
