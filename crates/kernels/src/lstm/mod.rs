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

use crate::gemm::{self, TileShape};
use crate::recurrence::{self, Gates};
use ferrograph_simd::Level;

/// The extents of an LSTM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LstmShape {
    /// Sequences, `B`.
    pub batch: usize,
    /// Steps, `T`.
    pub steps: usize,
    /// Features of a step, `I`.
    pub input: usize,
    /// Units, `U`.
    pub units: usize,
}

impl LstmShape {
    fn gates(&self) -> usize {
        self.units.saturating_mul(4)
    }
    fn rows(&self) -> usize {
        self.batch.saturating_mul(self.steps)
    }
    fn state_len(&self) -> usize {
        self.batch.saturating_mul(self.units)
    }
    /// The gates side by side, as the forward pass computes them.
    fn interleaved(&self) -> Gates {
        Gates { units: self.units, total: 4, which: 0..4 }
    }
    /// Whether the recurrent product is part of the cell, or one before it.
    fn is_fused(&self) -> bool {
        recurrence::is_fused(&self.interleaved(), batch_groups(self).0)
    }
    /// The step of `x` that is processed as number `step`.
    fn source_step(&self, step: usize, reverse: bool) -> usize {
        if reverse { self.steps - 1 - step } else { step }
    }
}

/// Elements of the kernel packed by [`pack_kernel`].
pub fn packed_kernel_len(shape: &LstmShape) -> usize {
    shape.interleaved().len().saturating_mul(shape.input)
}

/// Elements of the recurrent kernel packed by [`pack_recurrent`].
pub fn packed_recurrent_len(shape: &LstmShape) -> usize {
    shape.interleaved().len().saturating_mul(shape.units)
}

/// Packs `kernel` `[I, 4U]` for [`forward`] at the current [`Level`].
pub fn pack_kernel(shape: &LstmShape, kernel: &[f32], packed: &mut [f32]) {
    shape.interleaved().pack_projection(shape.input, kernel, packed);
}

/// Packs `recurrent` `[U, 4U]` for [`forward`] at the current [`Level`].
pub fn pack_recurrent(shape: &LstmShape, recurrent: &[f32], packed: &mut [f32]) {
    if shape.is_fused() {
        shape.interleaved().pack_recurrent(recurrent, packed);
    } else {
        shape.interleaved().pack_projection(shape.units, recurrent, packed);
    }
}

/// How [`pack_kernel`] lays the weights out: packed weights with the same answer are laid out the same.
pub fn packed_kernel_layout(shape: &LstmShape) -> String {
    format!("gates of {} units, {}", shape.units, gemm::packed_layout(shape.input, shape.interleaved().len()))
}

/// How [`pack_recurrent`] lays the weights out.
pub fn packed_recurrent_layout(shape: &LstmShape) -> String {
    if shape.is_fused() {
        format!("gates of {} units in blocks of {}", shape.units, recurrence::lanes())
    } else {
        format!("gates of {} units, {}", shape.units, gemm::packed_layout(shape.units, shape.interleaved().len()))
    }
}

/// Elements of the `reserve` buffer that a training forward pass writes and [`backward`] reads.
///
/// It holds, for every step in processing order, the four gates after activation `[T, B, 4U]`, the cell states
/// `[T + 1, B, U]` and the hidden states `[T + 1, B, U]`, both starting with the initial state.
pub fn reserve_len(shape: &LstmShape) -> usize {
    let states = shape.steps.saturating_add(1).saturating_mul(shape.state_len());
    shape.rows().saturating_mul(shape.gates()).saturating_add(states.saturating_mul(2))
}

/// The reserve's three parts.
struct Reserve<'a> {
    gates: &'a [f32],
    cells: &'a [f32],
    hidden: &'a [f32],
}

impl<'a> Reserve<'a> {
    fn new(shape: &LstmShape, data: &'a [f32]) -> Self {
        assert_eq!(data.len(), reserve_len(shape), "reserve has the length reserve_len gives");
        let (gates, states) = data.split_at(shape.rows() * shape.gates());
        let (cells, hidden) = states.split_at(states.len() / 2);
        Reserve { gates, cells, hidden }
    }
}

/// Sequences of a group, and how many groups the batch is cut into. A group is as many sequences as the register tile
/// has rows; a batch too small for several groups is one, whose products are shared if they are large.
fn batch_groups(shape: &LstmShape) -> (usize, usize) {
    let rows = TileShape::of(Level::current()).rows;
    if shape.batch < 2 * rows { (shape.batch, 1.min(shape.batch)) } else { (rows, shape.batch.div_ceil(rows)) }
}

fn set_or_zero(state: &mut [f32], initial: Option<&[f32]>) {
    match initial {
        Some(initial) => state.copy_from_slice(initial),
        None => state.fill(0.0),
    }
}
