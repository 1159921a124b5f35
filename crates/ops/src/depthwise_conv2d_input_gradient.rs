//! The gradient of [`depthwise_conv2d`](crate::depthwise_conv2d) with respect to its input.
//!
//! `dx[n, h, w, c] = sum of dy[n, i, j, c * M + m] * kernel[p, q, c, m]` over all products of the convolution that read
//! `x[n, h, w, c]`. `dy` is `[N, H', W', C * M]`, the kernel `[kh, kw, C, M]`, `like` and `dx` are `[N, H, W, C]`.
//!
//! Derivative: linear in `dy` and in the kernel. For an incoming `g` of `dx`: `depthwise_conv2d(g, kernel)` for `dy`, and
//! `depthwise_conv2d_kernel_gradient(g, dy)` for the kernel.

use crate::conv2d::zeros;
use crate::depthwise_conv2d::DepthwiseConv2d;
use crate::depthwise_conv2d_kernel_gradient::DepthwiseConv2dKernelGradient;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::tolerance::sum_of_products;
use crate::shared::{Depthwise, to_json};
use ferrograph_graph::{
    Epilogue, Graph, GraphError, Op, Operand, Plan, Reference, RunContext, Sample, Step, TensorType, ValueId,
    WithEpilogue,
};
use ferrograph_kernels::conv::ConvShape;
use ferrograph_kernels::depthwise;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DepthwiseConv2dInputGradient {
    /// Strides, padding and dilation of the convolution.
    pub convolution: Depthwise,
}

impl Op for DepthwiseConv2dInputGradient {
    fn name(&self) -> &'static str {
        "depthwise_conv2d_input_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [dy, kernel, like] = exactly(operands)?;
        self.convolution.check_output(like, kernel, dy)?;
        Ok(vec![like.clone()])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let bound = self.convolution.bind(self.name(), &operands[2], &operands[1])?;
        if bound.empty {
            return Ok(zeros());
        }
        Ok(Plan::Step(Box::new(InputGradient { shape: bound.shape })))
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
        let (dy, kernel) = (operands[0], operands[1]);
        Ok(vec![
            Some(graph.apply(DepthwiseConv2d { convolution }, &[incoming, kernel])?),
            Some(graph.apply(DepthwiseConv2dKernelGradient { convolution }, &[incoming, dy, kernel])?),
            None,
        ])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [dy, kernel, like] = operands else { unreachable!("the shape rule counts operands") };
        let mut dx = vec![0.0; like.data.len()];
        self.convolution.products(&like.shape, &kernel.shape, |at_x, at_kernel, at_y| {
            dx[at_x] += dy.data[at_y] * kernel.data[at_kernel];
        });
        vec![Reference::new(DType::Float32, &like.shape, dx)]
    }

    fn reads(&self, index: usize) -> bool {
        index < 2
    }
}

#[derive(Debug)]
struct InputGradient {
    shape: ConvShape,
}

impl Step for InputGradient {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (dy, kernel) = (context.inputs.f32(0), context.inputs.f32(1));
        depthwise::input_gradient(&self.shape, dy, kernel, context.outputs.f32(0));
        Ok(())
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        Some(self)
    }
}

impl WithEpilogue for InputGradient {
    fn run_with_epilogue(&self, mut context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        let (dy, kernel) = (context.inputs.f32(0), context.inputs.f32(1));
        depthwise::input_gradient_then(&self.shape, dy, kernel, context.outputs.f32(0), epilogue);
        Ok(())
    }
}

impl Registered for DepthwiseConv2dInputGradient {
    fn samples() -> Vec<Sample> {
        let samples = Depthwise::samples().into_iter();
        samples
            .map(|(convolution, x, kernel, y)| {
                let operands = [Operand::normal(&y), Operand::normal(&kernel), Operand::normal(&x)];
                Sample::new(Self { convolution }, operands)
                    .tolerance(sum_of_products(kernel[0] * kernel[1] * kernel[3]))
            })
            .collect()
    }
}
