//! x cut along an axis into parts with the extents of the further operands, which are used for their shapes only.
//! `[.., n1 + n2 + .., ..], [.., n1, ..], [.., n2, ..], .. -> [.., n1, ..], [.., n2, ..], ..`
//!
//! Derivative: `dx` is the gradients of the parts, one after another; zeros where a part has none.

use crate::Registered;
use crate::concatenate::Concatenate;
use crate::fill::Fill;
use crate::shared::{axes, copying, operands, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::copy::Strided;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A tensor cut into parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SplitLike {
    /// The axis.
    pub axis: i64,
}

impl Op for SplitLike {
    fn name(&self) -> &'static str {
        "split_like"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, likes @ ..] = operands else { return Err("at least 1 operand".to_owned()) };
        let axis = axes::check_axis(self.axis, x.rank())?;
        let mut total = Some(0usize);
        let mut results = Vec::with_capacity(likes.len());
        for like in likes {
            operands::rank("operands", like, x.rank())?;
            total = total.zip(like.shape[axis]).map(|(a, b)| a.saturating_add(b));
            let mut shape = x.shape.clone();
            shape[axis] = like.shape[axis];
            results.push(TensorType::new(x.dtype, shape));
        }
        match (total, x.shape[axis]) {
            (Some(total), Some(extent)) if total != extent => {
                Err(format!("parts that add up to {extent} on axis {axis}"))
            }
            _ => Ok(results),
        }
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        let (x, axis) = (operands[0].extents(), axes::resolved_axis(self.axis, operands[0].rank()));
        let strides = copying::signed_strides(&x)?;
        let (mut begin, mut views) = (0, Vec::with_capacity(results.len()));
        for result in results {
            let extents = result.extents();
            views.push(Strided::new(begin * strides[axis] as usize, &extents, &strides));
            begin += extents[axis];
        }
        Ok(step(move |mut c| {
            for (i, view) in views.iter().enumerate() {
                copying::gather(c.inputs.view(0), view, c.outputs.view(i));
            }
            Ok(())
        }))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let mut given = vec![None; operands.len()];
        if gradients.iter().all(Option::is_none) {
            return Ok(given);
        }
        let mut parts = Vec::with_capacity(results.len());
        for (&part, &gradient) in results.iter().zip(gradients) {
            parts.push(if let Some(gradient) = gradient {
                gradient
            } else {
                let zeros = Fill { value: 0.0, dtype: DType::Float32, shape: vec![None; graph.ty(part).rank()] };
                graph.apply(zeros, &[part])?
            });
        }
        given[0] = Some(graph.apply(Concatenate { axis: self.axis }, &parts)?);
        Ok(given)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        let axis = axes::resolved_axis(self.axis, x.shape.len());
        let mut begin = 0;
        let mut part = |result: &TensorType| {
            let shape = result.extents();
            let from = begin;
            begin += shape[axis];
            Reference::from_fn(x.dtype, &shape, |index| {
                let mut index = index.to_vec();
                index[axis] += from;
                x.at(&index)
            })
        };
        results.iter().map(&mut part).collect()
    }

    fn reads(&self, index: usize) -> bool {
        index == 0
    }
}

impl Registered for SplitLike {
    fn samples() -> Vec<Sample> {
        let samples: [(i64, &[&[usize]]); 4] = [
            (0, &[&[3, 2], &[2, 2], &[1, 2]]),
            (-1, &[&[2, 5], &[2, 1], &[2, 0], &[2, 4]]),
            (1, &[&[2, 3, 2], &[2, 1, 2], &[2, 2, 2]]),
            (0, &[&[2], &[2]]),
        ];
        samples.map(|(axis, xs)| Sample::new(Self { axis }, xs.iter().map(|x| Operand::normal(x)))).into()
    }
}
