//! `a / b`, element by element with NumPy broadcasting. `[*A] f32, [*B] f32 -> [*broadcast(A, B)] f32`
//!
//! Derivative: `da = dy / b`, `db = -dy / b * y`, summed over what was broadcast.

use crate::Registered;
use crate::multiply::Multiply;
use crate::negative::Negative;
use crate::shared::{binary, elementwise, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The quotient of two tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Divide {}

impl Op for Divide {
    fn name(&self) -> &'static str {
        "divide"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, &[DType::Float32])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::zip(|a: f32, b: f32| a / b))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        binary::vjp(graph, operands, gradients, |graph, dy| {
            let da = graph.apply(Self {}, &[dy, operands[1]])?;
            let product = graph.apply(Multiply {}, &[da, results[0]])?;
            Ok([da, graph.apply(Negative {}, &[product])?])
        })
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        binary::reference(operands, results, |a, b| a / b)
    }
}

impl Registered for Divide {
    fn samples() -> Vec<Sample> {
        let shapes: [[&[usize]; 2]; 4] = [[&[2, 3], &[2, 3]], [&[2, 3], &[3]], [&[2, 1], &[1, 3]], [&[], &[1, 2]]];
        let mut samples =
            shapes.map(|[a, b]| Sample::new(Self {}, [Operand::normal(a), Operand::uniform(b, 0.5, 3.0)])).to_vec();
        samples.extend([Sample::new(
            Self {},
            [
                Operand::values(DType::Float32, &[3], [1.0, 0.0, -2.0]),
                Operand::values(DType::Float32, &[3], [0.0, 0.0, f64::INFINITY]),
            ],
        )
        .not_differentiable()]);
        samples
    }
}
