//! The forward pass and the gradient of the input.
//!
//! Contains `unsafe`: tiles are given to the transforms and to the register tile by pointer.

use super::kernel::{Interpolation, KernelView, Points};
use super::tiles::{Spectrum, Tiles};
use super::transform::{Input, Output, Transform, Transformation};
use crate::conv::axis::Axis;
use crate::conv::shape::product;
use crate::gemm::{Block, Depth, Epilogue, Identity, Lines, Next, Spacing, TileShape, packed_len};
use crate::parallel::{Finished, SharedMut, for_each_with_scratch};
use crate::pool::{self, parallel_for};
use ferrograph_simd::Level;
use std::ops::Range;

/// A correlation with three neighbouring taps along both axes, computed by tiles of `T` x `T` pixels with `P` x `P`
/// frequencies.
pub(super) struct Tiled<const T: usize, const P: usize> {
    tiles: Tiles<T>,
    /// Source and target channels.
    depth: usize,
    width: usize,
    /// Only the largest of each window of 2 x 2 target pixels is wanted; see [`Self::pooled`].
    pooled: bool,
}

/// Tiles of a block at most: rows of the products.
const MAX_BLOCK: usize = 32;
/// Tiles of a block at least, unless there are fewer: two register tiles of full height.
const MIN_BLOCK: usize = 16;
/// Elements of the frequencies of a block, about: 1 MiB, which a second-level cache holds.
const BLOCK_ELEMENTS: usize = 256 * 1024;
/// A batch is cut into at least this many blocks where it can be.
const MIN_BLOCKS: usize = 8;
/// Up to this many tiles may be one block, whose tiles and frequencies are dealt out to all threads.
const MAX_SHARED_BLOCK: usize = 64;
/// Elements of a transformed kernel that every block may read anew: 1 MiB stays in the second-level cache. A larger one comes
/// from beyond it and is read once, for a shared block; otherwise threads are a quarter faster that do not exchange
/// frequencies (64 tiles of 64 channels).
const MAX_REREAD: usize = 256 * 1024;
/// Multiply-adds of a shared block at least: with fewer, handing frequencies from thread to thread costs more than it saves
/// (9 tiles, 32 to 64 channels: 18 us alone, 20 with two threads).
const MIN_SHARED: usize = 4 << 20;
/// Tiles of a shared block that a thread transforms at a time.
const GROUP: usize = 4;
/// Up to this many threads take several frequencies of a shared block at a time, one after the other, so that the matrix of
/// the next is on its way. More would not get equal shares.
const MAX_TOGETHER: usize = 4;

/// How the tiles are cut into blocks, and the buffers of one block.
struct Blocks<const P: usize> {
    /// Tiles of a block.
    len: usize,
    count: usize,
    /// Whether all threads work on one block.
    shared: bool,
    /// Frequencies of the source and of the target.
    source: Spectrum<P>,
    target: Spectrum<P>,
    /// Elements of both and of the zeros.
    slot_len: usize,
}

/// What a correlation works on.
struct Operands<'a, E> {
    level: Level,
    source: &'a [f32],
    packed: &'a [f32],
    target: SharedMut<f32>,
    epilogue: E,
}

/// The frequencies of some tiles.
#[derive(Clone, Copy)]
struct Slot {
    /// The first tile.
    first: usize,
    v: SharedMut<f32>,
    m: SharedMut<f32>,
    zeros: SharedMut<f32>,
}

impl<const T: usize, const P: usize> Tiled<T, P>
where
    Input: Transform<P, P>,
    Output: Transform<P, T>,
    Points: Interpolation<P>,
{
    const FREQUENCIES: usize = P * P;

    /// Of axes with the taps 0, 1 and 2 and a target at every position.
    pub(super) fn new(batch: usize, rows: &Axis, columns: &Axis, depth: usize, width: usize) -> Self {
        debug_assert!([rows, columns].iter().all(|axis| axis.taps == [0, 1, 2] && axis.step == 1 && axis.every == 1));
        Self { tiles: Tiles::new(batch, rows, columns), depth, width, pooled: false }
    }

    /// The same with the largest of each window of 2 x 2 target pixels in place of these: the target is
    /// `[batch, rows / 2, columns / 2, width]`.
    pub(super) fn pooled(self) -> Self {
        Self { pooled: true, ..self }
    }

    /// Elements of the packed kernel.
    pub(super) fn packed_len(&self) -> usize {
        product(&[Self::FREQUENCIES, packed_len(self.depth, self.width)])
    }

    /// Packs a kernel `[3, 3, depth, width]`.
    pub(super) fn pack(&self, kernel: &[f32], packed: &mut [f32]) {
        KernelView { data: kernel, inputs: self.depth, outputs: self.width, turned: false }.pack::<P>(packed);
    }

    /// Packs a kernel `[3, 3, width, depth]`, turned by half a circle.
    pub(super) fn pack_turned(&self, kernel: &[f32], packed: &mut [f32]) {
        KernelView { data: kernel, inputs: self.width, outputs: self.depth, turned: true }.pack::<P>(packed);
    }

    /// Depends on the extents only, not on the number of threads.
    fn blocks(&self) -> Blocks<P> {
        let tiles = self.tiles.count();
        let work = product(&[Self::FREQUENCIES, tiles, self.depth, self.width]);
        let kernel = product(&[Self::FREQUENCIES, self.depth, self.width]);
        // Fewer than two blocks cannot be dealt out otherwise.
        let cannot_be_cut = kernel > MAX_REREAD || tiles < 2 * MIN_BLOCK;
        let shared = tiles <= MAX_SHARED_BLOCK && work >= MIN_SHARED && cannot_be_cut;
        let fits = BLOCK_ELEMENTS / (Self::FREQUENCIES * (self.depth + self.width)).max(1);
        let share = (tiles / MIN_BLOCKS).min(fits).clamp(MIN_BLOCK, MAX_BLOCK) / MIN_BLOCK * MIN_BLOCK;
        // Blocks of about the same size, rather than a last one of a few tiles.
        let len = if shared { tiles } else { tiles.div_ceil(tiles.div_ceil(share).max(1)).max(1) };
        let (source, target) = (Spectrum::new(len, self.depth), Spectrum::new(len, self.width));
        let slot_len = source.len().saturating_add(target.len()).saturating_add(self.depth.next_multiple_of(16));
        Blocks { len, count: tiles.div_ceil(len), shared, source, target, slot_len }
    }

    /// Elements of scratch memory for as many threads as there are now.
    pub(super) fn scratch_len(&self) -> usize {
        let blocks = self.blocks();
        blocks.slot_len.saturating_mul(blocks.count.min(pool::threads()))
    }

    /// Computes `target` `[batch, rows, columns, width]` from `source` `[batch, rows, columns, depth]` and a packed
    /// kernel. `finished` gets the parts of the target when they are final.
    pub(super) fn run<E: Epilogue>(
        &self,
        source: &[f32],
        packed: &[f32],
        target: &mut [f32],
        scratch: &mut [f32],
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        let tiles = &self.tiles;
        assert_eq!(source.len(), product(&[tiles.batch, tiles.source[0], tiles.source[1], self.depth]));
        let extents = if self.pooled { tiles.target.map(|extent| extent / 2) } else { tiles.target };
        assert_eq!(target.len(), product(&[tiles.batch, extents[0], extents[1], self.width]));
        assert!(!self.pooled || finished.is_none(), "what is pooled is not finished in runs of its pixels");
        assert_eq!(packed.len(), self.packed_len(), "the packed kernel has the length its function gives");
        epilogue.assert_fits(self.width);
        let blocks = self.blocks();
        let operands = Operands { level: Level::current(), source, packed, target: SharedMut::new(target), epilogue };
        for_each_with_scratch(blocks.count, scratch, blocks.slot_len, |block, slot| {
            let first = block * blocks.len;
            let count = blocks.len.min(tiles.count() - first);
            let (v, slot) = slot.split_at_mut(blocks.source.len());
            let (m, zeros) = slot.split_at_mut(blocks.target.len());
            zeros.fill(0.0);
            let slot = Slot { first, v: SharedMut::new(v), m: SharedMut::new(m), zeros: SharedMut::new(zeros) };
            // Unless the block is shared, each of the loops below is a single call on this thread.
            let together = if pool::threads() <= MAX_TOGETHER { P / 2 } else { 1 };
            let (group, frequencies) = if blocks.shared { (GROUP, together) } else { (count, Self::FREQUENCIES) };
            let part = |index: usize, len: usize, end: usize| index * len..end.min((index + 1) * len);
            parallel_for(count.div_ceil(group), &|index| {
                // SAFETY: groups have different tiles, and blocks different slots.
                unsafe { self.transform(&operands, &blocks, slot, part(index, group, count)) };
            });
            parallel_for(Self::FREQUENCIES / frequencies, &|index| {
                let next = pool::following(index).wrapping_mul(frequencies);
                let frequencies = part(index, frequencies, Self::FREQUENCIES);
                // SAFETY: the loop before has ended, and the indices have different frequencies.
                unsafe { self.multiply(&operands, &blocks, slot, count, frequencies, next) };
            });
            parallel_for(count.div_ceil(group), &|index| {
                // SAFETY: the loop before has ended, and groups have different tiles.
                unsafe { self.untransform(&operands, &blocks, slot, part(index, group, count)) };
                if let Some(finished) = finished {
                    let tiles = part(index, group, count);
                    self.tiles.for_each_run(first + tiles.start..first + tiles.end, |pixels| {
                        let (start, len) = (pixels.start * self.width, pixels.len() * self.width);
                        // SAFETY: the pixels are those of the tiles just done.
                        finished(start, unsafe { operands.target.part(start, len) });
                    });
                }
            });
        });
    }

    /// The source to frequencies, for some tiles of the slot.
    ///
    /// # Safety
    /// Nobody else uses these tiles of the slot.
    unsafe fn transform<E>(&self, operands: &Operands<E>, blocks: &Blocks<P>, slot: Slot, tiles: Range<usize>) {
        let transformation = Transformation::<_, _, _, _, P, P, false> {
            transform: Input,
            tiles,
            channels: self.depth,
            from: |tile| self.tiles.patch(slot.first + tile, operands.source, self.depth, slot.zeros.get()),
            to: |tile| blocks.source.to(slot.v.get(), tile),
            epilogue: Identity,
        };
        // SAFETY: patches lie within the source or are the zeros, and frequencies within the slot.
        unsafe { transformation.run(operands.level) };
    }

    /// `M[f] = V[f] U[f]` for some frequencies of `count` tiles; `next` is most likely the one after these.
    ///
    /// # Safety
    /// `V` is written, and nobody else uses these frequencies of `M`.
    unsafe fn multiply<E>(
        &self,
        operands: &Operands<E>,
        blocks: &Blocks<P>,
        slot: Slot,
        count: usize,
        frequencies: Range<usize>,
        next: usize,
    ) {
        let len = operands.packed.len() / Self::FREQUENCIES;
        let spacing = Spacing { inputs: self.depth, outputs: self.width };
        for frequency in frequencies.clone() {
            let next = match frequency + 1 {
                // A small kernel stays in the cache.
                _ if operands.packed.len() <= MAX_REREAD => frequency,
                following if following < frequencies.end => following,
                _ => next % Self::FREQUENCIES,
            };
            let input = slot.v.get().wrapping_add(frequency * blocks.source.stride).cast_const();
            let output = slot.m.get().wrapping_add(frequency * blocks.target.stride);
            let block = Block {
                lines: Lines::Spaced { input, output, spacing, rows: count },
                depth: Depth { taps: &[0], len: self.depth, stride: 1 },
                packed: &operands.packed[frequency * len..][..len],
                columns: self.width,
                panels: 0..self.width.div_ceil(TileShape::of(operands.level).columns),
                next: Next::Panel(operands.packed.as_ptr().wrapping_add(next * len)),
                accumulate: false,
                epilogue: Identity,
            };
            // SAFETY: the rows lie within the slot, see `Spectrum`; `packed` was packed at this level.
            unsafe { block.run(operands.level) };
        }
    }

    /// Frequencies to the target, for some tiles of the slot.
    ///
    /// # Safety
    /// `M` is written, and nobody else uses the target's pixels of these tiles.
    unsafe fn untransform<E: Epilogue>(
        &self,
        operands: &Operands<E>,
        blocks: &Blocks<P>,
        slot: Slot,
        tiles: Range<usize>,
    ) {
        let from = |tile| blocks.target.from(slot.m.get(), tile);
        let Operands { level, epilogue, .. } = *operands;
        let (transform, channels, target) = (Output, self.width, operands.target.get());
        // SAFETY: frequencies lie within the slot, and pixels within the target.
        unsafe {
            if self.pooled {
                let to = |tile| self.tiles.windows(slot.first + tile, target, channels);
                Transformation::<_, _, _, _, P, T, true> { transform, tiles, channels, from, to, epilogue }.run(level);
            } else {
                let to = |tile| self.tiles.pixels(slot.first + tile, target, channels);
                Transformation::<_, _, _, _, P, T, false> { transform, tiles, channels, from, to, epilogue }.run(level);
            }
        }
    }
}
