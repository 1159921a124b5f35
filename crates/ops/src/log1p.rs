//! `log1p(x) = log(1 + x)`, accurate near 0; `-inf` at -1, NaN below. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy / (1 + x)`.

use crate::Registered;
use crate::add::Add;
use crate::divide::Divide;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The logarithm of one and x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Log1p {}

impl Op for Log1p {
    fn name(&self) -> &'static str {
        "log1p"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::log1p))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let one = graph.scalar(1.0)?;
            let shifted = graph.apply(Add {}, &[operands[0], one])?;
            graph.apply(Divide {}, &[dy, shifted])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::ln_1p)
    }
}

impl Registered for Log1p {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::uniform(&[2, 3], -0.8, 4.0)]),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[6], [-1.0, 1e-7, 0.0, f64::INFINITY, -2.0, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
