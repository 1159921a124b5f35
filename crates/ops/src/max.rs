//! The largest element over a set of axes; NaN if one is NaN. `[*S] f32 -> [*S without the axes] f32`, also int32
//!
//! Derivative: `dy` is shared evenly by the elements that are equal to the result, as in JAX.

use crate::Registered;
use crate::shared::reduction::Axes;
use crate::shared::{NUMERIC, entries, reduction, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::reduce::{MaxF32, MaxI32};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The largest element over axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Max {
    /// Axes to reduce; `null` is all.
    #[serde(default)]
    pub axes: Option<Vec<i64>>,
    /// Whether the result keeps them with extent 1.
    #[serde(default)]
    pub keepdims: bool,
}

impl Max {
    fn axes(&self) -> Axes<'_> {
        Axes { axes: self.axes.as_deref(), keepdims: self.keepdims }
    }
}

impl Op for Max {
    fn name(&self) -> &'static str {
        "max"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        self.axes().infer_not_empty(operands, NUMERIC)
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let groups = self.axes().groups(&operands[0])?;
        Ok(match operands[0].dtype {
            DType::Int32 => reduction::plan(MaxI32, groups),
            _ => reduction::plan(MaxF32, groups),
        })
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axes(self.axes.as_deref(), operands)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        self.axes().extremum_vjp(graph, operands[0], results[0], gradients)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        self.axes()
            .reference(operands, results, |x| x.iter().fold(x[0], |a, &b| if b > a || b.is_nan() { b } else { a }))
    }
}

impl Registered for Max {
    fn samples() -> Vec<Sample> {
        let samples = [
            (None, false, vec![2, 3]),
            (Some(vec![0]), false, vec![2, 3]),
            (Some(vec![-1]), true, vec![2, 40]),
            (Some(vec![0, 2]), false, vec![2, 3, 4]),
            (Some(vec![1]), true, vec![2, 3, 70]),
            (Some(vec![1, 3]), false, vec![2, 3, 2, 2]),
            (Some(vec![0]), false, vec![1, 3]),
            (Some(vec![]), false, vec![3]),
            (None, true, vec![]),
        ];
        let of = |(axes, keepdims, shape): (Option<Vec<i64>>, bool, Vec<usize>)| {
            Sample::new(Self { axes, keepdims }, [Operand::distinct(&shape)])
        };
        let mut samples: Vec<Sample> = samples.into_iter().map(of).collect();
        let empty = [(Some(vec![1]), false, vec![0, 3])];
        samples.extend(empty.into_iter().map(of).map(Sample::not_differentiable));
        samples.extend([
            Sample::new(Self { axes: None, keepdims: false }, [Operand::integers(&[2, 3], -5, 5)]).not_differentiable(),
            Sample::new(
                Self { axes: Some(vec![1]), keepdims: false },
                [Operand::values(
                    DType::Float32,
                    &[2, 3],
                    [1.0, f64::NAN, 3.0, f64::NEG_INFINITY, f64::NEG_INFINITY, -7.0],
                )],
            )
            .not_differentiable(),
        ]);
        samples
    }
}
