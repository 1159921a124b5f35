//! Prepared operands that are kept while the operand does not change: packed weights.

use ferrograph_graph::Step;
use ferrograph_tensor::{Buffer, DType, ShapeError, View};
use std::sync::{Arc, Mutex, PoisonError};

/// One preparation of one step.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The action whose step prepares.
    pub action: usize,
    /// Which of the step's preparations.
    pub preparation: usize,
    /// The shared buffer that is prepared.
    pub shared: usize,
    /// Element type of the operand.
    pub dtype: DType,
    /// float32 elements of the prepared form.
    pub len: usize,
    made: Mutex<Option<Made>>,
}

/// The form of the operand's value of one version.
#[derive(Debug)]
struct Made {
    version: u64,
    form: Arc<Buffer>,
}

impl Kept {
    pub(crate) fn new(action: usize, preparation: usize, shared: usize, dtype: DType, len: usize) -> Self {
        Self { action, preparation, shared, dtype, len, made: Mutex::new(None) }
    }

    /// The prepared form of the operand, whose value has this version; made now if another version was kept.
    pub(crate) fn get(&self, step: &dyn Step, operand: &Buffer, version: u64) -> Result<Arc<Buffer>, ShapeError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = made.as_ref().filter(|kept| kept.version == version) {
            return Ok(kept.form.clone());
        }
        // The former form's memory is used again unless a run still reads it.
        let former = made.take().and_then(|kept| Arc::try_unwrap(kept.form).ok());
        let mut form = former.map_or_else(|| Buffer::new(self.bytes()), Ok)?;
        step.prepare(self.preparation, self.view(operand), form.view_mut(DType::Float32).f32());
        let form = Arc::new(form);
        *made = Some(Made { version, form: form.clone() });
        Ok(form)
    }

    /// Bytes that a run would have to allocate for it.
    pub(crate) fn missing(&self) -> usize {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.is_some() { 0 } else { self.bytes() }
    }

    fn bytes(&self) -> usize {
        self.len.saturating_mul(size_of::<f32>())
    }

    fn view<'a>(&self, operand: &'a Buffer) -> View<'a> {
        operand.view(self.dtype)
    }
}
