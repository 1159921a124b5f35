//! Kernels bound to concrete shapes.

use crate::GraphError;
use ferrograph_tensor::{Inputs, Outputs, View};
use std::fmt::Debug;

/// A kernel for whole operands of known shapes. Steps are immutable; several runs may use one at the same time.
pub trait Step: Debug + Send + Sync {
    /// Computes the results. An error is about the data (an index out of range); the run ends and changes nothing.
    fn run(&self, context: RunContext<'_>) -> Result<(), GraphError>;

    /// float32 elements of scratch memory that one run needs.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Forms of operands that are worth keeping while the operand does not change: a packed weight.
    fn preparations(&self) -> &[Preparation] {
        &[]
    }

    /// Fills preparation `index` from its operand.
    fn prepare(&self, index: usize, operand: View<'_>, prepared: &mut [f32]) {
        let _ = (index, operand, prepared);
    }
}

/// A kept form of an operand. Where the operand is a variable or a constant the executor makes it once for each value
/// of the variable; otherwise before each run of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Which operand.
    pub operand: usize,
    /// float32 elements of the prepared form.
    pub len: usize,
}

/// What a step works on.
#[derive(Debug)]
pub struct RunContext<'a> {
    /// The operands, in order.
    pub inputs: Inputs<'a>,
    /// The prepared forms, in the order of [`Step::preparations`], each float32.
    pub prepared: Inputs<'a>,
    /// The results, in order; their former contents are arbitrary.
    pub outputs: Outputs<'a>,
    /// [`Step::scratch_len`] elements of arbitrary contents.
    pub scratch: &'a mut [f32],
}
