//! The largest element of each window, channel by channel.
//!
//! `y[n, i, j, c] = max over p, q of x[n, i * strides[0] + p - top, j * strides[1] + q - left, c]`, where `x` is
//! `[N, H, W, C]` and `y` `[N, H', W', C]`. Padding never wins; NaN does.
//!
//! Derivative: all of `dy` goes to the first largest element of the window in row-major order, as in Keras with JAX (to
//! the first NaN, if there is one; JAX's choice among NaN depends on the numbers beside it).

use crate::bordered_max_pool2d::BorderedMaxPool2d;
use crate::max_pool2d_gradient::MaxPool2dGradient;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::window::Padding;
use crate::shared::{Pooling, to_json};
use ferrograph_graph::{
    Graph, GraphError, Op, Operand, Plan, Reference, RunContext, Sample, Step, TensorType, ValueId,
};
use ferrograph_kernels::pooling::{self, PoolShape};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaxPool2d {
    /// Pool size, strides and padding.
    pub pooling: Pooling,
}

impl Op for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = exactly(operands)?;
        Ok(vec![self.pooling.output("x", x)?])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.pooling.shape(self.name(), &operands[0])?;
        Ok(Plan::Step(Box::new(Forward { shape })))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], _: &[TensorType]) -> bool {
        true
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None]) };
        let gradient = MaxPool2dGradient { pooling: self.pooling };
        Ok(vec![Some(graph.apply(gradient, &[operands[0], results[0], dy])?)])
    }

    fn with_border(&self, border: &[[usize; 2]]) -> Option<Arc<dyn Op>> {
        let padding = match self.pooling.padding {
            Padding::Valid => Padding::Valid.with_border(border)?,
            // What a window finds in its own padding is no zero.
            Padding::Same | Padding::Explicit(_) => return None,
        };
        Some(Arc::new(BorderedMaxPool2d { pooling: Pooling { padding, ..self.pooling } }))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        let y = self.pooling.winners(x).iter().map(|winner| x.at(winner)).collect();
        vec![Reference::new(DType::Float32, &results[0].extents(), y)]
    }
}

#[derive(Debug)]
struct Forward {
    shape: PoolShape,
}

impl Step for Forward {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        pooling::max_forward(&self.shape, context.inputs.f32(0), context.outputs.f32(0));
        Ok(())
    }

    fn pools_by_two(&self) -> bool {
        let PoolShape { input, output, size, strides, before, .. } = self.shape;
        size == [2; 2] && strides == [2; 2] && before == [0; 2] && output == input.map(|extent| extent / 2)
    }
}

impl Registered for MaxPool2d {
    fn samples() -> Vec<Sample> {
        let samples = Pooling::samples().into_iter();
        samples.map(|(pooling, x)| Sample::new(Self { pooling }, [Operand::distinct(&x)]).tolerance(0.0)).collect()
    }
}
