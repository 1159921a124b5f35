//! `exp(x)`: e to the power of x, element by element. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy * y`.

use crate::Registered;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The exponential function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exp {}

impl Op for Exp {
    fn name(&self) -> &'static str {
        "exp"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::exp))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| graph.apply(Multiply {}, &[dy, results[0]]))
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::exp)
    }
}

impl Registered for Exp {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[6], [f64::NEG_INFINITY, -1.0, 0.0, 3.0, 88.0, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
