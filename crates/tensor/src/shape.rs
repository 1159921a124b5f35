//! Checked arithmetic on shapes. No other place multiplies extents that a caller chose.

use crate::DType;
use std::fmt;

/// The largest rank a tensor may have.
pub const MAX_RANK: usize = 8;

/// Why a shape cannot be held in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// More than [`MAX_RANK`] extents.
    Rank(usize),
    /// The byte count does not fit the address space.
    Overflow(Vec<usize>),
    /// The process-wide memory limit would be passed, or the system has no memory left.
    Memory {
        /// Bytes that were wanted.
        wanted: usize,
        /// Bytes that are allocated now.
        allocated: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The data holds another number of elements than the shape.
    Length {
        /// The shape that was given.
        shape: Vec<usize>,
        /// The number of elements that came with it.
        received: usize,
    },
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rank(rank) => write!(f, "expected a rank of at most {MAX_RANK}, received {rank}"),
            Self::Overflow(shape) => write!(f, "expected a shape that fits in memory, received {shape:?}"),
            Self::Memory { wanted, allocated, limit } => write!(
                f,
                "expected at most {limit} bytes in use, but {allocated} are in use and {wanted} more were wanted"
            ),
            Self::Length { shape, received } => {
                write!(f, "expected the number of elements of shape {shape:?}, received {received}")
            }
        }
    }
}

impl std::error::Error for ShapeError {}

/// The number of elements of `shape`; 1 for rank 0.
pub fn element_count(shape: &[usize]) -> Result<usize, ShapeError> {
    if shape.len() > MAX_RANK {
        return Err(ShapeError::Rank(shape.len()));
    }
    // An extent of 0 makes the product 0 whatever the others are, so it is looked for before overflow is.
    if shape.contains(&0) {
        return Ok(0);
    }
    shape
        .iter()
        .try_fold(1usize, |n, &extent| n.checked_mul(extent))
        .filter(|&n| isize::try_from(n).is_ok())
        .ok_or_else(|| ShapeError::Overflow(shape.to_vec()))
}

/// The number of bytes of a tensor.
pub fn byte_size(dtype: DType, shape: &[usize]) -> Result<usize, ShapeError> {
    element_count(shape)?
        .checked_mul(dtype.size())
        .filter(|&n| isize::try_from(n).is_ok())
        .ok_or_else(|| ShapeError::Overflow(shape.to_vec()))
}

/// Row-major strides in elements.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (0..shape.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1].max(1);
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_elements_and_refuses_what_overflows() {
        assert_eq!(element_count(&[]), Ok(1));
        assert_eq!(element_count(&[2, 3, 4]), Ok(24));
        assert_eq!(element_count(&[usize::MAX, 0, usize::MAX]), Ok(0));
        assert_eq!(element_count(&[1 << 33, 1 << 33]), Err(ShapeError::Overflow(vec![1 << 33, 1 << 33])));
        assert_eq!(element_count(&[1; 9]), Err(ShapeError::Rank(9)));
        assert_eq!(byte_size(DType::Float32, &[1 << 61]), Err(ShapeError::Overflow(vec![1 << 61])));
    }

    #[test]
    fn strides_are_row_major() {
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        assert!(strides(&[]).is_empty());
    }
}
