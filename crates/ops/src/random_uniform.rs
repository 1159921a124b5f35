//! Random numbers, evenly spread over `[low, high)` in 2^24 steps. `[*S], [2] i32 -> [*shape] f32` for like and state
//!
//! `like` is used for its shape only: `null` in `shape` is its extent on the axis of the same index. The state is a
//! seed and a counter; element i depends on these and i alone. No derivative.

use crate::Registered;
use crate::shared::dims::Dims;
use crate::shared::{attributes, random, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::random as kernel;
use serde::{Deserialize, Serialize};

/// Uniform random numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomUniform {
    /// The shape.
    pub shape: Dims,
    /// The lower bound.
    #[serde(default)]
    pub low: f64,
    /// The upper bound; reached only by rounding.
    #[serde(default = "attributes::one")]
    pub high: f64,
}

impl Op for RandomUniform {
    fn name(&self) -> &'static str {
        "random_uniform"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        random::infer(operands, &self.shape)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (low, high) = (self.low as f32, self.high as f32);
        Ok(random::plan(move |state, y| kernel::uniform(state, low, high, y)))
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
        random::reference(operands, results, |stream, i| self.low + (self.high - self.low) * stream.unit(i))
    }

    fn reads(&self, index: usize) -> bool {
        index != 0
    }
}

impl Registered for RandomUniform {
    fn samples() -> Vec<Sample> {
        random::samples(|shape| Self { shape, low: -1.0, high: 3.0 })
    }
}
