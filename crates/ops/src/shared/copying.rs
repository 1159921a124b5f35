//! Ops that only move elements: the result is a strided view of the operand.

use super::step;
use ferrograph_graph::{GraphError, Plan, Reference, TensorType};
use ferrograph_kernels::copy::{Strided, gather_strided, scatter_strided};
use ferrograph_tensor::{View, ViewMut, element_count, strides};

/// The plan of a result that is the elements of operand 0 which `view` names.
pub(crate) fn plan(x: &TensorType, view: Strided) -> Result<Plan, GraphError> {
    if view.is_dense() && view.len() == element_count(&x.extents())? {
        return Ok(Plan::Alias);
    }
    Ok(step(move |mut c| {
        gather(c.inputs.view(0), &view, c.outputs.view(0));
        Ok(())
    }))
}

/// Row-major strides of a shape that has elements; zeros for one that has none, where no stride is used.
pub(crate) fn signed_strides(shape: &[usize]) -> Result<Vec<isize>, GraphError> {
    if element_count(shape)? == 0 {
        return Ok(vec![0; shape.len()]);
    }
    Ok(strides(shape).into_iter().map(|s| s as isize).collect())
}

/// `y = x[view]`
pub(crate) fn gather(x: View<'_>, view: &Strided, y: ViewMut<'_>) {
    match y {
        ViewMut::F32(y) => gather_strided(x.f32(), view, y),
        ViewMut::I32(y) => gather_strided(x.i32(), view, y),
        ViewMut::U8(y) => gather_strided(x.u8(), view, y),
    }
}

/// `y[view] = x`
pub(crate) fn scatter(x: View<'_>, view: &Strided, y: ViewMut<'_>) {
    match y {
        ViewMut::F32(y) => scatter_strided(x.f32(), view, y),
        ViewMut::I32(y) => scatter_strided(x.i32(), view, y),
        ViewMut::U8(y) => scatter_strided(x.u8(), view, y),
    }
}

/// `y = value`, converted as a cast does.
pub(crate) fn fill(y: ViewMut<'_>, value: f64, boolean: bool) {
    match y {
        ViewMut::F32(y) => y.fill(value as f32),
        ViewMut::I32(y) => y.fill(value as i32),
        ViewMut::U8(y) => y.fill(if boolean { u8::from(value != 0.0) } else { value as u8 }),
    }
}

/// The result whose element at an index is the operand's at `source` of that index.
pub(crate) fn reference(x: &Reference, result: &TensorType, source: impl Fn(&[usize]) -> Vec<usize>) -> Vec<Reference> {
    vec![Reference::from_fn(x.dtype, &result.extents(), |index| x.at(&source(index)))]
}
