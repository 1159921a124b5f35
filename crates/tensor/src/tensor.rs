//! Data with shape and type.

use crate::{Buffer, DType, ShapeError, View, byte_size, element_count};
use std::sync::Arc;

/// Dense, row-major, immutable data. Cloning shares the memory.
#[derive(Clone, Debug)]
pub struct Tensor {
    dtype: DType,
    shape: Vec<usize>,
    buffer: Arc<Buffer>,
}

impl Tensor {
    /// Zeros.
    pub fn zeros(dtype: DType, shape: &[usize]) -> Result<Self, ShapeError> {
        let buffer = Buffer::new(byte_size(dtype, shape)?)?;
        Ok(Self { dtype, shape: shape.to_vec(), buffer: Arc::new(buffer) })
    }

    /// A copy of `data`, which must hold exactly the shape's elements.
    pub fn new(dtype: DType, shape: &[usize], data: View<'_>) -> Result<Self, ShapeError> {
        if element_count(shape)? != data.len() {
            return Err(ShapeError::Length { shape: shape.to_vec(), received: data.len() });
        }
        Self::from_buffer(dtype, shape, Arc::new(Buffer::copy_of(data.bytes())?))
    }

    /// A tensor over memory that exists already. The buffer must hold exactly the shape's bytes.
    pub fn from_buffer(dtype: DType, shape: &[usize], buffer: Arc<Buffer>) -> Result<Self, ShapeError> {
        if byte_size(dtype, shape)? != buffer.len() {
            return Err(ShapeError::Length { shape: shape.to_vec(), received: buffer.len() / dtype.size() });
        }
        Ok(Self { dtype, shape: shape.to_vec(), buffer })
    }

    /// A float32 scalar, shape `[]`.
    pub fn scalar(value: f32) -> Result<Self, ShapeError> {
        Self::new(DType::Float32, &[], View::F32(&[value]))
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Extents.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements.
    pub fn view(&self) -> View<'_> {
        self.buffer.view(self.dtype)
    }

    /// The memory below, shared.
    pub fn buffer(&self) -> &Arc<Buffer> {
        &self.buffer
    }

    /// Size in bytes.
    pub fn byte_len(&self) -> usize {
        self.buffer.len()
    }
}
