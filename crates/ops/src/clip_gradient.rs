//! The gradient of clip: `dx = dy * slope(x)`. `[*S] f32, [*S] f32 -> [*S] f32` for x and dy
//!
//! `slope(x)` is 1 between the bounds, 0 beyond them, a half at each, as in JAX.
//!
//! Derivative: `d(dy) = clip_gradient(x, gradient)`; none for x, on which the slope does not depend but at the bounds.

use crate::Registered;
use crate::shared::{binary, elementwise, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The gradient of clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClipGradient {
    /// What the result is at least; `null` is no bound.
    #[serde(default)]
    pub low: Option<f64>,
    /// What the result is at most; `null` is no bound. Where the bounds cross, this one wins.
    #[serde(default)]
    pub high: Option<f64>,
}

impl Op for ClipGradient {
    fn name(&self) -> &'static str {
        "clip_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, &[DType::Float32])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let low = self.low.map_or(f32::NEG_INFINITY, |v| v as f32);
        let high = self.high.map_or(f32::INFINITY, |v| v as f32);
        Ok(elementwise::zip(move |x: f32, dy: f32| {
            let raised = if x < low { low } else { x };
            dy * half_step(x, low) * half_step(high, raised)
        }))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(ddx) = gradients[0] else { return Ok(vec![None, None]) };
        Ok(vec![None, Some(graph.apply(self.clone(), &[operands[0], ddx])?)])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let (low, high) = (self.low.unwrap_or(f64::NEG_INFINITY), self.high.unwrap_or(f64::INFINITY));
        // Half of what is passed on with the bound left out, and half with it.
        let step = |a: f64, b: f64| 0.5 * (f64::from(u8::from(a > b)) + f64::from(u8::from(a >= b)));
        binary::reference(operands, results, |x, dy| dy * step(x, low) * step(high, x.max(low)))
    }
}

impl Registered for ClipGradient {
    fn samples() -> Vec<Sample> {
        let x = Operand::values(DType::Float32, &[7], [-3.0, -1.0, -0.5, 0.0, 0.5, 0.7, 4.0]);
        [(Some(-1.0), Some(0.5)), (None, Some(0.5)), (Some(-1.0), None), (None, None), (Some(3.0), Some(1.0))]
            .map(|(low, high)| Sample::new(Self { low, high }, [x.clone(), Operand::normal(&[7])]).not_differentiable())
            .into()
    }
}

/// 0 where `a < b`, 1 where `a > b`, a half where they are equal.
#[inline]
fn half_step(a: f32, b: f32) -> f32 {
    if a > b {
        1.0
    } else if a == b {
        0.5
    } else {
        0.0
    }
}
