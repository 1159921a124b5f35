//! The updates added at indices along an axis, in zeros of the shape of `like`: the inverse of gather.
//! `[*A, *I, *B], [*I] i32, [*A, n, *B] -> [*A, n, *B]`, f32 or int32
//!
//! Updates to one element are added in the order of their indices. An index that is not within `0..n` is an error of
//! the run.
//!
//! Derivative: the gradient of the updates is gathered at the indices.

use crate::Registered;
use crate::gather::Gather;
use crate::shared::{NUMERIC, axes, indexing, operands, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId, indices};
use ferrograph_kernels::indexing::scatter_add;
use ferrograph_tensor::{DType, View, ViewMut};
use serde::{Deserialize, Serialize};

/// Elements added by index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScatterAdd {
    /// The axis of `like`.
    pub axis: i64,
}

impl Op for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [updates, indices, like] = operands::exactly(operands)?;
        operands::dtype("updates", updates, NUMERIC)?;
        operands::dtype("indices", indices, &[DType::Int32])?;
        let axis = axes::check_axis(self.axis, like.rank())?;
        let picked = indexing::picked_shape(&like.shape, axis, &indices.shape);
        indexing::check_shape("updates", &picked, &updates.shape)?;
        Ok(vec![TensorType::new(updates.dtype, like.shape.iter().copied())])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let split = axes::split_at(&operands[2].extents(), axes::resolved_axis(self.axis, operands[2].rank()))?;
        Ok(step(move |mut c| {
            let indices = c.inputs.i32(1);
            indexing::check("scatter_add", indices, split.extent)?;
            match (c.inputs.view(0), c.outputs.view(0)) {
                (View::F32(x), ViewMut::F32(y)) => scatter_add(x, indices, split.extent, split.inner, y, |a, b| a + b),
                (x, y) => scatter_add(x.i32(), indices, split.extent, split.inner, y.i32(), i32::wrapping_add),
            }
            Ok(())
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
        Ok(vec![Some(graph.apply(Gather { axis: self.axis }, &[dy, operands[1]])?), None, None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [updates, picks, like] = [&operands[0], &operands[1], &operands[2]];
        let (axis, rank) = (axes::resolved_axis(self.axis, like.shape.len()), picks.shape.len());
        let mut sums = Reference::from_fn(updates.dtype, &like.shape, |_| 0.0);
        for index in indices(&updates.shape) {
            let pick = picks.at(&index[axis..axis + rank]) as usize;
            let to = [&index[..axis], &[pick], &index[axis + rank..]].concat();
            let place = to.iter().zip(&like.shape).fold(0, |place, (i, n)| place * n + i);
            sums.data[place] += updates.at(&index);
        }
        vec![sums]
    }

    fn reads(&self, index: usize) -> bool {
        index != 2
    }
}

impl Registered for ScatterAdd {
    fn samples() -> Vec<Sample> {
        let samples: [(i64, [&[usize]; 3]); 5] = [
            (0, [&[5, 3], &[5], &[4, 3]]),
            (-1, [&[2, 2, 2], &[2, 2], &[2, 4]]),
            (1, [&[2, 3, 3], &[3], &[2, 4, 3]]),
            (0, [&[], &[], &[4]]),
            (0, [&[0, 2], &[0], &[4, 2]]),
        ];
        let mut samples: Vec<Sample> = samples
            .map(|(axis, [x, i, like])| {
                Sample::new(Self { axis }, [Operand::normal(x), Operand::integers(i, 0, 3), Operand::normal(like)])
            })
            .into();
        let integers = [Operand::integers(&[6], -9, 9), Operand::integers(&[6], 0, 2), Operand::normal(&[3])];
        samples.push(Sample::new(Self { axis: 0 }, integers).not_differentiable());
        samples
    }
}
