//! The forward pass.
//!
//! Sequences do not depend on each other, so the batch is cut into groups that run through all steps without waiting
//! for one another. The projections of the inputs of many steps are one product; only the recurrent part is done step
//! by step, with the gates of a few units in registers from the projection to the new state. A batch of few sequences is
//! one group, whose threads share the units of a step if there are many.
//!
//! Contains `unsafe`: groups write disjoint rows of the outputs.

use super::{LstmShape, batch_groups, cell, packed_kernel_len, packed_recurrent_len, reserve_len, set_or_zero};
use crate::gemm::{self, Bias, Depth, Epilogue, Identity, Matrix, Product};
use crate::parallel::{SharedMut, for_each_with_scratch};
use crate::pool;
use crate::recurrence::{for_each_unit_part, lanes};
use ferrograph_simd::Level;
use std::ops::Range;

/// What the forward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct LstmForward<'a> {
    /// The sequences `[B, T, I]`.
    pub x: &'a [f32],
    /// From [`pack_kernel`](super::pack_kernel).
    pub packed_kernel: &'a [f32],
    /// From [`pack_recurrent`](super::pack_recurrent).
    pub packed_recurrent: &'a [f32],
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

/// Gates of the steps whose inputs are projected at a time: 256 KiB, which stay in the second-level cache until their
/// step comes.
const GATES: usize = 64 * 1024;
/// Rows of a projection at least, so that the weights are not read for every step.
const ROWS: usize = 32;

/// Steps that are projected at a time by a group of `rows` sequences.
fn steps_at_a_time(shape: &LstmShape, rows: usize) -> usize {
    let most = GATES / rows.saturating_mul(shape.interleaved().len()).max(1);
    most.max(ROWS.div_ceil(rows.max(1))).min(shape.steps)
}

/// Lengths of the parts of a group's scratch memory: the projections of some steps, then, unless there is a reserve, the
/// hidden states before and after a step.
fn slot_parts(shape: &LstmShape, rows: usize) -> [usize; 2] {
    let gates = shape.interleaved().len().saturating_mul(rows);
    [steps_at_a_time(shape, rows).saturating_mul(gates), shape.units.saturating_mul(rows).saturating_mul(2)]
}

/// Elements of scratch memory [`forward`] needs. With more threads than when this was asked it stays sufficient.
pub fn forward_scratch_len(shape: &LstmShape) -> usize {
    let (rows, groups) = batch_groups(shape);
    let slot = slot_parts(shape, rows).into_iter().fold(0, usize::saturating_add);
    slot.saturating_mul(groups.min(pool::threads())).saturating_add(shape.interleaved().len())
}

/// Runs the LSTM over all steps. Every element of the outputs is written; `scratch` may hold anything.
pub fn forward(shape: &LstmShape, inputs: &LstmForward, outputs: Outputs, scratch: &mut [f32]) {
    let state_len = shape.state_len();
    assert_eq!(inputs.x.len(), shape.rows() * shape.input);
    assert_eq!(inputs.packed_kernel.len(), packed_kernel_len(shape));
    assert_eq!(inputs.packed_recurrent.len(), packed_recurrent_len(shape));
    assert!(inputs.bias.is_none_or(|bias| bias.len() == shape.gates()));
    assert!([inputs.h0, inputs.c0].iter().flatten().all(|state| state.len() == state_len));
    assert!(inputs.mask.is_none_or(|mask| mask.len() == shape.rows()));
    assert!(outputs.h.len() == state_len && outputs.c.len() == state_len);
    assert!(outputs.y.as_ref().is_none_or(|y| y.len() == shape.rows() * shape.units));
    assert!(outputs.reserve.as_ref().is_none_or(|reserve| reserve.len() == reserve_len(shape)));

    let interleaved = shape.interleaved();
    let (bias, scratch) = scratch.split_at_mut(interleaved.len());
    if let Some(from) = inputs.bias {
        interleaved.fill(from, bias);
    }
    let bias = inputs.bias.is_some().then_some(&*bias);
    let (rows, groups) = batch_groups(shape);
    let slot_len = slot_parts(shape, rows).into_iter().sum();
    let shared = Shared {
        y: outputs.y.map(SharedMut::new),
        h: SharedMut::new(outputs.h),
        c: SharedMut::new(outputs.c),
        reserve: outputs.reserve.map(SharedMut::new),
    };
    let level = Level::current();
    for_each_with_scratch(groups, scratch, slot_len, |group, slot| {
        let batch = group * rows..shape.batch.min((group + 1) * rows);
        match bias {
            Some(bias) => run_group(shape, inputs, &shared, batch, slot, level, Bias(bias)),
            None => run_group(shape, inputs, &shared, batch, slot, level, Identity),
        }
    });
}

/// The outputs, of which every group writes its own sequences.
struct Shared {
    y: Option<SharedMut<f32>>,
    h: SharedMut<f32>,
    c: SharedMut<f32>,
    reserve: Option<SharedMut<f32>>,
}

/// Where the states of a group are before and after each step.
struct States {
    /// Where the gates of the group's sequences go, and the distance of steps.
    gates: Option<(SharedMut<f32>, usize)>,
    cells: SharedMut<f32>,
    hidden: SharedMut<f32>,
    /// Distance of steps, of the cells and of the hidden state: with a reserve all states are kept, and other groups'
    /// lie in between. Without one there is one cell state, the output, and of the hidden states every other is at the
    /// same place.
    strides: [usize; 2],
    period: usize,
}

impl States {
    fn new(shape: &LstmShape, shared: &Shared, first: usize, rows: usize, hidden: &mut [f32]) -> Self {
        let at = first * shape.units;
        if let Some(reserve) = shared.reserve {
            let part = |start: usize| SharedMut::from_ptr(reserve.get().wrapping_add(start));
            let cells = shape.rows() * shape.gates();
            let state_len = shape.state_len();
            States {
                gates: Some((part(4 * at), 4 * state_len)),
                cells: part(cells + at),
                hidden: part(cells + (shape.steps + 1) * state_len + at),
                strides: [state_len; 2],
                period: usize::MAX,
            }
        } else {
            let cells = SharedMut::from_ptr(shared.c.get().wrapping_add(at));
            let strides = [0, rows * shape.units];
            States { gates: None, cells, hidden: SharedMut::new(hidden), strides, period: 2 }
        }
    }

    fn cell(&self, step: usize) -> *mut f32 {
        self.cells.get().wrapping_add(step * self.strides[0])
    }

    fn hidden(&self, step: usize) -> *mut f32 {
        self.hidden.get().wrapping_add(step % self.period * self.strides[1])
    }
}

fn run_group<E: Epilogue>(
    shape: &LstmShape,
    inputs: &LstmForward,
    shared: &Shared,
    batch: Range<usize>,
    slot: &mut [f32],
    level: Level,
    bias: E,
) {
    let LstmShape { steps, input, units, .. } = *shape;
    let (gates, rows) = (shape.interleaved().len(), batch.len());
    // Of a full group: the last may be smaller, and its slot is not.
    let full = batch_groups(shape).0;
    let at_a_time = steps_at_a_time(shape, full);
    let (projected, hidden) = slot.split_at_mut(slot_parts(shape, full)[0]);
    let projected = SharedMut::new(projected);
    let states = States::new(shape, shared, batch.start, rows, hidden);
    let is_fused = shape.is_fused();
    let own = batch.start * units..batch.end * units;
    // SAFETY: the first states of this group, which no other group touches.
    unsafe {
        let len = own.len();
        set_or_zero(SharedMut::from_ptr(states.hidden(0)).part(0, len), inputs.h0.map(|h| &h[own.clone()]));
        set_or_zero(SharedMut::from_ptr(states.cell(0)).part(0, len), inputs.c0.map(|c| &c[own.clone()]));
    }
    for first in (0..steps).step_by(at_a_time.max(1)) {
        let count = at_a_time.min(steps - first);
        let projection = Product {
            rows: count * rows,
            columns: gates,
            depth: Depth { taps: &[0], len: input, stride: 1 },
            packed: inputs.packed_kernel,
            accumulate: false,
            epilogue: bias,
        };
        let source = |row: usize| {
            let step = shape.source_step(first + row / rows, inputs.reverse);
            inputs.x.as_ptr().wrapping_add(((batch.start + row % rows) * steps + step) * input)
        };
        // SAFETY: rows of `x` and of the projections exist (lengths asserted in `forward`), and the latter do not overlap.
        unsafe { projection.run(source, |row| projected.get().wrapping_add(row * gates)) };
        for step in first..first + count {
            let time = shape.source_step(step, inputs.reverse);
            let at = (step - first) * rows * gates;
            let recurrent = if is_fused {
                inputs.packed_recurrent
            } else {
                // SAFETY: the hidden states before this step and its gates, of this group, which nothing else uses now.
                let (h, z) = unsafe {
                    let h = SharedMut::from_ptr(states.hidden(step)).part(0, own.len());
                    (&*h, projected.part(at, rows * gates))
                };
                let h = Matrix::row_major(h, units);
                gemm::gemm(rows, units, gates, h, inputs.packed_recurrent, z, gates, true);
                &[]
            };
            for_each_unit_part(units.div_ceil(lanes()), rows, recurrent.len(), |blocks| {
                let cell = cell::Forward {
                    units,
                    rows,
                    blocks,
                    recurrent,
                    projected: projected.get().wrapping_add(at),
                    h_before: states.hidden(step),
                    c_before: states.cell(step),
                    h_after: states.hidden(step + 1),
                    c_after: states.cell(step + 1),
                    y: shared.y.map(|y| (y.get().wrapping_add((batch.start * steps + step) * units), steps * units)),
                    gates: states.gates.map(|(gates, stride)| gates.get().wrapping_add(step * stride)),
                    mask: inputs.mask.map(|mask| (&mask[batch.start * steps + time..], steps)),
                };
                // SAFETY: the rows of this group, which no other group touches, within the outputs and the scratch memory,
                // whose lengths are asserted in `forward` or follow from its own; parts of a step have different blocks.
                unsafe { cell.run(level) };
            });
        }
    }
    // SAFETY: the last states and the outputs of this group, which do not overlap.
    unsafe {
        let last = |state: *mut f32| &*SharedMut::from_ptr(state).part(0, own.len());
        shared.h.part(own.start, own.len()).copy_from_slice(last(states.hidden(steps)));
        if states.period == usize::MAX {
            shared.c.part(own.start, own.len()).copy_from_slice(last(states.cell(steps)));
        }
    }
}
