//! `x^2`. `[*S] f32 -> [*S] f32`, also int32, which wraps
//!
//! Derivative: `dx = 2 * dy * x`.

use crate::Registered;
use crate::multiply::Multiply;
use crate::shared::{NUMERIC, elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, Simple, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The square.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Square {}

impl Op for Square {
    fn name(&self) -> &'static str {
        "square"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer(operands, NUMERIC)
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match results[0].dtype {
            DType::Int32 => elementwise::map(|x: i32| x.wrapping_mul(x)),
            _ => elementwise::simple(Simple::Square, elementwise::map(|x: f32| x * x)),
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let two = graph.scalar(2.0)?;
            let slope = graph.apply(Multiply {}, &[operands[0], two])?;
            graph.apply(Multiply {}, &[dy, slope])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| x * x)
    }
}

impl Registered for Square {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(Self {}, [Operand::values(DType::Int32, &[3], [65_537.0, -3.0, 0.0])]).not_differentiable(),
        ]
    }
}
