//! Data types, shapes, memory and tensors: what every other room stands on.
//!
//! A tensor here is dense and row-major; images are `[N, H, W, C]`. Memory is aligned, counted against one
//! process-wide budget and always allocated fallibly. This is one of the few crates that may hold `unsafe`.

mod arena;
mod budget;
mod buffer;
mod dtype;
#[cfg(feature = "guard-pages")]
pub mod guard;
mod shape;
mod shared;
mod tensor;
mod view;

pub use arena::{Arena, Inputs, Outputs, Part, Place, Region};
pub use budget::{allocated_bytes, memory_limit, set_memory_limit};
pub use buffer::Buffer;
pub use dtype::DType;
pub use shape::{MAX_RANK, ShapeError, byte_size, element_count, strides};
pub use shared::Shared;
pub use tensor::Tensor;
pub use view::{View, ViewMut};
