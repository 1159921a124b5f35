//! The backward pass.

use super::{LstmShape, Reserve, cell};
use crate::gemm::{self, Matrix};

/// What the backward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct LstmBackward<'a> {
    /// The sequences `[B, T, I]` of the forward pass.
    pub x: &'a [f32],
    /// The weights `[I, 4U]`, not packed.
    pub kernel: &'a [f32],
    /// The weights `[U, 4U]`, not packed.
    pub recurrent: &'a [f32],
    /// The mask `[B, T]` of the forward pass.
    pub mask: Option<&'a [u8]>,
    /// The direction of the forward pass.
    pub reverse: bool,
    /// What the forward pass left.
    pub reserve: &'a [f32],
    /// Gradient of the output sequence `[B, T, U]`, in processing order; zero when absent.
    pub dy: Option<&'a [f32]>,
    /// Gradient of the last hidden state `[B, U]`, zero when absent.
    pub dh: Option<&'a [f32]>,
    /// Gradient of the last cell state `[B, U]`, zero when absent.
    pub dc: Option<&'a [f32]>,
}

/// What the backward pass writes; every element is written.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[B, T, I]`, when wanted.
    pub dx: Option<&'a mut [f32]>,
    /// `[I, 4U]`
    pub dkernel: &'a mut [f32],
    /// `[U, 4U]`
    pub drecurrent: &'a mut [f32],
    /// `[4U]`, when there is a bias.
    pub dbias: Option<&'a mut [f32]>,
    /// `[B, U]`
    pub dh0: &'a mut [f32],
    /// `[B, U]`
    pub dc0: &'a mut [f32],
}

/// Elements of scratch memory [`backward`] needs.
pub fn backward_scratch_len(shape: &LstmShape) -> usize {
    let gates = shape.gates();
    let rows = shape.rows();
    rows.saturating_mul(gates)
        .saturating_add(gemm::packed_len(rows, gates))
        .saturating_add(gemm::packed_len(gates, shape.units))
        .saturating_add(gemm::packed_len(gates, shape.input))
        .saturating_add(rows.saturating_mul(shape.input))
}

/// Runs the LSTM backwards over all steps.
pub fn backward(shape: &LstmShape, inputs: &LstmBackward, gradients: Gradients, scratch: &mut [f32]) {
    let LstmShape { batch, steps, input, units } = *shape;
    let (gates, state_len, rows) = (shape.gates(), shape.state_len(), shape.rows());
    let reserve = Reserve::<&[f32]>::new(shape, inputs.reserve);
    let (dz, scratch) = scratch.split_at_mut(rows * gates);
    let (packed_dz, scratch) = scratch.split_at_mut(gemm::packed_len(rows, gates));
    let (recurrent, scratch) = scratch.split_at_mut(gemm::packed_len(gates, units));
    let (kernel, scratch) = scratch.split_at_mut(gemm::packed_len(gates, input));
    gemm::pack(gates, units, Matrix::transposed(inputs.recurrent, gates), recurrent);
    gemm::pack(gates, input, Matrix::transposed(inputs.kernel, gates), kernel);

    let (dh, dc) = (gradients.dh0, gradients.dc0);
    dh.fill(0.0);
    dc.fill(0.0);
    if let Some(last) = inputs.dh {
        dh.copy_from_slice(last);
    }
    if let Some(last) = inputs.dc {
        dc.copy_from_slice(last);
    }
    let mut carried = Vec::new();
    for step in (0..steps).rev() {
        let source = shape.source_step(step, inputs.reverse);
        if let Some(dy) = inputs.dy {
            for b in 0..batch {
                let dy = &dy[(b * steps + step) * units..][..units];
                dh[b * units..(b + 1) * units].iter_mut().zip(dy).for_each(|(dh, dy)| *dh += dy);
            }
        }
        let masked = |b: usize| inputs.mask.is_some_and(|mask| mask[b * steps + source] == 0);
        carried.clear();
        for b in (0..batch).filter(|&b| masked(b)) {
            let row = b * units..(b + 1) * units;
            carried.push((b, dh[row.clone()].to_vec(), dc[row].to_vec()));
        }
        let dz = &mut dz[step * batch * gates..(step + 1) * batch * gates];
        let states = step * state_len..(step + 1) * state_len;
        let after = (step + 1) * state_len..(step + 2) * state_len;
        let activated = &reserve.gates[step * batch * gates..(step + 1) * batch * gates];
        cell::backward(units, activated, &reserve.cells[states], &reserve.cells[after], dh, dc, dz);
        for (b, ..) in &carried {
            dz[b * gates..(b + 1) * gates].fill(0.0);
        }
        gemm::gemm(batch, gates, units, Matrix::row_major(dz, gates), recurrent, dh, units, false);
        for (b, h, c) in &carried {
            dh[b * units..(b + 1) * units].copy_from_slice(h);
            dc[b * units..(b + 1) * units].copy_from_slice(c);
        }
    }

    gemm::pack(rows, gates, Matrix::row_major(dz, gates), packed_dz);
    let before = &reserve.hidden[..rows * units];
    gemm::gemm(units, rows, gates, Matrix::transposed(before, units), packed_dz, gradients.drecurrent, gates, false);
    let x = &mut scratch[..rows * input];
    for step in 0..steps {
        let source = shape.source_step(step, inputs.reverse);
        for b in 0..batch {
            let from = (b * steps + source) * input;
            x[(step * batch + b) * input..][..input].copy_from_slice(&inputs.x[from..from + input]);
        }
    }
    gemm::gemm(input, rows, gates, Matrix::transposed(x, input), packed_dz, gradients.dkernel, gates, false);
    if let Some(dbias) = gradients.dbias {
        dbias.fill(0.0);
        for row in dz.chunks_exact(gates.max(1)) {
            dbias.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
        }
    }
    if let Some(dx) = gradients.dx {
        for step in 0..steps {
            let source = shape.source_step(step, inputs.reverse);
            if batch > 0 {
                let dz = Matrix::row_major(&dz[step * batch * gates..(step + 1) * batch * gates], gates);
                gemm::gemm(batch, gates, input, dz, kernel, &mut dx[source * input..], steps * input, false);
            }
        }
    }
}
