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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_index_and_its_place() {
        assert!(check("gather", &[0, 2], 3).is_ok());
        let error = check("gather", &[0, -1, 7], 3).unwrap_err();
        assert_eq!(error.to_string(), "gather: expected indices of at least 0 and below 3, received -1 at position 1");
    }

    #[test]
    fn shapes_agree_as_far_as_they_are_known() {
        assert_eq!(along_shape(&[None, Some(4)], 1, &[Some(3), None]), Ok(vec![Some(3), None]));
        assert_eq!(along_shape(&[Some(2), Some(4)], 1, &[Some(3), Some(1)]).unwrap_err(), "indices of shape [2, 1]");
        assert!(along_shape(&[Some(2)], 0, &[]).is_err());
    }
}
