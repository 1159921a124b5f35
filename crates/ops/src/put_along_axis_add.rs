//! The updates added where their indices say along an axis, in zeros of the shape of `like`: the inverse of
//! `take_along_axis`.
//! `[*A, m, *B], [*A, m, *B] i32, [*A, n, *B] -> [*A, n, *B]`, f32 or int32
//!
//! Updates to one element are added in their order. An index that is not within `0..n` is an error of the run.
//!
//! Derivative: the gradient of the updates is taken at the indices.

use crate::Registered;
use crate::shared::{NUMERIC, axes, indexed_step, indexing, operands, to_json};
use crate::take_along_axis::TakeAlongAxis;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId, indices};
use ferrograph_kernels::indexing::put_along_add;
use ferrograph_tensor::{DType, View, ViewMut};
use serde::{Deserialize, Serialize};

/// Elements added by an index for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutAlongAxisAdd {
    /// The axis.
    pub axis: i64,
}

impl Op for PutAlongAxisAdd {
    fn name(&self) -> &'static str {
        "put_along_axis_add"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [updates, indices, like] = operands::exactly(operands)?;
        operands::dtype("updates", updates, NUMERIC)?;
        operands::dtype("indices", indices, &[DType::Int32])?;
        let axis = axes::check_axis(self.axis, like.rank())?;
        let picked = indexing::along_shape(&like.shape, axis, &indices.shape)?;
        indexing::check_shape("updates", &picked, &updates.shape)?;
        Ok(vec![TensorType::new(updates.dtype, like.shape.iter().copied())])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let axis = axes::resolved_axis(self.axis, operands[2].rank());
        let split = axes::split_at(&operands[2].extents(), axis)?;
        let sizes = [split.extent, operands[1].extents()[axis], split.inner];
        Ok(indexed_step("put_along_axis_add", split.extent, move |mut c| {
            let indices = c.inputs.i32(1);
            match (c.inputs.view(0), c.outputs.view(0)) {
                (View::F32(x), ViewMut::F32(y)) => put_along_add(x, indices, sizes, y, |a, b| a + b),
                (x, y) => put_along_add(x.i32(), indices, sizes, y.i32(), i32::wrapping_add),
            }
        }))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; 3]) };
        Ok(vec![Some(graph.apply(TakeAlongAxis { axis: self.axis }, &[dy, operands[1]])?), None, None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [updates, picks, like] = [&operands[0], &operands[1], &operands[2]];
        let axis = axes::resolved_axis(self.axis, like.shape.len());
        let mut sums = Reference::from_fn(updates.dtype, &like.shape, |_| 0.0);
        for index in indices(&updates.shape) {
            let mut to = index.clone();
            to[axis] = picks.at(&index) as usize;
            let place = to.iter().zip(&like.shape).fold(0, |place, (i, n)| place * n + i);
            sums.data[place] += updates.at(&index);
        }
        vec![sums]
    }

    fn reads(&self, index: usize) -> bool {
        index != 2
    }
}

impl Registered for PutAlongAxisAdd {
    fn samples() -> Vec<Sample> {
        let samples: [(i64, &[usize], &[usize]); 5] = [
            (-1, &[3, 2], &[3, 4]),
            (0, &[5, 3], &[4, 3]),
            (1, &[2, 1, 3], &[2, 4, 3]),
            (0, &[1], &[4]),
            (0, &[0], &[4]),
        ];
        let mut samples: Vec<Sample> = samples
            .map(|(axis, x, like)| {
                Sample::new(Self { axis }, [Operand::normal(x), Operand::integers(x, 0, 3), Operand::normal(like)])
            })
            .into();
        let integers = [Operand::integers(&[6], -9, 9), Operand::integers(&[6], 0, 2), Operand::normal(&[3])];
        samples.push(Sample::new(Self { axis: 0 }, integers).not_differentiable());
        samples
    }
}
