//! The numbers `0..n` in random order. `[2] i32 -> [n] i32` of a state
//!
//! By Fisher and Yates's shuffle: from the last place k down to the first, place k changes with place
//! `word * (k + 1) / 2^32`. No derivative.

use crate::Registered;
use crate::shared::random::Stream;
use crate::shared::{operands, random, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::random::permutation;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A random order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomPermutation {
    /// How many numbers.
    pub n: usize,
}

impl Op for RandomPermutation {
    fn name(&self) -> &'static str {
        "random_permutation"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [state] = operands::exactly(operands)?;
        random::check_state(state)?;
        if i32::try_from(self.n).is_err() {
            return Err(format!("a length that an int32 can hold (it is {})", self.n));
        }
        Ok(vec![TensorType::known(DType::Int32, &[self.n])])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(step(|mut c| {
            permutation(random::state(c.inputs.i32(0)), c.outputs.i32(0));
            Ok(())
        }))
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(vec![None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let stream = Stream::new(&operands[0]);
        let mut order: Vec<f64> = (0..self.n).map(|i| i as f64).collect();
        for (draw, k) in (1..self.n).rev().enumerate() {
            let place = u64::from(stream.word(draw, 0)) * (k as u64 + 1) / (1 << 32);
            order.swap(k, place as usize);
        }
        vec![Reference::new(DType::Int32, &[self.n], order)]
    }
}

impl Registered for RandomPermutation {
    fn samples() -> Vec<Sample> {
        let state = Operand::values(DType::Int32, &[2], [7.0, -3.0]);
        [0, 1, 2, 100].map(|n| Sample::new(Self { n }, [state.clone()]).not_differentiable()).into()
    }
}
