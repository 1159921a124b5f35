//! Two-dimensional convolution.

/// What is convolved with what. Images are NHWC, the kernel is `[kh, kw, in_channels / groups, out_channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Input rows.
    pub height: usize,
    /// Input columns.
    pub width: usize,
    /// Input channels.
    pub in_channels: usize,
    /// Output channels.
    pub out_channels: usize,
    /// Kernel rows and columns.
    pub kernel: [usize; 2],
    /// Strides along rows and columns.
    pub stride: [usize; 2],
    /// Dilations along rows and columns.
    pub dilation: [usize; 2],
    /// Zero padding `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Channel groups.
    pub groups: usize,
}
impl ConvShape {
    fn out(&self, axis: usize, extent: usize) -> usize {
        let span = (self.kernel[axis].saturating_sub(1)) * self.dilation[axis] + 1;
        let padded = extent + self.padding[axis][0] + self.padding[axis][1];
        if padded < span || self.kernel[axis] == 0 { 0 } else { (padded - span) / self.stride[axis] + 1 }
    }
    /// Output rows.
    pub fn out_height(&self) -> usize {
        self.out(0, self.height)
    }
    /// Output columns.
    pub fn out_width(&self) -> usize {
        self.out(1, self.width)
    }
    fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * (self.in_channels / self.groups) * self.out_channels
    }
    /// `(input, kernel, output)` offsets of every product.
    fn visit(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (oh, ow, cg, og) = (self.out_height(), self.out_width(), self.in_channels / self.groups, self.out_channels / self.groups);
        for n in 0..self.batch { for oy in 0..oh { for ox in 0..ow { for ky in 0..self.kernel[0] { for kx in 0..self.kernel[1] {
            let (iy, ix) = (oy * self.stride[0] + ky * self.dilation[0], ox * self.stride[1] + kx * self.dilation[1]);
            let (Some(iy), Some(ix)) = (iy.checked_sub(self.padding[0][0]), ix.checked_sub(self.padding[1][0])) else { continue };
            if iy >= self.height || ix >= self.width { continue; }
            for o in 0..self.out_channels { let g = o / og; for c in 0..cg {
                f(((n * self.height + iy) * self.width + ix) * self.in_channels + g * cg + c, ((ky * self.kernel[1] + kx) * cg + c) * self.out_channels + o, ((n * oh + oy) * ow + ox) * self.out_channels + o);
            } }
        } } } } }
    }
}
/// Elements of a kernel packed for [`forward`].
pub fn packed_kernel_len(shape: &ConvShape) -> usize {
    shape.kernel_len()
}
/// Packs a kernel for [`forward`].
pub fn pack_kernel(_shape: &ConvShape, kernel: &[f32], packed: &mut [f32]) {
    packed.copy_from_slice(kernel);
}
/// Elements of scratch memory [`forward`] needs.
pub fn scratch_len(_shape: &ConvShape) -> usize {
    0
}
/// `y = conv(x, kernel)`.
pub fn forward(shape: &ConvShape, x: &[f32], packed_kernel: &[f32], y: &mut [f32], _scratch: &mut [f32]) {
    y.fill(0.0);
    shape.visit(|i, k, o| y[o] += x[i] * packed_kernel[k]);
}
/// Elements of a kernel packed for [`input_gradient`].
pub fn packed_kernel_for_gradient_len(shape: &ConvShape) -> usize {
    shape.kernel_len()
}
/// Packs a kernel for [`input_gradient`].
pub fn pack_kernel_for_gradient(_shape: &ConvShape, kernel: &[f32], packed: &mut [f32]) {
    packed.copy_from_slice(kernel);
}
/// Elements of scratch memory [`input_gradient`] needs.
pub fn input_gradient_scratch_len(_shape: &ConvShape) -> usize {
    0
}
/// `dx` from `dy`; every element of `dx` is written.
pub fn input_gradient(shape: &ConvShape, dy: &[f32], packed_kernel: &[f32], dx: &mut [f32], _scratch: &mut [f32]) {
    dx.fill(0.0);
    shape.visit(|i, k, o| dx[i] += dy[o] * packed_kernel[k]);
}
/// Elements of scratch memory [`kernel_gradient`] needs.
pub fn kernel_gradient_scratch_len(_shape: &ConvShape) -> usize {
    0
}
/// `dw` (laid out as the kernel) from `x` and `dy`; every element of `dw` is written.
pub fn kernel_gradient(shape: &ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32], _scratch: &mut [f32]) {
    dw.fill(0.0);
    shape.visit(|i, k, o| dw[k] += x[i] * dy[o]);
}
