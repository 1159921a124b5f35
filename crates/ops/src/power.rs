//! `a` to the power of `b`, element by element with NumPy broadcasting. `[*A] f32, [*B] f32 -> [*broadcast(A, B)] f32`
//!
//! Derivative: `da = dy * b * a^(b - 1)`, `db = dy * y * log(a)`, summed over what was broadcast. As in JAX the
//! logarithm of a base of 0 counts as 0, and 0 to the power of 0 has NaN for `da`.

use crate::Registered;
use crate::equal::Equal;
use crate::log::Log;
use crate::multiply::Multiply;
use crate::shared::{binary, elementwise, to_json};
use crate::subtract::Subtract;
use crate::r#where::Where;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Power {}

impl Op for Power {
    fn name(&self) -> &'static str {
        "power"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, &[DType::Float32])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(elementwise::zip(f32::powf))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        binary::vjp(graph, operands, gradients, |graph, dy| {
            let [a, b] = [operands[0], operands[1]];
            let (zero, one) = (graph.scalar(0.0)?, graph.scalar(1.0)?);
            let lower = graph.apply(Subtract {}, &[b, one])?;
            let lower = graph.apply(Self {}, &[a, lower])?;
            let slope = graph.apply(Multiply {}, &[b, lower])?;
            let da = graph.apply(Multiply {}, &[dy, slope])?;
            let is_zero = graph.apply(Equal {}, &[a, zero])?;
            let base = graph.apply(Where {}, &[is_zero, one, a])?;
            let log = graph.apply(Log {}, &[base])?;
            let slope = graph.apply(Multiply {}, &[results[0], log])?;
            Ok([da, graph.apply(Multiply {}, &[dy, slope])?])
        })
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        binary::reference(operands, results, f64::powf)
    }
}

impl Registered for Power {
    fn samples() -> Vec<Sample> {
        let shapes: [[&[usize]; 2]; 4] = [[&[2, 3], &[2, 3]], [&[2, 3], &[3]], [&[2, 1], &[1, 3]], [&[], &[1, 2]]];
        let mut samples =
            shapes.map(|[a, b]| Sample::new(Self {}, [Operand::uniform(a, 0.3, 2.0), Operand::normal(b)])).to_vec();
        samples.extend([Sample::new(
            Self {},
            [
                Operand::values(DType::Float32, &[5], [0.0, 0.0, -2.0, -2.0, 2.0]),
                Operand::values(DType::Float32, &[5], [0.0, 2.0, 3.0, 0.5, -1.0]),
            ],
        )
        .not_differentiable()]);
        samples
    }
}
