//! The forward pass.
//!
//! Sequences do not depend on each other, so the batch is cut into groups that run through all steps without waiting
//! for one another. The projections of the inputs of many steps are one product; only the recurrent part is done step
//! by step.
//!
//! Contains `unsafe`: groups write disjoint rows of the outputs.

use super::{GruShape, cell, packed_kernel_len, packed_recurrent_len, reserve_len};
use crate::gemm::{self, Bias, Depth, Matrix, Product};
use crate::parallel::{SharedMut, for_each_with_scratch};
use crate::pool;
use ferrograph_simd::Level;
use std::ops::Range;

/// What the forward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct GruForward<'a> {
    /// The sequences `[B, T, I]`.
    pub x: &'a [f32],
    /// From [`pack_kernel`](super::pack_kernel).
    pub packed_kernel: &'a [f32],
    /// From [`pack_recurrent`](super::pack_recurrent).
    pub packed_recurrent: &'a [f32],
    /// `[2, 3U]`, that of the input and that of the state, or without `reset_after` `[3U]`.
    pub bias: &'a [f32],
    /// Initial hidden state `[B, U]`.
    pub h0: &'a [f32],
    /// `[B, T]`, in the order of `x`; 0 means masked. Nothing is masked when absent.
    pub mask: Option<&'a [u8]>,
    /// Process the steps from the last to the first.
    pub reverse: bool,
}

/// What the forward pass writes.
#[derive(Debug)]
pub struct Outputs<'a> {
    /// The hidden state after every step `[B, T, U]`, in processing order.
    pub y: &'a mut [f32],
    /// The last hidden state `[B, U]`.
    pub h: &'a mut [f32],
    /// Of [`reserve_len`](super::reserve_len) elements.
    pub reserve: &'a mut [f32],
}

/// Gates of the steps whose inputs are projected at a time: 256 KiB, which stay in the second-level cache until their
/// step comes.
const GATES: usize = 64 * 1024;
/// Rows of a projection at least, so that the weights are not read for every step.
const ROWS: usize = 32;

/// Steps that are projected at a time by a group of `rows` sequences.
fn steps_at_a_time(shape: &GruShape, rows: usize) -> usize {
    let most = GATES / rows.saturating_mul(shape.gates()).max(1);
    most.max(ROWS.div_ceil(rows.max(1))).min(shape.steps)
}

/// Lengths of the parts of a group's scratch memory: what the gates get from the input at some steps, and from the state
/// at one.
fn slot_parts(shape: &GruShape, rows: usize) -> [usize; 2] {
    let gates = rows.saturating_mul(shape.gates());
    [steps_at_a_time(shape, rows).saturating_mul(gates), if shape.reset_after { gates } else { 0 }]
}

/// Elements of scratch memory [`forward`] needs. With more threads than when this was asked it stays sufficient.
pub fn forward_scratch_len(shape: &GruShape) -> usize {
    let (rows, groups) = shape.batch_groups();
    let slot = slot_parts(shape, rows).into_iter().fold(0, usize::saturating_add);
    slot.saturating_mul(groups.min(pool::threads()))
}

/// Runs the unit over all steps. Every element of the outputs is written; `scratch` may hold anything.
pub fn forward(shape: &GruShape, inputs: &GruForward, outputs: Outputs, scratch: &mut [f32]) {
    let state_len = shape.state_len();
    assert_eq!(inputs.x.len(), shape.rows() * shape.input);
    assert_eq!(inputs.packed_kernel.len(), packed_kernel_len(shape));
    assert_eq!(inputs.packed_recurrent.len(), packed_recurrent_len(shape));
    assert_eq!(inputs.bias.len(), shape.bias_len());
    assert!(inputs.h0.len() == state_len && outputs.h.len() == state_len);
    assert!(inputs.mask.is_none_or(|mask| mask.len() == shape.rows()));
    assert_eq!(outputs.y.len(), shape.rows() * shape.units);
    assert_eq!(outputs.reserve.len(), reserve_len(shape));

    let (rows, groups) = shape.batch_groups();
    let slot_len = slot_parts(shape, rows).into_iter().sum();
    let Outputs { y, h, reserve } = outputs;
    let (y, h, reserve) = (SharedMut::new(y), SharedMut::new(h), SharedMut::new(reserve));
    let level = Level::current();
    for_each_with_scratch(groups, scratch, slot_len, |group, slot| {
        let batch = group * rows..shape.batch.min((group + 1) * rows);
        Group { shape, inputs, y, h, reserve, batch, level }.run(slot);
    });
}

/// Some sequences, and the outputs, of which every group writes its own rows.
struct Group<'a> {
    shape: &'a GruShape,
    inputs: &'a GruForward<'a>,
    y: SharedMut<f32>,
    h: SharedMut<f32>,
    reserve: SharedMut<f32>,
    batch: Range<usize>,
    level: Level,
}

impl Group<'_> {
    fn run(&self, slot: &mut [f32]) {
        let GruShape { steps, units, .. } = *self.shape;
        // Of a full group: the last may be smaller, and its slot is not.
        let full = self.shape.batch_groups().0;
        let at_a_time = steps_at_a_time(self.shape, full);
        let (projected, recurrent) = slot.split_at_mut(slot_parts(self.shape, full)[0]);
        let own = self.batch.start * units..self.batch.end * units;
        self.hidden(0).copy_from_slice(&self.inputs.h0[own.clone()]);
        let step_len = self.batch.len() * self.shape.gates();
        for first in (0..steps).step_by(at_a_time.max(1)) {
            let count = at_a_time.min(steps - first);
            self.project(first..first + count, projected);
            for step in first..first + count {
                self.step(step, &mut projected[(step - first) * step_len..][..step_len], recurrent);
            }
        }
        // SAFETY: the rows of this group, within the output, whose length is asserted in `forward`.
        unsafe { self.h.part(own.start, own.len()) }.copy_from_slice(self.hidden(steps));
    }

    /// The hidden states of this group's sequences before step `step`.
    #[allow(clippy::mut_from_ref, reason = "different steps do not overlap")]
    fn hidden(&self, step: usize) -> &mut [f32] {
        let start = self.shape.rows() * self.shape.kept();
        let at = start + step * self.shape.state_len() + self.batch.start * self.shape.units;
        // SAFETY: within the reserve, whose length is asserted in `forward`; no other group touches these rows, and of
        // this group only those of different steps are in use at a time.
        unsafe { self.reserve.part(at, self.batch.len() * self.shape.units) }
    }

    /// What the gates get from the input at some steps.
    fn project(&self, range: Range<usize>, projected: &mut [f32]) {
        let GruShape { steps, input, .. } = *self.shape;
        let (rows, gates) = (self.batch.len(), self.shape.gates());
        assert!(projected.len() >= range.len() * rows * gates);
        let product = Product {
            rows: range.len() * rows,
            columns: gates,
            depth: Depth { taps: &[0], len: input, stride: 1 },
            packed: self.inputs.packed_kernel,
            accumulate: false,
            epilogue: Bias(&self.inputs.bias[..gates]),
        };
        let source = |row: usize| {
            let step = self.shape.source_step(range.start + row / rows, self.inputs.reverse);
            self.inputs.x.as_ptr().wrapping_add(((self.batch.start + row % rows) * steps + step) * input)
        };
        let target = SharedMut::new(projected);
        // SAFETY: rows of `x` and of the projections exist (lengths asserted in `forward` and above), and the latter do
        // not overlap.
        unsafe { product.run(source, |row| target.get().wrapping_add(row * gates)) };
    }

    /// One step. `projected` `[rows, 3U]` is what the gates get from the input; `recurrent` is scratch memory.
    fn step(&self, step: usize, projected: &mut [f32], recurrent: &mut [f32]) {
        let GruShape { batch, steps, units, reset_after, .. } = *self.shape;
        let (rows, gates, kept_len) = (self.batch.len(), self.shape.gates(), self.shape.kept());
        let (h_before, h_after) = (&*self.hidden(step), self.hidden(step + 1));
        // SAFETY: the rows of this group of one step, within the reserve, whose length is asserted in `forward`.
        let kept = unsafe { self.reserve.part((step * batch + self.batch.start) * kept_len, rows * kept_len) };
        let h = Matrix::row_major(h_before, units);
        let packed = self.inputs.packed_recurrent;
        let (both, candidate) = packed.split_at(if reset_after { 0 } else { gemm::packed_len(units, 2 * units) });
        if reset_after {
            let recurrent = &mut recurrent[..rows * gates];
            let bias = Bias(&self.inputs.bias[gates..]);
            gemm::gemm_with(rows, units, gates, h, packed, recurrent, gates, false, bias);
        } else {
            gemm::gemm(rows, units, 2 * units, h, both, projected, gates, true);
        }
        for row in 0..rows {
            let of_gates = row * gates..(row + 1) * gates;
            let gates = cell::Gates {
                projected: &projected[of_gates.clone()],
                recurrent: reset_after.then(|| &recurrent[of_gates]),
                h_before: &h_before[row * units..(row + 1) * units],
                kept: &mut kept[row * kept_len..(row + 1) * kept_len],
            };
            self.level.run(gates);
        }
        if !reset_after && rows * units > 0 {
            let reset = Matrix::row_major(&kept[3 * units..], kept_len);
            gemm::gemm(rows, units, units, reset, candidate, &mut projected[2 * units..], gates, true);
        }
        let time = self.shape.source_step(step, self.inputs.reverse);
        for row in 0..rows {
            let sequence = self.batch.start + row;
            let own = row * units..(row + 1) * units;
            let h_after = &mut h_after[own.clone()];
            let state = cell::State {
                projected: &projected[row * gates + 2 * units..(row + 1) * gates],
                reset_after,
                h_before: &h_before[own.clone()],
                kept: &mut kept[row * kept_len..(row + 1) * kept_len],
                h_after,
            };
            self.level.run(state);
            if self.inputs.mask.is_some_and(|mask| mask[sequence * steps + time] == 0) {
                h_after.copy_from_slice(&h_before[own]);
            }
            // SAFETY: the row of this sequence and step, within `y`, whose length is asserted in `forward`.
            unsafe { self.y.part((sequence * steps + step) * units, units) }.copy_from_slice(h_after);
        }
    }
}
