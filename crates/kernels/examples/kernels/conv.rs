//! Convolutions. Operations are counted as of a direct sum, so Winograd's method may exceed the peak.

use crate::report::{Floats, Work, measure};
use ferrograph_kernels::conv::{ConvShape, forward, pack_kernel, packed_kernel_len, scratch_len};

/// Batch, extent of the image, channels in and out, of 3 x 3 kernels with stride 1: the stages of `ResNet` for one image, and
/// layers of small networks for batches.
const SAME: [[usize; 4]; 8] = [
    [1, 56, 64, 64],
    [1, 28, 128, 128],
    [1, 14, 256, 256],
    [1, 7, 512, 512],
    [32, 32, 32, 64],
    [32, 32, 64, 64],
    [1, 32, 3, 64],
    [64, 28, 1, 32],
];

/// The same of kernels of one pixel, as `MobileNet` and `ResNet` have.
const POINTWISE: [[usize; 4]; 5] =
    [[1, 112, 32, 16], [1, 56, 24, 144], [1, 56, 64, 256], [1, 28, 192, 32], [1, 14, 384, 64]];

pub fn report() {
    for [batch, extent, channels, filters] in SAME {
        let shape = |strict| same(batch, extent, channels, filters, 3, strict);
        convolution("conv 3x3", shape(false));
        convolution("conv 3x3, strict", shape(true));
        // The same sums directly: Winograd's method needs neighbouring taps.
        convolution("conv 3x3, dilation 2", ConvShape { dilation: [2; 2], padding: [[2; 2]; 2], ..shape(false) });
    }
    for [batch, extent, channels, filters] in POINTWISE {
        convolution("conv 1x1", same(batch, extent, channels, filters, 1, false));
    }
    let stem = same(1, 224, 3, 64, 7, false);
    convolution("conv 7x7, stride 2", ConvShape { stride: [2, 2], padding: [[3, 2], [3, 2]], ..stem });
}

fn same(batch: usize, extent: usize, channels: usize, filters: usize, kernel: usize, strict: bool) -> ConvShape {
    ConvShape {
        batch,
        height: extent,
        width: extent,
        in_channels: channels,
        out_channels: filters,
        kernel: [kernel; 2],
        stride: [1; 2],
        dilation: [1; 2],
        padding: [[kernel / 2; 2]; 2],
        groups: 1,
        strict,
        in_batches: false,
    }
}

fn convolution(name: &str, shape: ConvShape) {
    let ConvShape { batch, height, width, in_channels, out_channels, kernel: [kh, kw], .. } = shape;
    let (x, kernel) =
        (Floats::new(batch * height * width * in_channels), Floats::new(kh * kw * in_channels * out_channels));
    let outputs = batch * shape.out_height() * shape.out_width() * out_channels;
    let (mut packed, mut y) = (Floats::new(packed_kernel_len(&shape)), Floats::new(outputs));
    let mut scratch = Floats::new(scratch_len(&shape));
    pack_kernel(&shape, kernel.get(), packed.get_mut());
    let flops = Work::Flops((2 * outputs * kh * kw * in_channels) as f64);
    let extents = format!("{batch}x{height}x{width}x{in_channels}x{out_channels}");
    measure(name, &extents, flops, &[&x, &kernel], &mut y, |y| {
        forward(&shape, x.get(), packed.get(), y, scratch.get_mut());
    });
}
