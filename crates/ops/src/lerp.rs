//! `a + (b - a) * weight`: from `a` towards `b`, a moving average. `[*S] f32, [*S] f32 -> [*S] f32`
//!
//! One function where three would read and write everything three times: optimizers move averages of all weights in every
//! step. Derivative: `da = dy * (1 - weight)`, `db = dy * weight`.

use crate::Registered;
use crate::multiply::Multiply;
use crate::shared::{binary, elementwise, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, Simple, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Linear interpolation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lerp {
    /// How far: 0 is `a`, 1 is `b` but for rounding.
    pub weight: f64,
}

impl Op for Lerp {
    fn name(&self) -> &'static str {
        "lerp"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, &[DType::Float32])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let weight = self.weight as f32;
        let plan = elementwise::zip(move |a: f32, b: f32| a + (b - a) * weight);
        Ok(elementwise::simple(Simple::Lerp { weight }, plan))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        binary::vjp(graph, operands, gradients, |graph, dy| {
            let [of_a, of_b] = [graph.scalar(1.0 - self.weight as f32)?, graph.scalar(self.weight as f32)?];
            Ok([graph.apply(Multiply {}, &[dy, of_a])?, graph.apply(Multiply {}, &[dy, of_b])?])
        })
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        binary::reference(operands, results, |a, b| a + (b - a) * self.weight)
    }
}

impl Registered for Lerp {
    fn samples() -> Vec<Sample> {
        let shapes: [(f64, &[usize], &[usize]); 4] =
            [(0.1, &[2, 3], &[2, 3]), (1e-3, &[70], &[70]), (0.0, &[3], &[3]), (0.5, &[2, 1], &[3])];
        shapes.map(|(weight, a, b)| Sample::new(Self { weight }, [Operand::normal(a), Operand::normal(b)])).into()
    }
}
