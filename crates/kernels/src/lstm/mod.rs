//! Long short-term memory over a whole sequence, with `tanh` and `sigmoid` activations.
//!
//! `z_t = x_t W + h_{t-1} R + b` is split into the gates `i, f, c, o` (Keras's order), each of `units` columns:
//!
//! ```text
//! c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(c)
//! h_t = sigmoid(o) * tanh(c_t)
//! ```
//!
//! Where the mask of a step is 0, `h_t = h_{t-1}` and `c_t = c_{t-1}`, and the output repeats `h_{t-1}`.
//! With `reverse` the steps are processed from the last to the first, and the outputs stand in processing order.

mod backward;
mod cell;
mod forward;
#[cfg(test)]
mod tests;

pub use backward::{Gradients, LstmBackward, backward, backward_scratch_len};
pub use forward::{LstmForward, Outputs, forward, forward_scratch_len};

use crate::recurrence::RecurrentShape;
use crate::recurrence::gates::Gates;

/// Gates of a unit.
const GATES: usize = 4;

/// The gates side by side, as the forward pass computes them.
fn interleaved(shape: &RecurrentShape) -> Gates {
    Gates { units: shape.units, total: GATES, which: 0..GATES }
}

/// Elements of the kernel packed by [`pack_kernel`].
pub fn packed_kernel_len(shape: &RecurrentShape) -> usize {
    interleaved(shape).len().saturating_mul(shape.input)
}

/// Elements of the recurrent kernel packed by [`pack_recurrent`].
pub fn packed_recurrent_len(shape: &RecurrentShape) -> usize {
    interleaved(shape).len().saturating_mul(shape.units)
}

/// Packs `kernel` `[I, 4U]` for [`forward`] at the current [`Level`](ferrograph_simd::Level).
pub fn pack_kernel(shape: &RecurrentShape, kernel: &[f32], packed: &mut [f32]) {
    interleaved(shape).pack_projection(shape.input, kernel, packed);
}

/// Packs `recurrent` `[U, 4U]` for [`forward`] at the current [`Level`](ferrograph_simd::Level).
pub fn pack_recurrent(shape: &RecurrentShape, recurrent: &[f32], packed: &mut [f32]) {
    interleaved(shape).pack_recurrent(recurrent, packed);
}

/// How [`pack_kernel`] lays the weights out: packed weights with the same answer are laid out the same.
pub fn packed_kernel_layout(shape: &RecurrentShape) -> String {
    interleaved(shape).projection_layout(shape.input)
}

/// How [`pack_recurrent`] lays the weights out.
pub fn packed_recurrent_layout(shape: &RecurrentShape) -> String {
    interleaved(shape).recurrent_layout()
}

/// Elements of the `reserve` buffer that a training forward pass writes and [`backward`] reads.
///
/// It holds, for every step in processing order, the four gates after activation `[T, B, 4U]`, the cell states
/// `[T + 1, B, U]` and the hidden states `[T + 1, B, U]`, both starting with the initial state.
pub fn reserve_len(shape: &RecurrentShape) -> usize {
    let states = shape.steps.saturating_add(1).saturating_mul(shape.state_len());
    shape.rows().saturating_mul(shape.units.saturating_mul(GATES)).saturating_add(states.saturating_mul(2))
}
