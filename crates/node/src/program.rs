//! Compiled graphs.

use crate::arguments::{list, shape, whole};
use crate::error::{Failure, OrThrow};
use crate::operand::{borrowed, tensors};
use crate::results::{Part, hand_over};
use crate::staging::{Stage, Staging};
use ferrograph_executor::Program;
use napi::Env;
use napi::bindgen_prelude::Array;
use napi_derive::napi;
use std::cell::RefCell;
use std::sync::Arc;

/// Borrowed while a call lasts. By this name, since napi takes a reference in a signature for one of its objects.
type Memory<'a> = &'a mut [u8];

/// A compiled graph.
#[napi]
#[derive(Debug)]
pub struct NativeProgram {
    program: Arc<Program>,
    /// That of the last staged runs.
    staging: RefCell<Staging>,
}

#[napi]
impl NativeProgram {
    pub(crate) fn new(program: Program) -> Self {
        Self { program: Arc::new(program), staging: RefCell::default() }
    }

    pub(crate) fn get(&self) -> &Arc<Program> {
        &self.program
    }

    /// Runs on the calling thread, which waits: right for work of well under a millisecond. Returns the elements and the
    /// shape of each output in turn.
    #[napi(
        catch_unwind,
        ts_args_type = "inputs: Array<NativeTensor | Float32Array | Int32Array | Uint8Array>, shapes: Array<Array<number>>",
        ts_return_type = "Array<Float32Array | Int32Array | Uint8Array | Array<number>>"
    )]
    pub fn run_sync<'env>(
        &self,
        env: &'env Env,
        inputs: Array<'env>,
        shapes: Array<'_>,
    ) -> napi::Result<Vec<Part<'env>>> {
        let run = || Ok::<_, Failure>(self.program.run_on(&borrowed(&self.program, &inputs, &shapes)?, None)?);
        // Finalizers wait for a turn of the event loop, which a loop of such calls may put off for long.
        hand_over(env, run().or_throw(env)?, usize::MAX)
    }

    /// Where the operands of a staged run of so many rows lie in its memory: the length of the memory in bytes, the first
    /// byte of each input and of each output, and the shapes of the outputs. `null` unless the operands are small and
    /// nothing but the rows is unknown of the inputs.
    #[napi(
        catch_unwind,
        ts_return_type = "{ bytes: number, inputs: Array<number>, outputs: Array<number>, shapes: Array<Array<number>> } | null"
    )]
    pub fn stage(&self, env: Env, rows: f64) -> napi::Result<Option<Stage>> {
        let stage = || Staging::new(&self.program, whole("rows", rows)?);
        Ok(stage().or_throw(&env)?.map(|staging| {
            let stage = staging.describe();
            self.staging.replace(staging);
            stage
        }))
    }

    /// As `runSync` for small operands, at a third of its cost: inputs are read from `memory` and outputs written to it,
    /// where `stage` said for so many rows.
    #[napi(catch_unwind, ts_args_type = "rows: number, memory: Uint8Array")]
    pub fn run_staged(&self, env: Env, rows: f64, memory: Memory<'_>) -> napi::Result<()> {
        let mut staging = self.staging.borrow_mut();
        let mut run = || {
            let rows = whole("rows", rows)?;
            staging.fit(&self.program, rows)?;
            staging.run(&self.program, memory)
        };
        run().or_throw(&env)
    }

    /// The element types of the outputs.
    #[napi(catch_unwind)]
    pub fn output_types(&self) -> Vec<&'static str> {
        self.program.output_types().map(|ty| ty.dtype.name()).collect()
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
