//! The elements from last to first along a set of axes. `[*S] -> [*S]`
//!
//! Derivative: `dx` is `dy` reversed.

use crate::Registered;
use crate::shared::{axes, copying, entries, operands, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::copy::Strided;
use serde::{Deserialize, Serialize};

/// Axes run backwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reverse {
    /// The axes.
    pub axes: Vec<i64>,
}

impl Op for Reverse {
    fn name(&self) -> &'static str {
        "reverse"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        axes::check_axes(Some(&self.axes), x.rank())?;
        Ok(vec![x.clone()])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (x, shape) = (&operands[0], operands[0].extents());
        if shape.contains(&0) {
            return Ok(Plan::Alias);
        }
        let (mut offset, mut strides) = (0, copying::signed_strides(&shape)?);
        for (axis, reversed) in axes::resolved_axes(Some(&self.axes), shape.len()).into_iter().enumerate() {
            if reversed {
                offset += (shape[axis] - 1) * strides[axis] as usize;
                strides[axis] = -strides[axis];
            }
        }
        copying::plan(x, Strided::new(offset, &shape, &strides))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axes(Some(&self.axes), operands)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| graph.apply(self.clone(), &[dy]))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let (x, reversed) = (&operands[0], axes::resolved_axes(Some(&self.axes), operands[0].shape.len()));
        copying::reference(x, &results[0], |index| {
            (0..index.len()).map(|a| if reversed[a] { x.shape[a] - 1 - index[a] } else { index[a] }).collect()
        })
    }
}

impl Registered for Reverse {
    fn samples() -> Vec<Sample> {
        let samples: [(&[i64], &[usize]); 5] =
            [(&[0], &[5]), (&[1], &[2, 3]), (&[0, -1], &[2, 3, 2]), (&[0], &[1, 3]), (&[], &[2])];
        let mut samples: Vec<Sample> =
            samples.map(|(axes, x)| Sample::new(Self { axes: axes.to_vec() }, [Operand::normal(x)])).into();
        for x in [Operand::integers(&[4], 0, 9), Operand::booleans(&[4]), Operand::normal(&[0])] {
            samples.push(Sample::new(Self { axes: vec![0] }, [x]).not_differentiable());
        }
        samples
    }
}
