//! What is known of a value before it is computed.

use ferrograph_tensor::DType;
use std::fmt;

/// An extent of a shape; `None` is one that is not known yet, written `null`.
pub type Extent = Option<usize>;

/// Element type and shape of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TensorType {
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first.
    pub shape: Vec<Extent>,
}

impl TensorType {
    /// A type with the given extents.
    pub fn new(dtype: DType, shape: impl IntoIterator<Item = Extent>) -> Self {
        Self { dtype, shape: shape.into_iter().collect() }
    }

    /// A type whose extents are all known.
    pub fn known(dtype: DType, shape: &[usize]) -> Self {
        Self { dtype, shape: shape.iter().map(|&n| Some(n)).collect() }
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Whether an operand of this type that is broadcast to `rank` axes meets the entries along the first of them with its own,
    /// if it is `batched`, or else with the same for all.
    pub fn meets_entries(&self, batched: bool, rank: usize) -> bool {
        if batched { self.rank() == rank } else { self.rank() < rank || self.shape.first() == Some(&Some(1)) }
    }

    /// The extents, if all are known.
    pub fn dims(&self) -> Option<Vec<usize>> {
        self.shape.iter().copied().collect()
    }

    /// The extents of a type that a plan is made for.
    ///
    /// # Panics
    /// When one is not known; the executor makes plans for concrete shapes only.
    pub fn extents(&self) -> Vec<usize> {
        self.dims().unwrap_or_else(|| unreachable!("a plan needs known extents, received {self}"))
    }

    /// Whether both are known to have the same shape.
    pub fn same_known_shape(&self, other: &Self) -> bool {
        self.shape == other.shape && self.shape.iter().all(Option::is_some)
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, format_shape(&self.shape))
    }
}

/// A shape as messages write it: `[null, 28, 28]`.
pub fn format_shape(shape: &[Extent]) -> String {
    let extents: Vec<String> = shape.iter().map(|e| e.map_or_else(|| "null".into(), |n| n.to_string())).collect();
    format!("[{}]", extents.join(", "))
}
