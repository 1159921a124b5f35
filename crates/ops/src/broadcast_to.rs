//! x repeated along axes as NumPy broadcasts it to `shape`. `[*S] -> [*shape]`
//!
//! The shape is aligned with that of x from the right; `null` keeps the extent of x there.
//!
//! Derivative: `dx` is the sum of `dy` over what was broadcast.

use crate::Registered;
use crate::shared::dims::Dims;
use crate::shared::{check_broadcasts_to, dims, elementwise, operands, to_json, unary, unbroadcast};
use ferrograph_graph::{Extent, Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use serde::{Deserialize, Serialize};

/// A larger shape, by repetition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BroadcastTo {
    /// The shape.
    pub shape: Dims,
}

impl Op for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        let missing =
            self.shape.len().checked_sub(x.rank()).ok_or_else(|| format!("a rank of at most {}", self.shape.len()))?;
        let aligned: Vec<Extent> = std::iter::repeat_n(Some(1), missing).chain(x.shape.iter().copied()).collect();
        let shape = dims::shape_like(&self.shape, &aligned)?;
        check_broadcasts_to(&x.shape, &shape)?;
        Ok(vec![TensorType::new(x.dtype, shape)])
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(if operands[0].shape == results[0].shape { Plan::Alias } else { elementwise::copy() })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| unbroadcast(graph, dy, operands[0]))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        vec![Reference::from_fn(x.dtype, &results[0].extents(), |index| x.at_broadcast(index))]
    }
}

impl Registered for BroadcastTo {
    fn samples() -> Vec<Sample> {
        let samples: [(&[usize], &[Option<i64>]); 4] = [
            (&[3], &[Some(2), Some(3)]),
            (&[2, 1], &[Some(4), None, Some(3)]),
            (&[], &[Some(1)]),
            (&[1, 2], &[Some(0), None]),
        ];
        samples.map(|(x, shape)| Sample::new(Self { shape: shape.to_vec() }, [Operand::normal(x)])).into()
    }
}
