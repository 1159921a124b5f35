//! The index of the largest element along one axis: the first of equal ones, the first NaN if there is one.
//! `[*S] f32 -> [*S without the axis] i32`, also of int32
//!
//! No derivative.

use crate::Registered;
use crate::shared::reduction::Axes;
use crate::shared::{NUMERIC, axes, entries, reduction, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Where the largest element is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Argmax {
    /// The axis.
    pub axis: i64,
    /// Whether the result keeps it with extent 1.
    #[serde(default)]
    pub keepdims: bool,
}

impl Argmax {
    fn axes<'a>(&self, axis: &'a [i64; 1]) -> Axes<'a> {
        Axes { axes: Some(axis), keepdims: self.keepdims }
    }
}

impl Op for Argmax {
    fn name(&self) -> &'static str {
        "argmax"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let result = self.axes(&[self.axis]).infer_not_empty(operands, NUMERIC)?.remove(0);
        Ok(vec![TensorType { dtype: DType::Int32, ..result }])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        reduction::plan_arg(&operands[0], axes::resolved_axis(self.axis, operands[0].rank()), true)
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axis(self.axis, operands)
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
        self.axes(&[self.axis]).reference(operands, results, |x| {
            let better = |a: f64, b: f64| !b.is_nan() && (a.is_nan() || a > b);
            (1..x.len()).fold(0, |best, i| if better(x[i], x[best]) { i } else { best }) as f64
        })
    }
}

impl Registered for Argmax {
    fn samples() -> Vec<Sample> {
        let samples = [(-1, false, vec![2, 5]), (0, true, vec![4, 3]), (1, false, vec![2, 3, 4]), (0, false, vec![1])];
        let nan = Operand::values(DType::Float32, &[2, 3], [1.0, f64::NAN, f64::NAN, 2.0, 2.0, 1.0]);
        let mut all: Vec<Sample> = samples
            .map(|(axis, keepdims, shape)| Sample::new(Self { axis, keepdims }, [Operand::normal(&shape)]))
            .into();
        all.push(Sample::new(Self { axis: 1, keepdims: false }, [nan]));
        all.push(Sample::new(Self { axis: 0, keepdims: false }, [Operand::integers(&[5, 4], 0, 2)]));
        all.into_iter().map(Sample::not_differentiable).collect()
    }
}
