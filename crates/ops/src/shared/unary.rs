//! Functions of one operand, element by element: `[*S] -> [*S]`.

use super::operands;
use ferrograph_graph::{GraphError, Reference, TensorType, ValueId};
use ferrograph_tensor::DType;

/// The shape rule: one operand of one of `dtypes`; the result has its type.
pub(crate) fn infer(operands: &[TensorType], dtypes: &[DType]) -> Result<Vec<TensorType>, String> {
    let [x] = operands::exactly(operands)?;
    operands::dtype("an operand", x, dtypes)?;
    Ok(vec![x.clone()])
}

/// The shape rule of a function of float32.
pub(crate) fn infer_float(operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
    infer(operands, &[DType::Float32])
}

/// The gradient of the only operand from that of the only result.
pub(crate) fn vjp(
    gradients: &[Option<ValueId>],
    dx: impl FnOnce(ValueId) -> Result<ValueId, GraphError>,
) -> Result<Vec<Option<ValueId>>, GraphError> {
    Ok(vec![gradients[0].map(dx).transpose()?])
}

/// `f` of every element.
pub(crate) fn reference(operands: &[Reference], f: impl Fn(f64) -> f64) -> Vec<Reference> {
    let x = &operands[0];
    vec![Reference::new(x.dtype, &x.shape, x.data.iter().map(|&v| super::wrap(x.dtype, f(v))).collect())]
}
