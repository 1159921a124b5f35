//! The gradient of [`average_pool2d`](crate::average_pool2d) with respect to its input.
//!
//! `dx[n, h, w, c]` = sum of `dy / count` over the windows that cover the cell, where `count` is the number of cells of
//! the window that are not padding. `dy` is `[N, H', W', C]`, `like` and `dx` are `[N, H, W, C]`.
//!
//! Derivative: linear, and its transpose is `average_pool2d`.

use crate::average_pool2d::AveragePool2d;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::{Pooling, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::pooling;
use ferrograph_tensor::{DType, strides};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AveragePool2dGradient {
    /// Pool size, strides and padding.
    pub pooling: Pooling,
}

impl Op for AveragePool2dGradient {
    fn name(&self) -> &'static str {
        "average_pool2d_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [dy, like] = exactly(operands)?;
        self.pooling.check_output(like, "dy", dy)?;
        Ok(vec![like.clone()])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.pooling.shape(self.name(), &operands[1])?;
        Ok(step(move |mut context| {
            pooling::average_gradient(&shape, context.inputs.f32(0), context.outputs.f32(0));
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
        let Some(incoming) = gradients[0] else { return Ok(vec![None; 2]) };
        Ok(vec![Some(graph.apply(AveragePool2d { pooling: self.pooling }, &[incoming])?), None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [dy, like] = operands else { unreachable!("the shape rule counts operands") };
        let mut dx = vec![0.0; like.data.len()];
        for (cells, dy) in self.pooling.windows(like).iter().zip(&dy.data) {
            for cell in cells {
                let offset: usize = cell.iter().zip(strides(&like.shape)).map(|(index, stride)| index * stride).sum();
                dx[offset] += dy / cells.len() as f64;
            }
        }
        vec![Reference::new(DType::Float32, &like.shape, dx)]
    }

    fn reads(&self, index: usize) -> bool {
        index == 0
    }
}

impl Registered for AveragePool2dGradient {
    fn samples() -> Vec<Sample> {
        let samples = Pooling::samples().into_iter();
        samples
            .map(|(pooling, shape)| {
                let x = TensorType::known(DType::Float32, &shape);
                let output = pooling.output("x", &x).map(|y| y.extents()).unwrap_or_default();
                Sample::new(Self { pooling }, [Operand::normal(&output), Operand::normal(&shape)])
            })
            .collect()
    }
}
