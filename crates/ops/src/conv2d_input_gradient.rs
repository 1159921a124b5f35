//! The gradient of [`conv2d`](crate::conv2d) with respect to its input.
//!
//! `dx[n, h, w, c] = sum of dy[n, i, j, f] * kernel[p, q, c, f]` over all products of the convolution that read
//! `x[n, h, w, c]`. `dy` is `[N, H', W', F]`, the kernel `[kh, kw, C / groups, F]`, `like` and `dx` are `[N, H, W, C]`. This is
//! also the transposed convolution.
//!
//! Derivative: linear in `dy` and in the kernel. For an incoming `g` of `dx`: `conv2d(g, kernel)` for `dy`, and
//! `conv2d_kernel_gradient(g, dy)` for the kernel.

use crate::conv2d::{Conv2d, zeros};
use crate::conv2d_kernel_gradient::Conv2dKernelGradient;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::{Convolution, affine, to_json};
use ferrograph_graph::{
    Affine, Epilogue, Graph, GraphError, Op, Operand, Plan, Preparation, Reference, RunContext, Sample, Step,
    TensorType, ValueId, WithEpilogue,
};
use ferrograph_kernels::conv::{self, ConvShape};
use ferrograph_tensor::{DType, View};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conv2dInputGradient {
    /// Strides, padding, dilation and groups of the convolution.
    pub convolution: Convolution,
}

impl Op for Conv2dInputGradient {
    fn name(&self) -> &'static str {
        "conv2d_input_gradient"
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
        let packed = Preparation { operand: 1, len: conv::packed_kernel_for_gradient_len(&bound.shape) };
        Ok(Plan::Step(Box::new(InputGradient { shape: bound.shape, packed: [packed] })))
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], _: &[TensorType]) -> bool {
        batched == [true, false, true]
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
            Some(graph.apply(Conv2d { convolution }, &[incoming, kernel])?),
            Some(graph.apply(Conv2dKernelGradient { convolution }, &[incoming, dy, kernel])?),
            None,
        ])
    }

    fn with_affine(&self, graph: &mut Graph, operands: &[ValueId], map: Affine) -> Result<Option<ValueId>, GraphError> {
        // Without groups the kernel's last axis but one is that of the result's channels.
        if self.convolution.groups != 1 {
            return Ok(None);
        }
        affine::absorbed(graph, self.clone(), operands, map, 1, Some(vec![Some(-1), Some(1)]))
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
    packed: [Preparation; 1],
}

impl WithEpilogue for InputGradient {
    fn run_with_epilogue(&self, mut context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        let (dy, kernel) = (context.inputs.f32(0), context.prepared.f32(0));
        conv::input_gradient_then(&self.shape, dy, kernel, context.outputs.f32(0), context.scratch, epilogue);
        Ok(())
    }
}

impl Step for InputGradient {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (dy, kernel) = (context.inputs.f32(0), context.prepared.f32(0));
        conv::input_gradient(&self.shape, dy, kernel, context.outputs.f32(0), context.scratch);
        Ok(())
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        if conv::input_gradient_is_finished_in_cache(&self.shape) { Some(self) } else { None }
    }

    fn scratch_len(&self) -> usize {
        conv::input_gradient_scratch_len(&self.shape)
    }

    fn preparations(&self) -> &[Preparation] {
        &self.packed
    }

    fn preparation_key(&self, _index: usize) -> Option<String> {
        Some(format!("conv2d_input_gradient: {}", conv::packed_kernel_for_gradient_layout(&self.shape)))
    }

    fn prepare(&self, _index: usize, operand: View<'_>, prepared: &mut [f32]) {
        conv::pack_kernel_for_gradient(&self.shape, operand.f32(), prepared);
    }
}

impl Registered for Conv2dInputGradient {
    fn samples() -> Vec<Sample> {
        let samples = Convolution::samples().into_iter();
        samples
            .map(|(convolution, x, kernel)| {
                let [x_type, kernel_type] = [&x, &kernel].map(|shape| TensorType::known(DType::Float32, shape));
                let y = convolution.output(&x_type, &kernel_type).map(|y| y.extents()).unwrap_or_default();
                let operands = [Operand::normal(&y), Operand::normal(&kernel), Operand::normal(&x)];
                Sample::new(Self { convolution }, operands)
                    .tolerance(convolution.tolerance(kernel, kernel[0] * kernel[1] * kernel[3]))
            })
            .collect()
    }
}
