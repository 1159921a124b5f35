//! The gradient of the input.

use super::ConvShape;
use super::axis::Axis;
use super::correlation::Correlation;
use super::shape::product;
use super::winograd::Winograd;
use crate::gemm::{Identity, Matrix, pack_steps, packed_layout, packed_len};
use crate::parallel::{Finished, finish};

/// The phases of the input's grid: positions with the same remainder by the stride, for rows and columns.
fn phases(shape: &ConvShape) -> impl Iterator<Item = (Axis, Axis)> {
    shape.assert_valid();
    let count = |axis: usize, extent: usize| shape.stride[axis].min(extent);
    let (rows, columns) = (count(0, shape.height), count(1, shape.width));
    (0..rows).flat_map(move |y| (0..columns).map(move |x| (Axis::gradient(shape, 0, y), Axis::gradient(shape, 1, x))))
}

fn correlation(shape: &ConvShape, (rows, columns): (Axis, Axis)) -> Correlation {
    Correlation::new(shape.batch, rows, columns, shape.groups, shape.group_out(), shape.group_in())
}

/// The correlation by Winograd's method, where it is worth it: chosen by the extents of one image.
fn by_winograd(shape: &ConvShape) -> Option<Winograd> {
    // The axes of what has no output have no taps.
    if shape.stride != [1, 1] || shape.out_height() == 0 || shape.out_width() == 0 {
        return None;
    }
    let (rows, columns) = (Axis::gradient(shape, 0, 0), Axis::gradient(shape, 1, 0));
    Winograd::of(shape, [&rows, &columns], shape.out_channels, shape.in_channels, false)
}

/// Elements of a kernel packed for [`input_gradient`].
pub fn packed_kernel_for_gradient_len(shape: &ConvShape) -> usize {
    if let Some(winograd) = by_winograd(shape) {
        return winograd.packed_len();
    }
    phases(shape).fold(0, |sum, phase| sum.saturating_add(correlation(shape, phase).packed_len()))
}

/// How [`pack_kernel_for_gradient`] lays a kernel out at the current level, in the sense of
/// [`packed_kernel_layout`](super::packed_kernel_layout).
pub fn packed_kernel_for_gradient_layout(shape: &ConvShape) -> String {
    if let Some(winograd) = by_winograd(shape) {
        return format!("{}, {}", winograd.name(), packed_layout(shape.out_channels, shape.in_channels));
    }
    // The taps of each phase decide which steps its matrices have.
    let taps: Vec<_> = phases(shape).map(|(rows, columns)| (rows.kernel, columns.kernel)).collect();
    format!("direct, {} groups, taps {taps:?}, {}", shape.groups, packed_layout(shape.group_out(), shape.group_in()))
}

/// Packs `kernel` `[kh, kw, in_channels / groups, out_channels]` for [`input_gradient`].
pub fn pack_kernel_for_gradient(shape: &ConvShape, kernel: &[f32], packed: &mut [f32]) {
    assert_eq!(kernel.len(), shape.kernel_len());
    if let Some(winograd) = by_winograd(shape) {
        return winograd.pack_turned(kernel, packed);
    }
    let (group_in, group_out) = (shape.group_in(), shape.group_out());
    let mut rest = packed;
    for (rows, columns) in phases(shape) {
        let depth = product(&[rows.kernel.len(), columns.kernel.len(), group_out]);
        for group in 0..shape.groups {
            let (packed, after) = rest.split_at_mut(packed_len(depth, group_in));
            rest = after;
            if group_in == 0 {
                continue;
            }
            let taps = rows.kernel.iter().flat_map(|ky| columns.kernel.iter().map(move |kx| (ky, kx)));
            for (tap, (ky, kx)) in taps.enumerate() {
                let at = (ky * shape.kernel[1] + kx) * group_in * shape.out_channels + group * group_out;
                let matrix = Matrix { data: &kernel[at..], row_stride: 1, column_stride: shape.out_channels };
                pack_steps(depth, tap * group_out, group_out, group_in, matrix, packed);
            }
        }
    }
    assert!(rest.is_empty(), "packed has the length packed_kernel_for_gradient_len gives");
}

/// Elements of scratch memory [`input_gradient`] needs, in the sense of [`scratch_len`](super::scratch_len).
pub fn input_gradient_scratch_len(shape: &ConvShape) -> usize {
    if let Some(winograd) = by_winograd(shape) {
        return winograd.scratch_len();
    }
    phases(shape).map(|phase| correlation(shape, phase).scratch_len()).max().unwrap_or(0)
}

/// `dx` `[batch, height, width, in_channels]` from `dy` `[batch, out_height, out_width, out_channels]` and a kernel
/// from [`pack_kernel_for_gradient`]. Every element of `dx` is written; `scratch` may hold anything.
///
/// This is also the forward pass of a transposed convolution, from `dy` to `dx`.
pub fn input_gradient(shape: &ConvShape, dy: &[f32], packed_kernel: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
    run(shape, dy, packed_kernel, dx, scratch, None);
}

/// As [`input_gradient`]; `finished` gets the parts of `dx` when they are final.
pub fn input_gradient_then(
    shape: &ConvShape,
    dy: &[f32],
    packed_kernel: &[f32],
    dx: &mut [f32],
    scratch: &mut [f32],
    finished: Finished<'_>,
) {
    run(shape, dy, packed_kernel, dx, scratch, Some(finished));
}

/// Whether [`input_gradient_then`] hands out parts while they are in the cache.
pub fn input_gradient_is_finished_in_cache(shape: &ConvShape) -> bool {
    by_winograd(shape).is_some()
        || shape.stride == [1, 1] && phases(shape).all(|phase| correlation(shape, phase).is_finished_in_cache())
}

fn run(
    shape: &ConvShape,
    dy: &[f32],
    packed_kernel: &[f32],
    dx: &mut [f32],
    scratch: &mut [f32],
    finished: Option<Finished<'_>>,
) {
    assert_eq!(dx.len(), shape.x_len());
    if let Some(winograd) = by_winograd(shape) {
        return winograd.run(dy, packed_kernel, dx, scratch, Identity, finished);
    }
    // With a stride no phase alone makes whole parts.
    let (within, after_all) = if shape.stride == [1, 1] { (finished, None) } else { (None, finished) };
    let mut rest = packed_kernel;
    for phase in phases(shape) {
        let correlation = correlation(shape, phase);
        let (packed, after) = rest.split_at(correlation.packed_len());
        rest = after;
        correlation.run(dy, packed, dx, scratch, Identity, within);
    }
    if let Some(finished) = after_all {
        finish(dx, shape.in_channels, finished);
    }
}
