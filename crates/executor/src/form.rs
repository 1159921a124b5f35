//! The prepared form of one operand, for one plan or for all that prepare it alike.

use ferrograph_graph::Variable;
use ferrograph_tensor::{Buffer, DType, ShapeError};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

/// Forms by the variable's id, the step's key and the number of elements. They live as long as a plan uses them; entries
/// of those that do not are cleared away when the next form is added.
type Forms = HashMap<(u64, String, usize), Weak<Form>>;

static SHARED: LazyLock<Mutex<Forms>> = LazyLock::new(Mutex::default);

/// A prepared form, once it is made.
#[derive(Debug, Default)]
pub(crate) struct Form {
    made: Mutex<Option<Made>>,
}

/// The form of the operand's value of one version.
#[derive(Debug)]
struct Made {
    version: u64,
    buffer: Arc<Buffer>,
}

impl Form {
    /// The form of `len` elements that all steps with this key have in common.
    pub(crate) fn shared(variable: &Variable, key: String, len: usize) -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (variable.id(), key, len);
        if let Some(form) = shared.get(&key).and_then(Weak::upgrade) {
            return form;
        }
        shared.retain(|_, form| form.strong_count() > 0);
        let form = Arc::default();
        shared.insert(key, Arc::downgrade(&form));
        form
    }

    /// The form of the value of this version: the kept one, or what `prepare` makes. Runs that want the same version wait
    /// for the first of them.
    pub(crate) fn get(
        &self,
        version: u64,
        bytes: usize,
        prepare: impl FnOnce(&mut [f32]),
    ) -> Result<Arc<Buffer>, ShapeError> {
        let mut made = self.lock();
        if let Some(kept) = made.as_ref().filter(|kept| kept.version == version) {
            return Ok(kept.buffer.clone());
        }
        // The former form's memory is used again unless a run still reads it.
        let former = made.take().and_then(|kept| Arc::try_unwrap(kept.buffer).ok());
        let mut buffer = former.map_or_else(|| Buffer::new(bytes), Ok)?;
        prepare(buffer.view_mut(DType::Float32).f32());
        let buffer = Arc::new(buffer);
        *made = Some(Made { version, buffer: buffer.clone() });
        Ok(buffer)
    }

    /// Whether a form of any version is kept.
    pub(crate) fn is_made(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
