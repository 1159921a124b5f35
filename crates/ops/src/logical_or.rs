//! Whether one is true, element by element with NumPy broadcasting. `[*A] bool, [*B] bool -> [*broadcast(A, B)] bool`
//!
//! No derivative.

use crate::Registered;
use crate::shared::{binary, elementwise, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Whether one is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogicalOr {}

impl Op for LogicalOr {
    fn name(&self) -> &'static str {
        "logical_or"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, &[DType::Bool])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::zip(|a: u8, b: u8| a | b))
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(vec![None, None])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        binary::reference_comparison(operands, results, |a, b| *a != 0.0 || *b != 0.0)
    }
}

impl Registered for LogicalOr {
    fn samples() -> Vec<Sample> {
        [[Operand::booleans(&[2, 3]), Operand::booleans(&[3])], [Operand::booleans(&[8]), Operand::booleans(&[8])]]
            .map(|operands| Sample::new(Self {}, operands).not_differentiable())
            .into()
    }
}
