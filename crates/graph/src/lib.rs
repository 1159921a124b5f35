//! Graphs of ops: values, the [`Op`] trait, variables and the text form.
//!
//! A graph says what is computed, never how: shape rules, plans and derivatives belong to the ops, order and memory to
//! the executor. This room names no op.

mod affine;
mod by_rows;
mod elementwise;
mod error;
mod graph;
mod op;
mod reference;
mod sample;
mod step;
mod text;
mod types;
mod variable;

pub use affine::Affine;
pub use by_rows::{ByRows, RowExtents, RowsContext};
pub use elementwise::{Elementwise, Simple};
pub use error::GraphError;
pub use graph::{Graph, Node, Origin, ValueId};
pub use op::{Op, Plan};
pub use reference::{Reference, indices};
pub use sample::{Fill, Operand, Sample};
pub use step::{
    Clamp, Consumer, Epilogue, InParts, Preparation, RunContext, Step, WithClamp, WithEpilogue, WithPooling,
};
pub use types::{Extent, TensorType, format_shape};
pub use variable::{Variable, VariableError};
