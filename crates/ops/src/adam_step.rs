//! `w - m * alpha / (sqrt(v) + epsilon)`: the step of Adam's rule, for weights, first moments, second moments and the step
//! size. `[*S] f32, [*S] f32, [*S] f32, [] f32 -> [*S] f32`
//!
//! One function where five would read and write everything five times: with [`lerp`](crate::lerp) for the moments an
//! update takes as long as reading and writing the memory. Derivative: with `r = sqrt(v) + epsilon`, `dw = dy`,
//! `dm = -dy * alpha / r`, `dv = dy * m * alpha / r^2 / sqrt(v) / 2` (infinite at 0 as that of the square root),
//! `dalpha = -sum(dy * m / r)`.

use crate::Registered;
use crate::add::Add;
use crate::divide::Divide;
use crate::multiply::Multiply;
use crate::negative::Negative;
use crate::shared::window::may_agree;
use crate::shared::{elementwise, operands, to_json, unbroadcast};
use crate::sqrt::Sqrt;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, Simple, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A step of Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdamStep {
    /// What keeps the divisor from 0.
    pub epsilon: f64,
}

impl Op for AdamStep {
    fn name(&self) -> &'static str {
        "adam_step"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [w, m, v, alpha] = operands::exactly(operands)?;
        for (name, operand) in [("weights", w), ("first moments", m), ("second moments", v), ("a step size", alpha)] {
            operands::dtype(name, operand, &[DType::Float32])?;
        }
        if [m, v].iter().any(|moments| !may_agree(&moments.shape, &w.shape)) {
            return Err("moments of the shape of the weights".to_owned());
        }
        if alpha.rank() != 0 {
            return Err("a step size that is a scalar".to_owned());
        }
        Ok(vec![w.clone()])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let epsilon = self.epsilon as f32;
        let step = move |w: f32, m: f32, v: f32, alpha: f32| w - m * alpha / (v.sqrt() + epsilon);
        Ok(elementwise::simple(Simple::AdamStep { epsilon }, elementwise::zip4(step)))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; 4]) };
        let [m, v, alpha] = [operands[1], operands[2], operands[3]];
        let root = graph.apply(Sqrt {}, &[v])?;
        let epsilon = graph.scalar(self.epsilon as f32)?;
        let divisor = graph.apply(Add {}, &[root, epsilon])?;
        let share = graph.apply(Divide {}, &[dy, divisor])?;
        let dm = graph.apply(Multiply {}, &[share, alpha])?;
        let dm = graph.apply(Negative {}, &[dm])?;
        let of_alpha = graph.apply(Multiply {}, &[share, m])?;
        let dalpha = graph.apply(Negative {}, &[of_alpha])?;
        let dv = graph.apply(Multiply {}, &[of_alpha, alpha])?;
        let dv = graph.apply(Divide {}, &[dv, divisor])?;
        let twice = graph.apply(Add {}, &[root, root])?;
        let dv = graph.apply(Divide {}, &[dv, twice])?;
        Ok(vec![Some(dy), Some(dm), Some(dv), Some(unbroadcast(graph, dalpha, alpha)?)])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [w, m, v, alpha] = operands else { unreachable!("the shape rule counts operands") };
        let step = |i: usize| w.data[i] - m.data[i] * alpha.data[0] / (v.data[i].sqrt() + self.epsilon);
        vec![Reference::new(w.dtype, &w.shape, (0..w.data.len()).map(step).collect())]
    }
}

impl Registered for AdamStep {
    fn samples() -> Vec<Sample> {
        let of = |epsilon: f64, shape: &[usize]| {
            let [w, m, v] = [Operand::normal(shape), Operand::normal(shape), Operand::uniform(shape, 0.1, 2.0)];
            Sample::new(Self { epsilon }, [w, m, v, Operand::uniform(&[], 0.1, 0.5)])
        };
        let still = Sample::new(
            Self { epsilon: 1e-7 },
            [
                Operand::values(DType::Float32, &[2], [1.0, -2.0]),
                Operand::values(DType::Float32, &[2], [0.0, 1e-9]),
                Operand::values(DType::Float32, &[2], [0.0, 0.0]),
                Operand::values(DType::Float32, &[], [1e-3]),
            ],
        );
        vec![of(1e-7, &[2, 3]), of(0.1, &[70]), of(1e-7, &[]), of(1e-7, &[0]), still.not_differentiable()]
    }
}
