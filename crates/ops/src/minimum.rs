//! The smaller of `a` and `b`, element by element with NumPy broadcasting; NaN if one is NaN.
//! `[*A] f32, [*B] f32 -> [*broadcast(A, B)] f32`, also int32
//!
//! Derivative: `dy` goes to the smaller one, half of it to each where they are equal, as in JAX.

use crate::Registered;
use crate::equal::Equal;
use crate::less::Less;
use crate::multiply::Multiply;
use crate::shared::{NUMERIC, binary, elementwise, to_json};
use crate::r#where::Where;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The smaller of two tensors, element by element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Minimum {}

impl Op for Minimum {
    fn name(&self) -> &'static str {
        "minimum"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, NUMERIC)
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match results[0].dtype {
            DType::Int32 => elementwise::zip(i32::min),
            _ => elementwise::zip(|a: f32, b: f32| if a < b || a.is_nan() { a } else { b }),
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        binary::vjp(graph, operands, gradients, |graph, dy| {
            let [a, b] = [operands[0], operands[1]];
            let half = graph.scalar(0.5)?;
            let half = graph.apply(Multiply {}, &[dy, half])?;
            let zero = graph.scalar(0.0)?;
            let equal = graph.apply(Equal {}, &[a, b])?;
            let otherwise = graph.apply(Where {}, &[equal, half, zero])?;
            let mut share = |a, b| {
                let wins = graph.apply(Less {}, &[a, b])?;
                graph.apply(Where {}, &[wins, dy, otherwise])
            };
            Ok([share(a, b)?, share(b, a)?])
        })
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        binary::reference(operands, results, |a, b| if a < b || a.is_nan() { a } else { b })
    }
}

impl Registered for Minimum {
    fn samples() -> Vec<Sample> {
        let shapes: [[&[usize]; 2]; 4] = [[&[2, 3], &[2, 3]], [&[2, 3], &[3]], [&[2, 1], &[1, 3]], [&[], &[1, 2]]];
        let mut samples =
            shapes.map(|[a, b]| Sample::new(Self {}, [Operand::normal(a), Operand::uniform(b, -0.04, 0.04)])).to_vec();
        samples.extend([
            Sample::new(
                Self {},
                [Operand::values(DType::Int32, &[2], [3.0, -2.0]), Operand::values(DType::Int32, &[2], [1.0, -7.0])],
            )
            .not_differentiable(),
            Sample::new(
                Self {},
                [
                    Operand::values(DType::Float32, &[3], [1.0, f64::NAN, 1.0]),
                    Operand::values(DType::Float32, &[3], [f64::NAN, 0.0, 1.0]),
                ],
            )
            .not_differentiable(),
        ]);
        samples
    }
}
