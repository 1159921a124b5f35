//! Maps along the last axis that can move into the weights before them.

use crate::ValueId;

/// `x * scale + shift` along the last axis of `x`: both are float32 `[C]`; without a scale it is 1, without a shift 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Affine {
    /// What each channel is multiplied by.
    pub scale: Option<ValueId>,
    /// What is added to each channel then.
    pub shift: Option<ValueId>,
}
