//! The forward pass.
//!
//! Sequences do not depend on each other, so the batch is cut into groups that run through all steps without waiting
//! for one another. The projections of the inputs of many steps are one product; only the recurrent part is done step
//! by step.
//!
//! Contains `unsafe`: groups write disjoint rows of the outputs.

use super::{LstmShape, batch_groups, cell, packed_weights_len, reserve_len, set_or_zero};
use crate::gemm::{self, Bias, Depth, Epilogue, Identity, Matrix, Product};
use crate::parallel::{SharedMut, for_each_with_scratch};
use crate::pool;
use ferrograph_simd::Level;
use std::ops::Range;

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

/// Gates of the steps whose inputs are projected at a time: 256 KiB, which stay in the second-level cache until their
/// step comes.
const GATES: usize = 64 * 1024;
/// Rows of a projection at least, so that the weights are not read for every step.
const ROWS: usize = 32;

/// Steps that are projected at a time by a group of `rows` sequences.
fn steps_at_a_time(shape: &LstmShape, rows: usize) -> usize {
    let most = GATES / rows.saturating_mul(shape.gates()).max(1);
    most.max(ROWS.div_ceil(rows.max(1))).min(shape.steps)
}

/// Elements of scratch memory that a group needs if there is no reserve: gates, cell states and hidden states.
fn slot_len(shape: &LstmShape, rows: usize) -> usize {
    let steps = steps_at_a_time(shape, rows);
    let gates = steps.saturating_mul(shape.gates());
    let states = (steps + 1).saturating_mul(shape.units).saturating_mul(2);
    gates.saturating_add(states).saturating_mul(rows)
}

/// Elements of scratch memory [`forward`] needs, with and without a reserve. With more threads than when this was asked
/// it stays sufficient.
pub fn forward_scratch_len(shape: &LstmShape, has_reserve: bool) -> usize {
    let (rows, groups) = batch_groups(shape);
    if has_reserve { 0 } else { slot_len(shape, rows).saturating_mul(groups.min(pool::threads())) }
}

/// Runs the LSTM over all steps. Every element of the outputs is written; `scratch` may hold anything.
pub fn forward(shape: &LstmShape, inputs: &LstmForward, outputs: Outputs, scratch: &mut [f32]) {
    let state_len = shape.state_len();
    assert_eq!(inputs.x.len(), shape.rows() * shape.input);
    assert_eq!(inputs.packed_weights.len(), packed_weights_len(shape));
    assert!(inputs.bias.is_none_or(|bias| bias.len() == shape.gates()));
    assert!([inputs.h0, inputs.c0].iter().flatten().all(|state| state.len() == state_len));
    assert!(inputs.mask.is_none_or(|mask| mask.len() == shape.rows()));
    assert!(outputs.h.len() == state_len && outputs.c.len() == state_len);
    assert!(outputs.y.as_ref().is_none_or(|y| y.len() == shape.rows() * shape.units));
    assert!(outputs.reserve.as_ref().is_none_or(|reserve| reserve.len() == reserve_len(shape)));

    let (rows, groups) = batch_groups(shape);
    let slot_len = if outputs.reserve.is_some() { 0 } else { slot_len(shape, rows) };
    let shared = Shared {
        y: outputs.y.map(SharedMut::new),
        h: SharedMut::new(outputs.h),
        c: SharedMut::new(outputs.c),
        reserve: outputs.reserve.map(SharedMut::new),
    };
    let level = Level::current();
    for_each_with_scratch(groups, scratch, slot_len, |group, slot| {
        let batch = group * rows..shape.batch.min((group + 1) * rows);
        match inputs.bias {
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

/// Where a group keeps what it computes: in the reserve, where the sequences of other groups lie in between, or in its
/// own scratch memory, which is used again for every few steps.
struct Store {
    gates: SharedMut<f32>,
    cells: SharedMut<f32>,
    hidden: SharedMut<f32>,
    /// Elements from one step to the next, in units of one state.
    stride: usize,
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
    let gates = shape.gates();
    let rows = batch.len();
    let (packed_kernel, packed_recurrent) = inputs.packed_weights.split_at(gemm::packed_len(input, gates));
    // Of a full group: the last may be smaller, and its slot is not.
    let at_a_time = steps_at_a_time(shape, batch_groups(shape).0);
    let keeps = shared.reserve.is_some();
    let store = if let Some(reserve) = shared.reserve {
        let at = |part: usize, row: usize| SharedMut::from_ptr(reserve.get().wrapping_add(part + row));
        let cells = shape.rows() * gates;
        let hidden = cells + (steps + 1) * shape.state_len();
        let row = batch.start * units;
        let stride = shape.state_len();
        Store { gates: at(0, 4 * row), cells: at(cells, row), hidden: at(hidden, row), stride }
    } else {
        let (z, states) = slot.split_at_mut(at_a_time * rows * gates);
        let (cells, hidden) = states.split_at_mut((at_a_time + 1) * rows * units);
        let (gates, cells, hidden) = (SharedMut::new(z), SharedMut::new(cells), SharedMut::new(hidden));
        Store { gates, cells, hidden, stride: rows * units }
    };
    let state = |of: SharedMut<f32>, step: usize| {
        // SAFETY: steps are `stride` apart and hold the rows of this group, which no other group touches; of a store
        // only different steps are in use at a time, and those do not overlap.
        unsafe { of.part(step * store.stride, rows * units) }
    };
    let step_gates = |step: usize| {
        // SAFETY: as above; a step's gates take four states.
        unsafe { store.gates.part(4 * step * store.stride, rows * gates) }
    };

    let own = batch.start * units..batch.end * units;
    set_or_zero(state(store.hidden, 0), inputs.h0.map(|h| &h[own.clone()]));
    set_or_zero(state(store.cells, 0), inputs.c0.map(|c| &c[own.clone()]));
    for first in (0..steps).step_by(at_a_time.max(1)) {
        let count = at_a_time.min(steps - first);
        // Where step `first` is kept.
        let base = if keeps { first } else { 0 };
        let projection = Product {
            rows: count * rows,
            columns: gates,
            depth: Depth { taps: &[0], len: input, stride: 1 },
            packed: packed_kernel,
            accumulate: false,
            epilogue: bias,
        };
        let source = |row: usize| {
            let step = shape.source_step(first + row / rows, inputs.reverse);
            inputs.x.as_ptr().wrapping_add(((batch.start + row % rows) * steps + step) * input)
        };
        let target = |row: usize| {
            let at = 4 * (base + row / rows) * store.stride + row % rows * gates;
            store.gates.get().wrapping_add(at)
        };
        // SAFETY: rows of `x` and of the gates exist (lengths asserted in `forward`), and gates of rows do not overlap.
        unsafe { projection.run(source, target) };
        for step in 0..count {
            let kept = base + step;
            let z = step_gates(kept);
            let (h_before, h_after) = (&*state(store.hidden, kept), state(store.hidden, kept + 1));
            let (c_before, c_after) = (&*state(store.cells, kept), state(store.cells, kept + 1));
            gemm::gemm(rows, units, gates, Matrix::row_major(h_before, units), packed_recurrent, z, gates, true);
            let time = shape.source_step(first + step, inputs.reverse);
            for row in 0..rows {
                let own = row * units..(row + 1) * units;
                let (c_before, c_after) = (&c_before[own.clone()], &mut c_after[own.clone()]);
                let h_after = &mut h_after[own.clone()];
                let gates = &mut z[row * gates..(row + 1) * gates];
                cell::Forward { gates, c_before, c_after, h_after }.run(level);
                if inputs.mask.is_some_and(|mask| mask[(batch.start + row) * steps + time] == 0) {
                    h_after.copy_from_slice(&h_before[own]);
                    c_after.copy_from_slice(c_before);
                }
                if let Some(y) = shared.y {
                    let at = ((batch.start + row) * steps + first + step) * units;
                    // SAFETY: the row of this sequence and step, within `y`, whose length is asserted in `forward`.
                    unsafe { y.part(at, units) }.copy_from_slice(h_after);
                }
            }
        }
        if !keeps {
            state(store.hidden, 0).copy_from_slice(state(store.hidden, count));
            state(store.cells, 0).copy_from_slice(state(store.cells, count));
        }
    }
    let last = if keeps { steps } else { 0 };
    // SAFETY: the rows of this group, within the outputs, whose lengths are asserted in `forward`.
    unsafe {
        shared.h.part(own.start, own.len()).copy_from_slice(state(store.hidden, last));
        shared.c.part(own.start, own.len()).copy_from_slice(state(store.cells, last));
    }
}
