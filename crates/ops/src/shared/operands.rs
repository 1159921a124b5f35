//! Checks that the shape rules of all ops begin with. An error completes "expected ...".

use ferrograph_graph::TensorType;
use ferrograph_tensor::DType;

/// The two types arithmetic is done in.
pub(crate) const NUMERIC: &[DType] = &[DType::Float32, DType::Int32];

/// The operands, if there are `N`.
pub(crate) fn exactly<const N: usize>(operands: &[TensorType]) -> Result<&[TensorType; N], String> {
    operands.try_into().map_err(|_| if N == 1 { "1 operand".to_owned() } else { format!("{N} operands") })
}

/// That an operand, called `what` in the message, has one of `dtypes`.
pub(crate) fn dtype(what: &str, operand: &TensorType, dtypes: &[DType]) -> Result<(), String> {
    if dtypes.contains(&operand.dtype) {
        return Ok(());
    }
    let names: Vec<&str> = dtypes.iter().map(|d| d.name()).collect();
    Err(format!("{what} of dtype {}", names.join(" or ")))
}

/// That two operands have one dtype.
pub(crate) fn same_dtype(a: &TensorType, b: &TensorType) -> Result<(), String> {
    if a.dtype == b.dtype { Ok(()) } else { Err("operands of one dtype".to_owned()) }
}

/// That a rank is exactly `rank`.
pub(crate) fn rank(what: &str, operand: &TensorType, rank: usize) -> Result<(), String> {
    if operand.rank() == rank { Ok(()) } else { Err(format!("{what} of rank {rank}")) }
}
