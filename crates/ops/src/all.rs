//! Whether all elements over a set of axes are true; true of none. `[*S] bool -> [*S without the axes] bool`
//!
//! No derivative.

use crate::Registered;
use crate::shared::reduction::Axes;
use crate::shared::{entries, reduction, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::reduce;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Whether all are true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct All {
    /// Axes to reduce; `null` is all.
    #[serde(default)]
    pub axes: Option<Vec<i64>>,
    /// Whether the result keeps them with extent 1.
    #[serde(default)]
    pub keepdims: bool,
}

impl All {
    fn axes(&self) -> Axes<'_> {
        Axes { axes: self.axes.as_deref(), keepdims: self.keepdims }
    }
}

impl Op for All {
    fn name(&self) -> &'static str {
        "all"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        self.axes().infer(operands, &[DType::Bool])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let groups = self.axes().groups(&operands[0])?;
        Ok(reduction::plan(reduce::All, groups))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axes(self.axes.as_deref(), operands)
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
        self.axes().reference(operands, results, |x| f64::from(u8::from(!x.contains(&0.0))))
    }
}

impl Registered for All {
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
            Sample::new(Self { axes, keepdims }, [Operand::booleans(&shape)]).not_differentiable()
        };
        let mut samples: Vec<Sample> = samples.into_iter().map(of).collect();
        let empty = [(Some(vec![0]), false, vec![0, 3]), (Some(vec![1]), false, vec![0, 3])];
        samples.extend(empty.into_iter().map(of).map(Sample::not_differentiable));
        samples.extend([]);
        samples
    }
}
