//! The gradient of slice: `dy` at the place that the slice is taken from, in zeros of the shape of `like`.
//! `[*part of S], [*S] -> [*S]`
//!
//! Derivative: `d(dy)` is the slice of the gradient.

use crate::Registered;
use crate::shared::slicing::{Slicing, slice_samples};
use crate::shared::{copying, operands, step, to_json};
use crate::slice::Slice;
use ferrograph_graph::{
    Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId, format_shape, indices,
};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The gradient of slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SliceGradient {
    /// Where each of the first axes begins; a negative number counts from the end, `null` is 0.
    #[serde(default)]
    pub begin: Vec<Option<i64>>,
    /// Where each of the first axes ends, itself not included; a negative number counts from the end, `null` is the
    /// extent.
    #[serde(default)]
    pub end: Vec<Option<i64>>,
    /// Steps along the first axes, at least 1.
    #[serde(default)]
    pub strides: Vec<i64>,
}

impl SliceGradient {
    fn slicing(&self) -> Slicing<'_> {
        Slicing { begin: &self.begin, end: &self.end, strides: &self.strides }
    }
}

impl Op for SliceGradient {
    fn name(&self) -> &'static str {
        "slice_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [dy, like] = operands::exactly(operands)?;
        let part = self.slicing().shape(&like.shape)?;
        let fits =
            part.len() == dy.rank() && part.iter().zip(&dy.shape).all(|(a, b)| a.is_none() || b.is_none() || a == b);
        if !fits {
            return Err(format!("a first operand of shape {}", format_shape(&part)));
        }
        Ok(vec![TensorType::new(dy.dtype, like.shape.iter().copied())])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let view = self.slicing().view(&operands[1].extents())?;
        let boolean = operands[0].dtype == DType::Bool;
        Ok(step(move |mut c| {
            copying::fill(c.outputs.view(0), 0.0, boolean);
            copying::scatter(c.inputs.view(0), &view, c.outputs.view(0));
            Ok(())
        }))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(ddx) = gradients[0] else { return Ok(vec![None, None]) };
        let Self { begin, end, strides } = self.clone();
        Ok(vec![Some(graph.apply(Slice { begin, end, strides }, &[ddx])?), None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [dy, like] = [&operands[0], &operands[1]];
        let mut dx = Reference::from_fn(dy.dtype, &like.shape, |_| 0.0);
        for index in indices(&dy.shape) {
            let place = index.iter().enumerate().fold(0, |place, (axis, i)| {
                let range = self.slicing().range(axis, like.shape[axis]);
                place * like.shape[axis] + range.begin + i * range.stride
            });
            dx.data[place] = dy.at(&index);
        }
        vec![dx]
    }

    fn reads(&self, index: usize) -> bool {
        index != 1
    }
}

impl Registered for SliceGradient {
    fn samples() -> Vec<Sample> {
        slice_samples()
            .into_iter()
            .map(|(begin, end, strides, shape)| {
                let gradient = Self { begin, end, strides };
                let part: Vec<usize> = (0..shape.len()).map(|a| gradient.slicing().range(a, shape[a]).count).collect();
                Sample::new(gradient, [Operand::normal(&part), Operand::normal(&shape)])
            })
            .collect()
    }
}
