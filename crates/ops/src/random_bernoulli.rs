//! 1 with a given probability, else 0. `[*S], [2] i32 -> [*shape] f32` for like and state
//!
//! `like` is used for its shape only: `null` in `shape` is its extent on the axis of the same index. The state is a
//! seed and a counter; element i depends on these and i alone. No derivative.

use crate::Registered;
use crate::shared::dims::Dims;
use crate::shared::{random, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::random as kernel;
use serde::{Deserialize, Serialize};

/// Random zeros and ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomBernoulli {
    /// The shape.
    pub shape: Dims,
    /// The probability of 1.
    pub probability: f64,
}

impl Op for RandomBernoulli {
    fn name(&self) -> &'static str {
        "random_bernoulli"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(format!("a probability between 0 and 1 (it is {})", self.probability));
        }
        random::infer(operands, &self.shape)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let probability = self.probability as f32;
        Ok(random::plan(move |state, y| kernel::bernoulli(state, probability, y)))
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
        let probability = f64::from(self.probability as f32);
        random::reference(operands, results, |stream, i| f64::from(u8::from(stream.unit(i) < probability)))
    }

    fn reads(&self, index: usize) -> bool {
        index != 0
    }
}

impl Registered for RandomBernoulli {
    fn samples() -> Vec<Sample> {
        random::samples(|shape| Self { shape, probability: 0.3 })
    }
}
