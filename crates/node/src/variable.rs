//! Variables that JavaScript holds.

use crate::error::OrThrow;
use crate::tensor::{NativeTensor, account, numbers};
use ferrograph_graph::Variable;
use ferrograph_tensor::byte_size;
use napi::Env;
use napi::bindgen_prelude::ObjectFinalize;
use napi_derive::napi;
use std::sync::Arc;

/// Named storage that outlives runs. Its memory is accounted to the JavaScript heap until collection; graphs and programs
/// that use the variable keep it alive.
#[napi(custom_finalize)]
#[derive(Debug)]
pub struct NativeVariable {
    variable: Arc<Variable>,
}

#[napi]
impl NativeVariable {
    /// A variable with its first value.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, name: String, value: &NativeTensor) -> napi::Result<Self> {
        let value = value.get().or_throw(&env)?;
        account(&env, value.byte_len(), 1)?;
        Ok(Self { variable: Arc::new(Variable::new(name, value)) })
    }

    /// A number that no other variable of the process has.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> f64 {
        self.variable.id() as f64
    }

    /// The name it was made with.
    #[napi(getter, catch_unwind)]
    pub fn name(&self) -> &str {
        self.variable.name()
    }

    /// Keras's name of the element type.
    #[napi(getter, catch_unwind)]
    pub fn dtype(&self) -> &'static str {
        self.variable.dtype().name()
    }

    /// Extents.
    #[napi(getter, catch_unwind)]
    pub fn shape(&self) -> Vec<f64> {
        numbers(self.variable.shape())
    }

    /// The value now; shares its memory.
    #[napi(catch_unwind)]
    pub fn read(&self, env: Env) -> napi::Result<NativeTensor> {
        NativeTensor::hold(&env, self.variable.read().0)
    }

    /// Replaces the value by one of the same type and shape.
    #[napi(catch_unwind)]
    pub fn assign(&self, env: Env, value: &NativeTensor) -> napi::Result<()> {
        self.variable.assign(value.get().or_throw(&env)?).or_throw(&env)
    }

    pub(crate) fn get(&self) -> &Arc<Variable> {
        &self.variable
    }
}

impl ObjectFinalize for NativeVariable {
    fn finalize(self, env: Env) -> napi::Result<()> {
        account(&env, byte_size(self.variable.dtype(), self.variable.shape()).unwrap_or(0), -1)
    }
}
