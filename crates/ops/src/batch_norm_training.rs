//! Batch normalization with the statistics of the batch.
//!
//! `mean[c]` and `variance[c]` are the mean and the biased variance of `x` over all axes but `axis`, and
//! `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`. `x` and `y` are `[.., C, ..]`, the others `[C]`. A batch without
//! elements has mean and variance 0; Keras gives NaN, which moving statistics would never lose again.
//!
//! Derivative: with `n` elements in a channel, `z = (x - mean) / sqrt(variance + epsilon)` and means over a channel,
//! `dx = gamma / sqrt(variance + epsilon) * (dy - mean(dy) - z * mean(dy * z)) + dmean / n + 2 * dvariance * (x - mean) / n`,
//! `dgamma = sum(dy * z)`, `dbeta = sum(dy)`.

use crate::batch_norm_training_gradient::BatchNormTrainingGradient;
use crate::registry::Registered;
use crate::shared::attributes::last_axis;
use crate::shared::channels::{self, Formula, channel_shape, elements_of_channels};
use crate::shared::operands::exactly;
use crate::shared::to_json;
use ferrograph_graph::{
    Epilogue, Graph, GraphError, Op, Operand, Plan, Reference, RunContext, Sample, Step, TensorType, ValueId,
    WithEpilogue,
};
use ferrograph_kernels::batch_norm::{self, ChannelShape, Parameters};
use ferrograph_tensor::{DType, ViewMut};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchNormTraining {
    /// The axis of the channels.
    #[serde(default = "last_axis")]
    pub axis: i64,
    /// Added to the variance; not negative.
    pub epsilon: f64,
}

impl Op for BatchNormTraining {
    fn name(&self) -> &'static str {
        "batch_norm_training"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, gamma, beta] = exactly(operands)?;
        let channels = channels::infer(x, self.axis, &[("gamma", gamma), ("beta", beta)])?;
        let statistic = TensorType::new(DType::Float32, [channels]);
        Ok(vec![x.clone(), statistic.clone(), statistic])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Step(Box::new(Normalize { shape: channel_shape(&operands[0], self.axis)?, epsilon: self.epsilon })))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let (x, gamma, mean, variance) = (operands[0], operands[1], results[1], results[2]);
        let [dy, dmean, dvariance] = [gradients[0], gradients[1], gradients[2]];
        let mut formula = Formula::new(graph, x, self.axis)?;
        let [mut dx, mut dgamma, mut dbeta] = [None; 3];
        if let Some(dy) = dy {
            let gradient = BatchNormTrainingGradient { axis: self.axis, epsilon: self.epsilon };
            let parts = formula.emit(gradient, &[x, gamma, mean, variance, dy])?;
            [dx, dgamma, dbeta] = [Some(parts[0]), Some(parts[1]), Some(parts[2])];
        }
        if dmean.is_some() || dvariance.is_some() {
            let count = formula.count(x)?;
            let [mut of_mean, mut of_variance] = [None; 2];
            if let Some(dmean) = dmean {
                let share = formula.divide(dmean, count)?;
                of_mean = Some(formula.spread(share, x)?);
            }
            if let Some(dvariance) = dvariance {
                let twice = formula.add(dvariance, dvariance)?;
                let share = formula.divide(twice, count)?;
                let (share, mean) = (formula.along(share)?, formula.along(mean)?);
                let apart = formula.subtract(x, mean)?;
                of_variance = Some(formula.multiply(apart, share)?);
            }
            dx = formula.sum([dx, of_mean, of_variance])?;
        }
        Ok(vec![dx, dgamma, dbeta])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, gamma, beta] = operands else { unreachable!("the shape rule counts operands") };
        let mut y = vec![0.0; x.data.len()];
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        for (c, elements) in elements_of_channels(x, self.axis).iter().enumerate() {
            // Without elements the sums are 0, and so is what is made of them.
            let count = elements.len().max(1) as f64;
            let mean = elements.iter().map(|&i| x.data[i]).sum::<f64>() / count;
            let variance = elements.iter().map(|&i| (x.data[i] - mean).powi(2)).sum::<f64>() / count;
            for &i in elements {
                y[i] = (x.data[i] - mean) / (variance + self.epsilon).sqrt() * gamma.data[c] + beta.data[c];
            }
            means.push(mean);
            variances.push(variance);
        }
        let channels = [means.len()];
        vec![
            Reference::new(DType::Float32, &x.shape, y),
            Reference::new(DType::Float32, &channels, means),
            Reference::new(DType::Float32, &channels, variances),
        ]
    }
}

#[derive(Debug)]
struct Normalize {
    shape: ChannelShape,
    epsilon: f64,
}

impl Normalize {
    fn normalize(&self, mut context: RunContext<'_>, finished: Option<Epilogue<'_>>) {
        let [x, gamma, beta] = [0, 1, 2].map(|i| context.inputs.f32(i));
        let [y, mean, variance] = context.outputs.views([0, 1, 2]).map(ViewMut::f32);
        batch_norm::statistics(&self.shape, x, mean, variance, context.scratch);
        let parameters = Parameters { gamma, mean, variance, epsilon: self.epsilon };
        batch_norm::normalize(&self.shape, x, parameters, beta, y, context.scratch, finished);
    }
}

impl Step for Normalize {
    fn run(&self, context: RunContext<'_>) -> Result<(), GraphError> {
        self.normalize(context, None);
        Ok(())
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        Some(self)
    }

    fn scratch_len(&self) -> usize {
        self.shape.scratch_len()
    }
}

impl WithEpilogue for Normalize {
    fn run_with_epilogue(&self, context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        self.normalize(context, Some(epilogue));
        Ok(())
    }
}

/// An axis with shapes of `x` that between them reach every case.
pub(crate) fn samples() -> Vec<(i64, Vec<usize>)> {
    vec![
        (-1, vec![5, 3]),
        (3, vec![2, 3, 2, 4]),
        (-1, vec![40, 1]),
        (-1, vec![3, 2, 70]),
        (1, vec![2, 3, 4, 5]),
        (0, vec![3, 4]),
        (1, vec![3, 1, 2]),
        (-1, vec![1, 2]),
        (0, vec![6]),
        (-1, vec![0, 3]),
    ]
}

impl Registered for BatchNormTraining {
    fn samples() -> Vec<Sample> {
        let samples = samples().into_iter();
        samples
            .map(|(axis, x)| {
                let channels = [x[resolved(axis, x.len())]];
                let operands = [Operand::normal(&x), Operand::normal(&channels), Operand::normal(&channels)];
                // A small variance is divided by, and the rounding of the mean with it.
                Sample::new(Self { axis, epsilon: 1e-3 }, operands).tolerance(16.0)
            })
            .collect()
    }
}

/// The axis of a sample.
pub(crate) fn resolved(axis: i64, rank: usize) -> usize {
    crate::shared::axes::resolved_axis(axis, rank)
}
