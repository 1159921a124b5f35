//! New axes of extent 1 at the given places of the result. `[*S] -> [*S with ones]`
//!
//! Derivative: `dx` is `dy` under the shape of x.

use crate::Registered;
use crate::reshape_like::ReshapeLike;
use crate::shared::{axes, operands, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use serde::{Deserialize, Serialize};

/// New axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpandDims {
    /// Where the new axes are in the result.
    pub axes: Vec<i64>,
}

impl Op for ExpandDims {
    fn name(&self) -> &'static str {
        "expand_dims"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        let added = axes::check_axes(Some(&self.axes), x.rank() + self.axes.len())?;
        let mut extents = x.shape.iter().copied();
        Ok(vec![TensorType::new(
            x.dtype,
            added.into_iter().map(|new| if new { Some(1) } else { extents.next().flatten() }),
        )])
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
        unary::vjp(gradients, |dy| graph.apply(ReshapeLike {}, &[dy, operands[0]]))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        vec![Reference::new(x.dtype, &results[0].extents(), x.data.clone())]
    }
}

impl Registered for ExpandDims {
    fn samples() -> Vec<Sample> {
        [vec![0], vec![-1], vec![1, 3], vec![]]
            .map(|axes| Sample::new(Self { axes }, [Operand::normal(&[2, 3])]))
            .into()
    }
}
