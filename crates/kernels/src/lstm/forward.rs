//! The forward pass.
//!
//! Contains `unsafe`: groups of sequences write disjoint rows of the outputs, and threads disjoint units.

use super::{GATES, cell, interleaved, packed_recurrent_len, reserve_len};
use crate::parallel::SharedMut;
use crate::recurrence::cell::Turn as CellTurn;
use crate::recurrence::forward::{Forward, Group, Steps, Turn};
use crate::recurrence::{RecurrentShape, set_or_zero};
use ferrograph_simd::Level;

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

fn pass<'a>(shape: &RecurrentShape, x: &'a [f32], packed_kernel: &'a [f32], reverse: bool) -> Forward<'a> {
    // The hidden states before and after a step, unless there is a reserve.
    let own_len = shape.units.saturating_mul(2);
    Forward { shape: *shape, gates: interleaved(shape), phases: 1, own_len, x, packed_kernel, reverse }
}

/// Elements of scratch memory [`forward`] needs. With another number of threads than when this was asked it stays
/// sufficient.
pub fn forward_scratch_len(shape: &RecurrentShape) -> usize {
    pass(shape, &[], &[], false).scratch_len()
}

/// Runs the LSTM over all steps. Every element of the outputs is written; `scratch` may hold anything.
pub fn forward(shape: &RecurrentShape, inputs: &LstmForward, outputs: Outputs, scratch: &mut [f32]) {
    let state_len = shape.state_len();
    assert_eq!(inputs.packed_recurrent.len(), packed_recurrent_len(shape));
    assert!(inputs.bias.is_none_or(|bias| bias.len() == GATES * shape.units));
    assert!([inputs.h0, inputs.c0].iter().flatten().all(|state| state.len() == state_len));
    assert!(inputs.mask.is_none_or(|mask| mask.len() == shape.rows()));
    assert!(outputs.h.len() == state_len && outputs.c.len() == state_len);
    assert!(outputs.y.as_ref().is_none_or(|y| y.len() == shape.rows() * shape.units));
    assert!(outputs.reserve.as_ref().is_none_or(|reserve| reserve.len() == reserve_len(shape)));

    let steps = LstmSteps {
        shape,
        inputs,
        y: outputs.y.map(SharedMut::new),
        h: SharedMut::new(outputs.h),
        c: SharedMut::new(outputs.c),
        reserve: outputs.reserve.map(SharedMut::new),
        level: Level::current(),
    };
    let bias = |to: &mut [f32]| match inputs.bias {
        Some(from) => interleaved(shape).fill(from, to),
        None => to.fill(0.0),
    };
    pass(shape, inputs.x, inputs.packed_kernel, inputs.reverse).run(bias, &steps, scratch);
}

/// The outputs, of which every group writes its own sequences.
struct LstmSteps<'a> {
    shape: &'a RecurrentShape,
    inputs: &'a LstmForward<'a>,
    y: Option<SharedMut<f32>>,
    h: SharedMut<f32>,
    c: SharedMut<f32>,
    reserve: Option<SharedMut<f32>>,
    level: Level,
}

/// Where a group's gates go, and its states before and after a step.
struct Places {
    gates: Option<*mut f32>,
    cells: [*mut f32; 2],
    hidden: [*mut f32; 2],
}

impl LstmSteps<'_> {
    /// With a reserve all states are kept. Without one there is one cell state, the output, and of the hidden states every
    /// other is at the same place.
    fn places(&self, group: &Group, step: usize) -> Places {
        let at = group.batch.start * self.shape.units;
        let Some(reserve) = self.reserve else {
            let hidden = |step: usize| group.own.get().wrapping_add(step % 2 * group.batch.len() * self.shape.units);
            let cell = self.c.get().wrapping_add(at);
            return Places { gates: None, cells: [cell; 2], hidden: [hidden(step), hidden(step + 1)] };
        };
        let (state_len, steps) = (self.shape.state_len(), self.shape.steps);
        let part = |start: usize| reserve.get().wrapping_add(start);
        let cell = |step: usize| part((GATES * steps + step) * state_len + at);
        let hidden = |step: usize| part((GATES * steps + steps + 1 + step) * state_len + at);
        let gates = (step < steps).then(|| part(GATES * (step * state_len + at)));
        Places { gates, cells: [cell(step), cell(step + 1)], hidden: [hidden(step), hidden(step + 1)] }
    }
}

impl Steps for LstmSteps<'_> {
    fn begin(&self, group: &Group) {
        let own = group.batch.start * self.shape.units..group.batch.end * self.shape.units;
        let places = self.places(group, 0);
        // SAFETY: the first states of this group, which no other group touches.
        unsafe {
            let state = |place: *mut f32| SharedMut::from_ptr(place).part(0, own.len());
            set_or_zero(state(places.hidden[0]), self.inputs.h0.map(|h| &h[own.clone()]));
            set_or_zero(state(places.cells[0]), self.inputs.c0.map(|c| &c[own.clone()]));
        }
    }

    fn turn(&self, turn: Turn) {
        let Turn { group, step, blocks, projected, .. } = turn;
        let RecurrentShape { steps, units, .. } = *self.shape;
        let (first, rows) = (group.batch.start, group.batch.len());
        let places = self.places(group, step);
        let time = self.shape.source_step(step, self.inputs.reverse);
        let cell = cell::Forward {
            units,
            projected,
            h_before: places.hidden[0],
            c_before: places.cells[0],
            h_after: places.hidden[1],
            c_after: places.cells[1],
            y: self.y.map(|y| (y.get().wrapping_add((first * steps + step) * units), steps * units)),
            gates: places.gates,
            mask: self.inputs.mask.map(|mask| (&mask[first * steps + time..], steps)),
        };
        let turn = CellTurn { cell, rows, blocks, units, h: places.hidden[0], panels: self.inputs.packed_recurrent };
        // SAFETY: the rows of this group, which no other group touches, within the outputs and the scratch memory, whose
        // lengths are asserted in `forward` or follow from its own; turns at the same time have different blocks.
        unsafe { turn.run(self.level) };
    }

    fn end(&self, group: &Group) {
        let own = group.batch.start * self.shape.units..group.batch.end * self.shape.units;
        let places = self.places(group, self.shape.steps);
        // SAFETY: the last states and the outputs of this group, which do not overlap.
        unsafe {
            let last = |state: *mut f32| &*SharedMut::from_ptr(state).part(0, own.len());
            self.h.part(own.start, own.len()).copy_from_slice(last(places.hidden[0]));
            if self.reserve.is_some() {
                self.c.part(own.start, own.len()).copy_from_slice(last(places.cells[0]));
            }
        }
    }
}
