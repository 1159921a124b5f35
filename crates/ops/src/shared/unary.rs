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

/// The error function, by Simpson's rule: 2000 steps leave an error below 1e-13.
pub(crate) fn erf(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 6.0 {
        return x.signum();
    }
    let (steps, f) = (2000, |t: f64| (-t * t).exp());
    let h = x / f64::from(steps);
    let weight = |i| if i % 2 == 0 { 2.0 } else { 4.0 };
    let middle: f64 = (1..steps).map(|i| weight(i) * f(f64::from(i) * h)).sum();
    std::f64::consts::FRAC_2_SQRT_PI * h / 3.0 * (f(0.0) + middle + f(x))
}
