//! `sigmoid(x) = 1 / (1 + exp(-x))`, which saturates at 0 and 1 without overflow. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy * y * (1 - y)`.

use crate::Registered;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use crate::subtract::Subtract;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The logistic function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sigmoid {}

impl Op for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::sigmoid))
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
            let rest = graph.apply(Subtract {}, &[one, results[0]])?;
            let slope = graph.apply(Multiply {}, &[results[0], rest])?;
            graph.apply(Multiply {}, &[dy, slope])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| 1.0 / (1.0 + (-x).exp()))
    }
}

impl Registered for Sigmoid {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[5], [f64::NEG_INFINITY, -200.0, 100.0, f64::INFINITY, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
