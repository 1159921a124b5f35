//! Rules of ops that pick elements by index.

use ferrograph_graph::{Extent, GraphError, format_shape};
use ferrograph_kernels::indexing::first_outside;

/// `shape` with the extents of the indices in place of `axis`.
pub(crate) fn picked_shape(shape: &[Extent], axis: usize, indices: &[Extent]) -> Vec<Extent> {
    [&shape[..axis], indices, &shape[axis + 1..]].concat()
}

/// The shape of `indices` that have the rank of `shape` and, but for `axis`, its extents.
pub(crate) fn along_shape(shape: &[Extent], axis: usize, indices: &[Extent]) -> Result<Vec<Extent>, String> {
    let mut wanted = shape.to_vec();
    if let Some(extent) = indices.get(axis) {
        wanted[axis] = *extent;
    }
    check_shape("indices", &wanted, indices)?;
    Ok(wanted.iter().zip(indices).map(|(a, b)| a.or(*b)).collect())
}

/// That what is known of both shapes agrees.
pub(crate) fn check_shape(what: &str, wanted: &[Extent], received: &[Extent]) -> Result<(), String> {
    let agree = |(a, b): (&Extent, &Extent)| a.is_none() || b.is_none() || a == b;
    if wanted.len() == received.len() && wanted.iter().zip(received).all(agree) {
        Ok(())
    } else {
        Err(format!("{what} of shape {}", format_shape(wanted)))
    }
}

/// That every index is within the extent; the first that is not is an error of the run.
pub(crate) fn check(op: &'static str, indices: &[i32], extent: usize) -> Result<(), GraphError> {
    match first_outside(indices, extent) {
        None => Ok(()),
        Some(at) => Err(GraphError::Run {
            op,
            message: format!(
                "expected indices of at least 0 and below {extent}, received {} at position {at}",
                indices[at]
            ),
        }),
    }
}
