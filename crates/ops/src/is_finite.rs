//! Whether x is neither infinite nor NaN, element by element. `[*S] f32 -> [*S] bool`
//!
//! No derivative.

use crate::Registered;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Whether elements are finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IsFinite {}

impl Op for IsFinite {
    fn name(&self) -> &'static str {
        "is_finite"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)?;
        Ok(vec![TensorType::new(DType::Bool, operands[0].shape.iter().copied())])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::map(|x: f32| u8::from(x.is_finite())))
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(vec![None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        vec![Reference::from_fn(DType::Bool, &x.shape, |index| f64::from(u8::from(x.at(index).is_finite())))]
    }
}

impl Registered for IsFinite {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[5], [f64::INFINITY, f64::NAN, 0.0, f64::NEG_INFINITY, 3e38])],
            )
            .not_differentiable(),
        ]
    }
}
