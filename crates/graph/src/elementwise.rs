//! Functions of corresponding elements.

use ferrograph_tensor::{View, ViewMut};
use std::fmt::Debug;

/// A function applied to corresponding elements. The executor broadcasts operands to the shape of the result, cuts
/// everything into blocks that stay in the first-level cache and runs a whole chain of such functions on each block.
pub trait Elementwise: Debug + Send + Sync {
    /// Computes one block. Every operand has exactly as many elements as `result`, and its own type;
    /// one whose data [`crate::Op::reads`] disclaims has none.
    fn run(&self, operands: &[View<'_>], result: ViewMut<'_>);

    /// The function as one that loops know, if it is one of them, to the bit.
    fn simple(&self) -> Option<Simple> {
        None
    }
}

/// A function of float32 that is worth a loop of its own together with others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Simple {
    /// The sum of two operands.
    Add,
    /// 0 for what is not above 0, at most `max`; NaN stays.
    Rectify {
        /// `None`: no limit.
        max: Option<f32>,
    },
    /// `x * x`
    Square,
    /// `a + (b - a) * weight`
    Lerp {
        /// How far from `a` towards `b`.
        weight: f32,
    },
    /// `w - m * alpha / (sqrt(v) + epsilon)` of `w`, `m`, `v` and `alpha`.
    AdamStep {
        /// What keeps the divisor from 0.
        epsilon: f32,
    },
}
