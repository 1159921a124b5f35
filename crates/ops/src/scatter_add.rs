//! The updates added at indices along an axis, in zeros of the shape of `like`: the inverse of gather.
//! `[*A, *I, *B], [*I] i32, [*A, n, *B] -> [*A, n, *B]`, f32 or int32
//!
//! Updates to one element are added in the order of their indices. An index that is not within `0..n` is an error of
//! the run.
//!
//! Derivative: the gradient of the updates is gathered at the indices.

use crate::Registered;
use crate::gather::Gather;
use crate::shared::{NUMERIC, axes, indexing, operands, to_json};
use ferrograph_graph::{
    Consumer, Graph, GraphError, InParts, Op, Operand, Plan, Reference, RunContext, Sample, Step, TensorType, ValueId,
    indices,
};
use ferrograph_kernels::indexing::{Parts, scatter_add, scatter_add_in_parts};
use ferrograph_tensor::{DType, Inputs, View, ViewMut, element_count};
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
        let parts = Parts::new(split.extent, split.inner, MAX_PARTS);
        let elements = split.extent.saturating_mul(split.inner);
        let indices = element_count(&operands[1].extents())?;
        let in_parts = operands[0].dtype == DType::Float32
            && split.outer == 1
            && elements >= MIN_IN_PARTS
            && u32::try_from(indices).is_ok();
        Ok(Plan::Step(Box::new(Sums { split, indices, parts: in_parts.then_some(parts) })))
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

/// Elements of a result, at least, that is not kept if what follows uses it up: 512 KiB. Of a table of embeddings most rows
/// are 0 in every step.
const MIN_IN_PARTS: usize = 1 << 17;
/// Parts of it, at most.
const MAX_PARTS: usize = 64;

#[derive(Debug)]
struct Sums {
    split: axes::AxisSplit,
    /// How many indices there are.
    indices: usize,
    /// How the result is made in parts, if that pays.
    parts: Option<Parts>,
}

impl Step for Sums {
    fn run(&self, mut c: RunContext<'_>) -> Result<(), GraphError> {
        let axes::AxisSplit { extent, inner, .. } = self.split;
        self.check(c.inputs.view(1))?;
        let indices = c.inputs.i32(1);
        match (c.inputs.view(0), c.outputs.view(0)) {
            (View::F32(x), ViewMut::F32(y)) => scatter_add(x, indices, extent, inner, y, |a, b| a + b),
            (x, y) => scatter_add(x.i32(), indices, extent, inner, y.i32(), i32::wrapping_add),
        }
        Ok(())
    }

    fn doubted(&self) -> Option<usize> {
        Some(1)
    }

    fn check(&self, indices: View<'_>) -> Result<(), GraphError> {
        indexing::check("scatter_add", indices.i32(), self.split.extent)
    }

    fn in_parts(&self) -> Option<&dyn InParts> {
        if self.parts.is_some() { Some(self) } else { None }
    }
}

impl InParts for Sums {
    fn part_len(&self) -> usize {
        self.parts.map_or(0, Parts::part_len)
    }

    fn mostly_zero_rows(&self) -> Option<usize> {
        Some(self.split.inner)
    }

    fn parts_scratch_len(&self) -> usize {
        self.parts.map_or(0, |parts| parts.scratch_len(self.indices))
    }

    fn run_in_parts(
        &self,
        inputs: Inputs<'_>,
        _prepared: Inputs<'_>,
        scratch: &mut [f32],
        consumer: &dyn Consumer,
    ) -> Result<(), GraphError> {
        self.check(inputs.view(1))?;
        let indices = inputs.i32(1);
        let Some(parts) = self.parts else { unreachable!("asked for only where there are parts") };
        consumer.expect_rows(indices);
        let consume = |start, piece: &mut [f32]| consumer.consume(start, piece);
        scatter_add_in_parts(inputs.f32(0), indices, parts, scratch, &consume);
        Ok(())
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
