//! `erf(x) = 2 / sqrt(pi) * (integral of exp(-t^2) from 0 to x)`. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy * 2 / sqrt(pi) * exp(-x^2)`.

use crate::Registered;
use crate::exp::Exp;
use crate::multiply::Multiply;
use crate::negative::Negative;
use crate::shared::{elementwise, to_json, unary};
use crate::square::Square;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::vecmath;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The error function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Erf {}

impl Op for Erf {
    fn name(&self) -> &'static str {
        "erf"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::slices(vecmath::erf))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let scale = graph.scalar(std::f32::consts::FRAC_2_SQRT_PI)?;
            let square = graph.apply(Square {}, &[operands[0]])?;
            let exponent = graph.apply(Negative {}, &[square])?;
            let bell = graph.apply(Exp {}, &[exponent])?;
            let slope = graph.apply(Multiply {}, &[bell, scale])?;
            graph.apply(Multiply {}, &[dy, slope])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, unary::erf)
    }
}

impl Registered for Erf {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::normal(&[2, 3])]),
            Sample::new(
                Self {},
                [Operand::values(DType::Float32, &[5], [f64::NEG_INFINITY, -3.0, 1e-4, 9.0, f64::NAN])],
            )
            .not_differentiable(),
        ]
    }
}
