//! `clip(x) = min(max(x, low), high)`; NaN stays. `[*S] f32 -> [*S] f32`, also int32
//!
//! Derivative: see `clip_gradient`; a half at a bound, as in JAX.

use crate::Registered;
use crate::clip_gradient::ClipGradient;
use crate::shared::{NUMERIC, elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Bounds for every element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Clip {
    /// What the result is at least; `null` is no bound.
    #[serde(default)]
    pub low: Option<f64>,
    /// What the result is at most; `null` is no bound. Where the bounds cross, this one wins.
    #[serde(default)]
    pub high: Option<f64>,
}

impl Op for Clip {
    fn name(&self) -> &'static str {
        "clip"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer(operands, NUMERIC)
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(if results[0].dtype == DType::Int32 {
            let low = self.low.map_or(i32::MIN, |v| v as i32);
            let high = self.high.map_or(i32::MAX, |v| v as i32);
            elementwise::map(move |x: i32| x.max(low).min(high))
        } else {
            let low = self.low.map_or(f32::NEG_INFINITY, |v| v as f32);
            let high = self.high.map_or(f32::INFINITY, |v| v as f32);
            elementwise::map(move |x: f32| {
                let x = if x < low { low } else { x };
                if x > high { high } else { x }
            })
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let gradient = ClipGradient { low: self.low, high: self.high };
        unary::vjp(gradients, |dy| graph.apply(gradient, &[operands[0], dy]))
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let whole = operands[0].dtype == DType::Int32;
        let bound = |v: Option<f64>, none| v.map_or(none, |v| if whole { v.trunc() } else { v });
        let (low, high) = (bound(self.low, f64::NEG_INFINITY), bound(self.high, f64::INFINITY));
        unary::reference(operands, |x| if x.is_nan() { x } else { x.max(low).min(high) })
    }
}

impl Registered for Clip {
    fn samples() -> Vec<Sample> {
        let all = Operand::values(DType::Float32, &[6], [-3.0, -0.5, 0.0, 0.7, 4.0, f64::NAN]);
        [(Some(-1.0), Some(0.5)), (None, Some(0.5)), (Some(-1.0), None), (None, None), (Some(3.0), Some(1.0))]
            .into_iter()
            .flat_map(|(low, high)| {
                let clip = Self { low, high };
                [
                    Sample::new(clip.clone(), [Operand::values(DType::Float32, &[2, 2], [-1.5, -0.4, 0.3, 2.0])]),
                    Sample::new(clip.clone(), [all.clone()]).not_differentiable(),
                    Sample::new(clip, [Operand::integers(&[9], -4, 4)]).not_differentiable(),
                ]
            })
            .collect()
    }
}
