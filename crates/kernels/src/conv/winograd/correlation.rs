//! The forward pass and the gradient of the input.
//!
//! Contains `unsafe`: tiles are given to the transforms and to the register tile by pointer.

use super::kernel::KernelView;
use super::tiles::{Spectrum, Tiles};
use super::transform::{Input, Output, Transformation};
use super::FREQUENCIES;
use crate::conv::axis::Axis;
use crate::conv::shape::product;
use crate::gemm::{Block, Depth, Epilogue, Identity, TileShape, packed_len};
use crate::parallel::{SharedMut, for_each_with_scratch};
use crate::pool;
use ferrograph_simd::Level;

/// A correlation with three neighbouring taps along both axes, computed tile by tile.
pub(in crate::conv) struct Winograd {
    tiles: Tiles,
    /// Source and target channels.
    depth: usize,
    width: usize,
}

/// Tiles of a block at most: rows of the products.
const MAX_BLOCK: usize = 32;
/// Tiles of a block at least, unless there are fewer: a register tile of full height.
const MIN_BLOCK: usize = 8;
/// Elements of the frequencies of a block, about: 1 MiB, which a second-level cache holds.
const BLOCK_ELEMENTS: usize = 256 * 1024;
/// A batch is cut into at least this many blocks where it can be.
const MIN_BLOCKS: usize = 4;

/// The buffers of one thread.
struct Buffers {
    block: usize,
    /// Frequencies of the source and of the target.
    source: Spectrum,
    target: Spectrum,
}

impl Winograd {
    /// Of axes with the taps 0, 1 and 2 and a target at every position.
    pub(in crate::conv) fn new(batch: usize, rows: &Axis, columns: &Axis, depth: usize, width: usize) -> Self {
        debug_assert!([rows, columns].iter().all(|axis| axis.taps == [0, 1, 2] && axis.step == 1 && axis.every == 1));
        Winograd { tiles: Tiles::new(batch, rows, columns), depth, width }
    }

    /// Elements of the packed kernel.
    pub(in crate::conv) fn packed_len(&self) -> usize {
        product(&[FREQUENCIES, packed_len(self.depth, self.width)])
    }

    /// Packs a kernel `[3, 3, depth, width]`.
    pub(in crate::conv) fn pack(&self, kernel: &[f32], packed: &mut [f32]) {
        KernelView { data: kernel, inputs: self.depth, outputs: self.width, turned: false }.pack(packed);
    }

    /// Packs a kernel `[3, 3, width, depth]`, turned by half a circle.
    pub(in crate::conv) fn pack_turned(&self, kernel: &[f32], packed: &mut [f32]) {
        KernelView { data: kernel, inputs: self.width, outputs: self.depth, turned: true }.pack(packed);
    }

    /// Depends on the extents only, not on the number of threads.
    fn buffers(&self) -> Buffers {
        let fits = BLOCK_ELEMENTS / (FREQUENCIES * (self.depth + self.width)).max(1);
        let share = self.tiles.count().div_ceil(MIN_BLOCKS);
        let block = fits.min(share).clamp(MIN_BLOCK, MAX_BLOCK).next_multiple_of(MIN_BLOCK);
        Buffers { block, source: Spectrum::new(block, self.depth), target: Spectrum::new(block, self.width) }
    }

    /// Elements of scratch memory for as many threads as there are now.
    pub(in crate::conv) fn scratch_len(&self) -> usize {
        let buffers = self.buffers();
        let blocks = self.tiles.count().div_ceil(buffers.block);
        buffers.slot_len(self.depth).saturating_mul(blocks.min(pool::threads()))
    }

    /// Computes `target` `[batch, rows, columns, width]` from `source` `[batch, rows, columns, depth]` and a packed
    /// kernel.
    pub(in crate::conv) fn run<E: Epilogue>(
        &self,
        source: &[f32],
        packed: &[f32],
        target: &mut [f32],
        scratch: &mut [f32],
        epilogue: E,
    ) {
        let tiles = &self.tiles;
        assert_eq!(source.len(), product(&[tiles.batch, tiles.source[0], tiles.source[1], self.depth]));
        assert_eq!(target.len(), product(&[tiles.batch, tiles.target[0], tiles.target[1], self.width]));
        assert_eq!(packed.len(), self.packed_len(), "the packed kernel has the length its function gives");
        epilogue.assert_fits(self.width);
        let buffers = self.buffers();
        let target = SharedMut::new(target);
        let level = Level::current();
        let blocks = tiles.count().div_ceil(buffers.block);
        for_each_with_scratch(blocks, scratch, buffers.slot_len(self.depth), |block, slot| {
            let first = block * buffers.block;
            let count = buffers.block.min(tiles.count() - first);
            let (v, slot) = slot.split_at_mut(buffers.source.len());
            let (m, zeros) = slot.split_at_mut(buffers.target.len());
            zeros[..self.depth].fill(0.0);
            let (zeros, v, m) = (zeros.as_ptr(), v.as_mut_ptr(), m.as_mut_ptr());
            let into = Transformation {
                transform: Input,
                tiles: 0..count,
                channels: self.depth,
                from: |slot| tiles.patch(first + slot, source, self.depth, zeros),
                to: |slot| buffers.source.to(v, slot),
                epilogue: Identity,
            };
            let out = Transformation {
                transform: Output,
                tiles: 0..count,
                channels: self.width,
                from: |slot| buffers.target.from(m, slot),
                to: |slot| tiles.pixels(first + slot, target.get(), self.width),
                epilogue,
            };
            // SAFETY: patches lie within the source or are the zeros, frequencies within the slot, and pixels within
            // the target; the tiles of a block belong to no other block.
            unsafe {
                into.run(level);
                self.products(level, &buffers, count, packed, v, m);
                out.run(level);
            }
        });
    }

    /// `M[f] = V[f] U[f]` for every frequency.
    ///
    /// # Safety
    /// `v` and `m` point to the buffers of `count` tiles, of which `v` is written and `m` is used by no other thread.
    unsafe fn products(
        &self,
        level: Level,
        buffers: &Buffers,
        count: usize,
        packed: &[f32],
        v: *const f32,
        m: *mut f32,
    ) {
        let panels = self.width.div_ceil(TileShape::of(level).columns);
        let len = packed.len() / FREQUENCIES;
        for (frequency, packed) in packed.chunks_exact(len).enumerate() {
            let (mut inputs, mut outputs) = ([std::ptr::null(); MAX_BLOCK], [std::ptr::null_mut(); MAX_BLOCK]);
            for i in 0..count {
                inputs[i] = v.wrapping_add(frequency * buffers.source.stride + i * self.depth);
                outputs[i] = m.wrapping_add(frequency * buffers.target.stride + i * self.width);
            }
            let block = Block {
                inputs: &inputs[..count],
                outputs: &outputs[..count],
                depth: Depth { taps: &[0], len: self.depth, stride: 1 },
                packed,
                columns: self.width,
                panels: 0..panels,
                accumulate: false,
                epilogue: Identity,
            };
            // SAFETY: the rows lie within the buffers, see `Spectrum`; `packed` was packed at this level.
            unsafe { block.run(level) };
        }
    }
}

impl Buffers {
    fn slot_len(&self, depth: usize) -> usize {
        depth.saturating_add(self.source.len()).saturating_add(self.target.len()).next_multiple_of(16)
    }
}
