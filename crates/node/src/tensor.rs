//! Tensors that JavaScript holds.

use crate::arguments::{dtype, shape};
use crate::elements::copy_in;
use crate::error::{Failure, OrThrow};
use ferrograph_tensor::{ShapeError, Tensor, View, allocated_bytes, memory_limit};
use napi::Env;
use napi::bindgen_prelude::{
    Array, Either3, Float32ArraySlice, Int32ArraySlice, ObjectFinalize, TypedArray, Uint8ArraySlice,
};
use napi_derive::napi;
use std::cell::RefCell;

/// Dense, row-major, immutable data. Its memory is accounted to the JavaScript heap until `dispose` or collection.
#[napi(custom_finalize)]
#[derive(Debug)]
pub struct NativeTensor {
    tensor: RefCell<Option<Tensor>>,
}

/// Elements, in the typed array that fits the data type.
pub(crate) type Elements<'env> = Either3<Float32ArraySlice<'env>, Int32ArraySlice<'env>, Uint8ArraySlice<'env>>;

#[napi]
impl NativeTensor {
    /// Copies `data`, which must hold exactly the shape's elements: a `Float32Array` for float32, an `Int32Array` for
    /// int32, a `Uint8Array` for bool (any other than 0 is true) and uint8.
    #[napi(
        constructor,
        catch_unwind,
        ts_args_type = "dtype: string, shape: Array<number>, data: Float32Array | Int32Array | Uint8Array"
    )]
    pub fn new(env: Env, dtype: String, shape: Array<'_>, data: TypedArray<'_>) -> napi::Result<Self> {
        let tensor = copy_in(&dtype, &shape, &data).or_throw(&env)?;
        Self::hold(&env, tensor)
    }

    /// Zeros.
    #[napi(factory, catch_unwind, ts_args_type = "dtype: string, shape: Array<number>")]
    pub fn zeros(env: Env, dtype: String, shape: Array<'_>) -> napi::Result<Self> {
        let make = || Ok::<_, Failure>(Tensor::zeros(self::dtype(&dtype)?, &self::shape(&shape)?)?);
        Self::hold(&env, make().or_throw(&env)?)
    }

    /// Keras's name of the element type.
    #[napi(getter, catch_unwind)]
    pub fn dtype(&self, env: Env) -> napi::Result<&'static str> {
        Ok(self.get().or_throw(&env)?.dtype().name())
    }

    /// Extents.
    #[napi(getter, catch_unwind)]
    pub fn shape(&self, env: Env) -> napi::Result<Vec<f64>> {
        Ok(numbers(self.get().or_throw(&env)?.shape()))
    }

    /// Size in bytes; 0 after `dispose`.
    #[napi(getter, catch_unwind)]
    pub fn byte_length(&self) -> f64 {
        self.tensor.borrow().as_ref().map_or(0, Tensor::byte_len) as f64
    }

    /// A fresh copy of the elements.
    #[napi(catch_unwind, ts_return_type = "Float32Array | Int32Array | Uint8Array")]
    pub fn read<'env>(&self, env: &'env Env) -> napi::Result<Elements<'env>> {
        copy_out(env, &self.get().or_throw(env)?)
    }

    /// Gives the memory back now; any further use is an error with code `DISPOSED`. A second call does nothing.
    #[napi(catch_unwind)]
    pub fn dispose(&self, env: Env) -> napi::Result<()> {
        self.release(&env)
    }

    /// Hands a tensor to JavaScript and accounts for it.
    pub(crate) fn hold(env: &Env, tensor: Tensor) -> napi::Result<Self> {
        account(env, tensor.byte_len(), 1)?;
        Ok(Self { tensor: RefCell::new(Some(tensor)) })
    }

    /// The tensor, sharing its memory.
    pub(crate) fn get(&self) -> Result<Tensor, Failure> {
        self.tensor.borrow().clone().ok_or_else(Failure::disposed)
    }

    fn release(&self, env: &Env) -> napi::Result<()> {
        let taken = self.tensor.borrow_mut().take();
        taken.map_or(Ok(()), |tensor| account(env, tensor.byte_len(), -1))
    }
}

impl ObjectFinalize for NativeTensor {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.release(&env)
    }
}

/// Tells the garbage collector of memory that came (`sign` 1) or went (-1).
pub(crate) fn account(env: &Env, bytes: usize, sign: i64) -> napi::Result<()> {
    env.adjust_external_memory(sign * i64::try_from(bytes).unwrap_or(i64::MAX)).map(|_| ())
}

/// The elements in memory of the JavaScript heap.
pub(crate) fn copy_out<'env>(env: &'env Env, tensor: &Tensor) -> napi::Result<Elements<'env>> {
    check_room(tensor.byte_len()).or_throw(env)?;
    Ok(match tensor.view() {
        View::F32(x) => Either3::A(Float32ArraySlice::copy_from(env, x)?),
        View::I32(x) => Either3::B(Int32ArraySlice::copy_from(env, x)?),
        View::U8(x) => Either3::C(Uint8ArraySlice::copy_from(env, x)?),
    })
}

/// Extents as JavaScript's numbers.
pub(crate) fn numbers(extents: &[usize]) -> Vec<f64> {
    extents.iter().map(|&extent| extent as f64).collect()
}

/// Refuses a copy on the JavaScript heap that would pass the memory limit: V8 ends the process when it finds no memory.
pub(crate) fn check_room(wanted: usize) -> Result<(), ShapeError> {
    let (allocated, limit) = (allocated_bytes(), memory_limit());
    if wanted <= limit.saturating_sub(allocated) {
        Ok(())
    } else {
        Err(ShapeError::Memory { wanted, allocated, limit })
    }
}
