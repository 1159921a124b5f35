//! `rsqrt(x) = 1 / sqrt(x)`; infinite at 0, NaN below. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = -dy / 2 * y / x`.

use crate::Registered;
use crate::divide::Divide;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The reciprocal of the square root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rsqrt {}

impl Op for Rsqrt {
    fn name(&self) -> &'static str {
        "rsqrt"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::map(|x: f32| 1.0 / x.sqrt()))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let half = graph.scalar(-0.5)?;
            let half = graph.apply(Multiply {}, &[dy, half])?;
            let ratio = graph.apply(Divide {}, &[results[0], operands[0]])?;
            graph.apply(Multiply {}, &[half, ratio])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| 1.0 / x.sqrt())
    }
}

impl Registered for Rsqrt {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::uniform(&[2, 3], 0.3, 4.0)]),
            Sample::new(Self {}, [Operand::values(DType::Float32, &[5], [0.0, 4.0, f64::INFINITY, -1.0, f64::NAN])])
                .not_differentiable(),
        ]
    }
}
