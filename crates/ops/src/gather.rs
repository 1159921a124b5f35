//! The elements of x at indices along an axis. `[*A, n, *B], [*I] i32 -> [*A, *I, *B]`
//!
//! An index that is not within `0..n` is an error of the run: negative numbers do not count from the end.
//!
//! Derivative: `dx` is `dy` added at the indices (`scatter_add`).

use crate::Registered;
use crate::scatter_add::ScatterAdd;
use crate::shared::{axes, copying, entries, indexed_step, indexing, operands, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::indexing::gather;
use ferrograph_tensor::{DType, View, ViewMut};
use serde::{Deserialize, Serialize};

/// Elements picked by index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gather {
    /// The axis.
    pub axis: i64,
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, indices] = operands::exactly(operands)?;
        operands::dtype("indices", indices, &[DType::Int32])?;
        let axis = axes::check_axis(self.axis, x.rank())?;
        Ok(vec![TensorType::new(x.dtype, indexing::picked_shape(&x.shape, axis, &indices.shape))])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let split = axes::split_at(&operands[0].extents(), axes::resolved_axis(self.axis, operands[0].rank()))?;
        Ok(indexed_step("gather", split.extent, move |mut c| {
            let indices = c.inputs.i32(1);
            match (c.inputs.view(0), c.outputs.view(0)) {
                (View::F32(x), ViewMut::F32(y)) => gather(x, indices, split.extent, split.inner, y),
                (View::I32(x), ViewMut::I32(y)) => gather(x, indices, split.extent, split.inner, y),
                (x, y) => gather(x.u8(), indices, split.extent, split.inner, y.u8()),
            }
        }))
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], operands: &[TensorType]) -> bool {
        match batched {
            [true, false] => entries::beside_axis(self.axis, operands),
            // The indices' axes come first.
            [false, true] => !entries::beside_axis(self.axis, operands),
            _ => false,
        }
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None, None]) };
        let [x, indices] = [operands[0], operands[1]];
        Ok(vec![Some(graph.apply(ScatterAdd { axis: self.axis }, &[dy, indices, x])?), None])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let [x, picks] = [&operands[0], &operands[1]];
        let (axis, rank) = (axes::resolved_axis(self.axis, x.shape.len()), picks.shape.len());
        copying::reference(x, &results[0], |index| {
            let pick = picks.at(&index[axis..axis + rank]) as usize;
            [&index[..axis], &[pick], &index[axis + rank..]].concat()
        })
    }
}

impl Registered for Gather {
    fn samples() -> Vec<Sample> {
        let samples: [(i64, &[usize], &[usize]); 5] =
            [(0, &[4, 3], &[5]), (-1, &[2, 4], &[2, 2]), (1, &[2, 4, 3], &[3]), (0, &[4], &[]), (0, &[4, 2], &[0])];
        let mut samples: Vec<Sample> = samples
            .map(|(axis, x, i)| Sample::new(Self { axis }, [Operand::normal(x), Operand::integers(i, 0, 3)]))
            .into();
        for x in [Operand::integers(&[4, 2], 0, 9), Operand::booleans(&[4, 2])] {
            samples.push(Sample::new(Self { axis: 0 }, [x, Operand::integers(&[3], 0, 3)]).not_differentiable());
        }
        samples
    }
}
