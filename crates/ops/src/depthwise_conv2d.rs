//! Two-dimensional convolution of each channel on its own.
//!
//! `y[n, i, j, c * M + m] = sum over p, q of x[n, h, w, c] * kernel[p, q, c, m]` with `h = i * strides[0] + p * dilation[0] - top`
//! and `w = j * strides[1] + q * dilation[1] - left`, where `x` is `[N, H, W, C]`, the kernel `[kh, kw, C, M]` and `y`
//! `[N, H', W', C * M]`; cells of the padding are 0. `'same'` lays the odd cell of padding below and to the right.
//!
//! Derivative: linear in `x` and in the kernel;
//! [`depthwise_conv2d_input_gradient`](crate::depthwise_conv2d_input_gradient) and
//! [`depthwise_conv2d_kernel_gradient`](crate::depthwise_conv2d_kernel_gradient).

use crate::conv2d::{clamped, row_extents, zeros};
use crate::depthwise_conv2d_input_gradient::DepthwiseConv2dInputGradient;
use crate::depthwise_conv2d_kernel_gradient::DepthwiseConv2dKernelGradient;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::tolerance::sum_of_products;
use crate::shared::{Depthwise, affine, entries, to_json};
use ferrograph_graph::{
    Affine, ByRows, Clamp, Epilogue, Graph, GraphError, Op, Operand, Plan, Reference, RowExtents, RowsContext,
    RunContext, Sample, Step, TensorType, ValueId, WithClamp, WithEpilogue,
};
use ferrograph_kernels::conv::ConvShape;
use ferrograph_kernels::depthwise;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DepthwiseConv2d {
    /// Strides, padding and dilation.
    pub convolution: Depthwise,
}

impl Op for DepthwiseConv2d {
    fn name(&self) -> &'static str {
        "depthwise_conv2d"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, kernel] = exactly(operands)?;
        Ok(vec![self.convolution.output(x, kernel)?])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let bound = self.convolution.bind(self.name(), &operands[0], &operands[1])?;
        if bound.empty {
            return Ok(zeros());
        }
        Ok(Plan::Step(Box::new(Forward { shape: bound.shape })))
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], _: &[TensorType]) -> bool {
        entries::of_first_operand(batched)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; 2]) };
        let convolution = self.convolution;
        let (x, kernel) = (operands[0], operands[1]);
        Ok(vec![
            Some(graph.apply(DepthwiseConv2dInputGradient { convolution }, &[dy, kernel, x])?),
            Some(graph.apply(DepthwiseConv2dKernelGradient { convolution }, &[x, dy, kernel])?),
        ])
    }

    fn with_affine(&self, graph: &mut Graph, operands: &[ValueId], map: Affine) -> Result<Option<ValueId>, GraphError> {
        let multiplier = graph.ty(operands[1]).shape[3].and_then(|n| i64::try_from(n).ok()).filter(|&n| n > 0);
        let Some(multiplier) = multiplier else { return Ok(None) };
        affine::absorbed(graph, self.clone(), operands, map, 1, Some(vec![Some(-1), Some(multiplier)]))
    }

    fn with_border(&self, border: &[[usize; 2]]) -> Option<Arc<dyn Op>> {
        let padding = self.convolution.padding.with_border(border)?;
        Some(Arc::new(Self { convolution: Depthwise { padding, ..self.convolution } }))
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let [x, kernel] = operands else { unreachable!("the shape rule counts operands") };
        let shape = results[0].extents();
        let mut y = vec![0.0; shape.iter().product()];
        self.convolution.products(&x.shape, &kernel.shape, |at_x, at_kernel, at_y| {
            y[at_y] += x.data[at_x] * kernel.data[at_kernel];
        });
        vec![Reference::new(DType::Float32, &shape, y)]
    }
}

#[derive(Debug)]
struct Forward {
    shape: ConvShape,
}

impl Step for Forward {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (x, kernel) = (context.inputs.f32(0), context.inputs.f32(1));
        depthwise::forward(&self.shape, x, kernel, context.outputs.f32(0));
        Ok(())
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        Some(self)
    }

    fn with_clamp(&self, channels: usize) -> Option<&dyn WithClamp> {
        if channels == self.shape.out_channels { Some(self) } else { None }
    }

    fn by_rows(&self) -> Option<&dyn ByRows> {
        Some(self)
    }
}

impl ByRows for Forward {
    fn extents(&self) -> RowExtents {
        row_extents(&self.shape)
    }

    fn reads(&self, rows: Range<usize>) -> Range<usize> {
        self.shape.reads(rows)
    }

    fn run_rows(&self, context: RowsContext<'_>, epilogue: Epilogue<'_>) {
        let shape = self.shape.of_rows(context.rows);
        depthwise::forward_then(&shape, context.x, context.inputs.f32(1), context.y, epilogue);
    }

    fn run_rows_with_clamp(&self, context: RowsContext<'_>, clamp: Clamp<'_>) {
        let shape = self.shape.of_rows(context.rows);
        depthwise::forward_with(&shape, context.x, context.inputs.f32(1), context.y, clamped(clamp));
    }
}

impl WithClamp for Forward {
    fn run_with_clamp(&self, mut context: RunContext<'_>, clamp: Clamp<'_>) -> Result<(), GraphError> {
        let (x, kernel) = (context.inputs.f32(0), context.inputs.f32(1));
        depthwise::forward_with(&self.shape, x, kernel, context.outputs.f32(0), clamped(clamp));
        Ok(())
    }
}

impl WithEpilogue for Forward {
    fn run_with_epilogue(&self, mut context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        let (x, kernel) = (context.inputs.f32(0), context.inputs.f32(1));
        depthwise::forward_then(&self.shape, x, kernel, context.outputs.f32(0), epilogue);
        Ok(())
    }
}

impl Registered for DepthwiseConv2d {
    fn samples() -> Vec<Sample> {
        let samples = Depthwise::samples().into_iter();
        samples
            .map(|(convolution, x, kernel, _)| {
                let sample = Sample::new(Self { convolution }, [Operand::normal(&x), Operand::normal(&kernel)]);
                sample.tolerance(sum_of_products(kernel[0] * kernel[1]))
            })
            .collect()
    }
}
