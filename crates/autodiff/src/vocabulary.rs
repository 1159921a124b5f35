//! The few ops that differentiation itself emits.

use ferrograph_graph::Op;
use std::sync::Arc;

/// What reverse mode needs besides the derivatives that ops write themselves. This room names no op, so its caller does.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// Element-wise sum of two operands of the same type: joins the gradients of a value that is used more than once.
    pub add: fn() -> Arc<dyn Op>,
}
