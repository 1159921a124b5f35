//! The elements of x under the shape of `like`, which must have as many. `[*S], [*T] -> [*T]`
//!
//! Derivative: `dx` is `dy` under the shape of x.

use crate::Registered;
use crate::shared::{operands, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::element_count;
use serde::{Deserialize, Serialize};

/// The shape of another tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReshapeLike {}

impl Op for ReshapeLike {
    fn name(&self) -> &'static str {
        "reshape_like"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, like] = operands::exactly(operands)?;
        let count = |ty: &TensorType| ty.dims().map(|dims| element_count(&dims));
        if let (Some(x), Some(like)) = (count(x), count(like))
            && x != like
        {
            return Err("two shapes with the same number of elements".to_owned());
        }
        Ok(vec![TensorType::new(x.dtype, like.shape.iter().copied())])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Alias)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None, None]) };
        Ok(vec![Some(graph.apply(Self {}, &[dy, operands[0]])?), None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, like] = [&operands[0], &operands[1]];
        vec![Reference::new(x.dtype, &like.shape, x.data.clone())]
    }

    fn reads(&self, index: usize) -> bool {
        index != 1
    }
}

impl Registered for ReshapeLike {
    fn samples() -> Vec<Sample> {
        let samples: [[&[usize]; 2]; 3] = [[&[2, 3], &[6]], [&[4], &[1, 2, 2]], [&[1], &[]]];
        samples.map(|[x, like]| Sample::new(Self {}, [Operand::normal(x), Operand::normal(like)])).into()
    }
}
