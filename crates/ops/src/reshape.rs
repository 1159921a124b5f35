//! The same elements under another shape. `[*S] -> [*shape]`
//!
//! In `shape` `null` keeps the extent of the axis of the same index, and -1, at most once, is whatever makes the number
//! of elements right.
//!
//! Derivative: `dx` is `dy` under the shape of x.

use crate::Registered;
use crate::reshape_like::ReshapeLike;
use crate::shared::dims::Dims;
use crate::shared::{dims, operands, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use serde::{Deserialize, Serialize};

/// Another shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reshape {
    /// The shape.
    pub shape: Dims,
}

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        Ok(vec![TensorType::new(x.dtype, dims::reshaped(&self.shape, &x.shape)?)])
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

impl Registered for Reshape {
    fn samples() -> Vec<Sample> {
        let samples: [(&[Option<i64>], &[usize]); 5] = [
            (&[Some(3), Some(2)], &[2, 3]),
            (&[None, Some(-1)], &[2, 3, 4]),
            (&[Some(-1)], &[2, 1, 3]),
            (&[], &[1, 1]),
            (&[Some(1), None, Some(2), Some(1)], &[2, 2]),
        ];
        samples.map(|(dims, x)| Sample::new(Self { shape: dims.to_vec() }, [Operand::normal(x)])).into()
    }
}
