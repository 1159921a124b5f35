//! The one way in which errors reach JavaScript.
//!
//! A failing export throws (or rejects with) a JavaScript `Error` that has
//!
//! * `message`: a sentence for people,
//! * `code`: one of the stable words below,
//! * `fields`: an object with the values of the message; which ones depends on the code.
//!
//! | code | fields | meaning |
//! |---|---|---|
//! | `ARGUMENT` | `name`, and mostly `expected`, `received` | a number, string or array that no call takes |
//! | `DETACHED` | `name` | an array whose memory was transferred away |
//! | `LENGTH` | `shape`, `received` | data with another number of elements than the shape |
//! | `RANK` | `received` | more axes than a tensor can have |
//! | `SIZE` | `shape` | a shape that does not fit the address space |
//! | `MEMORY` | `wanted`, `allocated`, `limit` | the memory limit would be passed, in bytes |
//! | `DISPOSED` | | a tensor that was disposed |
//! | `OP` | `op`, `reason` | no op of that name, or attributes that it does not take |
//! | `OPERANDS` | `op`, `expected`, `received` (types) | a shape rule refuses its operands |
//! | `NOT_DIFFERENTIABLE` | `op` | a gradient would have to pass through it |
//! | `NOT_SCALAR` | `received` (type) | a loss that is not one float32 number |
//! | `UNKNOWN_VALUE` | `id` | a value of another graph |
//! | `DATA` | `op` | a run failed on the data: an index out of range, say |
//! | `INPUT_COUNT` | `expected`, `received` | another number of inputs than the program has |
//! | `INPUT` | `index`, `expected`, `received` (types) | an input of another type or shape |
//! | `UPDATE` | `variable`, and `expected`, `received` (types) unless it has two new values | a new value that does not fit |
//! | `VARIABLE` | `variable`, `expected`, `received` (types) | an assigned value that does not fit |
//! | `CANCELLED` | | the run was cancelled |
//! | `FILE_...` | `member`, `path`, `offset`, each or `null` | a file that cannot be read or written; see the formats crate |
//! | `INTERNAL` | | a panic on a pool thread; one on the caller's thread has napi's own code `GenericFailure` |
//!
//! A type is `{ dtype, shape }`, with `null` for an extent that is not known. An argument of the wrong JavaScript type
//! or class is refused by napi itself, with its codes (`InvalidArg`, `ArrayExpected`, `NumberExpected`, ...) and no
//! `fields`.

use crate::tensor::numbers;
use ferrograph_executor::ProgramError;
use ferrograph_graph::{GraphError, TensorType, VariableError};
use ferrograph_tensor::{DType, ShapeError};
use napi::bindgen_prelude::{JsObjectValue, JsValue};
use napi::{Env, Status};
use serde_json::{Value, json};

/// An error on its way to JavaScript; may be made on any thread.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    fields: Value,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, fields: Value) -> Self {
        Self { code, message: message.into(), fields }
    }

    /// A value that no call takes.
    pub(crate) fn argument(name: &str, expected: impl Into<String>, received: impl Into<String>) -> Self {
        let (expected, received) = (expected.into(), received.into());
        let message = format!("{name}: expected {expected}, received {received}");
        Self::new("ARGUMENT", message, json!({ "name": name, "expected": expected, "received": received }))
    }

    /// Trouble with a file.
    pub(crate) fn file(code: &'static str, message: impl Into<String>, path: Option<&str>) -> Self {
        Self::new(code, message, json!({ "member": null, "path": path, "offset": null }))
    }

    /// A tensor without memory.
    pub(crate) fn disposed() -> Self {
        Self::new("DISPOSED", "expected a tensor, received one that was disposed", json!({}))
    }

    /// What a caught panic says.
    pub(crate) fn panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let said = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        Self::new("INTERNAL", said.unwrap_or("a panic"), json!({}))
    }

    /// The JavaScript error, to be thrown or rejected with.
    pub(crate) fn into_js(self, env: &Env) -> napi::Error {
        let made = env.create_error(napi::Error::new(Status::GenericFailure, &self.message)).and_then(|mut error| {
            error.set_named_property("code", self.code)?;
            error.set_named_property("fields", env.to_js_value(&self.fields)?)?;
            Ok(napi::Error::from(error.to_unknown()))
        });
        // Where even that fails, the environment is being torn down, and the plain message is all that is left.
        made.unwrap_or_else(|_| napi::Error::new(Status::GenericFailure, self.message))
    }
}

/// Translates what an export returns.
pub(crate) trait OrThrow<T> {
    fn or_throw(self, env: &Env) -> napi::Result<T>;
}

impl<T, E: Into<Failure>> OrThrow<T> for Result<T, E> {
    fn or_throw(self, env: &Env) -> napi::Result<T> {
        self.map_err(|error| error.into().into_js(env))
    }
}

fn type_json(ty: &TensorType) -> Value {
    let shape: Vec<Option<f64>> = ty.shape.iter().map(|extent| extent.map(|n| n as f64)).collect();
    json!({ "dtype": ty.dtype.name(), "shape": shape })
}

fn known_json((dtype, shape): &(DType, Vec<usize>)) -> Value {
    json!({ "dtype": dtype.name(), "shape": numbers(shape) })
}

/// A count as a JavaScript number: a large integer would become a `BigInt`.
fn number(count: usize) -> f64 {
    count as f64
}

impl From<ShapeError> for Failure {
    fn from(error: ShapeError) -> Self {
        let message = error.to_string();
        match error {
            ShapeError::Rank(received) => Self::new("RANK", message, json!({ "received": number(received) })),
            ShapeError::Overflow(shape) => Self::new("SIZE", message, json!({ "shape": numbers(&shape) })),
            ShapeError::Memory { wanted, allocated, limit } => {
                let fields =
                    json!({ "wanted": number(wanted), "allocated": number(allocated), "limit": number(limit) });
                Self::new("MEMORY", message, fields)
            }
            ShapeError::Length { shape, received } => {
                Self::new("LENGTH", message, json!({ "shape": numbers(&shape), "received": number(received) }))
            }
        }
    }
}

impl From<ferrograph_formats::Error> for Failure {
    fn from(error: ferrograph_formats::Error) -> Self {
        let offset = error.offset().map(|offset| offset as f64);
        let fields = json!({ "member": error.member(), "path": error.path(), "offset": offset });
        Self::new(error.code().as_str(), error.to_string(), fields)
    }
}

impl From<VariableError> for Failure {
    fn from(error: VariableError) -> Self {
        let fields = json!({
            "variable": error.name,
            "expected": known_json(&error.expected),
            "received": known_json(&error.received),
        });
        Self::new("VARIABLE", error.to_string(), fields)
    }
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        let message = error.to_string();
        match error {
            GraphError::Operands { op, expected, received } => {
                let received: Vec<Value> = received.iter().map(type_json).collect();
                Self::new("OPERANDS", message, json!({ "op": op, "expected": expected, "received": received }))
            }
            GraphError::NotDifferentiable { op } => Self::new("NOT_DIFFERENTIABLE", message, json!({ "op": op })),
            GraphError::UnknownValue(id) => Self::new("UNKNOWN_VALUE", message, json!({ "id": number(id.index()) })),
            GraphError::NotScalar(received) => {
                Self::new("NOT_SCALAR", message, json!({ "received": type_json(&received) }))
            }
            GraphError::Shape(error) => error.into(),
            GraphError::Run { op, .. } => Self::new("DATA", message, json!({ "op": op })),
        }
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        let message = error.to_string();
        match error {
            ProgramError::Graph(error) => error.into(),
            ProgramError::InputCount { expected, received } => {
                Self::new("INPUT_COUNT", message, json!({ "expected": number(expected), "received": number(received) }))
            }
            ProgramError::Input { index, expected, received } => {
                let (expected, received) = (type_json(&expected), type_json(&received));
                Self::new(
                    "INPUT",
                    message,
                    json!({ "index": number(index), "expected": expected, "received": received }),
                )
            }
            ProgramError::Update { variable, expected, received } => {
                let (expected, received) = (type_json(&expected), type_json(&received));
                let fields = json!({ "variable": variable, "expected": expected, "received": received });
                Self::new("UPDATE", message, fields)
            }
            ProgramError::UpdatedTwice { variable } => Self::new("UPDATE", message, json!({ "variable": variable })),
            ProgramError::Cancelled => Self::new("CANCELLED", message, json!({})),
        }
    }
}
