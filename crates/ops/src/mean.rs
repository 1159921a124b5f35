//! The mean over a set of axes, accumulated in f64; NaN of no elements. `[*S] f32 -> [*S without the axes] f32`
//!
//! Derivative: `dx = dy / n`, broadcast back, with n elements to a result.

use crate::Registered;
use crate::divide::Divide;
use crate::shared::reduction::Axes;
use crate::shared::{entries, reduction, to_json, unary};
use crate::size::Size;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::reduce::MeanF32;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A mean over axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mean {
    /// Axes to reduce; `null` is all.
    #[serde(default)]
    pub axes: Option<Vec<i64>>,
    /// Whether the result keeps them with extent 1.
    #[serde(default)]
    pub keepdims: bool,
}

impl Mean {
    fn axes(&self) -> Axes<'_> {
        Axes { axes: self.axes.as_deref(), keepdims: self.keepdims }
    }
}

impl Op for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        self.axes().infer(operands, &[DType::Float32])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let groups = self.axes().groups(&operands[0])?;
        Ok(reduction::plan(MeanF32 { count: groups.count() }, groups))
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
        unary::vjp(gradients, |dy| {
            let count = graph.apply(Size { axes: self.axes.clone() }, &[operands[0]])?;
            let share = graph.apply(Divide {}, &[dy, count])?;
            self.axes().spread(graph, share, operands[0])
        })
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        self.axes().reference(operands, results, |x| x.iter().sum::<f64>() / x.len() as f64)
    }
}

impl Registered for Mean {
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
            Sample::new(Self { axes: None, keepdims: false }, [Operand::normal(&[700, 130])]).not_differentiable(),
            Sample::new(Self { axes: Some(vec![0]), keepdims: false }, [Operand::normal(&[9000, 10])])
                .not_differentiable(),
        ]);
        samples
    }
}
