//! Convolution of each channel on its own, and its gradients, over NHWC images.
//!
//! A depthwise convolution is a [`ConvShape`] with as many groups as input channels. Its kernel is
//! `[kh, kw, channels, multiplier]`, and output channel `c * multiplier + m` is made of input channel `c`.
//!
//! There are no sums over channels, so the register tile of [`gemm`](crate::gemm) has nothing to do here: vectors lie
//! along the channels. 3 x 3 kernels with stride 1 or 2 and multiplier 1 slide a window of registers along the image
//! (`sliding`), so that each pixel is read once for a row of outputs; everything else is `plain`.
//!
//! Every element is one chain of multiply-adds in a fixed order, so an image's bits depend neither on the other images
//! of the batch nor on the number of threads.

mod kernel_gradient;
mod plain;
mod sliding;
mod stride_two;
#[cfg(test)]
mod tests;
mod window;

pub use kernel_gradient::{kernel_gradient, kernel_gradient_scratch_len};

use crate::conv::ConvShape;
use crate::elementwise::Clamped;
use crate::gemm::{Epilogue, Identity};
use crate::parallel::{Finished, finish};
use plain::Plain;
use sliding::Sliding;

/// Multiply-adds of a chunk, at least: some 10 microseconds.
const MIN_CHUNK: usize = 1 << 18;

/// `y` `[batch, out_height, out_width, channels * multiplier]` from `x` `[batch, height, width, channels]` and `kernel`
/// `[kh, kw, channels, multiplier]`. Every element of `y` is written.
pub fn forward(shape: &ConvShape, x: &[f32], kernel: &[f32], y: &mut [f32]) {
    run_forward(shape, x, kernel, y, None);
}

/// As [`forward`]; `finished` gets the parts of `y` when they are final.
pub fn forward_then(shape: &ConvShape, x: &[f32], kernel: &[f32], y: &mut [f32], finished: Finished<'_>) {
    run_forward(shape, x, kernel, y, Some(finished));
}

/// As [`forward`], with `clamped` applied to every element.
pub fn forward_with(shape: &ConvShape, x: &[f32], kernel: &[f32], y: &mut [f32], clamped: Clamped<'_>) {
    clamped.assert_fits(shape.out_channels);
    match Sliding::forward(shape) {
        Some(sliding) if !kernel.is_empty() => {
            assert_lengths(shape, x.len(), kernel.len(), y.len());
            sliding.run(x, kernel, y, clamped, None);
        }
        _ => forward_then(shape, x, kernel, y, &|_, part| clamped.apply_to(part)),
    }
}

fn run_forward(shape: &ConvShape, x: &[f32], kernel: &[f32], y: &mut [f32], finished: Option<Finished<'_>>) {
    assert_lengths(shape, x.len(), kernel.len(), y.len());
    if kernel.is_empty() {
        y.fill(0.0);
        if let Some(finished) = finished {
            finish(y, shape.out_channels, finished);
        }
        return;
    }
    match Sliding::forward(shape) {
        Some(sliding) => sliding.run(x, kernel, y, Identity, finished),
        None => Plain::forward(shape).run(x, kernel, y, finished),
    }
}

/// `dx` `[batch, height, width, channels]` from `dy` `[batch, out_height, out_width, channels * multiplier]` and
/// `kernel` `[kh, kw, channels, multiplier]`. Every element of `dx` is written.
pub fn input_gradient(shape: &ConvShape, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
    run_input_gradient(shape, dy, kernel, dx, None);
}

/// As [`input_gradient`]; `finished` gets the parts of `dx` when they are final.
pub fn input_gradient_then(shape: &ConvShape, dy: &[f32], kernel: &[f32], dx: &mut [f32], finished: Finished<'_>) {
    run_input_gradient(shape, dy, kernel, dx, Some(finished));
}

fn run_input_gradient(shape: &ConvShape, dy: &[f32], kernel: &[f32], dx: &mut [f32], finished: Option<Finished<'_>>) {
    assert_lengths(shape, dx.len(), kernel.len(), dy.len());
    if kernel.is_empty() || dy.is_empty() {
        dx.fill(0.0);
        if let Some(finished) = finished {
            finish(dx, shape.in_channels, finished);
        }
        return;
    }
    match Sliding::input_gradient(shape) {
        Some(sliding) => sliding.run(dy, kernel, dx, Identity, finished),
        None => Plain::input_gradient(shape).run(dy, kernel, dx, finished),
    }
}

fn assert_lengths(shape: &ConvShape, x: usize, kernel: usize, y: usize) {
    shape.assert_valid();
    assert_eq!(shape.groups, shape.in_channels.max(1), "as many groups as channels");
    assert_eq!(x, shape.x_len());
    assert_eq!(kernel, shape.kernel_len());
    assert_eq!(y, shape.y_len());
}

/// Output channels of an input channel.
fn multiplier(shape: &ConvShape) -> usize {
    shape.out_channels / shape.in_channels.max(1)
}
