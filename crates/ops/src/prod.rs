//! The product over a set of axes, in f64; 1 of no elements. `[*S] f32 -> [*S without the axes] f32`, also int32, which
//! wraps
//!
//! Derivative: `dx = dy * (product of the other elements)`, also where elements are 0. The derivative of that is right
//! where at most one element to a result is 0.

use crate::Registered;
use crate::cast::Cast;
use crate::divide::Divide;
use crate::equal::Equal;
use crate::multiply::Multiply;
use crate::shared::reduction::Axes;
use crate::shared::{NUMERIC, entries, reduction, to_json};
use crate::sum::Sum;
use crate::r#where::Where;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::reduce::{ProdF32, ProdI32};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A product over axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prod {
    /// Axes to reduce; `null` is all.
    #[serde(default)]
    pub axes: Option<Vec<i64>>,
    /// Whether the result keeps them with extent 1.
    #[serde(default)]
    pub keepdims: bool,
}

impl Prod {
    fn axes(&self) -> Axes<'_> {
        Axes { axes: self.axes.as_deref(), keepdims: self.keepdims }
    }
}

impl Op for Prod {
    fn name(&self) -> &'static str {
        "prod"
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
            DType::Int32 => reduction::plan(ProdI32, groups),
            _ => reduction::plan(ProdF32, groups),
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
        let Some(dy) = gradients[0] else { return Ok(vec![None]) };
        let (x, y) = (operands[0], self.axes().restore(graph, results[0], operands[0])?);
        let dy = self.axes().restore(graph, dy, x)?;
        let (zero, one) = (graph.scalar(0.0)?, graph.scalar(1.0)?);
        let is_zero = graph.apply(Equal {}, &[x, zero])?;
        // An element that is not 0: the others' product is y / x. The only 0: it is the product of the rest. One of
        // several: it is 0.
        let count = graph.apply(Cast { dtype: DType::Float32 }, &[is_zero])?;
        let count = graph.apply(Sum { axes: self.axes.clone(), keepdims: true }, &[count])?;
        let alone = graph.apply(Equal {}, &[count, one])?;
        let nonzero = graph.apply(Where {}, &[is_zero, one, x])?;
        let rest = graph.apply(Self { axes: self.axes.clone(), keepdims: true }, &[nonzero])?;
        let rest = graph.apply(Where {}, &[alone, rest, zero])?;
        let ratio = graph.apply(Divide {}, &[y, nonzero])?;
        let others = graph.apply(Where {}, &[is_zero, rest, ratio])?;
        Ok(vec![Some(graph.apply(Multiply {}, &[dy, others])?)])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        self.axes().reference(operands, results, |x| x.iter().product())
    }
}

impl Registered for Prod {
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
                Self { axes: Some(vec![1]), keepdims: false },
                [Operand::values(DType::Float32, &[3, 3], [2.0, 0.0, 3.0, 0.0, 0.0, 4.0, 1.5, -2.0, 0.5])],
            ),
        ]);
        samples
    }
}
