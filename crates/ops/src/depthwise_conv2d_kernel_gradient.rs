//! The gradient of [`depthwise_conv2d`](crate::depthwise_conv2d) with respect to its kernel.
//!
//! `dkernel[p, q, c, m] = sum of x[n, h, w, c] * dy[n, i, j, c * M + m]` over all products of the convolution that read
//! `kernel[p, q, c, m]`. `x` is `[N, H, W, C]`, `dy` `[N, H', W', C * M]`, `like` and `dkernel` are `[kh, kw, C, M]`.
//!
//! Derivative: linear in `x` and in `dy`. For an incoming `g` of `dkernel`: `depthwise_conv2d_input_gradient(dy, g)` for
//! `x`, and `depthwise_conv2d(x, g)` for `dy`.

use crate::conv2d::zeros;
use crate::depthwise_conv2d::DepthwiseConv2d;
use crate::depthwise_conv2d_input_gradient::DepthwiseConv2dInputGradient;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::tolerance::sum_of_products;
use crate::shared::{Depthwise, step_with_scratch, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::depthwise;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DepthwiseConv2dKernelGradient {
    /// Strides, padding and dilation of the convolution.
    pub convolution: Depthwise,
}

impl Op for DepthwiseConv2dKernelGradient {
    fn name(&self) -> &'static str {
        "depthwise_conv2d_kernel_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, dy, like] = exactly(operands)?;
        self.convolution.check_output(x, like, dy)?;
        Ok(vec![like.clone()])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let bound = self.convolution.bind(self.name(), &operands[0], &operands[2])?;
        if bound.empty {
            return Ok(zeros());
        }
        let shape = bound.shape;
        Ok(step_with_scratch(depthwise::kernel_gradient_scratch_len(&shape), move |mut context| {
            let (x, dy) = (context.inputs.f32(0), context.inputs.f32(1));
            depthwise::kernel_gradient(&shape, x, dy, context.outputs.f32(0), context.scratch);
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
        let Some(incoming) = gradients[0] else { return Ok(vec![None; 3]) };
        let convolution = self.convolution;
        let (x, dy) = (operands[0], operands[1]);
        Ok(vec![
            Some(graph.apply(DepthwiseConv2dInputGradient { convolution }, &[dy, incoming, x])?),
            Some(graph.apply(DepthwiseConv2d { convolution }, &[x, incoming])?),
            None,
        ])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, dy, like] = operands else { unreachable!("the shape rule counts operands") };
        let mut dkernel = vec![0.0; like.data.len()];
        self.convolution.products(&x.shape, &like.shape, |at_x, at_kernel, at_y| {
            dkernel[at_kernel] += x.data[at_x] * dy.data[at_y];
        });
        vec![Reference::new(DType::Float32, &like.shape, dkernel)]
    }

    fn reads(&self, index: usize) -> bool {
        index < 2
    }
}

impl Registered for DepthwiseConv2dKernelGradient {
    fn samples() -> Vec<Sample> {
        let samples = Depthwise::samples().into_iter();
        samples
            .map(|(convolution, x, kernel, y)| {
                let operands = [Operand::normal(&x), Operand::normal(&y), Operand::normal(&kernel)];
                Sample::new(Self { convolution }, operands).tolerance(sum_of_products(y[..3].iter().product()))
            })
            .collect()
    }
}
