//! The sum over a set of axes, accumulated in f64; 0 of no elements. `[*S] f32 -> [*S without the axes] f32`, also
//! int32, which wraps
//!
//! Derivative: `dx = dy`, broadcast back.

use crate::Registered;
use crate::shared::reduction::Axes;
use crate::shared::{NUMERIC, entries, reduction, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::reduce::{SumF32, SumI32};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A sum over axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sum {
    /// Axes to reduce; `null` is all.
    #[serde(default)]
    pub axes: Option<Vec<i64>>,
    /// Whether the result keeps them with extent 1.
    #[serde(default)]
    pub keepdims: bool,
}

impl Sum {
    fn axes(&self) -> Axes<'_> {
        Axes { axes: self.axes.as_deref(), keepdims: self.keepdims }
    }
}

impl Op for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        self.axes().infer(operands, NUMERIC)
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let groups = self.axes().groups(&operands[0])?;
        Ok(match operands[0].dtype {
            DType::Int32 => reduction::plan(SumI32, groups),
            _ => reduction::plan(SumF32, groups),
        })
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axes(self.axes.as_deref(), operands)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| self.axes().spread(graph, dy, operands[0]))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        self.axes().reference(operands, results, |x| x.iter().sum())
    }
}

impl Registered for Sum {
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
            Sample::new(Self { axes, keepdims }, [Operand::normal(&shape)])
        };
        let mut samples: Vec<Sample> = samples.into_iter().map(of).collect();
        let empty = [(Some(vec![0]), false, vec![0, 3]), (Some(vec![1]), false, vec![0, 3])];
        samples.extend(empty.into_iter().map(of).map(Sample::not_differentiable));
        samples.extend([
            Sample::new(Self { axes: None, keepdims: false }, [Operand::integers(&[2, 3], -5, 5)]).not_differentiable(),
            Sample::new(
                Self { axes: None, keepdims: false },
                [Operand::values(DType::Int32, &[2], [f64::from(i32::MAX), 2.0])],
            )
            .not_differentiable(),
            Sample::new(Self { axes: None, keepdims: false }, [Operand::normal(&[700, 130])]).not_differentiable(),
            Sample::new(Self { axes: Some(vec![0]), keepdims: false }, [Operand::normal(&[9000, 10])])
                .not_differentiable(),
        ]);
        samples
    }
}
