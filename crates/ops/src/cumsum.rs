//! The sums along one axis up to and with each element, accumulated in f64. `[*S] f32 -> [*S] f32`, also int32, which
//! wraps
//!
//! Derivative: `dx` is the cumulative sum of `dy` from the end.

use crate::Registered;
use crate::reverse::Reverse;
use crate::shared::{NUMERIC, axes, entries, step, to_json, unary, wrap};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::reduce::{cumsum_f32, cumsum_i32};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A running sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cumsum {
    /// The axis.
    pub axis: i64,
}

impl Op for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        axes::check_axis(self.axis, unary::infer(operands, NUMERIC)?[0].rank())?;
        Ok(vec![operands[0].clone()])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let x = &operands[0];
        let split = axes::split_at(&x.extents(), axes::resolved_axis(self.axis, x.rank()))?;
        Ok(match x.dtype {
            DType::Int32 => step(move |mut c| {
                cumsum_i32(c.inputs.i32(0), split.extent, split.inner, c.outputs.i32(0));
                Ok(())
            }),
            _ => step(move |mut c| {
                cumsum_f32(c.inputs.f32(0), split.extent, split.inner, c.outputs.f32(0));
                Ok(())
            }),
        })
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axis(self.axis, operands)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let reverse = Reverse { axes: vec![self.axis] };
            let dy = graph.apply(reverse.clone(), &[dy])?;
            let sums = graph.apply(self.clone(), &[dy])?;
            graph.apply(reverse, &[sums])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        let axis = axes::resolved_axis(self.axis, x.shape.len());
        vec![Reference::from_fn(x.dtype, &x.shape, |index| {
            let along = |i: usize| {
                let mut index = index.to_vec();
                index[axis] = i;
                x.at(&index)
            };
            wrap(x.dtype, (0..=index[axis]).map(along).sum())
        })]
    }
}

impl Registered for Cumsum {
    fn samples() -> Vec<Sample> {
        let mut samples: Vec<Sample> = [(-1, vec![2, 5]), (0, vec![4, 70]), (1, vec![2, 3, 2]), (0, vec![1])]
            .map(|(axis, shape)| Sample::new(Self { axis }, [Operand::normal(&shape)]))
            .into();
        let wraps = Operand::values(DType::Int32, &[3], [f64::from(i32::MAX), 1.0, 5.0]);
        samples.push(Sample::new(Self { axis: 0 }, [wraps]).not_differentiable());
        samples.push(Sample::new(Self { axis: 0 }, [Operand::normal(&[0, 2])]).not_differentiable());
        samples
    }
}
