//! What can be wrong with a graph.

use crate::{TensorType, ValueId};
use ferrograph_tensor::ShapeError;
use std::fmt;

/// Why an op cannot be added, or a graph not be run.
#[derive(Clone, Debug)]
pub enum GraphError {
    /// The op's shape rule refuses its operands.
    Operands {
        /// Name of the op.
        op: &'static str,
        /// What the op wanted; completes "expected ...".
        expected: String,
        /// What came.
        received: Vec<TensorType>,
    },
    /// The op has no derivative, but a gradient flows through it.
    NotDifferentiable {
        /// Name of the op.
        op: &'static str,
    },
    /// The value belongs to no graph or to another one.
    UnknownValue(ValueId),
    /// A gradient was asked of something that is not one float32 number.
    NotScalar(TensorType),
    /// A shape does not fit in memory.
    Shape(ShapeError),
    /// A run failed on its operands: an index out of range, say.
    Run {
        /// Name of the op.
        op: &'static str,
        /// The sentence after the name.
        message: String,
    },
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operands { op, expected, received } => {
                let received: Vec<String> = received.iter().map(TensorType::to_string).collect();
                write!(f, "{op}: expected {expected}, received {}", received.join(", "))
            }
            Self::NotDifferentiable { op } => write!(f, "{op}: expected a differentiable op between loss and variable"),
            Self::UnknownValue(id) => write!(f, "expected a value of this graph, received %{}", id.index()),
            Self::NotScalar(ty) => write!(f, "expected a float32[] loss, received {ty}"),
            Self::Shape(error) => error.fmt(f),
            Self::Run { op, message } => write!(f, "{op}: {message}"),
        }
    }
}

impl std::error::Error for GraphError {}

impl From<ShapeError> for GraphError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}
