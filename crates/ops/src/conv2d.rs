//! Two-dimensional convolution (cross-correlation: the kernel is not flipped).
//!
//! `y[n, i, j, f] = sum over p, q, c of x[n, h, w, c] * kernel[p, q, c, f]` with `h = i * strides[0] + p * dilation[0] - top`
//! and `w = j * strides[1] + q * dilation[1] - left`, where `x` is `[N, H, W, C]`, the kernel `[kh, kw, C / groups, F]` and `y`
//! `[N, H', W', F]`; cells of the padding are 0. With groups, filter `f` sees the channels of its own group only. `'same'`
//! lays the odd cell of padding below and to the right.
//!
//! Derivative: linear in `x` and in the kernel; [`conv2d_input_gradient`](crate::conv2d_input_gradient) and
//! [`conv2d_kernel_gradient`](crate::conv2d_kernel_gradient).

use crate::conv2d_input_gradient::Conv2dInputGradient;
use crate::conv2d_kernel_gradient::Conv2dKernelGradient;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::{Convolution, affine, entries, step, to_json};
use ferrograph_graph::{
    Affine, ByRows, Clamp, Epilogue, Graph, GraphError, Op, Operand, Plan, Preparation, Reference, RowExtents,
    RowsContext, RunContext, Sample, Step, TensorType, ValueId, WithClamp, WithEpilogue, WithPooling,
};
use ferrograph_kernels::conv::{self, ConvShape};
use ferrograph_kernels::elementwise::Clamped;
use ferrograph_tensor::{DType, View};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Channels of an image at least that is pooled while it is made: vectors lie along them.
const MIN_POOLED: usize = 8;

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conv2d {
    /// Strides, padding, dilation and groups.
    pub convolution: Convolution,
}

impl Op for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
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
        Ok(if bound.empty { zeros() } else { Plan::Step(Box::new(Forward::new(bound.shape))) })
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
            Some(graph.apply(Conv2dInputGradient { convolution }, &[dy, kernel, x])?),
            Some(graph.apply(Conv2dKernelGradient { convolution }, &[x, dy, kernel])?),
        ])
    }

    fn with_affine(&self, graph: &mut Graph, operands: &[ValueId], map: Affine) -> Result<Option<ValueId>, GraphError> {
        affine::absorbed(graph, self.clone(), operands, map, 1, None)
    }

    fn with_border(&self, border: &[[usize; 2]]) -> Option<Arc<dyn Op>> {
        let padding = self.convolution.padding.with_border(border)?;
        Some(Arc::new(Self { convolution: Convolution { padding, ..self.convolution } }))
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
    packed: [Preparation; 1],
    by_rows: bool,
    /// `None` where it does not pool its result.
    pooled_scratch_len: Option<usize>,
}

impl Forward {
    fn new(shape: ConvShape) -> Self {
        let packed = Preparation { operand: 1, len: conv::packed_kernel_len(&shape) };
        // The tiles of Winograd's method are several rows high, and padding needs scratch memory.
        let plain = ConvShape { strict: true, ..shape };
        let direct = conv::packed_kernel_layout(&shape) == conv::packed_kernel_layout(&plain);
        let by_rows = direct && conv::scratch_len(&shape) == 0;
        let pooled_scratch_len = conv::pooled_scratch_len(&shape).filter(|_| shape.out_channels >= MIN_POOLED);
        Forward { shape, packed: [packed], by_rows, pooled_scratch_len }
    }
}

impl WithEpilogue for Forward {
    fn run_with_epilogue(&self, mut context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        let (x, kernel) = (context.inputs.f32(0), context.prepared.f32(0));
        conv::forward_then(&self.shape, x, kernel, context.outputs.f32(0), context.scratch, epilogue);
        Ok(())
    }
}

impl Step for Forward {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (x, kernel) = (context.inputs.f32(0), context.prepared.f32(0));
        conv::forward(&self.shape, x, kernel, context.outputs.f32(0), context.scratch);
        Ok(())
    }

    fn in_batches(&self) -> Option<Box<dyn Step>> {
        Some(Box::new(Forward::new(ConvShape { in_batches: true, ..self.shape })))
    }

    fn kernel(&self) -> Option<String> {
        conv::packed_kernel_layout(&self.shape).split(',').next().map(str::to_owned)
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        Some(self)
    }

    fn with_clamp(&self, channels: usize) -> Option<&dyn WithClamp> {
        if channels == self.shape.out_channels { Some(self) } else { None }
    }

    fn by_rows(&self) -> Option<&dyn ByRows> {
        if self.by_rows { Some(self) } else { None }
    }

    fn with_pooling(&self) -> Option<&dyn WithPooling> {
        self.pooled_scratch_len.is_some().then_some(self as _)
    }

    fn scratch_len(&self) -> usize {
        conv::scratch_len(&self.shape)
    }

    fn preparations(&self) -> &[Preparation] {
        &self.packed
    }

    fn preparation_key(&self, _index: usize) -> Option<String> {
        Some(format!("conv2d: {}", conv::packed_kernel_layout(&self.shape)))
    }

    fn prepare(&self, _index: usize, operand: View<'_>, prepared: &mut [f32]) {
        conv::pack_kernel(&self.shape, operand.f32(), prepared);
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
        let shape = ConvShape { strict: true, ..self.shape.of_rows(context.rows) };
        conv::forward_then(&shape, context.x, context.prepared.f32(0), context.y, &mut [], epilogue);
    }

    fn run_rows_with_clamp(&self, context: RowsContext<'_>, clamp: Clamp<'_>) {
        let shape = ConvShape { strict: true, ..self.shape.of_rows(context.rows) };
        conv::forward_with(&shape, context.x, context.prepared.f32(0), context.y, &mut [], clamped(clamp));
    }
}

impl WithClamp for Forward {
    fn run_with_clamp(&self, mut context: RunContext<'_>, clamp: Clamp<'_>) -> Result<(), GraphError> {
        let (x, kernel) = (context.inputs.f32(0), context.prepared.f32(0));
        conv::forward_with(&self.shape, x, kernel, context.outputs.f32(0), context.scratch, clamped(clamp));
        Ok(())
    }
}

impl WithPooling for Forward {
    fn pooled_scratch_len(&self) -> usize {
        self.pooled_scratch_len.unwrap_or(0)
    }

    fn run_pooled(&self, mut context: RunContext<'_>, clamp: Clamp<'_>) -> Result<(), GraphError> {
        let (x, kernel) = (context.inputs.f32(0), context.prepared.f32(0));
        conv::forward_pooled(&self.shape, x, kernel, context.outputs.f32(0), context.scratch, clamped(clamp));
        Ok(())
    }
}

/// A clamp as the kernels know it.
pub(crate) fn clamped(Clamp { bias, low, high }: Clamp<'_>) -> Clamped<'_> {
    Clamped { bias, low, high }
}

/// The images of a convolution by rows.
pub(crate) fn row_extents(shape: &ConvShape) -> RowExtents {
    RowExtents {
        images: shape.batch,
        input: [shape.height, shape.width * shape.in_channels],
        output: [shape.out_height(), shape.out_width() * shape.out_channels],
    }
}

/// Results that are sums of no products.
pub(crate) fn zeros() -> Plan {
    step(|mut context| {
        context.outputs.f32(0).fill(0.0);
        Ok(())
    })
}

impl Registered for Conv2d {
    fn samples() -> Vec<Sample> {
        let samples = Convolution::samples().into_iter();
        samples
            .map(|(convolution, x, kernel)| {
                let sample = Sample::new(Self { convolution }, [Operand::normal(&x), Operand::normal(&kernel)]);
                sample.tolerance(convolution.tolerance(kernel, kernel[0] * kernel[1] * kernel[2]))
            })
            .collect()
    }
}
