//! `log(x)`: the natural logarithm; `-inf` at 0, NaN below. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy / x`, infinite at 0.

use crate::Registered;
use crate::divide::Divide;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The natural logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Log {}

impl Op for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::log))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| graph.apply(Divide {}, &[dy, operands[0]]))
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::ln)
    }
}

impl Registered for Log {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::uniform(&[2, 3], 0.1, 4.0)]),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[6], [0.0, 1e-30, 1.0, f64::INFINITY, -1.0, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
