//! A part of x: `x[begin:end:stride, ..]` as Python has it, with strides of at least 1; axes that are not named are
//! whole. `[*S] -> [*part of S]`
//!
//! Derivative: `dx` is `dy` at its place in zeros (`slice_gradient`).

use crate::Registered;
use crate::shared::slicing::{Slicing, slice_samples};
use crate::shared::{copying, operands, to_json, unary};
use crate::slice_gradient::SliceGradient;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use serde::{Deserialize, Serialize};

/// A part of a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slice {
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

impl Slice {
    fn slicing(&self) -> Slicing<'_> {
        Slicing { begin: &self.begin, end: &self.end, strides: &self.strides }
    }
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        Ok(vec![TensorType::new(x.dtype, self.slicing().shape(&x.shape)?)])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        copying::plan(&operands[0], self.slicing().view(&operands[0].extents())?)
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], _: &[TensorType]) -> bool {
        let has = |values: &[Option<i64>]| values.first().is_some_and(|value| value.is_some_and(|value| value != 0));
        !has(&self.begin)
            && self.end.first().is_none_or(Option::is_none)
            && self.strides.first().is_none_or(|&stride| stride == 1)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Self { begin, end, strides } = self.clone();
        unary::vjp(gradients, |dy| graph.apply(SliceGradient { begin, end, strides }, &[dy, operands[0]]))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        copying::reference(x, &results[0], |index| {
            index
                .iter()
                .enumerate()
                .map(|(axis, i)| {
                    let range = self.slicing().range(axis, x.shape[axis]);
                    range.begin + i * range.stride
                })
                .collect()
        })
    }
}

impl Registered for Slice {
    fn samples() -> Vec<Sample> {
        slice_samples()
            .into_iter()
            .flat_map(|(begin, end, strides, shape)| {
                let slice = Self { begin, end, strides };
                [
                    Sample::new(slice.clone(), [Operand::normal(&shape)]),
                    Sample::new(slice, [Operand::integers(&shape, 0, 99)]).not_differentiable(),
                ]
            })
            .collect()
    }
}
