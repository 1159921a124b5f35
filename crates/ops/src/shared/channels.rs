//! Tensors with an axis of channels and parameters `[C]` of it: shape rule, kernel's view, and formulas for derivatives.

use super::axes::{check_axis, resolved_axis, split_at};
use super::operands::{dtype, rank};
use crate::add::Add;
use crate::broadcast_like::BroadcastLike;
use crate::divide::Divide;
use crate::maximum::Maximum;
use crate::multiply::Multiply;
use crate::negative::Negative;
use crate::reshape::Reshape;
use crate::rsqrt::Rsqrt;
use crate::size::Size;
use crate::subtract::Subtract;
use crate::sum::Sum;
use ferrograph_graph::{Extent, Graph, GraphError, Op, Reference, TensorType, ValueId};
use ferrograph_kernels::batch_norm::ChannelShape;
use ferrograph_tensor::DType;

/// The shape rule of a float32 `x` with parameters `[C]` of `axis`, each with its name: the extent `C`, as far as it is
/// known. The error completes "expected ...".
pub(crate) fn infer(x: &TensorType, axis: i64, parameters: &[(&str, &TensorType)]) -> Result<Extent, String> {
    dtype("x", x, &[DType::Float32])?;
    let mut channels = x.shape[check_axis(axis, x.rank())?];
    for (name, parameter) in parameters {
        dtype(name, parameter, &[DType::Float32])?;
        rank(name, parameter, 1)?;
        match (channels, parameter.shape[0]) {
            (Some(channels), Some(n)) if channels != n => {
                return Err(format!("{name} float32[{channels}], as axis {axis} of x"));
            }
            (known, other) => channels = known.or(other),
        }
    }
    Ok(channels)
}

/// `x` as the kernels see it.
pub(crate) fn channel_shape(x: &TensorType, axis: i64) -> Result<ChannelShape, GraphError> {
    let split = split_at(&x.extents(), resolved_axis(axis, x.rank()))?;
    Ok(ChannelShape { outer: split.outer, channels: split.extent, inner: split.inner })
}

/// For each channel, the elements of `x` along `axis`, as places in its data.
pub(crate) fn elements_of_channels(x: &Reference, axis: i64) -> Vec<Vec<usize>> {
    let axis = resolved_axis(axis, x.shape.len());
    let inner: usize = x.shape[axis + 1..].iter().product();
    let channels = x.shape[axis];
    let of_channel = |channel| (0..x.data.len()).filter(move |i| i / inner % channels == channel).collect();
    (0..channels).map(of_channel).collect()
}

/// Writes formulas over a tensor and its channels into a graph.
#[derive(Debug)]
pub(crate) struct Formula<'g> {
    graph: &'g mut Graph,
    rank: usize,
    axis: usize,
}

impl<'g> Formula<'g> {
    /// For tensors of the rank of `x`, whose axis of channels is `axis`.
    pub(crate) fn new(graph: &'g mut Graph, x: ValueId, axis: i64) -> Result<Self, GraphError> {
        let rank = graph.try_type(x)?.rank();
        Ok(Self { graph, rank, axis: resolved_axis(axis, rank) })
    }

    /// Applies an op that has several results.
    pub(crate) fn emit(&mut self, op: impl Op + 'static, operands: &[ValueId]) -> Result<Vec<ValueId>, GraphError> {
        self.graph.emit(std::sync::Arc::new(op), operands)
    }

    /// `value`, in float32.
    pub(crate) fn scalar(&mut self, value: f64) -> Result<ValueId, GraphError> {
        self.graph.scalar(value as f32)
    }

    pub(crate) fn add(&mut self, a: ValueId, b: ValueId) -> Result<ValueId, GraphError> {
        self.graph.apply(Add {}, &[a, b])
    }

    /// The sum of those that are there.
    pub(crate) fn sum(
        &mut self,
        terms: impl IntoIterator<Item = Option<ValueId>>,
    ) -> Result<Option<ValueId>, GraphError> {
        let mut terms = terms.into_iter().flatten();
        let Some(first) = terms.next() else { return Ok(None) };
        terms.try_fold(first, |sum, term| self.add(sum, term)).map(Some)
    }

    pub(crate) fn subtract(&mut self, a: ValueId, b: ValueId) -> Result<ValueId, GraphError> {
        self.graph.apply(Subtract {}, &[a, b])
    }

    pub(crate) fn multiply(&mut self, a: ValueId, b: ValueId) -> Result<ValueId, GraphError> {
        self.graph.apply(Multiply {}, &[a, b])
    }

    pub(crate) fn divide(&mut self, a: ValueId, b: ValueId) -> Result<ValueId, GraphError> {
        self.graph.apply(Divide {}, &[a, b])
    }

    pub(crate) fn negative(&mut self, a: ValueId) -> Result<ValueId, GraphError> {
        self.graph.apply(Negative {}, &[a])
    }

    /// `1 / sqrt(variance + epsilon)`
    pub(crate) fn factor(&mut self, variance: ValueId, epsilon: f64) -> Result<ValueId, GraphError> {
        let epsilon = self.scalar(epsilon)?;
        let sum = self.add(variance, epsilon)?;
        self.graph.apply(Rsqrt {}, &[sum])
    }

    /// A parameter `[C]` so that it broadcasts along the axis of the channels.
    pub(crate) fn along(&mut self, parameter: ValueId) -> Result<ValueId, GraphError> {
        if self.axis + 1 == self.rank {
            return Ok(parameter);
        }
        let shape = (self.axis..self.rank).map(|axis| Some(if axis == self.axis { -1 } else { 1 })).collect();
        self.graph.apply(Reshape { shape }, &[parameter])
    }

    /// A parameter `[C]` spread over the shape of `like`.
    pub(crate) fn spread(&mut self, parameter: ValueId, like: ValueId) -> Result<ValueId, GraphError> {
        let parameter = self.along(parameter)?;
        self.graph.apply(BroadcastLike {}, &[parameter, like])
    }

    /// The sum of each channel, `[C]`.
    pub(crate) fn sum_channels(&mut self, value: ValueId) -> Result<ValueId, GraphError> {
        self.graph.apply(Sum { axes: Some(self.other_axes()), keepdims: false }, &[value])
    }

    /// How many elements of `like` each channel has; 1 where there are none, so that their mean is 0.
    pub(crate) fn count(&mut self, like: ValueId) -> Result<ValueId, GraphError> {
        let (size, one) = (self.graph.apply(Size { axes: Some(self.other_axes()) }, &[like])?, self.scalar(1.0)?);
        self.graph.apply(Maximum {}, &[size, one])
    }

    fn other_axes(&self) -> Vec<i64> {
        (0..self.rank).filter(|&axis| axis != self.axis).map(|axis| axis as i64).collect()
    }
}
