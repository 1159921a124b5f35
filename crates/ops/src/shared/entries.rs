//! Which ops treat every entry along the first axis alone.

use super::axes::{resolved_axes, resolved_axis};
use ferrograph_graph::TensorType;

/// Whether operand 0 has the entries and no other operand has.
pub(crate) fn of_first_operand(batched: &[bool]) -> bool {
    batched[0] && !batched[1..].contains(&true)
}

/// Whether an op along `axis` of operand 0 leaves the first axis alone.
pub(crate) fn beside_axis(axis: i64, operands: &[TensorType]) -> bool {
    resolved_axis(axis, operands[0].rank()) != 0
}

/// The same for several axes; `None` is all.
pub(crate) fn beside_axes(axes: Option<&[i64]>, operands: &[TensorType]) -> bool {
    resolved_axes(axes, operands[0].rank()).first() == Some(&false)
}
