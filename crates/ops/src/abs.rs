//! `|x|`. `[*S] f32 -> [*S] f32`, also int32, whose minimum stays as it is
//!
//! Derivative: `dx = dy` where `x >= 0`, else `-dy`; so 1 at 0, as in JAX.

use crate::Registered;
use crate::greater_equal::GreaterEqual;
use crate::negative::Negative;
use crate::shared::{NUMERIC, elementwise, to_json, unary};
use crate::r#where::Where;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The absolute value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Abs {}

impl Op for Abs {
    fn name(&self) -> &'static str {
        "abs"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer(operands, NUMERIC)
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match results[0].dtype {
            DType::Int32 => elementwise::map(i32::wrapping_abs),
            _ => elementwise::map(f32::abs),
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
            let zero = graph.scalar(0.0)?;
            let positive = graph.apply(GreaterEqual {}, &[operands[0], zero])?;
            let negated = graph.apply(Negative {}, &[dy])?;
            graph.apply(Where {}, &[positive, dy, negated])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::abs)
    }
}

impl Registered for Abs {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(Self {}, [Operand::values(DType::Float32, &[3], [-0.0, f64::NEG_INFINITY, f64::NAN])])
                .not_differentiable(),
            Sample::new(Self {}, [Operand::values(DType::Int32, &[4], [f64::from(i32::MIN), -3.0, 0.0, 5.0])])
                .not_differentiable(),
        ]
    }
}
