//! x repeated along axes as NumPy broadcasts it to the shape of `like`. `[*S], [*T] -> [*T]`
//!
//! Derivative: `dx` is the sum of `dy` over what was broadcast.

use crate::Registered;
use crate::shared::{check_broadcasts_to, elementwise, operands, to_json, unbroadcast};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use serde::{Deserialize, Serialize};

/// The shape of another tensor, by repetition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BroadcastLike {}

impl Op for BroadcastLike {
    fn name(&self) -> &'static str {
        "broadcast_like"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, like] = operands::exactly(operands)?;
        check_broadcasts_to(&x.shape, &like.shape)?;
        Ok(vec![TensorType::new(x.dtype, like.shape.iter().copied())])
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(if operands[0].shape == results[0].shape { Plan::Alias } else { elementwise::copy() })
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], operands: &[TensorType]) -> bool {
        batched[1] && operands[0].meets_entries(batched[0], operands[1].rank())
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None, None]) };
        Ok(vec![Some(unbroadcast(graph, dy, operands[0])?), None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, like] = [&operands[0], &operands[1]];
        vec![Reference::from_fn(x.dtype, &like.shape, |index| x.at_broadcast(index))]
    }

    fn reads(&self, index: usize) -> bool {
        index != 1
    }
}

impl Registered for BroadcastLike {
    fn samples() -> Vec<Sample> {
        let samples: [[&[usize]; 2]; 5] =
            [[&[3], &[2, 3]], [&[2, 1], &[2, 3]], [&[], &[4]], [&[2, 3], &[2, 3]], [&[1, 2, 1], &[3, 2, 4]]];
        samples.map(|[x, like]| Sample::new(Self {}, [Operand::normal(x), Operand::normal(like)])).into()
    }
}
