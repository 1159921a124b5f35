//! Batch normalization with given statistics.
//!
//! `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, where `x` and `y` are `[.., C, ..]` and the others `[C]` along
//! `axis`.
//!
//! Derivative: with `r = 1 / sqrt(variance + epsilon)` and sums over a channel, `dx = dy * gamma * r`, `dbeta = sum(dy)`,
//! `dgamma = sum(dy * (x - mean)) * r`, `dmean = -gamma * r * dbeta`, `dvariance = -gamma * r^2 / 2 * dgamma`.

use crate::batch_norm_training::{resolved, samples};
use crate::registry::Registered;
use crate::shared::affine;
use crate::shared::attributes::last_axis;
use crate::shared::channels::{self, Formula, channel_shape, elements_of_channels};
use crate::shared::operands::exactly;
use crate::shared::{entries, step_with_scratch, to_json};
use ferrograph_graph::{Affine, Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::batch_norm::{self, Parameters};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchNormInference {
    /// The axis of the channels.
    #[serde(default = "last_axis")]
    pub axis: i64,
    /// Added to the variance; not negative.
    pub epsilon: f64,
}

impl Op for BatchNormInference {
    fn name(&self) -> &'static str {
        "batch_norm_inference"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, gamma, beta, mean, variance] = exactly(operands)?;
        let parameters = [("gamma", gamma), ("beta", beta), ("mean", mean), ("variance", variance)];
        channels::infer(x, self.axis, &parameters)?;
        Ok(vec![x.clone()])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let (shape, epsilon) = (channel_shape(&operands[0], self.axis)?, self.epsilon);
        Ok(step_with_scratch(shape.table_len(), move |mut context| {
            let [x, gamma, beta, mean, variance] = [0, 1, 2, 3, 4].map(|i| context.inputs.f32(i));
            let parameters = Parameters { gamma, mean, variance, epsilon };
            batch_norm::normalize(&shape, x, parameters, beta, context.outputs.f32(0), context.scratch, None);
            Ok(())
        }))
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axis(self.axis, operands) && entries::of_first_operand(batched)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; 5]) };
        let [x, gamma, _, mean, variance] = operands else { unreachable!("the shape rule counts operands") };
        let mut f = Formula::new(graph, *x, self.axis)?;
        let r = f.factor(*variance, self.epsilon)?;
        let scale = f.multiply(*gamma, r)?;
        let scale_along = f.along(scale)?;
        let dx = f.multiply(dy, scale_along)?;
        let dbeta = f.sum_channels(dy)?;

        let mean = f.along(*mean)?;
        let apart = f.subtract(*x, mean)?;
        let product = f.multiply(dy, apart)?;
        let product = f.sum_channels(product)?;
        let dgamma = f.multiply(product, r)?;

        let dmean = f.multiply(scale, dbeta)?;
        let dmean = f.negative(dmean)?;
        let half = f.scalar(-0.5)?;
        let slope = f.multiply(scale, r)?;
        let slope = f.multiply(half, slope)?;
        let dvariance = f.multiply(slope, dgamma)?;
        Ok([dx, dgamma, dbeta, dmean, dvariance].map(Some).to_vec())
    }

    fn affine(&self, graph: &mut Graph, operands: &[ValueId], before: Affine) -> Result<Option<Affine>, GraphError> {
        let [x, gamma, beta, mean, variance] = *operands else { unreachable!("the shape rule counts operands") };
        if !affine::is_along_last(graph, x, gamma) || resolved(self.axis, graph.ty(x).rank()) + 1 != graph.ty(x).rank()
        {
            return Ok(None);
        }
        let mut f = Formula::new(graph, x, self.axis)?;
        let r = f.factor(variance, self.epsilon)?;
        let scale = f.multiply(gamma, r)?;
        let from_mean = f.multiply(mean, scale)?;
        let shift = f.subtract(beta, from_mean)?;
        affine::then(graph, before, Some(scale), Some(shift)).map(Some)
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, gamma, beta, mean, variance] = operands else { unreachable!("the shape rule counts operands") };
        let mut y = vec![0.0; x.data.len()];
        for (c, elements) in elements_of_channels(x, self.axis).iter().enumerate() {
            let r = 1.0 / (variance.data[c] + self.epsilon).sqrt();
            for &i in elements {
                y[i] = (x.data[i] - mean.data[c]) * r * gamma.data[c] + beta.data[c];
            }
        }
        vec![Reference::new(DType::Float32, &x.shape, y)]
    }
}

impl Registered for BatchNormInference {
    fn samples() -> Vec<Sample> {
        let samples = samples().into_iter();
        samples
            .map(|(axis, x)| {
                let channels = [x[resolved(axis, x.len())]];
                let (normal, positive) = (Operand::normal(&channels), Operand::uniform(&channels, 0.5, 2.0));
                let operands = [Operand::normal(&x), normal.clone(), normal.clone(), normal, positive];
                Sample::new(Self { axis, epsilon: 1e-3 }, operands)
            })
            .collect()
    }
}
