//! One axis of a correlation: which positions of the source each position of the target reads.

use super::ConvShape;

/// Target position `first + i * every`, for `i < count`, reads the source at `origin + i * step + tap` for every tap.
/// Positions outside `0 .. extent` read as zero.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Extent of the source.
    pub extent: usize,
    /// Extent of the target.
    pub target: usize,
    pub first: usize,
    pub every: usize,
    pub count: usize,
    pub origin: isize,
    pub step: usize,
    /// Ascending, the first is 0.
    pub taps: Vec<usize>,
    /// The kernel's index of each tap.
    pub kernel: Vec<usize>,
}

impl Axis {
    /// The forward pass: source is the input, target the output.
    pub(super) fn forward(shape: &ConvShape, axis: usize) -> Self {
        let target = [shape.out_height(), shape.out_width()][axis];
        // Without a target the other numbers do not matter and need not be representable.
        let kernel: Vec<_> = if target == 0 { Vec::new() } else { (0..shape.kernel[axis]).collect() };
        Axis {
            extent: [shape.height, shape.width][axis],
            target,
            first: 0,
            every: 1,
            count: target,
            origin: -(shape.padding[axis][0].min(isize::MAX as usize) as isize),
            step: shape.stride[axis],
            taps: kernel.iter().map(|k| k * shape.dilation[axis]).collect(),
            kernel,
        }
    }

    /// The gradient of the input, at positions `phase`, `phase + stride`, ...: source is the output, target the input.
    ///
    /// Output position `o` met input position `i` at kernel index `k` if `i + padding = o * stride + k * dilation`.
    pub(super) fn gradient(shape: &ConvShape, axis: usize, phase: usize) -> Self {
        let extent = [shape.out_height(), shape.out_width()][axis];
        let target = [shape.height, shape.width][axis];
        let (stride, dilation) = (shape.stride[axis], shape.dilation[axis]);
        // Larger kernel indices meet earlier outputs, so the taps ascend from the last index.
        let offset = |k: usize| {
            let reach = k as i128 * dilation as i128;
            phase as i128 + shape.padding[axis][0] as i128 - reach
        };
        let indices = if extent == 0 { 0 } else { shape.kernel[axis] };
        let meets: Vec<usize> = (0..indices).rev().filter(|&k| offset(k).rem_euclid(stride as i128) == 0).collect();
        let position = |k: usize| offset(k).div_euclid(stride as i128);
        let origin = meets.first().map_or(0, |&k| position(k));
        Axis {
            extent,
            target,
            first: phase,
            every: stride,
            count: target.saturating_sub(phase).div_ceil(stride),
            // In bounds: between the kernel's reach below 0 and the padded extent, both representable if there is output.
            origin: origin as isize,
            step: 1,
            taps: meets.iter().map(|&k| (position(k) - origin) as usize).collect(),
            kernel: meets,
        }
    }

    /// Source positions that one target position spans.
    pub(super) fn span(&self) -> usize {
        self.taps.last().map_or(0, |tap| tap + 1)
    }

    /// Source positions that `count` neighbouring target positions span.
    pub(super) fn reach(&self, count: usize) -> usize {
        if count == 0 || self.taps.is_empty() {
            0
        } else {
            (count - 1).saturating_mul(self.step).saturating_add(self.span())
        }
    }

    /// Whether nothing outside of the source is read.
    pub(super) fn is_inside(&self) -> bool {
        let reach = self.reach(self.count);
        reach == 0 || (self.origin >= 0 && (self.origin as usize).saturating_add(reach) <= self.extent)
    }

    /// Whether the taps are neighbours.
    pub(super) fn is_dense(&self) -> bool {
        self.taps.iter().enumerate().all(|(index, tap)| index == *tap)
    }
}
