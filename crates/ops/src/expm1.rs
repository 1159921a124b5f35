//! `expm1(x) = exp(x) - 1`, accurate near 0. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy * (y + 1)`.

use crate::Registered;
use crate::add::Add;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The exponential function less one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expm1 {}

impl Op for Expm1 {
    fn name(&self) -> &'static str {
        "expm1"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::expm1))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let one = graph.scalar(1.0)?;
            let exp = graph.apply(Add {}, &[results[0], one])?;
            graph.apply(Multiply {}, &[dy, exp])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::exp_m1)
    }
}

impl Registered for Expm1 {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[5], [f64::NEG_INFINITY, 1e-6, 0.0, f64::INFINITY, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
