//! Convolution with 3 x 3 kernels by Winograd's minimal filtering (Lavin and Gray 2016): F(4 x 4, 3 x 3) takes 36 products
//! instead of 144 for each tile of 4 x 4 outputs, with the interpolation points 0, ±3/4, ±3/2 and infinity, and
//! F(2 x 2, 3 x 3) 16 instead of 36 for each tile of 2 x 2, with the points 0, ±1 and infinity.
//!
//! A tile of T x T outputs reads a patch of P x P inputs, P = T + 2. Patches and kernels are transformed to P x P
//! frequencies, where the convolution is P x P matrix products over the channels, `M[f] = V[f] U[f]`, and the sums are
//! transformed back. Tiles that reach over the edge read zeros there, and what they compute outside of the output is not
//! stored.
//!
//! The points of the large tiles are chosen for accuracy: against sums in f64 the largest error is below 2.5e-5 of the root
//! mean square of the output for up to 512 channels. That is up to twice the error of a plain sum in f32, and a half (512
//! channels) to a fifth (64) of that with the usual points 0, ±1, ±2. The small tiles have a smaller error than a plain sum:
//! they are what [`ConvShape::strict`] asks for. An input that is infinite or NaN reaches all outputs of each tile that reads
//! it.
//!
//! A tile's arithmetic depends neither on its position nor on its neighbours, so images keep their bits in any batch.

mod correlation;
mod kernel;
mod kernel_gradient;
#[cfg(test)]
mod tests;
mod tiles;
mod transform;

pub(super) use kernel_gradient::{kernel_gradient, kernel_gradient_scratch_len};

use super::ConvShape;
use super::axis::Axis;
use super::shape::product;
use crate::gemm::Epilogue;
use crate::parallel::Finished;
use correlation::Tiled;

/// Outputs along each axis of a large tile.
const TILE: usize = 4;
/// Inputs along each axis of its patch, and frequencies.
const PATCH: usize = 6;
/// Its frequencies in two dimensions.
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
/// A large kernel costs a single image of so few large tiles more to read than to multiply by. For small tiles it has less
/// than half of the elements: 8 x 8 images of 256 channels take 0.6 of the time one by one, though 1.6 in large batches, which
/// may not decide.
const FEW_TILES: usize = 4;
/// Elements that such an image affords: 4 MiB.
const MAX_KERNEL_OF_FEW_TILES: usize = 1 << 20;
/// The same for small tiles, whose kernels have not half as many elements: 18 MiB. A 7 x 7 image of 512 x 512 channels, with
/// 16 MiB, takes 0.63 of the time of the direct method.
const MAX_SMALL_KERNEL: usize = 2 * MAX_KERNEL;

/// A correlation with 3 x 3 neighbouring taps by one of the two methods.
pub(super) struct Winograd(Method);

enum Method {
    Large(Tiled<4, 6>),
    Small(Tiled<2, 4>),
}

/// The same of either method.
macro_rules! either {
    ($winograd:expr, $tiled:ident => $result:expr) => {
        match &$winograd.0 {
            Method::Large($tiled) => $result,
            Method::Small($tiled) => $result,
        }
    };
}

impl Winograd {
    /// For source and target axes of this shape, from `depth` to `width` channels, if one of the methods is worth it.
    /// Depends on the extents of an image only: the batch must not change its bits. `singly` says that images may come one by
    /// one, as they do to be predicted.
    pub(super) fn of(
        shape: &ConvShape,
        [rows, columns]: [&Axis; 2],
        depth: usize,
        width: usize,
        singly: bool,
    ) -> Option<Self> {
        let few = product(&[rows.target.div_ceil(TILE), columns.target.div_ceil(TILE)]) <= FEW_TILES;
        let costly = singly && few && product(&[FREQUENCIES, depth, width]) > MAX_KERNEL_OF_FEW_TILES;
        if suits::<4, 6>(shape, rows.target, columns.target) && !shape.strict && !costly {
            return Some(Winograd(Method::Large(Tiled::new(shape.batch, rows, columns, depth, width))));
        }
        suits::<2, 4>(shape, rows.target, columns.target)
            .then(|| Winograd(Method::Small(Tiled::new(shape.batch, rows, columns, depth, width))))
    }

    /// The same with the largest of each window of 2 x 2 target pixels in place of these.
    pub(super) fn pooled(self) -> Self {
        Winograd(match self.0 {
            Method::Large(tiled) => Method::Large(tiled.pooled()),
            Method::Small(tiled) => Method::Small(tiled.pooled()),
        })
    }

    /// The method's name, for people.
    pub(super) fn name(&self) -> &'static str {
        match self.0 {
            Method::Large(_) => "Winograd 4x4",
            Method::Small(_) => "Winograd 2x2",
        }
    }

    /// Elements of the packed kernel.
    pub(super) fn packed_len(&self) -> usize {
        either!(self, tiled => tiled.packed_len())
    }

    /// Packs a kernel `[3, 3, depth, width]`.
    pub(super) fn pack(&self, kernel: &[f32], packed: &mut [f32]) {
        either!(self, tiled => tiled.pack(kernel, packed));
    }

    /// Packs a kernel `[3, 3, width, depth]`, turned by half a circle.
    pub(super) fn pack_turned(&self, kernel: &[f32], packed: &mut [f32]) {
        either!(self, tiled => tiled.pack_turned(kernel, packed));
    }

    /// Elements of scratch memory for as many threads as there are now.
    pub(super) fn scratch_len(&self) -> usize {
        either!(self, tiled => tiled.scratch_len())
    }

    /// Computes `target` `[batch, rows, columns, width]` from `source` `[batch, rows, columns, depth]` and a packed
    /// kernel. `finished`, if there is no pooling, gets the parts of the target when they are final.
    pub(super) fn run<E: Epilogue>(
        &self,
        source: &[f32],
        packed: &[f32],
        target: &mut [f32],
        scratch: &mut [f32],
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        either!(self, tiled => tiled.run(source, packed, target, scratch, epilogue, finished));
    }
}

/// Whether an output (or gradient of the input) of `rows` x `columns` is worth computing with tiles of `T` x `T`.
fn suits<const T: usize, const P: usize>(shape: &ConvShape, rows: usize, columns: usize) -> bool {
    let channels = [shape.in_channels, shape.out_channels];
    let tiles = product(&[rows.div_ceil(T), columns.div_ceil(T)]);
    let max_kernel = if T == TILE { MAX_KERNEL } else { MAX_SMALL_KERNEL };
    shape.kernel == [3, 3]
        && shape.stride == [1, 1]
        && shape.dilation == [1, 1]
        && shape.groups == 1
        && channels.iter().all(|&channels| channels >= MIN_CHANNELS)
        && product(&[P * P, channels[0], channels[1]]) <= max_kernel
        && tiles >= MIN_TILES
        // At least half of what the tiles compute is wanted.
        && product(&[2, rows, columns]) >= tiles.saturating_mul(T * T)
}

/// Whether the gradient of the kernel is worth computing this way, with large tiles. It sums over the batch, which may count
/// here.
pub(super) fn suits_kernel_gradient(shape: &ConvShape) -> bool {
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let tiles = product(&[shape.batch, rows.div_ceil(TILE), columns.div_ceil(TILE)]);
    !shape.strict && suits::<TILE, PATCH>(shape, rows, columns) && tiles >= MIN_GRADIENT_TILES
}
