//! A new axis of extent `depth` with 1 at the index and 0 elsewhere; only zeros for an index that is not within
//! `0..depth`. `[*A, *B] i32 -> [*A, depth, *B] f32`
//!
//! No derivative.

use crate::Registered;
use crate::shared::{attributes, axes, operands, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::indexing::one_hot;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Indices as vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OneHot {
    /// Extent of the new axis.
    pub depth: usize,
    /// Where the new axis is in the result.
    #[serde(default = "attributes::last_axis")]
    pub axis: i64,
}

impl Op for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [indices] = operands::exactly(operands)?;
        operands::dtype("indices", indices, &[DType::Int32])?;
        let axis = axes::check_axis(self.axis, indices.rank() + 1)?;
        let mut shape = indices.shape.clone();
        shape.insert(axis, Some(self.depth));
        Ok(vec![TensorType::new(DType::Float32, shape)])
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        let axis = axes::resolved_axis(self.axis, results[0].rank());
        let split = axes::split_at(&results[0].extents(), axis)?;
        Ok(step(move |mut c| {
            one_hot(c.inputs.i32(0), split.extent, split.inner, c.outputs.f32(0));
            Ok(())
        }))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        axes::resolved_axis(self.axis, operands[0].rank() + 1) != 0
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(vec![None])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let axis = axes::resolved_axis(self.axis, operands[0].shape.len() + 1);
        vec![Reference::from_fn(DType::Float32, &results[0].extents(), |index| {
            let hot = operands[0].at(&[&index[..axis], &index[axis + 1..]].concat());
            f64::from(u8::from(hot == index[axis] as f64))
        })]
    }
}

impl Registered for OneHot {
    fn samples() -> Vec<Sample> {
        let samples: [(usize, i64, &[usize]); 5] =
            [(3, -1, &[4]), (3, 0, &[4]), (2, 1, &[2, 5]), (4, 0, &[]), (0, -1, &[3])];
        samples
            .map(|(depth, axis, shape)| {
                Sample::new(Self { depth, axis }, [Operand::integers(shape, -1, 3)]).not_differentiable()
            })
            .into()
    }
}
