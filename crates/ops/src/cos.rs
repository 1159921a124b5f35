//! `cos(x)`: the cosine of an angle in radians. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = -dy * sin(x)`.

use crate::Registered;
use crate::multiply::Multiply;
use crate::negative::Negative;
use crate::shared::{elementwise, to_json, unary};
use crate::sin::Sin;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The cosine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cos {}

impl Op for Cos {
    fn name(&self) -> &'static str {
        "cos"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::cos))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let sin = graph.apply(Sin {}, &[operands[0]])?;
            let slope = graph.apply(Negative {}, &[sin])?;
            graph.apply(Multiply {}, &[dy, slope])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, f64::cos)
    }
}

impl Registered for Cos {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(Self {}, [Operand::values(DType::Float32, &[4], [0.0, 100.0, f64::INFINITY, f64::NAN])])
                .not_differentiable(),
        ]
    }
}
