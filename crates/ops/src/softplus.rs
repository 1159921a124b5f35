//! `softplus(x) = log(1 + exp(x))`, written so that nothing overflows. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy * sigmoid(x)`.

use crate::Registered;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use crate::sigmoid::Sigmoid;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::elementwise as kernel;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A smooth relu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Softplus {}

impl Op for Softplus {
    fn name(&self) -> &'static str {
        "softplus"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(|x, y| kernel::activate(kernel::Softplus, x, y)))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let slope = graph.apply(Sigmoid {}, &[operands[0]])?;
            graph.apply(Multiply {}, &[dy, slope])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| x.max(0.0) + (-x.abs()).exp().ln_1p())
    }
}

impl Registered for Softplus {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(Self {}, [Operand::values(DType::Float32, &[4], [-1000.0, -20.0, 100.0, f64::INFINITY])])
                .not_differentiable(),
        ]
    }
}
