//! 0, 1, 2, .. along one axis, the same along the others. `[*S] -> [*shape] i32 or f32`
//!
//! The operand, `like`, is used for its shape only: `null` in `shape` is its extent on the axis of the same index. No
//! derivative.

use crate::Registered;
use crate::shared::axes::AxisSplit;
use crate::shared::dims::Dims;
use crate::shared::{NUMERIC, attributes, axes, dims, operands, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::{DType, ViewMut};
use serde::{Deserialize, Serialize};

/// Counting along an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Iota {
    /// The shape.
    pub shape: Dims,
    /// The axis to count along.
    pub axis: i64,
    /// int32 or float32.
    #[serde(with = "attributes::dtype")]
    pub dtype: DType,
}

impl Op for Iota {
    fn name(&self) -> &'static str {
        "iota"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [like] = operands::exactly(operands)?;
        if !NUMERIC.contains(&self.dtype) {
            return Err("the dtype float32 or int32 for the result".to_owned());
        }
        let shape = dims::shape_like(&self.shape, &like.shape)?;
        axes::check_axis(self.axis, shape.len())?;
        Ok(vec![TensorType::new(self.dtype, shape)])
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = results[0].extents();
        let AxisSplit { extent, inner, .. } = axes::split_at(&shape, axes::resolved_axis(self.axis, shape.len()))?;
        let count = move |i: usize| i / inner % extent;
        Ok(step(move |mut c| {
            match c.outputs.view(0) {
                ViewMut::F32(y) => y.iter_mut().enumerate().for_each(|(i, y)| *y = count(i) as f32),
                ViewMut::I32(y) => y.iter_mut().enumerate().for_each(|(i, y)| *y = count(i) as i32),
                ViewMut::U8(_) => unreachable!("the shape rule allows float32 and int32"),
            }
            Ok(())
        }))
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

    fn reference(&self, _operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let shape = results[0].extents();
        let axis = axes::resolved_axis(self.axis, shape.len());
        vec![Reference::from_fn(self.dtype, &shape, |index| index[axis] as f64)]
    }

    fn reads(&self, _index: usize) -> bool {
        false
    }
}

impl Registered for Iota {
    fn samples() -> Vec<Sample> {
        [
            (vec![None], 0, DType::Int32),
            (vec![Some(2), None, Some(2)], 1, DType::Float32),
            (vec![Some(0), None], -1, DType::Int32),
        ]
        .map(|(shape, axis, dtype)| {
            Sample::new(Self { shape, axis, dtype }, [Operand::normal(&[4, 3])]).not_differentiable()
        })
        .into()
    }
}
