//! What can be wrong with a program or a run.

use ferrograph_graph::{GraphError, TensorType};
use ferrograph_tensor::ShapeError;
use std::fmt;

/// Why a program cannot be compiled or a run failed. A run that failed has changed no variable.
#[derive(Clone, Debug)]
pub enum ProgramError {
    /// An op refuses its operands, or memory is short.
    Graph(GraphError),
    /// Another number of inputs than the graph has.
    InputCount {
        /// Inputs of the graph.
        expected: usize,
        /// Tensors that came.
        received: usize,
    },
    /// An input of another type or shape than the graph's.
    Input {
        /// Which input, from 0.
        index: usize,
        /// The graph's type; unknown extents are `null`.
        expected: TensorType,
        /// What came.
        received: TensorType,
    },
    /// The new value of a variable does not fit it.
    Update {
        /// The variable's name.
        variable: String,
        /// The variable's type.
        expected: TensorType,
        /// The value's type.
        received: TensorType,
    },
    /// Two new values were given for one variable.
    UpdatedTwice {
        /// The variable's name.
        variable: String,
    },
    /// The caller asked the run to stop.
    Cancelled,
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graph(error) => error.fmt(f),
            Self::InputCount { expected, received } => write!(f, "expected {expected} inputs, received {received}"),
            Self::Input { index, expected, received } => {
                write!(f, "input {index}: expected {expected}, received {received}")
            }
            Self::Update { variable, expected, received } => {
                write!(f, "update of variable '{variable}': expected {expected}, received {received}")
            }
            Self::UpdatedTwice { variable } => {
                write!(f, "update of variable '{variable}': expected one new value, received two")
            }
            Self::Cancelled => f.write_str("the run was cancelled"),
        }
    }
}

impl std::error::Error for ProgramError {}

impl From<GraphError> for ProgramError {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

impl From<ShapeError> for ProgramError {
    fn from(error: ShapeError) -> Self {
        Self::Graph(GraphError::Shape(error))
    }
}
