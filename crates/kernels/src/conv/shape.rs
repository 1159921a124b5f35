//! The extents of a convolution.

/// What is convolved with what. Images are NHWC, the kernel is `[kh, kw, in_channels / groups, out_channels]`.
///
/// Pairs are rows (height) first, then columns (width).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Input rows.
    pub height: usize,
    /// Input columns.
    pub width: usize,
    /// Input channels, a multiple of `groups`.
    pub in_channels: usize,
    /// Output channels, a multiple of `groups`.
    pub out_channels: usize,
    /// Kernel extents.
    pub kernel: [usize; 2],
    /// Strides, at least 1.
    pub stride: [usize; 2],
    /// Dilations, at least 1.
    pub dilation: [usize; 2],
    /// Zero padding `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Channel groups, at least 1: output channels of group `g` see input channels of group `g` only.
    pub groups: usize,
    /// The error is no larger than that of plain sums of products. Otherwise 3 x 3 kernels may be computed by Winograd's
    /// method with large tiles, whose error is about twice as large.
    pub strict: bool,
    /// Images come many at a time: what costs a single image more than it saves in many may be done. A prediction's bits must
    /// not depend on its neighbours, so this says what is to be expected, not how many there are.
    pub in_batches: bool,
}

impl ConvShape {
    /// Output rows: 0 where the kernel does not fit into the padded image, or the extents are not representable.
    pub fn out_height(&self) -> usize {
        self.out_extent(0).unwrap_or(0)
    }

    /// Output columns, as [`out_height`](Self::out_height).
    pub fn out_width(&self) -> usize {
        self.out_extent(1).unwrap_or(0)
    }

    fn out_extent(&self, axis: usize) -> Option<usize> {
        let extent = [self.height, self.width][axis];
        let [before, after] = self.padding[axis];
        let padded = extent.checked_add(before)?.checked_add(after)?;
        let reach = self.kernel[axis].checked_sub(1)?.checked_mul(self.dilation[axis])?;
        let room = padded.checked_sub(reach.checked_add(1)?)?;
        room.checked_div(self.stride[axis])?.checked_add(1)
    }

    pub(crate) fn x_len(&self) -> usize {
        product(&[self.batch, self.height, self.width, self.in_channels])
    }
    pub(crate) fn y_len(&self) -> usize {
        product(&[self.batch, self.out_height(), self.out_width(), self.out_channels])
    }
    pub(crate) fn kernel_len(&self) -> usize {
        product(&[self.kernel[0], self.kernel[1], self.group_in(), self.out_channels])
    }
    /// Input channels of a group.
    pub(crate) fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }
    /// Output channels of a group.
    pub(crate) fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    /// Panics unless the numbers that are divided by are at least 1 and the groups divide the channels.
    pub(crate) fn assert_valid(&self) {
        assert!(self.stride.iter().chain(&self.dilation).all(|&n| n > 0), "strides and dilations are at least 1");
        assert!(self.groups > 0, "there is at least one group");
        assert!(
            self.in_channels.is_multiple_of(self.groups) && self.out_channels.is_multiple_of(self.groups),
            "the groups divide the channels"
        );
    }
}

/// The product, or `usize::MAX` where it is not representable (so that it equals no slice's length).
pub(crate) fn product(extents: &[usize]) -> usize {
    if extents.contains(&0) { 0 } else { extents.iter().fold(1, |product, extent| product.saturating_mul(*extent)) }
}
