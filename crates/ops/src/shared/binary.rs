//! Functions of two operands, element by element, with NumPy broadcasting: `[*A], [*B] -> [*broadcast(A, B)]`.

use super::broadcast::broadcast;
use super::{operands, unbroadcast};
use ferrograph_graph::{Graph, GraphError, Reference, TensorType, ValueId};
use ferrograph_tensor::DType;

/// The shape rule: two operands of one dtype among `dtypes`; the result has it too.
pub(crate) fn infer(operands: &[TensorType], dtypes: &[DType]) -> Result<Vec<TensorType>, String> {
    let [a, b] = operands::exactly(operands)?;
    operands::dtype("operands", a, dtypes)?;
    operands::same_dtype(a, b)?;
    Ok(vec![TensorType::new(a.dtype, broadcast(&a.shape, &b.shape)?)])
}

/// The shape rule of a comparison: two operands of one dtype; the result is bool.
pub(crate) fn infer_comparison(operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
    let [a, b] = operands::exactly(operands)?;
    operands::same_dtype(a, b)?;
    Ok(vec![TensorType::new(DType::Bool, broadcast(&a.shape, &b.shape)?)])
}

/// The gradients of both operands from those at the shape of the result.
pub(crate) fn vjp(
    graph: &mut Graph,
    operands: &[ValueId],
    gradients: &[Option<ValueId>],
    gradients_of_both: impl FnOnce(&mut Graph, ValueId) -> Result<[ValueId; 2], GraphError>,
) -> Result<Vec<Option<ValueId>>, GraphError> {
    let Some(dy) = gradients[0] else { return Ok(vec![None, None]) };
    let [da, db] = gradients_of_both(graph, dy)?;
    Ok(vec![Some(unbroadcast(graph, da, operands[0])?), Some(unbroadcast(graph, db, operands[1])?)])
}

/// `f` of corresponding elements.
pub(crate) fn reference(operands: &[Reference], results: &[TensorType], f: impl Fn(f64, f64) -> f64) -> Vec<Reference> {
    let (a, b, dtype) = (&operands[0], &operands[1], results[0].dtype);
    vec![Reference::from_fn(dtype, &results[0].extents(), |i| {
        super::wrap(dtype, f(a.at_broadcast(i), b.at_broadcast(i)))
    })]
}

/// `f` of corresponding elements as 0 or 1.
pub(crate) fn reference_comparison(
    operands: &[Reference],
    results: &[TensorType],
    f: impl Fn(&f64, &f64) -> bool,
) -> Vec<Reference> {
    reference(operands, results, |a, b| f64::from(u8::from(f(&a, &b))))
}
