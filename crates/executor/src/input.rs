//! What runs are given.

use ferrograph_tensor::{DType, Shared, Tensor};

/// What a run is given for one input: dense, row-major elements of which there are as many as the shape says.
pub trait RunInput {
    /// Element type.
    fn dtype(&self) -> DType;
    /// Extents.
    fn shape(&self) -> &[usize];
    /// The elements, which stay as they are while the run lasts.
    fn memory(&self) -> Shared<'_>;
}

impl RunInput for Tensor {
    fn dtype(&self) -> DType {
        self.dtype()
    }

    fn shape(&self) -> &[usize] {
        self.shape()
    }

    fn memory(&self) -> Shared<'_> {
        Shared::Kept(self.buffer().clone())
    }
}
