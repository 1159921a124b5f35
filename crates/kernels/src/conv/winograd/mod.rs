//! Convolution with 3 x 3 kernels by Winograd's minimal filtering F(4 x 4, 3 x 3): 36 products instead of 144 for each
//! tile of 4 x 4 outputs (Lavin and Gray 2016, with the interpolation points 0, ±3/4, ±3/2 and infinity).
//!
//! A tile of the output reads a patch of 6 x 6 inputs. Patches and kernels are transformed to 36 frequencies, where the
//! convolution is 36 matrix products over the channels, `M[f] = V[f] U[f]`, and the sums are transformed back. Tiles
//! that reach over the edge read zeros there, and what they compute outside of the output is not stored.
//!
//! The points are chosen for accuracy: against sums in f64 the largest error is below 2.5e-5 of the root mean square of
//! the output for up to 512 channels. That is up to twice the error of a plain sum in f32, and a half (512 channels) to a
//! fifth (64) of that with the usual points 0, ±1, ±2. An input that is infinite or NaN reaches all 16 outputs of each tile that reads it.
//!
//! A tile's arithmetic depends neither on its position nor on its neighbours, so images keep their bits in any batch.

mod correlation;
mod kernel;
mod kernel_gradient;
#[cfg(test)]
mod tests;
mod tiles;
mod transform;

pub(super) use correlation::Winograd;
pub(super) use kernel_gradient::{kernel_gradient, kernel_gradient_scratch_len};

use super::ConvShape;
use super::shape::product;

/// Outputs along each axis of a tile.
const TILE: usize = 4;
/// Inputs along each axis of a patch, and frequencies.
const PATCH: usize = 6;
/// Frequencies in two dimensions.
const FREQUENCIES: usize = PATCH * PATCH;

/// Fewer channels do not repay the transforms.
const MIN_CHANNELS: usize = 32;
/// Fewer tiles in an image do not repay reading a kernel four times as large.
const MIN_TILES: usize = 4;
/// Fewer tiles in a batch do not repay transforming the gradient of the kernel back.
const MIN_GRADIENT_TILES: usize = 64;
/// Elements of a transformed kernel at most: 9 MiB, about half of the last-level cache of a common processor. 256 x 256
/// channels have as many.
const MAX_KERNEL: usize = 9 << 18;

/// Whether an output (or gradient of the input) of `rows` x `columns` is worth computing this way. Does not depend on
/// the batch, which must not change an image's bits.
pub(super) fn suits(shape: &ConvShape, rows: usize, columns: usize) -> bool {
    let channels = [shape.in_channels, shape.out_channels];
    let tiles = product(&[rows.div_ceil(TILE), columns.div_ceil(TILE)]);
    !shape.strict
        && shape.kernel == [3, 3]
        && shape.stride == [1, 1]
        && shape.dilation == [1, 1]
        && shape.groups == 1
        && channels.iter().all(|&channels| channels >= MIN_CHANNELS)
        && product(&[FREQUENCIES, channels[0], channels[1]]) <= MAX_KERNEL
        && tiles >= MIN_TILES
        // At least half of what the tiles compute is wanted.
        && product(&[2, rows, columns]) >= tiles.saturating_mul(TILE * TILE)
}

/// Whether the gradient of the kernel is worth computing this way. It sums over the batch, which may count here.
pub(super) fn suits_kernel_gradient(shape: &ConvShape) -> bool {
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let tiles = product(&[shape.batch, rows.div_ceil(TILE), columns.div_ceil(TILE)]);
    suits(shape, rows, columns) && tiles >= MIN_GRADIENT_TILES
}
