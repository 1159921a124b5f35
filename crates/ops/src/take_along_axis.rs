//! For each place of `indices` the element of x at that index along the axis, as NumPy's `take_along_axis`.
//! `[*A, n, *B], [*A, m, *B] i32 -> [*A, m, *B]`
//!
//! An index that is not within `0..n` is an error of the run: negative numbers do not count from the end.
//!
//! Derivative: `dx` is `dy` added at the indices (`put_along_axis_add`).

use crate::Registered;
use crate::put_along_axis_add::PutAlongAxisAdd;
use crate::shared::{axes, copying, entries, indexed_step, indexing, operands, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::indexing::take_along;
use ferrograph_tensor::{DType, View, ViewMut};
use serde::{Deserialize, Serialize};

/// Elements picked by an index for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TakeAlongAxis {
    /// The axis.
    pub axis: i64,
}

impl Op for TakeAlongAxis {
    fn name(&self) -> &'static str {
        "take_along_axis"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, indices] = operands::exactly(operands)?;
        operands::dtype("indices", indices, &[DType::Int32])?;
        let axis = axes::check_axis(self.axis, x.rank())?;
        Ok(vec![TensorType::new(x.dtype, indexing::along_shape(&x.shape, axis, &indices.shape)?)])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let axis = axes::resolved_axis(self.axis, operands[0].rank());
        let split = axes::split_at(&operands[0].extents(), axis)?;
        let sizes = [split.extent, operands[1].extents()[axis], split.inner];
        Ok(indexed_step("take_along_axis", split.extent, move |mut c| {
            let indices = c.inputs.i32(1);
            match (c.inputs.view(0), c.outputs.view(0)) {
                (View::F32(x), ViewMut::F32(y)) => take_along(x, indices, sizes, y),
                (View::I32(x), ViewMut::I32(y)) => take_along(x, indices, sizes, y),
                (x, y) => take_along(x.u8(), indices, sizes, y.u8()),
            }
        }))
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axis(self.axis, operands) && batched == [true, true]
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
        Ok(vec![Some(graph.apply(PutAlongAxisAdd { axis: self.axis }, &[dy, indices, x])?), None])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let [x, picks] = [&operands[0], &operands[1]];
        let axis = axes::resolved_axis(self.axis, x.shape.len());
        copying::reference(x, &results[0], |index| {
            let mut source = index.to_vec();
            source[axis] = picks.at(index) as usize;
            source
        })
    }
}

impl Registered for TakeAlongAxis {
    fn samples() -> Vec<Sample> {
        let samples: [(i64, &[usize], &[usize]); 5] = [
            (-1, &[3, 4], &[3, 2]),
            (0, &[4, 3], &[5, 3]),
            (1, &[2, 4, 3], &[2, 1, 3]),
            (0, &[4], &[1]),
            (0, &[4], &[0]),
        ];
        let mut samples: Vec<Sample> = samples
            .map(|(axis, x, i)| Sample::new(Self { axis }, [Operand::normal(x), Operand::integers(i, 0, 3)]))
            .into();
        for x in [Operand::integers(&[4], 0, 9), Operand::booleans(&[4])] {
            samples.push(Sample::new(Self { axis: 0 }, [x, Operand::integers(&[3], 0, 3)]).not_differentiable());
        }
        samples
    }
}
