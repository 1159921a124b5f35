//! The gradients of [`batch_norm_training`](crate::batch_norm_training) from that of its `y`.
//!
//! With `r = 1 / sqrt(variance + epsilon)`, `z = (x - mean) * r`, `n` elements in a channel and sums over a channel:
//! `dbeta = sum(dy)`, `dgamma = sum(dy * z)`, `dx = gamma * r * (dy - dbeta / n - z * dgamma / n)`. `x`, `dy` and `dx` are
//! `[.., C, ..]`, the others `[C]`.
//!
//! Derivative: `mean` and `variance` are operands of their own here; what flows to them goes on through
//! `batch_norm_training`. For incoming `u`, `a`, `b` of `dx`, `dgamma`, `dbeta`, let `(P, B, A)` be this op's results for `u` in
//! the place of `dy`, and `w = a * dy - gamma * r / n * (u * dgamma + dy * B)`, the gradient of `z`. Then
//! `d(dy) = P + a * z + b`, `d(x) = r * w`, `d(mean) = -r * sum(w)`,
//! `d(gamma) = r * s` with `s = sum(u * dy) - (A * dbeta + B * dgamma) / n`, and
//! `d(variance) = -r^2 / 2 * (gamma * r * s + sum(w * z))`.

use crate::batch_norm_training::{resolved, samples};
use crate::registry::Registered;
use crate::shared::attributes::last_axis;
use crate::shared::channels::{self, Formula, channel_shape, elements_of_channels};
use crate::shared::operands::exactly;
use crate::shared::window::may_agree;
use crate::shared::{step_with_scratch, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::batch_norm::{self, Gradients, Parameters};
use ferrograph_tensor::{DType, ViewMut};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchNormTrainingGradient {
    /// The axis of the channels.
    #[serde(default = "last_axis")]
    pub axis: i64,
    /// Added to the variance; not negative.
    pub epsilon: f64,
}

impl Op for BatchNormTrainingGradient {
    fn name(&self) -> &'static str {
        "batch_norm_training_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, gamma, mean, variance, dy] = exactly(operands)?;
        let parameters = [("gamma", gamma), ("mean", mean), ("variance", variance)];
        let channels = channels::infer(x, self.axis, &parameters)?;
        if !may_agree(&x.shape, &dy.shape) || dy.dtype != DType::Float32 {
            return Err(format!("dy {x}, as x"));
        }
        let parameter = TensorType::new(DType::Float32, [channels]);
        Ok(vec![x.clone(), parameter.clone(), parameter])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let (shape, epsilon) = (channel_shape(&operands[0], self.axis)?, self.epsilon);
        Ok(step_with_scratch(shape.scratch_len(), move |mut context| {
            let [x, gamma, mean, variance, dy] = [0, 1, 2, 3, 4].map(|i| context.inputs.f32(i));
            let [dx, dgamma, dbeta] = context.outputs.views([0, 1, 2]).map(ViewMut::f32);
            let parameters = Parameters { gamma, mean, variance, epsilon };
            batch_norm::gradient(&shape, x, parameters, dy, Gradients { dx, dgamma, dbeta }, context.scratch);
            Ok(())
        }))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let [x, gamma, mean, variance, dy] = operands else { unreachable!("the shape rule counts operands") };
        let [x, gamma, mean, variance, dy] = [*x, *gamma, *mean, *variance, *dy];
        let (dgamma, dbeta) = (results[1], results[2]);
        let (u, a, b) = (gradients[0], gradients[1], gradients[2]);
        let mut f = Formula::new(graph, x, self.axis)?;

        let r = f.factor(variance, self.epsilon)?;
        let (r_along, mean_along) = (f.along(r)?, f.along(mean)?);
        let apart = f.subtract(x, mean_along)?;
        let z = f.multiply(apart, r_along)?;

        let (mut ddy, mut w, mut s) = (Vec::new(), Vec::new(), None);
        if let Some(a) = a {
            let a = f.along(a)?;
            ddy.push(Some(f.multiply(a, z)?));
            w.push(Some(f.multiply(a, dy)?));
        }
        if let Some(b) = b {
            ddy.push(Some(f.spread(b, dy)?));
        }
        let scale = f.multiply(gamma, r)?;
        if let Some(u) = u {
            let parts = f.emit(self.clone(), &[x, gamma, mean, variance, u])?;
            let [p, uz, sum_u] = [parts[0], parts[1], parts[2]];
            ddy.push(Some(p));
            let count = f.count(x)?;
            let product = f.multiply(u, dy)?;
            let product = f.sum_channels(product)?;
            let of_beta = f.multiply(sum_u, dbeta)?;
            let of_gamma = f.multiply(uz, dgamma)?;
            let removed = f.add(of_beta, of_gamma)?;
            let removed = f.divide(removed, count)?;
            s = Some(f.subtract(product, removed)?);

            let share = f.divide(scale, count)?;
            let share = f.negative(share)?;
            let (of_u, of_dy) = (f.multiply(share, dgamma)?, f.multiply(share, uz)?);
            let (of_u, of_dy) = (f.along(of_u)?, f.along(of_dy)?);
            w.push(Some(f.multiply(u, of_u)?));
            w.push(Some(f.multiply(dy, of_dy)?));
        }
        let (ddy, w) = (f.sum(ddy)?, f.sum(w)?);
        let Some(w) = w else { return Ok(vec![None, None, None, None, ddy]) };

        let dx = f.multiply(r_along, w)?;
        let dmean = f.sum_channels(dx)?;
        let dmean = f.negative(dmean)?;
        let wz = f.multiply(w, z)?;
        let wz = f.sum_channels(wz)?;
        let slope = match s {
            Some(s) => {
                let of_r = f.multiply(scale, s)?;
                f.add(of_r, wz)?
            }
            None => wz,
        };
        let half = f.scalar(-0.5)?;
        let outer = f.multiply(r, r)?;
        let outer = f.multiply(half, outer)?;
        let dvariance = f.multiply(outer, slope)?;
        let dgamma = s.map(|s| f.multiply(r, s)).transpose()?;
        Ok(vec![Some(dx), dgamma, Some(dmean), Some(dvariance), ddy])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, gamma, mean, variance, dy] = operands else { unreachable!("the shape rule counts operands") };
        let mut dx = vec![0.0; x.data.len()];
        let (mut dgamma, mut dbeta) = (Vec::new(), Vec::new());
        for (c, elements) in elements_of_channels(x, self.axis).iter().enumerate() {
            let count = elements.len() as f64;
            let r = 1.0 / (variance.data[c] + self.epsilon).sqrt();
            let z = |i: usize| (x.data[i] - mean.data[c]) * r;
            let sum: f64 = elements.iter().map(|&i| dy.data[i]).sum();
            let product: f64 = elements.iter().map(|&i| dy.data[i] * z(i)).sum();
            for &i in elements {
                dx[i] = gamma.data[c] * r * (dy.data[i] - sum / count - z(i) * product / count);
            }
            dgamma.push(product);
            dbeta.push(sum);
        }
        let channels = [dgamma.len()];
        vec![
            Reference::new(DType::Float32, &x.shape, dx),
            Reference::new(DType::Float32, &channels, dgamma),
            Reference::new(DType::Float32, &channels, dbeta),
        ]
    }
}

impl Registered for BatchNormTrainingGradient {
    fn samples() -> Vec<Sample> {
        let samples = samples().into_iter();
        samples
            .map(|(axis, x)| {
                let channels = [x[resolved(axis, x.len())]];
                let (normal, positive) = (Operand::normal(&channels), Operand::uniform(&channels, 0.5, 2.0));
                let operands = [Operand::normal(&x), normal.clone(), normal, positive, Operand::normal(&x)];
                // Sums of some ten products, each rounded once.
                Sample::new(Self { axis, epsilon: 1e-3 }, operands).tolerance(8.0)
            })
            .collect()
    }
}
