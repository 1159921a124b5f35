//! `sqrt(x)`: the square root; NaN below 0. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy / 2 / y`, infinite at 0 as in JAX.

use crate::Registered;
use crate::divide::Divide;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The square root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sqrt {}

impl Op for Sqrt {
    fn name(&self) -> &'static str {
        "sqrt"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::map(f32::sqrt))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let half = graph.scalar(0.5)?;
            let half = graph.apply(Multiply {}, &[dy, half])?;
            graph.apply(Divide {}, &[half, results[0]])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::sqrt)
    }
}

impl Registered for Sqrt {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::uniform(&[2, 3], 0.1, 4.0)]),
            Sample::new(Self {}, [Operand::values(DType::Float32, &[5], [0.0, 4.0, f64::INFINITY, -1.0, f64::NAN])])
                .not_differentiable(),
        ]
    }
}
