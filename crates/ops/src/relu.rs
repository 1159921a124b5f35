//! `relu(x) = x` where `x > threshold`, else `negative_slope * (x - threshold)`. With `max_value` what is passed on is
//! brought between 0 and it. NaN stays. `[*S] f32 -> [*S] f32`
//!
//! Derivative: see `relu_gradient`; 0 at 0 without attributes.

use crate::Registered;
use crate::relu_gradient::{BESIDE_KINKS, ReluGradient, attribute_samples};
use crate::shared::{elementwise, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, Simple, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The rectified linear unit, with all the attributes of Keras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Relu {
    /// What the result is at most; `null` is no limit.
    #[serde(default)]
    pub max_value: Option<f64>,
    /// Slope below the threshold.
    #[serde(default)]
    pub negative_slope: f64,
    /// Up to here elements are not passed on.
    #[serde(default)]
    pub threshold: f64,
}

impl Op for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (slope, threshold) = (self.negative_slope as f32, self.threshold as f32);
        Ok(match self.max_value {
            None if slope == 0.0 && threshold == 0.0 => elementwise::simple(
                Simple::Rectify { max: None },
                elementwise::map(|x: f32| if x <= 0.0 { 0.0 } else { x }),
            ),
            // A slope of 0 must not make infinities NaN.
            None if slope == 0.0 => elementwise::map(move |x: f32| if x <= threshold { 0.0 } else { x }),
            None => elementwise::map(move |x: f32| if x <= threshold { slope * (x - threshold) } else { x }),
            Some(max) => {
                let max = max as f32;
                let plan = elementwise::map(move |x: f32| {
                    let below = if slope == 0.0 { 0.0 } else { slope * (x - threshold) };
                    let positive = if x < 0.0 { 0.0 } else { x };
                    let above = if positive > max { max } else { positive };
                    if x <= threshold { below } else { above }
                });
                let plain = slope == 0.0 && threshold == 0.0;
                if plain { elementwise::simple(Simple::Rectify { max: Some(max) }, plan) } else { plan }
            }
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        // Without a limit and a threshold the signs of x are those of y, and x need not be kept.
        let by_result = self.max_value.is_none() && self.threshold == 0.0 && self.negative_slope >= 0.0;
        let Self { max_value, negative_slope, threshold } = *self;
        let gradient = ReluGradient { max_value, negative_slope, threshold };
        unary::vjp(gradients, |dy| graph.apply(gradient, &[if by_result { results[0] } else { operands[0] }, dy]))
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| {
            let passed = self.max_value.map_or(x, |max| x.max(0.0).min(max));
            match x.partial_cmp(&self.threshold) {
                None => x,
                Some(Ordering::Greater) => passed,
                Some(_) if self.negative_slope == 0.0 => 0.0,
                Some(_) => self.negative_slope * (x - self.threshold),
            }
        })
    }
}

impl Registered for Relu {
    fn samples() -> Vec<Sample> {
        let relu = |max_value, negative_slope, threshold| Self { max_value, negative_slope, threshold };
        let mut samples = attribute_samples(relu, &[Operand::values(DType::Float32, &[2, 5], BESIDE_KINKS)]);
        let limits = Operand::values(DType::Float32, &[5], [f64::NEG_INFINITY, f64::INFINITY, f64::NAN, 0.0, 6.0]);
        samples.push(Sample::new(relu(None, 0.0, 0.0), [limits.clone()]).not_differentiable());
        samples.push(Sample::new(relu(Some(6.0), 0.3, 0.0), [limits]).not_differentiable());
        samples
    }
}
