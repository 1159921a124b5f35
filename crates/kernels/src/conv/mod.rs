//! Two-dimensional convolution (cross-correlation, as in Keras) and its gradients, over NHWC images.
//!
//! 3 x 3 convolutions of many channels are computed by Winograd's method (`winograd`), with small tiles where
//! [`ConvShape::strict`] asks for that or large ones would make the kernel outgrow the cache. The choice depends on the extents of one image and of the kernel; only the gradient of the kernel looks at
//! the batch.
//!
//! Otherwise all three are products on the register tile of [`gemm`](crate::gemm), whose rows are pixels by pointer. The
//! forward pass and the gradient of the input are the same computation (`correlation`) with other taps: the gradient of
//! a convolution with stride `s` is `s x s` convolutions without stride, one for each phase of the input's grid. Zero
//! padding costs a copy of the image, made in bands that stay in the cache. Sums of nine products, of one channel, have a
//! kernel in registers instead (`thin`). Every element is one chain of multiply-adds in a fixed order.
//!
//! With either method an image's bits depend neither on the other images of the batch nor on the number of threads. The
//! gradient of the kernel sums over the batch in a fixed order.

mod axis;
mod band;
mod correlation;
mod forward;
mod input_gradient;
mod kernel_gradient;
mod rows;
mod shape;
#[cfg(test)]
pub(crate) mod tests;
mod thin;
mod winograd;

pub use forward::{
    forward, forward_pooled, forward_then, forward_with, pack_kernel, packed_kernel_layout, packed_kernel_len,
    pooled_scratch_len, scratch_len,
};
pub use input_gradient::{
    input_gradient, input_gradient_is_finished_in_cache, input_gradient_scratch_len, input_gradient_then,
    pack_kernel_for_gradient, packed_kernel_for_gradient_layout, packed_kernel_for_gradient_len,
};
pub use kernel_gradient::{kernel_gradient, kernel_gradient_scratch_len};
pub use shape::ConvShape;
pub(crate) use shape::product;
