//! Programs, run at once or on the pool.

use crate::arguments::{list, shape, whole};
use crate::cancellation::NativeCancellation;
use crate::closing::Watch;
use crate::error::{Failure, OrThrow};
use crate::tensor::NativeTensor;
use ferrograph_executor::Program;
use ferrograph_kernels::pool;
use ferrograph_tensor::Tensor;
use napi::Env;
use napi::bindgen_prelude::{Array, ClassInstance, Object};
use napi_derive::napi;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A compiled graph.
#[napi]
#[derive(Debug)]
pub struct NativeProgram {
    program: Arc<Program>,
}

/// Makes the outcome of a run a value of JavaScript, on JavaScript's thread.
type Settle = Box<dyn FnOnce(Env) -> napi::Result<Vec<NativeTensor>> + Send>;

#[napi]
impl NativeProgram {
    pub(crate) fn new(program: Program) -> Self {
        Self { program: Arc::new(program) }
    }

    /// Runs on the calling thread, which waits: right for work of well under a millisecond.
    #[napi(catch_unwind, ts_args_type = "inputs: Array<NativeTensor>")]
    pub fn run_sync(&self, env: Env, inputs: Array<'_>) -> napi::Result<Vec<NativeTensor>> {
        let run = || Ok::<_, Failure>(self.program.run(&tensors(&inputs)?, None)?);
        hold(&env, run().or_throw(&env)?)
    }

    /// Runs on the pool. The promise rejects if the run fails or the token cancels it; then no variable has changed.
    #[napi(
        catch_unwind,
        ts_args_type = "inputs: Array<NativeTensor>, token?: NativeCancellation | undefined | null",
        ts_return_type = "Promise<Array<NativeTensor>>"
    )]
    pub fn run<'env>(
        &self,
        env: &'env Env,
        inputs: Array<'_>,
        token: Option<&NativeCancellation>,
    ) -> napi::Result<Object<'env>> {
        let inputs = tensors(&inputs).or_throw(env)?;
        let (deferred, promise) = env.create_deferred::<Vec<NativeTensor>, Settle>()?;
        let cancel = token.map_or_else(Arc::default, |token| token.flag().clone());
        let watch = Watch::begin(env, &cancel)?;
        let program = self.program.clone();
        pool::spawn(Box::new(move || {
            let run = || program.run(&inputs, Some(&cancel)).map_err(Failure::from);
            let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Failure::panic(&*panic)));
            // What the run holds is free before JavaScript learns of its end.
            drop((inputs, program));
            deferred.resolve(Box::new(move |env| {
                watch.end(&env)?;
                hold(&env, outcome.or_throw(&env)?)
            }));
        }));
        Ok(promise)
    }

    /// The plan for inputs of these shapes, for people.
    #[napi(catch_unwind, ts_args_type = "shapes: Array<Array<number>>")]
    pub fn describe(&self, env: Env, shapes: Array<'_>) -> napi::Result<String> {
        let describe = || {
            let shapes: Vec<Array<'_>> = list(&shapes, "shapes", "an array of numbers")?;
            let shapes = shapes.iter().map(shape).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, Failure>(self.program.describe(&shapes)?)
        };
        describe().or_throw(&env)
    }

    /// The same for these inputs, with the median time of each step in `runs` runs, which change no variable.
    #[napi(catch_unwind, ts_args_type = "inputs: Array<NativeTensor>, runs: number")]
    pub fn measure(&self, env: Env, inputs: Array<'_>, runs: f64) -> napi::Result<String> {
        let measure = || Ok::<_, Failure>(self.program.measure(&tensors(&inputs)?, whole("runs", runs)?)?);
        measure().or_throw(&env)
    }
}

fn tensors(inputs: &Array<'_>) -> Result<Vec<Tensor>, Failure> {
    let inputs: Vec<ClassInstance<'_, NativeTensor>> = list(inputs, "inputs", "a NativeTensor")?;
    inputs.iter().map(|input| input.get()).collect()
}

fn hold(env: &Env, tensors: Vec<Tensor>) -> napi::Result<Vec<NativeTensor>> {
    tensors.into_iter().map(|tensor| NativeTensor::hold(env, tensor)).collect()
}
