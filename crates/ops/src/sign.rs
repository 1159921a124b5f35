//! `sign(x)`: -1, 0 or 1; zeros keep their sign and NaN stays. `[*S] f32 -> [*S] f32`, also int32
//!
//! Derivative: 0.

use crate::Registered;
use crate::shared::{NUMERIC, elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sign {}

impl Op for Sign {
    fn name(&self) -> &'static str {
        "sign"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer(operands, NUMERIC)
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match results[0].dtype {
            DType::Int32 => elementwise::map(i32::signum),
            _ => elementwise::map(|x: f32| if x == 0.0 || x.is_nan() { x } else { 1f32.copysign(x) }),
        })
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        // Constant but for the step.
        Ok(vec![None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| if x == 0.0 || x.is_nan() { x } else { x.signum() })
    }
}

impl Registered for Sign {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]).not_differentiable(),
            Sample::new(Self {}, [Operand::values(DType::Float32, &[4], [0.0, -0.0, f64::NEG_INFINITY, f64::NAN])])
                .not_differentiable(),
            Sample::new(Self {}, [Operand::values(DType::Int32, &[4], [f64::from(i32::MIN), -3.0, 0.0, 5.0])])
                .not_differentiable(),
        ]
    }
}
