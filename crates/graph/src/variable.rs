//! Storage that outlives a run.

use ferrograph_tensor::{Buffer, DType, ShapeError, Tensor};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Named, typed storage: a weight, an optimizer slot, the state of a metric. Shared by every graph that reads it.
///
/// A run reads the value that stood when it began and writes the next value into a buffer of its own; the two change
/// places when the run has succeeded. So a run that fails changes nothing, and a reader never sees half an update.
///
/// Or a run takes the value away, changes it where it lies and gives it back ([`Self::take_value`],
/// [`Self::take_or_copy`]), once nothing can make it fail any more. A reader then waits. That is for state of optimizers,
/// which predictions do not read, and for what is changed at the end of a run.
#[derive(Debug)]
pub struct Variable {
    id: u64,
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    state: Mutex<State>,
    /// Told when a value that was taken is back.
    back: Condvar,
    /// Held for the whole of a run that updates the variable.
    writer: Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// `None` while a run changes it.
    value: Option<Tensor>,
    version: u64,
    /// Memory for the next value.
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
            state: Mutex::new(State { value: Some(value), version: 0, spare: None }),
            back: Condvar::new(),
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

    /// The value now, with the number of changes that led to it. The memory is shared, not copied. Waits while a run changes
    /// the value where it lies.
    pub fn read(&self) -> (Tensor, u64) {
        let mut state = self.state();
        loop {
            if let Some(value) = &state.value {
                return (value.clone(), state.version);
            }
            state = self.back.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As [`Self::read`], with `None` instead of waiting.
    pub fn try_read(&self) -> Option<(Tensor, u64)> {
        let state = self.state();
        state.value.clone().map(|value| (value, state.version))
    }

    /// As [`Self::try_read`], of the memory alone; allocates nothing.
    pub fn try_read_buffer(&self) -> Option<(Arc<Buffer>, u64)> {
        let state = self.state();
        state.value.as_ref().map(|value| (value.buffer().clone(), state.version))
    }

    /// As [`Self::read`], of the memory alone.
    pub fn read_buffer(&self) -> (Arc<Buffer>, u64) {
        let (value, version) = self.read();
        (value.buffer().clone(), version)
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
        state.value = Some(value);
        state.version += 1;
        self.back.notify_all();
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

    /// Takes the value away, to be changed where it lies, with its version; where somebody else holds it, a copy. Until
    /// [`Self::commit`] or [`Self::give_back`] readers wait. Only for who holds [`Self::lock_for_update`], and nothing is
    /// taken if there is no memory for a copy.
    pub fn take_value(&self) -> Result<(Buffer, u64), ShapeError> {
        let mut state = self.state();
        // Whoever changes the value where it lies needs no second buffer.
        state.spare = None;
        match state.take() {
            Ok(buffer) => Ok((buffer, state.version)),
            Err(shared) => {
                let copy = Buffer::copy_of(shared.bytes());
                if copy.is_err() {
                    state.value = Some(self.tensor(shared));
                }
                Ok((copy?, state.version))
            }
        }
    }

    /// As [`Self::take_value`] without an error: what somebody else holds is copied to `spare`, and no reader waits. It is the
    /// value of now, with what was assigned since the run began.
    pub fn take_or_copy(&self, mut spare: Buffer) -> Buffer {
        let mut state = self.state();
        match state.take() {
            Ok(buffer) => {
                state.spare = Some(Arc::new(spare));
                buffer
            }
            Err(shared) => {
                state.value = Some(self.tensor(shared.clone()));
                drop(state);
                spare.bytes_mut().copy_from_slice(shared.bytes());
                spare
            }
        }
    }

    /// Makes `next` the value and keeps the former value's buffer, if it was not taken, as the spare. The new version.
    pub fn commit(&self, next: Buffer) -> Result<u64, ShapeError> {
        let value = Tensor::from_buffer(self.dtype, &self.shape, Arc::new(next))?;
        let mut state = self.state();
        if let Some(former) = state.value.replace(value) {
            state.spare = Some(former.buffer().clone());
        }
        state.version += 1;
        self.back.notify_all();
        Ok(state.version)
    }

    /// Gives back a buffer that was taken and shall not become the next value: it is the value again if that was taken and
    /// no other was assigned, or the spare.
    pub fn give_back(&self, buffer: Buffer) {
        let buffer = Arc::new(buffer);
        let mut state = self.state();
        if state.value.is_none() {
            state.value = Some(self.tensor(buffer));
            state.version += 1;
            self.back.notify_all();
        } else {
            state.spare = Some(buffer);
        }
    }

    /// A buffer that was the value as a tensor.
    fn tensor(&self, buffer: Arc<Buffer>) -> Tensor {
        let Ok(value) = Tensor::from_buffer(self.dtype, &self.shape, buffer) else { unreachable!("it was the value") };
        value
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the value; an error where somebody else holds it, too.
    fn take(&mut self) -> Result<Buffer, Arc<Buffer>> {
        let Some(value) = self.value.take() else { unreachable!("only one run at a time updates a variable") };
        let shared = value.buffer().clone();
        drop(value);
        Arc::try_unwrap(shared)
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
    fn a_value_that_is_held_is_copied_to_the_spare() {
        let variable = Variable::new("w", Tensor::zeros(DType::Float32, &[2]).unwrap());
        let (held, version) = variable.read();
        let mut copy = variable.take_or_copy(variable.take_spare().unwrap());
        assert_eq!(copy.view(DType::Float32).f32(), [0.0; 2]);
        copy.view_mut(DType::Float32).f32().fill(3.0);
        assert_eq!(variable.read().0.view().f32(), [0.0; 2], "no reader waits");
        assert_eq!(variable.commit(copy).unwrap(), version + 1);
        assert_eq!((held.view().f32(), variable.read().0.view().f32()), (&[0.0; 2][..], &[3.0; 2][..]));
        drop(held);
        let address = variable.read().0.buffer().bytes().as_ptr() as usize;
        let spare = variable.take_spare().unwrap();
        let taken = variable.take_or_copy(spare);
        assert_eq!(taken.bytes().as_ptr() as usize, address, "now nobody else holds it");
        assert!(variable.try_read_buffer().is_none());
        variable.give_back(taken);
        assert_eq!((variable.read().0.view().f32(), variable.read().1), (&[3.0; 2][..], version + 2));
    }

    #[test]
    fn a_taken_value_makes_readers_wait() {
        let variable = Variable::new("m", Tensor::zeros(DType::Float32, &[2]).unwrap());
        let address = variable.read().0.buffer().bytes().as_ptr() as usize;
        let (mut value, version) = variable.take_value().unwrap();
        assert_eq!(value.bytes().as_ptr() as usize, address, "nobody else holds it");
        assert!(variable.try_read_buffer().is_none());
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| variable.read());
            std::thread::sleep(std::time::Duration::from_millis(5));
            value.view_mut(DType::Float32).f32().copy_from_slice(&[1.0, 2.0]);
            assert_eq!(variable.commit(value).unwrap(), version + 1);
            assert_eq!(reader.join().unwrap().0.view().f32(), [1.0, 2.0]);
        });
    }

    #[test]
    fn a_value_that_is_held_is_copied_when_taken() {
        let variable = Variable::new("m", Tensor::zeros(DType::Float32, &[2]).unwrap());
        let (held, _) = variable.read();
        let (mut value, _) = variable.take_value().unwrap();
        value.view_mut(DType::Float32).f32().fill(3.0);
        variable.commit(value).unwrap();
        assert_eq!((held.view().f32(), variable.read().0.view().f32()), (&[0.0; 2][..], &[3.0; 2][..]));
    }

    #[test]
    fn what_is_assigned_while_the_value_is_taken_stays() {
        let variable = Variable::new("m", Tensor::zeros(DType::Float32, &[2]).unwrap());
        let (value, _) = variable.take_value().unwrap();
        variable.assign(Tensor::new(DType::Float32, &[2], ferrograph_tensor::View::F32(&[5.0; 2])).unwrap()).unwrap();
        variable.give_back(value);
        assert_eq!(variable.read().0.view().f32(), [5.0; 2]);
        let (value, _) = variable.take_value().unwrap();
        variable.give_back(value);
        assert_eq!(variable.read().0.view().f32(), [5.0; 2]);
    }

    #[test]
    fn refuses_another_shape() {
        let variable = Variable::new("w", Tensor::zeros(DType::Float32, &[2]).unwrap());
        let error = variable.assign(Tensor::zeros(DType::Float32, &[3]).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "variable 'w': expected float32[2], received float32[3]");
    }
}
