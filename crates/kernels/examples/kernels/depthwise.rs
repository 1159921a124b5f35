//! Convolutions of each channel on its own: the stages of `MobileNet`.

use crate::report::{Floats, Work, measure};
use ferrograph_kernels::conv::ConvShape;
use ferrograph_kernels::depthwise::forward;

/// Batch, extent of the image and channels, of 3 x 3 kernels.
const SHAPES: [[usize; 3]; 6] = [[1, 112, 32], [1, 56, 144], [1, 28, 192], [1, 14, 576], [1, 7, 960], [32, 32, 64]];

pub fn report() {
    for [batch, extent, channels] in SHAPES {
        for stride in [1, 2] {
            let shape = ConvShape {
                batch,
                height: extent,
                width: extent,
                in_channels: channels,
                out_channels: channels,
                kernel: [3; 2],
                stride: [stride; 2],
                dilation: [1; 2],
                padding: [[1; 2]; 2],
                groups: channels,
                strict: false,
                in_batches: false,
            };
            let (x, kernel) = (Floats::new(batch * extent * extent * channels), Floats::new(9 * channels));
            let outputs = batch * shape.out_height() * shape.out_width() * channels;
            let mut y = Floats::new(outputs);
            let name = format!("depthwise 3x3, stride {stride}");
            let extents = format!("{batch}x{extent}x{extent}x{channels}");
            measure(&name, &extents, Work::Flops((2 * 9 * outputs) as f64), &[&x, &kernel], &mut y, |y| {
                forward(&shape, x.get(), kernel.get(), y);
            });
        }
    }
}
