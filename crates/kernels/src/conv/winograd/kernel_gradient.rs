//! The gradient of the kernel: `dU[f] = V[f]ᵀ W[f]` for every frequency, where `W` are the gradients of the output,
//! transformed, and then back from frequencies to taps.
//!
//! Contains `unsafe`: tiles are given to the transforms and to the register tile by pointer.

use super::kernel::from_frequencies;
use super::tiles::{Spectrum, Tiles};
use super::transform::{Input, OutputGradient, Transformation};
use super::{FREQUENCIES, PATCH, TILE};
use crate::conv::ConvShape;
use crate::conv::axis::Axis;
use crate::gemm::{Block, Depth, Identity, Lines, Matrix, Next, TileShape, pack, packed_len};
use crate::parallel::{SharedMut, for_each_with_scratch};
use crate::pool::{self, parallel_for};
use ferrograph_simd::Level;

/// Elements of the frequencies of a block, about: 4 MiB, shared by all threads. Every block reads and writes all sums.
const BLOCK_ELEMENTS: usize = 1 << 20;
/// The same where the sums stay in the second-level cache: the frequencies then may, too, which takes a tenth less time for 64
/// channels.
const SMALL_BLOCK_ELEMENTS: usize = 1 << 19;
/// Elements of such sums at most: 1 MiB.
const MAX_CACHED_SUMS: usize = 1 << 18;
/// Tiles of a block: steps of the products.
const MIN_BLOCK: usize = 32;
const MAX_BLOCK: usize = 256;
/// Tiles that a thread transforms at a time.
const GROUP: usize = 8;
/// Rows of a product that are computed at a time.
const MAX_ROWS: usize = 256;

/// The frequencies of a block of tiles are shared by all threads: first tiles are dealt out, to be transformed, then
/// frequencies, to be multiplied. So each sum runs over the tiles in their order, on any number of threads.
struct Plan {
    tiles: Tiles<TILE>,
    inputs: usize,
    outputs: usize,
    block: usize,
    x: Spectrum<PATCH>,
    dy: Spectrum<PATCH>,
}

impl Plan {
    /// Depends on the extents only, not on the number of threads.
    fn new(shape: &ConvShape) -> Self {
        let tiles = Tiles::new(shape.batch, &Axis::forward(shape, 0), &Axis::forward(shape, 1));
        let (inputs, outputs) = (shape.in_channels, shape.out_channels);
        let cached = inputs.saturating_mul(outputs).saturating_mul(FREQUENCIES) <= MAX_CACHED_SUMS;
        let elements = if cached { SMALL_BLOCK_ELEMENTS } else { BLOCK_ELEMENTS };
        let fits = elements / (FREQUENCIES * (inputs + outputs));
        let block = fits.clamp(MIN_BLOCK, MAX_BLOCK).min(tiles.count());
        let (x, dy) = (Spectrum::new(block, inputs), Spectrum::new(block, outputs));
        Plan { tiles, inputs, outputs, block, x, dy }
    }

    fn sums_len(&self) -> usize {
        (self.inputs * self.outputs).saturating_mul(FREQUENCIES)
    }

    fn zeros_len(&self) -> usize {
        self.inputs.max(self.outputs).next_multiple_of(16)
    }
}

/// Elements of scratch memory [`kernel_gradient`] needs.
pub(in crate::conv) fn kernel_gradient_scratch_len(shape: &ConvShape) -> usize {
    let plan = Plan::new(shape);
    let slots = packed_len(plan.block, plan.outputs).saturating_mul(FREQUENCIES.min(pool::threads()));
    [plan.x.len(), plan.dy.len(), plan.sums_len(), plan.zeros_len(), slots].iter().fold(0, |a, b| a.saturating_add(*b))
}

/// `dw` from `x` and `dy`. The caller has checked their lengths, and that there are tiles.
pub(in crate::conv) fn kernel_gradient(shape: &ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
    let plan = Plan::new(shape);
    let level = Level::current();
    let (v, rest) = scratch.split_at_mut(plan.x.len());
    let (w, rest) = rest.split_at_mut(plan.dy.len());
    let (sums, rest) = rest.split_at_mut(plan.sums_len());
    let (zeros, slots) = rest.split_at_mut(plan.zeros_len());
    zeros.fill(0.0);
    let sums_len = plan.inputs * plan.outputs;
    for first in (0..plan.tiles.count()).step_by(plan.block) {
        let count = plan.block.min(plan.tiles.count() - first);
        transform(&plan, level, first, count, (x, dy, zeros), v, w);
        let shared = SharedMut::new(sums);
        let slot_len = packed_len(count, plan.outputs);
        for_each_with_scratch(FREQUENCIES, slots, slot_len, |frequency, packed| {
            let w = Matrix::row_major(&w[frequency * plan.dy.stride..], plan.outputs);
            pack(count, plan.outputs, w, packed);
            // SAFETY: the sums of different frequencies do not overlap, and `sums` is borrowed meanwhile.
            let sums = unsafe { shared.part(frequency * sums_len, sums_len) };
            product(&plan, level, count, &v[frequency * plan.x.stride..], packed, sums, first > 0);
        });
    }
    from_frequencies(sums, dw);
}

/// Transforms `count` tiles from `first` on.
fn transform(
    plan: &Plan,
    level: Level,
    first: usize,
    count: usize,
    (x, dy, zeros): (&[f32], &[f32], &[f32]),
    v: &mut [f32],
    w: &mut [f32],
) {
    let (v, w) = (SharedMut::new(v), SharedMut::new(w));
    // To read through the pointers of outputs, which are null outside.
    let zeros = SharedMut::from_ptr(zeros.as_ptr().cast_mut());
    let gradients = SharedMut::from_ptr(dy.as_ptr().cast_mut());
    parallel_for(count.div_ceil(GROUP), &|group| {
        let slots = group * GROUP..count.min((group + 1) * GROUP);
        let inputs = Transformation::<_, _, _, _, PATCH, PATCH, false> {
            transform: Input,
            tiles: slots.clone(),
            channels: plan.inputs,
            from: |slot| plan.tiles.patch(first + slot, x, plan.inputs, zeros.get()),
            to: |slot| plan.x.to(v.get(), slot),
            epilogue: Identity,
        };
        let outputs = Transformation::<_, _, _, _, TILE, PATCH, false> {
            transform: OutputGradient,
            tiles: slots,
            channels: plan.outputs,
            from: |slot| {
                let pixels = plan.tiles.pixels(first + slot, gradients.get(), plan.outputs);
                let mut from = [[zeros.get().cast_const(); TILE]; TILE];
                for (from, pixel) in from.as_flattened_mut().iter_mut().zip(pixels.as_flattened()) {
                    if !pixel.is_null() {
                        *from = *pixel;
                    }
                }
                from
            },
            to: |slot| plan.dy.to(w.get(), slot),
            epilogue: Identity,
        };
        // SAFETY: patches and pixels lie within the images or are the zeros, frequencies within the buffers of the
        // block; the tiles of a group belong to no other group.
        unsafe {
            inputs.run(level);
            outputs.run(level);
        }
    });
}

/// `sums` `[inputs, outputs]` becomes, or is increased by, `vᵀ w` of `count` tiles.
fn product(plan: &Plan, level: Level, count: usize, v: &[f32], packed: &[f32], sums: &mut [f32], accumulate: bool) {
    assert!(v.len() >= count * plan.inputs && sums.len() == plan.inputs * plan.outputs);
    let sums = sums.as_mut_ptr();
    let panels = plan.outputs.div_ceil(TileShape::of(level).columns);
    for first in (0..plan.inputs).step_by(MAX_ROWS) {
        let rows = MAX_ROWS.min(plan.inputs - first);
        let (mut inputs, mut outputs) = ([std::ptr::null(); MAX_ROWS], [std::ptr::null_mut(); MAX_ROWS]);
        for (i, (input, output)) in inputs.iter_mut().zip(&mut outputs).enumerate().take(rows) {
            *input = v.as_ptr().wrapping_add(first + i);
            *output = sums.wrapping_add((first + i) * plan.outputs);
        }
        let block = Block {
            lines: Lines::Listed { inputs: &inputs[..rows], outputs: &outputs[..rows] },
            depth: Depth { taps: &[0], len: count, stride: plan.inputs },
            packed,
            columns: plan.outputs,
            panels: 0..panels,
            next: Next::Panel(packed.as_ptr()),
            accumulate,
            epilogue: Identity,
        };
        // SAFETY: all tiles of all rows lie within `v`, and all columns of all rows within `sums`, which only this call
        // uses; `packed` was packed at this level.
        unsafe { block.run(level) };
    }
}
