//! The forward pass.

use super::ConvShape;
use super::axis::Axis;
use super::correlation::Correlation;
use crate::gemm::{Epilogue, Identity, Matrix, pack};

fn correlation(shape: &ConvShape) -> Correlation {
    shape.assert_valid();
    let (rows, columns) = (Axis::forward(shape, 0), Axis::forward(shape, 1));
    Correlation::new(shape.batch, rows, columns, shape.groups, shape.group_in(), shape.group_out())
}

/// Elements of a kernel packed for [`forward`]. Depends on the [`Level`](ferrograph_simd::Level), not on the batch.
pub fn packed_kernel_len(shape: &ConvShape) -> usize {
    correlation(shape).packed_len()
}

/// Packs `kernel` `[kh, kw, in_channels / groups, out_channels]` for [`forward`].
pub fn pack_kernel(shape: &ConvShape, kernel: &[f32], packed: &mut [f32]) {
    let correlation = correlation(shape);
    assert_eq!(kernel.len(), shape.kernel_len());
    assert_eq!(packed.len(), correlation.packed_len(), "packed has the length packed_kernel_len gives");
    if packed.is_empty() {
        return;
    }
    let len = packed.len() / shape.groups;
    for (group, packed) in packed.chunks_exact_mut(len).enumerate() {
        let kernel = Matrix::row_major(&kernel[group * shape.group_out()..], shape.out_channels);
        pack(correlation.total_depth(), shape.group_out(), kernel, packed);
    }
}

/// Elements of scratch memory [`forward`] needs. With more threads than when this was asked it stays sufficient, and
/// not all of them are used.
pub fn scratch_len(shape: &ConvShape) -> usize {
    correlation(shape).scratch_len()
}

/// `y = conv(x, kernel)`: `x` is `[batch, height, width, in_channels]`, `packed_kernel` from [`pack_kernel`] and `y`
/// `[batch, out_height, out_width, out_channels]`. Every element of `y` is written; `scratch` may hold anything.
pub fn forward(shape: &ConvShape, x: &[f32], packed_kernel: &[f32], y: &mut [f32], scratch: &mut [f32]) {
    forward_with(shape, x, packed_kernel, y, scratch, Identity);
}

/// As [`forward`], with `epilogue` applied to every output element, by channel, before it is stored.
pub fn forward_with<E: Epilogue>(
    shape: &ConvShape,
    x: &[f32],
    packed_kernel: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
    epilogue: E,
) {
    correlation(shape).run(x, packed_kernel, y, scratch, epilogue);
}
