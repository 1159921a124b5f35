//! Normally distributed random numbers within two standard deviations of the mean: what falls outside is drawn again.
//! `stddev` is that of the whole distribution, as in Keras. `[*S], [2] i32 -> [*shape] f32` for like and state
//!
//! `like` is used for its shape only: `null` in `shape` is its extent on the axis of the same index. The state is a
//! seed and a counter; element i depends on these and i alone. No derivative.

use crate::Registered;
use crate::shared::dims::Dims;
use crate::shared::{attributes, random, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::random as kernel;
use serde::{Deserialize, Serialize};

/// Truncated normal random numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomTruncatedNormal {
    /// The shape.
    pub shape: Dims,
    /// The mean.
    #[serde(default)]
    pub mean: f64,
    /// The standard deviation.
    #[serde(default = "attributes::one")]
    pub stddev: f64,
}

impl Op for RandomTruncatedNormal {
    fn name(&self) -> &'static str {
        "random_truncated_normal"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        random::infer(operands, &self.shape)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (mean, stddev) = (self.mean as f32, self.stddev as f32);
        Ok(random::plan(move |state, y| kernel::truncated_normal(state, mean, stddev, y)))
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(vec![None, None])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        random::reference(operands, results, |stream, i| {
            let mut draws = (0..64).map(|attempt| stream.normal(i, attempt));
            self.mean + self.stddev * draws.find(|z| z.abs() <= 2.0).unwrap_or(2.0)
        })
    }

    fn reads(&self, index: usize) -> bool {
        index != 0
    }
}

impl Registered for RandomTruncatedNormal {
    fn samples() -> Vec<Sample> {
        random::samples(|shape| Self { shape, mean: 1.0, stddev: 0.5 })
    }
}
