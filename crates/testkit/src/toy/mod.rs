//! Small ops for tests of rooms that must not name a real one.

mod map;
mod matmul;
mod refuse;
mod rename;
mod total;

pub use map::{Function, Map, add};
pub use matmul::MatMul;
pub use refuse::Refuse;
pub use rename::Rename;
pub use total::{Expand, Total};

use ferrograph_graph::TensorType;

/// NumPy's broadcasting of two shapes.
pub(crate) fn broadcast(a: &TensorType, b: &TensorType) -> Result<TensorType, String> {
    let rank = a.rank().max(b.rank());
    let at = |ty: &TensorType, axis: usize| {
        let missing = rank - ty.rank();
        if axis < missing { Some(1) } else { ty.shape[axis - missing] }
    };
    let shape = (0..rank).map(|axis| match (at(a, axis), at(b, axis)) {
        (Some(1), other) | (other, Some(1)) => Ok(other),
        (Some(x), Some(y)) if x != y => Err("shapes that broadcast".to_owned()),
        (Some(x), _) | (_, Some(x)) => Ok(Some(x)),
        (None, None) => Ok(None),
    });
    Ok(TensorType { dtype: a.dtype, shape: shape.collect::<Result<_, _>>()? })
}
