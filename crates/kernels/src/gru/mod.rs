//! Gated recurrent unit over a whole sequence, with `tanh` and `sigmoid` activations.
//!
//! The gates `z, r, h` (Keras's order) are of `units` columns each. With `reset_after`
//!
//! ```text
//! p = x_t W + b_i                 q = h_{t-1} R + b_r
//! z = sigmoid(p_z + q_z)          r = sigmoid(p_r + q_r)          g = tanh(p_h + r * q_h)
//! ```
//!
//! and without it, where there is one bias, `g = tanh(p_h + (r * h_{t-1}) R_h)`. Then `h_t = z * h_{t-1} + (1 - z) * g`.
//!
//! Where the mask of a step is 0, `h_t = h_{t-1}`, which the output repeats. With `reverse` the steps are processed from
//! the last to the first, and the outputs stand in processing order.

mod backward;
mod cell;
mod forward;
#[cfg(test)]
mod tests;

pub use backward::{Gradients, GruBackward, backward, backward_scratch_len};
pub use forward::{GruForward, Outputs, forward, forward_scratch_len};

use crate::recurrence::RecurrentShape;
use crate::recurrence::gates::Gates;

/// Gates of a unit.
const GATES: usize = 3;

/// The extents of a gated recurrent unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GruShape {
    /// Sequences, steps, features and units.
    pub extents: RecurrentShape,
    /// Whether the reset gate is applied after the product with the recurrent weights.
    pub reset_after: bool,
}

impl GruShape {
    /// Columns of the weights.
    fn columns(&self) -> usize {
        self.extents.units.saturating_mul(GATES)
    }

    /// Elements of the bias, `[2, 3U]` with `reset_after` and else `[3U]`.
    fn bias_len(&self) -> usize {
        self.columns().saturating_mul(if self.reset_after { 2 } else { 1 })
    }

    /// Elements that a step keeps of a row: `z`, `r`, `g`, and `q_h` or `r * h_{t-1}`.
    fn kept(&self) -> usize {
        self.extents.units.saturating_mul(4)
    }

    /// All gates side by side, as their projections are.
    fn interleaved(&self) -> Gates {
        Gates { units: self.extents.units, total: GATES, which: 0..GATES }
    }

    /// The gates of each product with the recurrent weights.
    fn recurrent(&self) -> impl Iterator<Item = Gates> {
        // Without `reset_after` the candidate's product waits for the reset gate.
        let each = if self.reset_after { [0..GATES, GATES..GATES] } else { [0..2, 2..GATES] };
        let units = self.extents.units;
        each.into_iter().map(move |which| Gates { units, total: GATES, which })
    }
}

/// Elements of the kernel packed by [`pack_kernel`].
pub fn packed_kernel_len(shape: &GruShape) -> usize {
    shape.interleaved().len().saturating_mul(shape.extents.input)
}

/// Elements of the recurrent kernel packed by [`pack_recurrent`].
pub fn packed_recurrent_len(shape: &GruShape) -> usize {
    shape.interleaved().len().saturating_mul(shape.extents.units)
}

/// Packs `kernel` `[I, 3U]` for [`forward`] at the current [`Level`](ferrograph_simd::Level).
pub fn pack_kernel(shape: &GruShape, kernel: &[f32], packed: &mut [f32]) {
    shape.interleaved().pack_projection(shape.extents.input, kernel, packed);
}

/// Packs `recurrent` `[U, 3U]` for [`forward`] at the current [`Level`](ferrograph_simd::Level).
pub fn pack_recurrent(shape: &GruShape, recurrent: &[f32], mut packed: &mut [f32]) {
    for gates in shape.recurrent() {
        let (own, rest) = packed.split_at_mut(gates.len() * shape.extents.units);
        gates.pack_recurrent(recurrent, own);
        packed = rest;
    }
}

/// How [`pack_kernel`] lays the weights out: packed weights with the same answer are laid out the same.
pub fn packed_kernel_layout(shape: &GruShape) -> String {
    shape.interleaved().projection_layout(shape.extents.input)
}

/// How [`pack_recurrent`] lays the weights out.
pub fn packed_recurrent_layout(shape: &GruShape) -> String {
    shape.recurrent().map(|gates| gates.recurrent_layout()).collect::<Vec<_>>().join(", then ")
}

/// Elements of the `reserve` buffer that a training forward pass writes and [`backward`] reads.
///
/// It holds, for every step in processing order, `z`, `r`, `g`, and `q_h` or (without `reset_after`) `r * h_{t-1}`,
/// `[T, B, 4U]`; then the hidden states `[T + 1, B, U]`, starting with the initial state.
pub fn reserve_len(shape: &GruShape) -> usize {
    let states = shape.extents.steps.saturating_add(1).saturating_mul(shape.extents.state_len());
    shape.extents.rows().saturating_mul(shape.kept()).saturating_add(states)
}
