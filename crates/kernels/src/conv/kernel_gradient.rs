//! The gradient of the kernel.
//!
//! Contains `unsafe`: rows of the product are given to the register tile by pointer.

use super::ConvShape;
use super::axis::Axis;
use super::band;
use super::shape::product;
use super::winograd;
use crate::gemm::{Block, Depth, Identity, Lines, Matrix, Next, TileShape, pack, packed_len};
use crate::parallel::{SharedMut, for_each_chunk, for_each_with_scratch};
use crate::pool;
use ferrograph_simd::Level;

/// Pixels of a band, about: the steps of a sum that are computed at a time.
const PIXELS: usize = 512;
/// Elements of a padded band at most, unless a single row is larger.
const BAND: usize = 64 * 1024;
/// Rows of a block at most.
const MAX_ROWS: usize = 256;
/// Elements of the partial gradients at most: 16 MiB.
const PARTIALS: usize = 4 << 20;
/// The work is cut into at least this many chunks where it can be.
const CHUNKS: usize = 16;
/// Columns of the widest tile of any instruction set.
const WIDEST: usize = 32;
/// Multiply-adds below which the work is not shared.
const MIN_SHARED: usize = 4 << 20;

/// `dw[tap, c, o] = sum over images and pixels of x[pixel + tap, c] * dy[pixel, o]`: a product of `taps * c` rows,
/// whose sums run over the pixels.
struct Plan<'a> {
    shape: &'a ConvShape,
    rows: Axis,
    columns: Axis,
    tile: TileShape,
    /// Output rows of a band.
    band_rows: usize,
    /// The batch is cut into this many parts, whose gradients are added up in order at the end.
    parts: usize,
    images_per_part: usize,
    panels_per_chunk: usize,
    panel_groups: usize,
}

impl<'a> Plan<'a> {
    /// Depends on the extents only, not on the number of threads; the order of adding not on the instruction set either.
    fn new(shape: &'a ConvShape) -> Self {
        shape.assert_valid();
        let (rows, columns) = (Axis::forward(shape, 0), Axis::forward(shape, 1));
        let tile = TileShape::of(Level::current());
        let panels = shape.group_out().div_ceil(tile.columns).max(1);
        let total = product(&[shape.batch, rows.count, columns.count, shape.kernel_len()]);
        let shared = total >= MIN_SHARED;
        // Every chunk pads the images it meets itself, so that a chunk of a single panel pays only for many rows.
        let groups = shape.groups;
        // Panels of a chunk, and how many such chunks there are.
        let cut = |panels: usize| {
            let panel_groups = if shared { panels.min(CHUNKS.div_ceil(groups)) } else { 1 };
            let panels_per_chunk = panels.div_ceil(panel_groups);
            (panels_per_chunk, panels.div_ceil(panels_per_chunk))
        };
        let (panels_per_chunk, panel_groups) = cut(panels);
        let (_, widest_groups) = cut(shape.group_out().div_ceil(WIDEST).max(1));
        let most_parts = (PARTIALS / shape.kernel_len().max(1)).clamp(1, shape.batch.max(1));
        let wanted = if shared { CHUNKS.div_ceil(widest_groups * groups) } else { 1 };
        let images_per_part = shape.batch.div_ceil(wanted.min(most_parts)).max(1);
        let parts = shape.batch.div_ceil(images_per_part).max(1);
        let mut plan =
            Plan { shape, rows, columns, tile, band_rows: 1, parts, images_per_part, panels_per_chunk, panel_groups };
        plan.band_rows = (PIXELS / plan.columns.count.max(1)).clamp(1, plan.rows.count.max(1));
        while plan.band_rows > 1 && !plan.is_inside() && plan.padded_len() > BAND {
            plan.band_rows = plan.band_rows.div_ceil(2);
        }
        plan
    }

    fn is_inside(&self) -> bool {
        self.rows.is_inside() && self.columns.is_inside()
    }

    /// Elements of a padded band, 0 if the image is read in place.
    fn padded_len(&self) -> usize {
        if self.is_inside() {
            return 0;
        }
        let columns = self.columns.reach(self.columns.count);
        product(&[self.rows.reach(self.band_rows), columns, self.shape.in_channels])
    }

    /// Elements of a chunk's piece of a packed band of `dy`.
    fn packed_len(&self) -> usize {
        let columns = (self.panels_per_chunk * self.tile.columns).min(self.shape.group_out());
        packed_len(self.band_rows * self.columns.count, columns)
    }

    fn slot_len(&self) -> usize {
        self.padded_len().saturating_add(self.packed_len())
    }

    fn partials_len(&self) -> usize {
        if self.parts == 1 { 0 } else { self.parts.saturating_mul(self.shape.kernel_len()) }
    }

    fn chunks(&self) -> usize {
        self.parts * self.shape.groups * self.panel_groups
    }
}

/// Elements of scratch memory [`kernel_gradient`] needs, in the sense of [`scratch_len`](super::scratch_len).
pub fn kernel_gradient_scratch_len(shape: &ConvShape) -> usize {
    if winograd::suits_kernel_gradient(shape) {
        return winograd::kernel_gradient_scratch_len(shape);
    }
    let plan = Plan::new(shape);
    let slots = plan.chunks().min(pool::threads());
    plan.slot_len().saturating_mul(slots).saturating_add(plan.partials_len())
}

/// `dw` `[kh, kw, in_channels / groups, out_channels]` from `x` `[batch, height, width, in_channels]` and `dy`
/// `[batch, out_height, out_width, out_channels]`. Every element of `dw` is written; `scratch` may hold anything.
pub fn kernel_gradient(shape: &ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
    assert_eq!(x.len(), shape.x_len());
    assert_eq!(dy.len(), shape.y_len());
    assert_eq!(dw.len(), shape.kernel_len());
    if winograd::suits_kernel_gradient(shape) {
        return winograd::kernel_gradient(shape, x, dy, dw, scratch);
    }
    let plan = Plan::new(shape);
    if dy.is_empty() || dw.is_empty() {
        dw.fill(0.0);
        return;
    }
    let (partials, slots) = scratch.split_at_mut(plan.partials_len());
    let level = Level::current();
    let len = dw.len();
    let sums = SharedMut::new(if plan.parts == 1 { &mut *dw } else { &mut *partials });
    for_each_with_scratch(plan.chunks(), slots, plan.slot_len(), |chunk, slot| {
        let (chunk, panels) = (chunk / plan.panel_groups, chunk % plan.panel_groups);
        let (part, group) = (chunk / shape.groups, chunk % shape.groups);
        let sum = sums.get().wrapping_add(part * len);
        // SAFETY: chunks differ in the part, the group or the panels, so they write disjoint columns of the sums.
        unsafe { run_chunk(&plan, level, part, group, panels, x, dy, sum, slot) };
    });
    if plan.parts > 1 {
        const CHUNK: usize = 4096;
        for_each_chunk(dw, CHUNK, |index, dw| {
            let start = index * CHUNK;
            dw.copy_from_slice(&partials[start..][..dw.len()]);
            for partial in partials.chunks_exact(len).skip(1) {
                dw.iter_mut().zip(&partial[start..]).for_each(|(sum, partial)| *sum += partial);
            }
        });
    }
}

/// Adds up one part of the batch, for one group and some panels of its channels.
///
/// # Safety
/// `sum` points to as many writable floats as the kernel has, whose columns of this chunk no other thread uses.
#[allow(clippy::too_many_arguments, reason = "the arguments of `kernel_gradient` and the number of the chunk")]
unsafe fn run_chunk(
    plan: &Plan,
    level: Level,
    part: usize,
    group: usize,
    panel_group: usize,
    x: &[f32],
    dy: &[f32],
    sum: *mut f32,
    slot: &mut [f32],
) {
    let Plan { shape, rows, columns, .. } = plan;
    let (channels, out_channels) = (shape.in_channels, shape.out_channels);
    let (group_in, group_out) = (shape.group_in(), shape.group_out());
    let image_len = shape.height * shape.width * channels;
    let first_column = panel_group * plan.panels_per_chunk * plan.tile.columns;
    let width = (plan.panels_per_chunk * plan.tile.columns).min(group_out - first_column);
    let first_column = group * group_out + first_column;
    let line = if plan.is_inside() { columns.extent } else { columns.reach(columns.count) } * channels;
    let (padded, packed) = slot.split_at_mut(plan.padded_len());
    let lines: Vec<usize> = (0..plan.band_rows).map(|y| y * rows.step * line).collect();
    let mut started = false;
    let images = part * plan.images_per_part..shape.batch.min((part + 1) * plan.images_per_part);
    for image in images {
        for row in (0..rows.count).step_by(plan.band_rows) {
            let count = plan.band_rows.min(rows.count - row);
            let source = &x[image * image_len..][..image_len];
            let start: *const f32 = if plan.is_inside() {
                let at = (rows.origin as usize + row * rows.step) * line + columns.origin as usize * channels;
                source.as_ptr().wrapping_add(at)
            } else {
                let first = row * rows.step;
                band::copy(source, rows, columns, channels, first..first + rows.reach(count), padded);
                padded.as_ptr()
            };
            let pixels = count * columns.count;
            let packed = &mut packed[..packed_len(pixels, width)];
            let at = (image * rows.count + row) * columns.count * out_channels + first_column;
            pack(pixels, width, Matrix::row_major(&dy[at..], out_channels), packed);

            let (mut inputs, mut outputs) = ([std::ptr::null(); MAX_ROWS], [std::ptr::null_mut(); MAX_ROWS]);
            let total = rows.taps.len() * columns.taps.len() * group_in;
            for first in (0..total).step_by(MAX_ROWS) {
                let block_rows = MAX_ROWS.min(total - first);
                for i in 0..block_rows {
                    let (tap, c) = ((first + i) / group_in, (first + i) % group_in);
                    let (ky, kx) = (tap / columns.taps.len(), tap % columns.taps.len());
                    let offset = rows.taps[ky] * line + columns.taps[kx] * channels + group * group_in + c;
                    inputs[i] = start.wrapping_add(offset);
                    outputs[i] = sum.wrapping_add((first + i) * out_channels + first_column);
                }
                let block = Block {
                    lines: Lines::Listed { inputs: &inputs[..block_rows], outputs: &outputs[..block_rows] },
                    depth: Depth { taps: &lines[..count], len: columns.count, stride: columns.step * channels },
                    packed,
                    columns: width,
                    panels: 0..width.div_ceil(plan.tile.columns),
                    next: Next::Panel(packed.as_ptr()),
                    accumulate: started,
                    epilogue: Identity,
                };
                // SAFETY: every tap of every pixel of the band lies within the image (`is_inside`) or the padded band
                // (`Axis::reach`); the outputs are the caller's promise; `packed` was packed at this level.
                unsafe { block.run(level) };
            }
            started = true;
        }
    }
}
