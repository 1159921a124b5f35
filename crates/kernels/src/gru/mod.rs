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

use crate::gemm::{self, Matrix, TileShape};
use ferrograph_simd::Level;

/// The extents of a gated recurrent unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GruShape {
    /// Sequences, `B`.
    pub batch: usize,
    /// Steps, `T`.
    pub steps: usize,
    /// Features of a step, `I`.
    pub input: usize,
    /// Units, `U`.
    pub units: usize,
    /// Whether the reset gate is applied after the product with the recurrent weights.
    pub reset_after: bool,
}

impl GruShape {
    fn gates(&self) -> usize {
        self.units.saturating_mul(3)
    }
    fn rows(&self) -> usize {
        self.batch.saturating_mul(self.steps)
    }
    fn state_len(&self) -> usize {
        self.batch.saturating_mul(self.units)
    }
    /// Elements of the bias, `[2, 3U]` with `reset_after` and else `[3U]`.
    fn bias_len(&self) -> usize {
        self.gates().saturating_mul(if self.reset_after { 2 } else { 1 })
    }
    /// Elements that a step keeps of a row: `z`, `r`, `g`, and `q_h` or `r * h_{t-1}`.
    fn kept(&self) -> usize {
        self.units.saturating_mul(4)
    }
    /// The step of `x` that is processed as number `step`.
    fn source_step(&self, step: usize, reverse: bool) -> usize {
        if reverse { self.steps - 1 - step } else { step }
    }
    /// Sequences of a group, and how many groups the batch is cut into: as in `lstm`.
    fn batch_groups(&self) -> (usize, usize) {
        let rows = TileShape::of(Level::current()).rows;
        if self.batch < 2 * rows { (self.batch, 1.min(self.batch)) } else { (rows, self.batch.div_ceil(rows)) }
    }
}

/// Elements of the kernel packed by [`pack_kernel`].
pub fn packed_kernel_len(shape: &GruShape) -> usize {
    gemm::packed_len(shape.input, shape.gates())
}

/// Elements of the recurrent kernel packed by [`pack_recurrent`].
pub fn packed_recurrent_len(shape: &GruShape) -> usize {
    if shape.reset_after {
        gemm::packed_len(shape.units, shape.gates())
    } else {
        gemm::packed_len(shape.units, 2 * shape.units).saturating_add(gemm::packed_len(shape.units, shape.units))
    }
}

/// Packs `kernel` `[I, 3U]` for [`forward`] at the current [`Level`].
pub fn pack_kernel(shape: &GruShape, kernel: &[f32], packed: &mut [f32]) {
    assert_eq!(kernel.len(), shape.input * shape.gates());
    gemm::pack(shape.input, shape.gates(), Matrix::row_major(kernel, shape.gates()), packed);
}

/// Packs `recurrent` `[U, 3U]` for [`forward`] at the current [`Level`].
pub fn pack_recurrent(shape: &GruShape, recurrent: &[f32], packed: &mut [f32]) {
    let (units, gates) = (shape.units, shape.gates());
    assert_eq!(recurrent.len(), units * gates);
    let columns = |first: usize| Matrix::row_major(&recurrent[first.min(recurrent.len())..], gates);
    if shape.reset_after {
        gemm::pack(units, gates, columns(0), packed);
    } else {
        // The candidate's product waits for the reset gate.
        let (both, candidate) = packed.split_at_mut(gemm::packed_len(units, 2 * units));
        gemm::pack(units, 2 * units, columns(0), both);
        gemm::pack(units, units, columns(2 * units), candidate);
    }
}

/// How [`pack_kernel`] lays the weights out: packed weights with the same answer are laid out the same.
pub fn packed_kernel_layout(shape: &GruShape) -> String {
    gemm::packed_layout(shape.input, shape.gates())
}

/// How [`pack_recurrent`] lays the weights out.
pub fn packed_recurrent_layout(shape: &GruShape) -> String {
    let apart = if shape.reset_after { "" } else { ", the candidate apart" };
    format!("{}{apart}", gemm::packed_layout(shape.units, shape.gates()))
}

/// Elements of the `reserve` buffer that [`forward`] works in and [`backward`] reads.
///
/// It holds, for every step in processing order, `z`, `r`, `g`, and `q_h` or (without `reset_after`) `r * h_{t-1}`,
/// `[T, B, 4U]`; then the hidden states `[T + 1, B, U]`, starting with the initial state.
pub fn reserve_len(shape: &GruShape) -> usize {
    let states = shape.steps.saturating_add(1).saturating_mul(shape.state_len());
    shape.rows().saturating_mul(shape.kept()).saturating_add(states)
}
