//! Storage that outlives a run.

use ferrograph_tensor::{Buffer, DType, ShapeError, Tensor};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Named, typed storage: a weight, an optimizer slot, the state of a metric. Shared by every graph that reads it.
///
/// A run reads the value that stood when it began and writes the next value into a buffer of its own; the two change
/// places when the run has succeeded. So a run that fails changes nothing, and a reader never sees half an update.
#[derive(Debug)]
pub struct Variable {
    id: u64,
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    state: Mutex<State>,
    /// Held for the whole of a run that updates the variable.
    writer: Mutex<()>,
}

#[derive(Debug)]
struct State {
    value: Tensor,
    version: u64,
    spare: Option<Arc<Buffer>>,
}

/// A value that does not fit a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// The variable's name.
    pub name: String,
    /// Its type and shape.
    pub expected: (DType, Vec<usize>),
    /// What was to be assigned.
    pub received: (DType, Vec<usize>),
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, received } = self;
        write!(f, "variable '{name}': expected {}{:?}, received {}{:?}", expected.0, expected.1, received.0, received.1)
    }
}

impl std::error::Error for VariableError {}

impl Variable {
    /// A variable with its first value.
    pub fn new(name: impl Into<String>, value: Tensor) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            dtype: value.dtype(),
            shape: value.shape().to_vec(),
            state: Mutex::new(State { value, version: 0, spare: None }),
            writer: Mutex::new(()),
        }
    }

    /// A number that no other variable of the process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The name, for messages and the text form.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Extents.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The value now, with the number of changes that led to it. The memory is shared, not copied.
    pub fn read(&self) -> (Tensor, u64) {
        let state = self.state();
        (state.value.clone(), state.version)
    }

    /// As [`Self::read`], of the memory alone; allocates nothing.
    pub fn read_buffer(&self) -> (Arc<Buffer>, u64) {
        let state = self.state();
        (state.value.buffer().clone(), state.version)
    }

    /// Replaces the value.
    pub fn assign(&self, value: Tensor) -> Result<(), VariableError> {
        if value.dtype() != self.dtype || value.shape() != self.shape {
            return Err(VariableError {
                name: self.name.clone(),
                expected: (self.dtype, self.shape.clone()),
                received: (value.dtype(), value.shape().to_vec()),
            });
        }
        let mut state = self.state();
        state.value = value;
        state.version += 1;
        Ok(())
    }

    /// Keeps other updating runs out until the guard is dropped. Take the guards of several variables in the order of
    /// their ids.
    pub fn lock_for_update(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer for the next value, with arbitrary contents.
    pub fn take_spare(&self) -> Result<Buffer, ShapeError> {
        let spare = self.state().spare.take();
        match spare.map(Arc::try_unwrap) {
            Some(Ok(buffer)) => Ok(buffer),
            // A run that began earlier still reads it.
            Some(Err(_)) | None => Buffer::new(ferrograph_tensor::byte_size(self.dtype, &self.shape)?),
        }
    }

    /// Makes `next` the value and keeps the former value's buffer as the spare.
    pub fn commit(&self, next: Buffer) -> Result<(), ShapeError> {
        let value = Tensor::from_buffer(self.dtype, &self.shape, Arc::new(next))?;
        let mut state = self.state();
        let former = std::mem::replace(&mut state.value, value);
        state.spare = Some(former.buffer().clone());
        state.version += 1;
        Ok(())
    }

    /// Gives back a buffer from [`Self::take_spare`] that was not used.
    pub fn return_spare(&self, buffer: Buffer) {
        self.state().spare = Some(Arc::new(buffer));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_and_reuses_the_former_buffer() {
        let variable = Variable::new("w", Tensor::zeros(DType::Float32, &[2]).unwrap());
        let (held, version) = variable.read();
        let mut next = variable.take_spare().unwrap();
        next.view_mut(DType::Float32).f32().copy_from_slice(&[1.0, 2.0]);
        variable.commit(next).unwrap();
        assert_eq!((variable.read().0.view().f32(), variable.read().1), ([1.0, 2.0].as_slice(), version + 1));
        assert_eq!(held.view().f32(), [0.0, 0.0], "a reader keeps the value it began with");
        // The former buffer is still read, so the next update gets fresh memory.
        assert_ne!(variable.take_spare().unwrap().bytes().as_ptr(), held.buffer().bytes().as_ptr());
    }

    #[test]
    fn refuses_another_shape() {
        let variable = Variable::new("w", Tensor::zeros(DType::Float32, &[2]).unwrap());
        let error = variable.assign(Tensor::zeros(DType::Float32, &[3]).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "variable 'w': expected float32[2], received float32[3]");
    }
}
