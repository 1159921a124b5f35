//! The backward pass.
//!
//! Steps are taken back a few at a time. Within them, groups of sequences run without waiting for one another; then the
//! gradients of the inputs and the weights are products over all rows of those steps.
//!
//! Contains `unsafe`: groups write disjoint rows.

use super::{GATES, GruShape, cell, reserve_len};
use crate::gemm::{self, Matrix};
use crate::parallel::SharedMut;
use crate::pool::parallel_for;
use crate::recurrence::RecurrentShape;
use crate::recurrence::backward::{Layout, Steps, steps_at_a_time};
use crate::recurrence::strips::{Source, Strips};
use ferrograph_simd::Level;
use std::ops::Range;

/// What the backward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct GruBackward<'a> {
    /// The sequences `[B, T, I]` of the forward pass.
    pub x: &'a [f32],
    /// The weights `[I, 3U]`, not packed.
    pub kernel: &'a [f32],
    /// The weights `[U, 3U]`, not packed.
    pub recurrent: &'a [f32],
    /// The mask `[B, T]` of the forward pass.
    pub mask: Option<&'a [u8]>,
    /// The direction of the forward pass.
    pub reverse: bool,
    /// What the forward pass left.
    pub reserve: &'a [f32],
    /// Gradient of the output sequence `[B, T, U]`, in processing order; zero when absent.
    pub dy: Option<&'a [f32]>,
    /// Gradient of the last hidden state `[B, U]`.
    pub dh: &'a [f32],
}

/// What the backward pass writes; every element is written.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[B, T, I]`, when wanted.
    pub dx: Option<&'a mut [f32]>,
    /// `[I, 3U]`
    pub dkernel: &'a mut [f32],
    /// `[U, 3U]`
    pub drecurrent: &'a mut [f32],
    /// `[2, 3U]`, or without `reset_after` `[3U]`.
    pub dbias: &'a mut [f32],
    /// `[B, U]`, when wanted.
    pub dh0: Option<&'a mut [f32]>,
}

/// Lengths of the parts of the scratch memory: the gradients of `p` and of `q` for some steps, one of them packed, the
/// gradient of `r * h_before`, the transposed weights packed, strips, and the gradient of the state.
fn scratch_parts(shape: &GruShape) -> [usize; 8] {
    let gates = shape.columns();
    let rows = steps_at_a_time(&shape.extents, gates).saturating_mul(shape.extents.batch);
    let step = rows.saturating_mul(gates);
    [
        step,
        if shape.reset_after { step } else { 0 },
        gemm::packed_len(rows, gates),
        if shape.reset_after { 0 } else { shape.extents.state_len() },
        gemm::packed_len(gates, shape.extents.units),
        gemm::packed_len(gates, shape.extents.input),
        Strips::len(&[shape.extents.input.max(shape.extents.units)], rows),
        shape.extents.state_len(),
    ]
}

/// Elements of scratch memory [`backward`] needs.
pub fn backward_scratch_len(shape: &GruShape) -> usize {
    scratch_parts(shape).into_iter().fold(0, usize::saturating_add)
}

/// Runs the unit backwards over all steps. `scratch` may hold anything.
pub fn backward(shape: &GruShape, inputs: &GruBackward, gradients: Gradients, scratch: &mut [f32]) {
    let RecurrentShape { batch, steps, input, units } = shape.extents;
    let reset_after = shape.reset_after;
    let (gates, state_len, rows) = (shape.columns(), shape.extents.state_len(), shape.extents.rows());
    let Gradients { mut dx, dkernel, drecurrent, dbias, dh0 } = gradients;
    assert!(inputs.x.len() == rows * input && dx.as_ref().is_none_or(|dx| dx.len() == rows * input));
    assert!(inputs.kernel.len() == input * gates && dkernel.len() == input * gates);
    assert!(inputs.recurrent.len() == units * gates && drecurrent.len() == units * gates);
    assert!(inputs.mask.is_none_or(|mask| mask.len() == rows));
    assert!(inputs.dy.is_none_or(|dy| dy.len() == rows * units));
    assert!(dbias.len() == shape.bias_len() && inputs.reserve.len() == reserve_len(shape));
    let [dp_len, dq_len, packed_len, dreset_len, recurrent_len, kernel_len, strips_len, own_len] = scratch_parts(shape);
    let (own_dh, scratch) = scratch.split_at_mut(own_len);
    let first_wanted = dh0.is_some();
    let dh = dh0.unwrap_or(own_dh);
    assert!(inputs.dh.len() == state_len && dh.len() == state_len);
    dh.copy_from_slice(inputs.dh);
    if rows == 0 || units == 0 {
        let sums = [Some(dkernel), Some(drecurrent), Some(dbias), dx];
        return sums.into_iter().flatten().for_each(|sums| sums.fill(0.0));
    }

    let (dp, scratch) = scratch.split_at_mut(dp_len);
    let (dq, scratch) = scratch.split_at_mut(dq_len);
    let (packed, scratch) = scratch.split_at_mut(packed_len);
    let (dreset, scratch) = scratch.split_at_mut(dreset_len);
    let (recurrent, scratch) = scratch.split_at_mut(recurrent_len);
    let (kernel, scratch) = scratch.split_at_mut(kernel_len);
    let strips = &mut scratch[..strips_len];
    if dx.is_some() {
        gemm::pack(gates, input, Matrix::transposed(inputs.kernel, gates), kernel);
    }
    if reset_after {
        gemm::pack(gates, units, Matrix::transposed(inputs.recurrent, gates), recurrent);
    } else {
        let (both, candidate) = recurrent.split_at_mut(gemm::packed_len(2 * units, units));
        gemm::pack(2 * units, units, Matrix::transposed(inputs.recurrent, gates), both);
        gemm::pack(units, units, Matrix::transposed(&inputs.recurrent[2 * units..], gates), candidate);
    }
    let (kept, hidden) = inputs.reserve.split_at(rows * shape.kept());
    let (input_bias, state_bias) = dbias.split_at_mut(gates);
    let mut end = steps;
    while end > 0 {
        let start = end.saturating_sub(steps_at_a_time(&shape.extents, gates));
        let rows = (end - start) * batch;
        let (dp, dq) = (&mut dp[..rows * gates], &mut dq[..if reset_after { rows * gates } else { 0 }]);
        StepBack { shape, inputs, kept, hidden, recurrent, first_wanted }.run(start..end, dh, dreset, dp, dq);
        let (dp, dq) = (&*dp, &*dq);
        let steps = Steps { shape: &shape.extents, range: start..end, reverse: inputs.reverse, columns: gates };

        // What some columns of the weights are multiplied by, and whether they have a bias.
        let mut add = |columns: Range<usize>, source: Source, d: &[f32], sums: &mut [f32], bias: Option<&mut [f32]>| {
            let packed = &mut packed[..gemm::packed_len(rows, columns.len())];
            gemm::pack(rows, columns.len(), Matrix::row_major(&d[columns.start..], gates), packed);
            let steps = Steps { columns: columns.len(), ..steps.clone() };
            steps.add_weights([source], [&mut sums[columns.start..]], bias, gates, packed, strips);
        };
        let before = steps.rows(hidden, units, 0, units);
        if reset_after {
            add(0..gates, before, dq, drecurrent, Some(state_bias));
        } else {
            let reset = steps.rows(kept, shape.kept(), 3 * units, units);
            add(0..2 * units, before, dp, drecurrent, None);
            add(2 * units..gates, reset, dp, drecurrent, None);
        }
        add(0..gates, steps.inputs(inputs.x), dp, dkernel, Some(input_bias));
        if let Some(dx) = &mut dx {
            steps.input_gradient(dp, Layout { rows, width: gates }, kernel, dx);
        }
        end = start;
    }
}

/// Takes steps back.
struct StepBack<'a> {
    shape: &'a GruShape,
    inputs: &'a GruBackward<'a>,
    kept: &'a [f32],
    hidden: &'a [f32],
    /// The recurrent weights, transposed and packed: at once, or those of `z` and `r` before those of the candidate.
    recurrent: &'a [f32],
    /// Whether the gradient of the state before the first step of all is; otherwise it is left unfinished.
    first_wanted: bool,
}

impl StepBack<'_> {
    /// Turns `dh` from the gradient of the state after the steps of `range` into that before them, and writes the
    /// gradients of `p` and, with `reset_after`, of `q`, `[steps of the range, B, 3U]`. `dreset` is scratch memory.
    fn run(&self, range: Range<usize>, dh: &mut [f32], dreset: &mut [f32], dp: &mut [f32], dq: &mut [f32]) {
        let RecurrentShape { batch, units, .. } = self.shape.extents;
        let reset_after = self.shape.reset_after;
        let gates = self.shape.columns();
        let (rows, groups) = self.shape.extents.groups(GATES);
        let level = Level::current();
        let (dh, dreset, dp, dq) = (SharedMut::new(dh), SharedMut::new(dreset), SharedMut::new(dp), SharedMut::new(dq));
        parallel_for(groups, &|group| {
            let first = group * rows;
            let rows = rows.min(batch - first);
            // SAFETY: the rows of this group, which no other group touches.
            let (dh, dreset) = unsafe {
                let len = if reset_after { 0 } else { rows * units };
                (dh.part(first * units, rows * units), dreset.part(if len == 0 { 0 } else { first * units }, len))
            };
            for step in range.clone().rev() {
                let at = ((step - range.start) * batch + first) * gates;
                // SAFETY: as above, of one step.
                let (dp, dq) = unsafe {
                    let len = rows * gates;
                    (dp.part(at, len), if reset_after { dq.part(at, len) } else { &mut [] })
                };
                self.group_step(level, first, step, dh, dreset, dp, dq);
            }
        });
    }

    /// One step of the sequences from `first` on, as many as `dh` has rows.
    #[allow(clippy::too_many_arguments, reason = "the state of `run`")]
    fn group_step(
        &self,
        level: Level,
        first: usize,
        step: usize,
        dh: &mut [f32],
        dreset: &mut [f32],
        dp: &mut [f32],
        dq: &mut [f32],
    ) {
        let RecurrentShape { batch, steps, units, .. } = self.shape.extents;
        let reset_after = self.shape.reset_after;
        let (gates, kept_len, rows) = (self.shape.columns(), self.shape.kept(), dh.len() / units);
        let time = self.shape.extents.source_step(step, self.inputs.reverse);
        let kept = |row: usize| &self.kept[(step * batch + first + row) * kept_len..][..kept_len];
        let h_before = |row: usize| &self.hidden[(step * batch + first + row) * units..][..units];
        for row in 0..rows {
            let sequence = first + row;
            let dh = &mut dh[row * units..(row + 1) * units];
            if let Some(dy) = self.inputs.dy {
                let dy = &dy[(sequence * steps + step) * units..][..units];
                dh.iter_mut().zip(dy).for_each(|(dh, dy)| *dh += dy);
            }
            let of_gates = row * gates..(row + 1) * gates;
            let dp = &mut dp[of_gates.clone()];
            let dq = reset_after.then(|| &mut dq[of_gates]);
            if self.inputs.mask.is_some_and(|mask| mask[sequence * steps + time] == 0) {
                // The state passed through unchanged, so its gradient does.
                dp.fill(0.0);
                if let Some(dq) = dq {
                    dq.fill(0.0);
                }
                continue;
            }
            level.run(cell::Backward { kept: kept(row), h_before: h_before(row), dh, dp, dq });
        }
        let passes_on = step > 0 || self.first_wanted;
        if reset_after {
            if passes_on {
                gemm::gemm(rows, gates, units, Matrix::row_major(dq, gates), self.recurrent, dh, units, true);
            }
            return;
        }
        let (both, candidate) = self.recurrent.split_at(gemm::packed_len(2 * units, units));
        let dcandidate = Matrix::row_major(&dp[2 * units..], gates);
        gemm::gemm(rows, units, units, dcandidate, candidate, dreset, units, false);
        for row in 0..rows {
            let own = row * units..(row + 1) * units;
            level.run(cell::BackwardReset {
                kept: kept(row),
                h_before: h_before(row),
                dreset: &dreset[own.clone()],
                dh: &mut dh[own],
                dp: &mut dp[row * gates..(row + 1) * gates],
            });
        }
        if passes_on {
            gemm::gemm(rows, 2 * units, units, Matrix::row_major(dp, gates), both, dh, units, true);
        }
    }
}
