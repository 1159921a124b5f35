//! Prepared operands that are kept while the operand does not change: packed weights.

use crate::form::Form;
use ferrograph_graph::Step;
use ferrograph_tensor::{Buffer, DType, ShapeError};
use std::sync::Arc;

/// One preparation of one step.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The action whose step prepares, and which of its steps.
    pub action: usize,
    pub stage: usize,
    /// Which of the step's preparations.
    pub preparation: usize,
    /// The shared buffer that is prepared.
    pub shared: usize,
    /// Element type of the operand.
    pub dtype: DType,
    /// float32 elements of the prepared form.
    pub len: usize,
    /// What is kept, perhaps together with other plans.
    pub form: Arc<Form>,
}

impl Kept {
    /// The prepared form of the operand, whose value has this version; made now if another version was kept.
    pub(crate) fn get(&self, step: &dyn Step, operand: &Buffer, version: u64) -> Result<Arc<Buffer>, ShapeError> {
        let prepare = |form: &mut [f32]| step.prepare(self.preparation, operand.view(self.dtype), form);
        self.form.get(version, self.bytes(), prepare)
    }

    /// Bytes that a run would have to allocate for it.
    pub(crate) fn missing(&self) -> usize {
        if self.form.is_made() { 0 } else { self.bytes() }
    }

    fn bytes(&self) -> usize {
        self.len.saturating_mul(size_of::<f32>())
    }
}
