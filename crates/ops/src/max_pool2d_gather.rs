//! The elements of one tensor at the places where another has the maxima of its windows.
//!
//! `z[n, i, j, c] = values[n, h, w, c]`, where `(h, w)` is the first cell of window `(i, j)` at which `x` equals the
//! maximum `y`. `x` and `values` are `[N, H, W, C]`, `y` and `z` `[N, H', W', C]`.
//!
//! This is the directional derivative of [`max_pool2d`](crate::max_pool2d), which second derivatives through it need.
//! Derivative: linear in `values`, so theirs is [`max_pool2d_gradient`](crate::max_pool2d_gradient) of what comes in; none
//! flows to `x` and `y`, which only choose.

use crate::max_pool2d_gradient::{MaxPool2dGradient, samples_with_maximum};
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::{Pooling, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::pooling;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaxPool2dGather {
    /// Pool size, strides and padding.
    pub pooling: Pooling,
}

impl Op for MaxPool2dGather {
    fn name(&self) -> &'static str {
        "max_pool2d_gather"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, y, values] = exactly(operands)?;
        self.pooling.check_output(x, "y", y)?;
        self.pooling.check_output(values, "y", y)?;
        Ok(vec![self.pooling.output("values", values)?])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.pooling.shape(self.name(), &operands[0])?;
        Ok(step(move |mut context| {
            let [x, y, values] = [0, 1, 2].map(|i| context.inputs.f32(i));
            pooling::max_gather(&shape, x, y, values, context.outputs.f32(0));
            Ok(())
        }))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dz) = gradients[0] else { return Ok(vec![None; 3]) };
        let gradient = MaxPool2dGradient { pooling: self.pooling };
        Ok(vec![None, None, Some(graph.apply(gradient, &[operands[0], operands[1], dz])?)])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let [x, _, values] = operands else { unreachable!("the shape rule counts operands") };
        let z = self.pooling.winners(x).iter().map(|winner| values.at(winner)).collect();
        vec![Reference::new(DType::Float32, &results[0].extents(), z)]
    }
}

impl Registered for MaxPool2dGather {
    fn samples() -> Vec<Sample> {
        let samples = samples_with_maximum().into_iter();
        samples
            .map(|(pooling, x, y)| {
                let values = Operand::normal(&x.shape);
                Sample::new(Self { pooling }, [x, y, values]).tolerance(0.0)
            })
            .collect()
    }
}
