//! The axes in another order: axis i of the result is axis `axes[i]` of x. `[*S] -> [*S permuted]`
//!
//! Derivative: `dx` is `dy` with the axes put back.

use crate::Registered;
use crate::shared::{axes, copying, operands, to_json, unary};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::copy::Strided;
use serde::{Deserialize, Serialize};

/// A permutation of axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transpose {
    /// Which axis of x each axis of the result is.
    pub axes: Vec<i64>,
}

impl Transpose {
    fn order(&self, rank: usize) -> Vec<usize> {
        self.axes.iter().map(|&axis| axes::resolved_axis(axis, rank)).collect()
    }
}

impl Op for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        if self.axes.len() != x.rank() {
            return Err(format!("a rank of {} for the axes {:?}", self.axes.len(), self.axes));
        }
        axes::check_axes(Some(&self.axes), x.rank())?;
        Ok(vec![TensorType::new(x.dtype, self.order(x.rank()).into_iter().map(|axis| x.shape[axis]))])
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        let x = &operands[0];
        let (order, strides) = (self.order(x.rank()), copying::signed_strides(&x.extents())?);
        let strides: Vec<isize> = order.into_iter().map(|axis| strides[axis]).collect();
        copying::plan(x, Strided::new(0, &results[0].extents(), &strides))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        self.order(operands[0].rank()).first() == Some(&0)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let order = self.order(self.axes.len());
        let mut axes = vec![0; order.len()];
        for (to, from) in (0..).zip(order) {
            axes[from] = to;
        }
        unary::vjp(gradients, |dy| graph.apply(Self { axes }, &[dy]))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let order = self.order(self.axes.len());
        copying::reference(&operands[0], &results[0], |index| {
            let mut source = vec![0; index.len()];
            for (&from, &i) in order.iter().zip(index) {
                source[from] = i;
            }
            source
        })
    }
}

impl Registered for Transpose {
    fn samples() -> Vec<Sample> {
        let samples: [(&[i64], &[usize]); 7] = [
            (&[1, 0], &[2, 3]),
            (&[0, 2, 1], &[2, 3, 4]),
            (&[-1, 0, 1], &[2, 3, 4]),
            (&[3, 2, 1, 0], &[2, 1, 3, 2]),
            (&[0, 1], &[2, 3]),
            (&[1, 0], &[1, 3]),
            (&[], &[]),
        ];
        let mut samples: Vec<Sample> =
            samples.map(|(axes, x)| Sample::new(Self { axes: axes.to_vec() }, [Operand::normal(x)])).into();
        for x in [Operand::normal(&[70, 50]), Operand::booleans(&[3, 5]), Operand::integers(&[0, 5], 0, 1)] {
            samples.push(Sample::new(Self { axes: vec![1, 0] }, [x]).not_differentiable());
        }
        samples
    }
}
