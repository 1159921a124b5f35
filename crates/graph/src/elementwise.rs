//! Functions of corresponding elements.

use ferrograph_tensor::{View, ViewMut};
use std::fmt::Debug;

/// A function applied to corresponding elements. The executor broadcasts operands to the shape of the result, cuts
/// everything into blocks that stay in the first-level cache and runs a whole chain of such functions on each block.
pub trait Elementwise: Debug + Send + Sync {
    /// Computes one block. Every operand has exactly as many elements as `result`, and its own type;
    /// one whose data [`crate::Op::reads`] disclaims has none.
    fn run(&self, operands: &[View<'_>], result: ViewMut<'_>);
}
