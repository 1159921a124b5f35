//! The forward pass.

use super::{LstmShape, Reserve, cell, packed_weights_len, reserve_len};
use crate::gemm::{self, Matrix};

/// What the forward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct LstmForward<'a> {
    /// The sequences `[B, T, I]`.
    pub x: &'a [f32],
    /// From [`pack_weights`](super::pack_weights).
    pub packed_weights: &'a [f32],
    /// `[4U]`, zero when absent.
    pub bias: Option<&'a [f32]>,
    /// Initial hidden state `[B, U]`, zero when absent.
    pub h0: Option<&'a [f32]>,
    /// Initial cell state `[B, U]`, zero when absent.
    pub c0: Option<&'a [f32]>,
    /// `[B, T]`, in the order of `x`; 0 means masked. Nothing is masked when absent.
    pub mask: Option<&'a [u8]>,
    /// Process the steps from the last to the first.
    pub reverse: bool,
}

/// What the forward pass writes.
#[derive(Debug)]
pub struct Outputs<'a> {
    /// The hidden state after every step `[B, T, U]`, in processing order.
    pub y: Option<&'a mut [f32]>,
    /// The last hidden state `[B, U]`.
    pub h: &'a mut [f32],
    /// The last cell state `[B, U]`.
    pub c: &'a mut [f32],
    /// Of [`reserve_len`](super::reserve_len) elements, when a backward pass will follow.
    pub reserve: Option<&'a mut [f32]>,
}

/// Elements of scratch memory [`forward`] needs, with and without a reserve.
pub fn forward_scratch_len(shape: &LstmShape, has_reserve: bool) -> usize {
    if has_reserve { 0 } else { reserve_len(shape) }
}

/// Runs the LSTM over all steps. Every element of the outputs is written.
pub fn forward(shape: &LstmShape, inputs: &LstmForward, outputs: Outputs, scratch: &mut [f32]) {
    let LstmShape { batch, steps, input, units } = *shape;
    let (gates, state_len) = (shape.gates(), shape.state_len());
    assert_eq!(inputs.x.len(), shape.rows() * input);
    assert_eq!(inputs.packed_weights.len(), packed_weights_len(shape));
    let (packed_kernel, packed_recurrent) = inputs.packed_weights.split_at(gemm::packed_len(input, gates));
    let data = match outputs.reserve {
        Some(reserve) => reserve,
        None => &mut scratch[..reserve_len(shape)],
    };
    let Reserve { gates: z, cells, hidden } = Reserve::<&mut [f32]>::new(shape, data);

    set_or_zero(&mut hidden[..state_len], inputs.h0);
    set_or_zero(&mut cells[..state_len], inputs.c0);
    for step in 0..steps {
        let source = shape.source_step(step, inputs.reverse);
        let z = &mut z[step * batch * gates..(step + 1) * batch * gates];
        if let Some(bias) = inputs.bias {
            z.chunks_exact_mut(gates.max(1)).for_each(|row| row.copy_from_slice(bias));
        }
        if batch > 0 {
            let x = Matrix { data: &inputs.x[source * input..], row_stride: steps * input, column_stride: 1 };
            gemm::gemm(batch, input, gates, x, packed_kernel, z, gates, inputs.bias.is_some());
        }
        let (h_before, h_after) = hidden[step * state_len..(step + 2) * state_len].split_at_mut(state_len);
        let (c_before, c_after) = cells[step * state_len..(step + 2) * state_len].split_at_mut(state_len);
        gemm::gemm(batch, units, gates, Matrix::row_major(h_before, units), packed_recurrent, z, gates, true);
        cell::forward(units, z, c_before, c_after, h_after);
        if let Some(mask) = inputs.mask {
            for b in (0..batch).filter(|b| mask[b * steps + source] == 0) {
                let row = b * units..(b + 1) * units;
                h_after[row.clone()].copy_from_slice(&h_before[row.clone()]);
                c_after[row.clone()].copy_from_slice(&c_before[row]);
            }
        }
    }
    outputs.h.copy_from_slice(&hidden[steps * state_len..]);
    outputs.c.copy_from_slice(&cells[steps * state_len..]);
    if let Some(y) = outputs.y {
        assert_eq!(y.len(), shape.rows() * units);
        for step in 0..steps {
            for b in 0..batch {
                let from = (step + 1) * state_len + b * units;
                let to = (b * steps + step) * units;
                y[to..to + units].copy_from_slice(&hidden[from..from + units]);
            }
        }
    }
}

fn set_or_zero(state: &mut [f32], initial: Option<&[f32]>) {
    match initial {
        Some(initial) => state.copy_from_slice(initial),
        None => state.fill(0.0),
    }
}
