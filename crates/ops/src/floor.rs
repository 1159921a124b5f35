//! `floor(x)`: the largest whole number that is not larger than x. `[*S] f32 -> [*S] f32`
//!
//! Derivative: 0, also at whole numbers.

use crate::Registered;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Rounding down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Floor {}

impl Op for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::map(f32::floor))
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        // Constant but for the steps.
        Ok(vec![None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::floor)
    }
}

impl Registered for Floor {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]).not_differentiable(),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[7], [-1.5, -0.5, 0.0, 2.0, 1e30, f64::INFINITY, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
