//! Graphs, built value by value.

use crate::arguments::{dtype, indices, list, partial_shape, shorten, whole};
use crate::error::{Failure, OrThrow};
use crate::program::NativeProgram;
use crate::tensor::NativeTensor;
use crate::variable::NativeVariable;
use ferrograph_autodiff::{Vocabulary, gradients};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, ValueId, Variable};
use ferrograph_ops::{add::Add, create_op};
use napi::Env;
use napi::bindgen_prelude::{Array, ClassInstance, JsObjectValue, Null, Object};
use napi_derive::napi;
use serde_json::json;
use std::cell::RefCell;
use std::sync::Arc;

/// A computation under construction. Values are numbers that only this graph understands.
#[napi]
#[derive(Debug, Default)]
pub struct NativeGraph {
    graph: RefCell<Graph>,
}

/// What is known of a value.
#[napi(object, object_from_js = false)]
pub struct ValueType {
    /// Keras's name of the element type.
    pub dtype: &'static str,
    /// Extents; `null` is one that is not known yet.
    #[napi(ts_type = "Array<number | null>")]
    pub shape: Vec<napi::Either<f64, Null>>,
}

#[napi]
impl NativeGraph {
    /// An empty graph.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an input; inputs are numbered in this order when the program runs.
    #[napi(catch_unwind, ts_args_type = "dtype: string, shape: Array<number | null>")]
    pub fn input(&self, env: Env, dtype: String, shape: Array<'_>) -> napi::Result<u32> {
        let ty = || Ok::<_, Failure>(TensorType::new(self::dtype(&dtype)?, partial_shape(&shape)?));
        let ty = ty().or_throw(&env)?;
        Ok(number(self.graph.borrow_mut().input(ty)))
    }

    /// The value of a variable when a run begins.
    #[napi(catch_unwind)]
    pub fn variable(&self, variable: &NativeVariable) -> u32 {
        number(self.graph.borrow_mut().variable(variable.get()))
    }

    /// A constant; shares the tensor's memory.
    #[napi(catch_unwind)]
    pub fn constant(&self, env: Env, tensor: &NativeTensor) -> napi::Result<u32> {
        let tensor = tensor.get().or_throw(&env)?;
        Ok(number(self.graph.borrow_mut().constant(tensor)))
    }

    /// Applies an op, whose attributes are a JSON object, and returns its results.
    #[napi(catch_unwind, ts_args_type = "name: string, attributes: string, operands: Array<number>")]
    pub fn emit(&self, env: Env, name: String, attributes: String, operands: Array<'_>) -> napi::Result<Vec<u32>> {
        let emit = || {
            let op = create_op(&name, &attributes).map_err(|reason| {
                let fields = json!({ "op": shorten(&name), "reason": shorten(&reason) });
                Failure::new("OP", shorten(&reason), fields)
            })?;
            let mut graph = self.graph.borrow_mut();
            let operands = values(&graph, &operands, "operands")?;
            Ok::<_, Failure>(graph.emit(op, &operands)?)
        };
        Ok(emit().or_throw(&env)?.into_iter().map(number).collect())
    }

    /// The type of a value.
    #[napi(catch_unwind)]
    pub fn describe(&self, env: Env, id: f64) -> napi::Result<ValueType> {
        let graph = self.graph.borrow();
        let ty = || Ok::<_, Failure>(graph.ty(value(&graph, "id", id)?));
        let TensorType { dtype, shape } = ty().or_throw(&env)?;
        let extent = |extent: &Option<usize>| extent.map_or(napi::Either::B(Null), |n| napi::Either::A(n as f64));
        Ok(ValueType { dtype: dtype.name(), shape: shape.iter().map(extent).collect() })
    }

    /// Adds the gradient of `loss`, one float32 number, with respect to each of `wrt`; `null` where none flows.
    #[napi(catch_unwind, ts_args_type = "loss: number, wrt: Array<number>", ts_return_type = "Array<number | null>")]
    pub fn gradients(&self, env: Env, loss: f64, wrt: Array<'_>) -> napi::Result<Vec<napi::Either<u32, Null>>> {
        let found = || {
            let mut graph = self.graph.borrow_mut();
            let loss = value(&graph, "loss", loss)?;
            let wrt = values(&graph, &wrt, "wrt")?;
            let vocabulary = Vocabulary { add: || Arc::new(Add {}) };
            Ok::<_, Failure>(gradients(&mut graph, &vocabulary, loss, &wrt)?)
        };
        let found = found().or_throw(&env)?;
        Ok(found.into_iter().map(|id| id.map_or(napi::Either::B(Null), |id| napi::Either::A(number(id)))).collect())
    }

    /// The graph as text: one line for each value.
    #[napi(catch_unwind)]
    pub fn text(&self) -> String {
        self.graph.borrow().to_string()
    }

    /// Compiles what `outputs` and the new values of variables in `updates` need.
    #[napi(
        catch_unwind,
        ts_args_type = "outputs: Array<number>, updates: Array<{ variable: NativeVariable, value: number }>"
    )]
    pub fn compile(&self, env: Env, outputs: Array<'_>, updates: Array<'_>) -> napi::Result<NativeProgram> {
        // A run may start threads that outlive this environment.
        napi::bindgen_prelude::retain_current_module_for_unload_safety();
        let compile = || {
            let graph = self.graph.borrow();
            let outputs = values(&graph, &outputs, "outputs")?;
            let updates = list(&updates, "updates", UPDATE)?
                .into_iter()
                .map(|update: Object<'_>| new_value(&graph, &update))
                .collect::<Result<Vec<_>, _>>()?;
            Ok::<_, Failure>(Program::new(&graph, &outputs, &updates)?)
        };
        Ok(NativeProgram::new(compile().or_throw(&env)?))
    }
}

/// What an element of `updates` is.
const UPDATE: &str = "{ variable: NativeVariable, value: number }";

fn new_value(graph: &Graph, update: &Object<'_>) -> Result<(Arc<Variable>, ValueId), Failure> {
    let wrong = |_| Failure::argument("updates", UPDATE, "another object");
    let variable: ClassInstance<'_, NativeVariable> = update.get_named_property("variable").map_err(wrong)?;
    let id: f64 = update.get_named_property("value").map_err(wrong)?;
    Ok((variable.get().clone(), value(graph, "updates", id)?))
}

fn value(graph: &Graph, name: &str, id: f64) -> Result<ValueId, Failure> {
    Ok(graph.value(whole(name, id)?)?)
}

fn values(graph: &Graph, ids: &Array<'_>, name: &str) -> Result<Vec<ValueId>, Failure> {
    indices(ids, name)?.into_iter().map(|id| Ok(graph.value(id)?)).collect()
}

fn number(id: ValueId) -> u32 {
    // A graph holds at most 2^32 values.
    id.index() as u32
}
