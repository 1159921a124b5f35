//! `-x`. `[*S] f32 -> [*S] f32`, also int32, which wraps at its minimum
//!
//! Derivative: `dx = -dy`.

use crate::Registered;
use crate::shared::{NUMERIC, elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The additive inverse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Negative {}

impl Op for Negative {
    fn name(&self) -> &'static str {
        "negative"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer(operands, NUMERIC)
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match results[0].dtype {
            DType::Int32 => elementwise::map(i32::wrapping_neg),
            _ => elementwise::map(|x: f32| -x),
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| graph.apply(Self {}, &[dy]))
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| -x)
    }
}

impl Registered for Negative {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(Self {}, [Operand::values(DType::Int32, &[4], [f64::from(i32::MIN), -3.0, 0.0, 5.0])])
                .not_differentiable(),
        ]
    }
}
