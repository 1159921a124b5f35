//! The forward pass.

use super::ConvShape;
use super::axis::Axis;
use super::correlation::Correlation;
use super::winograd::Winograd;
use crate::gemm::{Epilogue, Identity, Matrix, pack, packed_layout};
use crate::parallel::Finished;

/// How the forward pass is computed.
enum Method {
    Direct(Correlation),
    Winograd(Winograd),
}

impl Method {
    /// Chosen by the extents of one image.
    fn of(shape: &ConvShape) -> Self {
        shape.assert_valid();
        let (rows, columns) = (Axis::forward(shape, 0), Axis::forward(shape, 1));
        let (depth, width, singly) = (shape.in_channels, shape.out_channels, !shape.in_batches);
        if let Some(winograd) = Winograd::of(shape, [&rows, &columns], depth, width, singly) {
            return Method::Winograd(winograd);
        }
        let (depth, width) = (shape.group_in(), shape.group_out());
        Method::Direct(Correlation::new(shape.batch, rows, columns, shape.groups, depth, width))
    }

    /// The same with the largest of each window of 2 x 2 results in place of these, if it is known.
    fn pooled(self) -> Option<Self> {
        match self {
            Method::Direct(correlation) => correlation.pooled().map(Method::Direct),
            Method::Winograd(winograd) => Some(Method::Winograd(winograd.pooled())),
        }
    }

    fn scratch_len(&self) -> usize {
        match self {
            Method::Direct(correlation) => correlation.scratch_len(),
            Method::Winograd(winograd) => winograd.scratch_len(),
        }
    }

    /// `finished` only without pooling.
    fn run<E: Epilogue>(
        &self,
        x: &[f32],
        packed_kernel: &[f32],
        y: &mut [f32],
        scratch: &mut [f32],
        epilogue: E,
        finished: Option<Finished<'_>>,
    ) {
        match self {
            Method::Direct(correlation) => correlation.run(x, packed_kernel, y, scratch, epilogue, finished),
            Method::Winograd(winograd) => winograd.run(x, packed_kernel, y, scratch, epilogue, finished),
        }
    }
}

/// Elements of a kernel packed for [`forward`]. Depends on the [`Level`](ferrograph_simd::Level), not on the batch.
pub fn packed_kernel_len(shape: &ConvShape) -> usize {
    match Method::of(shape) {
        Method::Direct(correlation) => correlation.packed_len(),
        Method::Winograd(winograd) => winograd.packed_len(),
    }
}

/// How [`pack_kernel`] lays a kernel out at the current level: shapes with the same answer pack a kernel of given extents
/// to the same form.
pub fn packed_kernel_layout(shape: &ConvShape) -> String {
    match Method::of(shape) {
        Method::Direct(correlation) => {
            let layout = packed_layout(correlation.total_depth(), shape.group_out());
            format!("direct, {} groups, {layout}", shape.groups)
        }
        Method::Winograd(winograd) => {
            format!("{}, {}", winograd.name(), packed_layout(shape.in_channels, shape.out_channels))
        }
    }
}

/// Packs `kernel` `[kh, kw, in_channels / groups, out_channels]` for [`forward`].
pub fn pack_kernel(shape: &ConvShape, kernel: &[f32], packed: &mut [f32]) {
    assert_eq!(kernel.len(), shape.kernel_len());
    let correlation = match Method::of(shape) {
        Method::Direct(correlation) => correlation,
        Method::Winograd(winograd) => return winograd.pack(kernel, packed),
    };
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
    Method::of(shape).scratch_len()
}

/// `y = conv(x, kernel)`: `x` is `[batch, height, width, in_channels]`, `packed_kernel` from [`pack_kernel`] and `y`
/// `[batch, out_height, out_width, out_channels]`. Every element of `y` is written; `scratch` may hold anything.
pub fn forward(shape: &ConvShape, x: &[f32], packed_kernel: &[f32], y: &mut [f32], scratch: &mut [f32]) {
    forward_with(shape, x, packed_kernel, y, scratch, Identity);
}

/// As [`forward`]; `finished` gets the parts of `y` when they are final.
pub fn forward_then(
    shape: &ConvShape,
    x: &[f32],
    packed_kernel: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
    finished: Finished<'_>,
) {
    Method::of(shape).run(x, packed_kernel, y, scratch, Identity, Some(finished));
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
    Method::of(shape).run(x, packed_kernel, y, scratch, epilogue, None);
}

/// Elements of scratch memory [`forward_pooled`] needs, if there is such a method for this shape: then as for [`scratch_len`].
pub fn pooled_scratch_len(shape: &ConvShape) -> Option<usize> {
    Some(Method::of(shape).pooled()?.scratch_len())
}

/// As [`forward_with`] and then [`pooling::max_forward`](crate::pooling::max_forward) over windows of 2 x 2 pixels side by
/// side, with the same bits: `y` is `[batch, out_height / 2, out_width / 2, out_channels]`. The image between the two is never
/// in memory: a first layer of a single channel takes 0.6 of the time.
///
/// Panics where [`pooled_scratch_len`] is `None`.
pub fn forward_pooled<E: Epilogue>(
    shape: &ConvShape,
    x: &[f32],
    packed_kernel: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
    epilogue: E,
) {
    let method = Method::of(shape).pooled().expect("pooled_scratch_len says that there is a method");
    method.run(x, packed_kernel, y, scratch, epilogue, None);
}
