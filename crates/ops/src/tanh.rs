//! `tanh(x)`: the hyperbolic tangent. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy * (1 - y^2)`.

use crate::Registered;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use crate::square::Square;
use crate::subtract::Subtract;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The hyperbolic tangent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tanh {}

impl Op for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::tanh))
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
            let square = graph.apply(Square {}, &[results[0]])?;
            let slope = graph.apply(Subtract {}, &[one, square])?;
            graph.apply(Multiply {}, &[dy, slope])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::tanh)
    }
}

impl Registered for Tanh {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[5], [f64::NEG_INFINITY, -20.0, 1e-4, 20.0, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
