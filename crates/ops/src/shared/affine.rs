//! Affine maps along the last axis, on their way into the weights before them.

use crate::add::Add;
use crate::multiply::Multiply;
use crate::reshape::Reshape;
use ferrograph_graph::{Affine, Graph, GraphError, Op, ValueId};
use ferrograph_tensor::DType;

/// `op` where it is there, else `a` or `b`.
fn combined(
    graph: &mut Graph,
    a: Option<ValueId>,
    b: Option<ValueId>,
    op: impl FnOnce(&mut Graph, ValueId, ValueId) -> Result<ValueId, GraphError>,
) -> Result<Option<ValueId>, GraphError> {
    match (a, b) {
        (Some(a), Some(b)) => op(graph, a, b).map(Some),
        (a, b) => Ok(a.or(b)),
    }
}

/// Whether `parameter` has one float32 for each channel of `x`.
pub(crate) fn is_along_last(graph: &Graph, x: ValueId, parameter: ValueId) -> bool {
    let (x, parameter) = (graph.ty(x), graph.ty(parameter));
    let channels = x.shape.last().copied().flatten();
    x.dtype == DType::Float32
        && parameter.dtype == DType::Float32
        && channels.is_some()
        && parameter.shape == [channels]
}

/// `before`, then `x * scale`, then `+ shift`.
pub(crate) fn then(
    graph: &mut Graph,
    before: Affine,
    scale: Option<ValueId>,
    shift: Option<ValueId>,
) -> Result<Affine, GraphError> {
    let multiply = |graph: &mut Graph, a, b| graph.apply(Multiply {}, &[a, b]);
    let former = match (before.shift, scale) {
        (Some(former), Some(scale)) => Some(multiply(graph, former, scale)?),
        (former, _) => former,
    };
    let shift = combined(graph, former, shift, |graph, a, b| graph.apply(Add {}, &[a, b]))?;
    Ok(Affine { scale: combined(graph, before.scale, scale, multiply)?, shift })
}

/// `op` under `map`, which is linear in operand `weights`: the scale moves there, laid along the last axes of the weights
/// under the shape `laid`, if that is not its own.
pub(crate) fn absorbed(
    graph: &mut Graph,
    op: impl Op + 'static,
    operands: &[ValueId],
    map: Affine,
    weights: usize,
    laid: Option<Vec<Option<i64>>>,
) -> Result<Option<ValueId>, GraphError> {
    let mut operands = operands.to_vec();
    if let Some(mut scale) = map.scale {
        if let Some(shape) = laid {
            scale = graph.apply(Reshape { shape }, &[scale])?;
        }
        operands[weights] = graph.apply(Multiply {}, &[operands[weights], scale])?;
    }
    let y = graph.apply(op, &operands)?;
    combined(graph, Some(y), map.shift, |graph, y, shift| graph.apply(Add {}, &[y, shift]))
}
