//! The gradient of relu: `dx = dy * slope(x)`. `[*S] f32, [*S] f32 -> [*S] f32` for x and dy
//!
//! `slope(x)` is 1 where x is passed on, `negative_slope` below the threshold, 0 beyond a limit. At kinks it is what
//! Keras has with its JAX backend: at the threshold 0, but 1 for a plain leaky relu; where the limit or the lower bound
//! 0 is just reached a half, but 0 where `max_value` is 6, which Keras computes otherwise.
//!
//! Derivative: `d(dy) = relu_gradient(x, gradient)`; none for x, on which the slope does not depend but at the kinks.

use crate::Registered;
use crate::shared::{binary, elementwise, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The gradient of relu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReluGradient {
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

impl Op for ReluGradient {
    fn name(&self) -> &'static str {
        "relu_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, &[DType::Float32])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (slope, threshold) = (self.negative_slope as f32, self.threshold as f32);
        Ok(match self.max_value {
            None if slope == 0.0 => elementwise::zip(move |x: f32, dy: f32| if x > threshold { dy } else { 0.0 }),
            // Keras computes this one as leaky relu, whose kink belongs to the upper side.
            None if threshold == 0.0 => elementwise::zip(move |x: f32, dy: f32| if x >= 0.0 { dy } else { slope * dy }),
            None => elementwise::zip(move |x: f32, dy: f32| threshold_slope(x, threshold, slope, 1.0) * dy),
            Some(max) => {
                let (max, tie) = (max as f32, if max == 6.0 && threshold == 0.0 { 0.0 } else { 0.5 });
                elementwise::zip(move |x: f32, dy: f32| {
                    let lower = if x > 0.0 {
                        1.0
                    } else if x == 0.0 {
                        0.5
                    } else {
                        0.0
                    };
                    let upper = if x < max {
                        1.0
                    } else if x == max {
                        tie
                    } else {
                        0.0
                    };
                    threshold_slope(x, threshold, slope, lower * upper) * dy
                })
            }
        })
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
        let Self { max_value, negative_slope, threshold } = *self;
        binary::reference(operands, results, |x, dy| {
            let limit = max_value.unwrap_or(f64::INFINITY);
            let slope = if x == threshold {
                // The kink.
                f64::from(u8::from(max_value.is_none() && threshold == 0.0 && negative_slope != 0.0))
            } else if x < threshold {
                negative_slope
            } else if max_value.is_none() || (x > 0.0 && x < limit) {
                f64::from(u8::from(!x.is_nan()))
            } else if x == 0.0 || x == limit {
                if limit == 6.0 && threshold == 0.0 { 0.0 } else { 0.5 }
            } else {
                0.0
            };
            slope * dy
        })
    }
}

impl Registered for ReluGradient {
    fn samples() -> Vec<Sample> {
        let gradient = |max_value, negative_slope, threshold| Self { max_value, negative_slope, threshold };
        let dy = Operand::normal(&[2, 5]);
        let mut samples = attribute_samples(gradient, &[Operand::values(DType::Float32, &[2, 5], BESIDE_KINKS), dy]);
        let kinks = [Operand::values(DType::Float32, &[12], KINKS), Operand::normal(&[12])];
        samples.extend(attribute_samples(gradient, &kinks).into_iter().map(Sample::not_differentiable));
        samples
    }
}

/// The slope by the side of the threshold that x is on.
#[inline]
fn threshold_slope(x: f32, threshold: f32, slope: f32, passed: f32) -> f32 {
    if x > threshold {
        passed
    } else if x == threshold {
        0.0
    } else {
        slope
    }
}

/// Places of x beside every kink of [`attribute_samples`].
pub(crate) const BESIDE_KINKS: [f64; 10] = [-3.0, -1.4, -0.4, 0.3, 0.8, 1.7, 2.6, 4.2, 5.5, 6.5];
/// Places of x at every kink, too.
const KINKS: [f64; 12] = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 6.0, 7.0];

/// A sample for every way the attributes may be set: `max_value`, `negative_slope`, `threshold`.
pub(crate) fn attribute_samples<T: Op + 'static>(
    make: impl Fn(Option<f64>, f64, f64) -> T,
    operands: &[Operand],
) -> Vec<Sample> {
    let attributes = [
        (None, 0.0, 0.0),
        (None, 0.3, 0.0),
        (Some(6.0), 0.0, 0.0),
        (Some(5.0), 0.0, 0.0),
        (None, 0.0, 1.0),
        (Some(3.0), 0.0, 1.0),
        (Some(3.0), 0.0, -1.0),
        (None, 0.0, -1.0),
        (Some(2.0), 0.3, 0.0),
        (Some(2.0), 0.3, 1.0),
        (None, 0.3, 1.0),
    ];
    attributes.map(|(max, slope, threshold)| Sample::new(make(max, slope, threshold), operands.to_vec())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slopes of `keras.activations.relu` at [`KINKS`], by `jax.grad` (Keras 3.15.1, JAX 0.10.2).
    #[test]
    fn kinks_are_those_of_keras() {
        let h = 0.5;
        let s = 0.3;
        let rows = [
            [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
            [s, s, s, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
            [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, h, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, h, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, h, 1.0, 1.0, 1.0, 1.0, h, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
            [s, s, s, 0.0, 1.0, 1.0, 1.0, h, 0.0, 0.0, 0.0, 0.0],
            [s, s, s, s, s, 0.0, 1.0, h, 0.0, 0.0, 0.0, 0.0],
            [s, s, s, s, s, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        ];
        let make = |max_value, negative_slope, threshold| ReluGradient { max_value, negative_slope, threshold };
        let operands = [
            Reference::new(DType::Float32, &[12], KINKS.to_vec()),
            Reference::new(DType::Float32, &[12], vec![1.0; 12]),
        ];
        let result = [TensorType::known(DType::Float32, &[12])];
        for (sample, row) in attribute_samples(make, &[]).iter().zip(rows) {
            assert_eq!(sample.op.reference(&operands, &result)[0].data, row, "{}", sample.op.attributes());
        }
    }
}
