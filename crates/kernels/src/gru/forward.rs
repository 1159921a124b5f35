//! The forward pass.
//!
//! Contains `unsafe`: groups of sequences write disjoint rows of the outputs, and threads disjoint units.

use super::{GATES, GruShape, cell, packed_recurrent_len, reserve_len};
use crate::parallel::SharedMut;
use crate::recurrence::cell::Turn as CellTurn;
use crate::recurrence::forward::{Forward, Group, Steps, Turn};
use crate::recurrence::gates::padded;
use crate::recurrence::{RecurrentShape, set_or_zero};
use ferrograph_simd::Level;

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
    /// Initial hidden state `[B, U]`, zero when absent.
    pub h0: Option<&'a [f32]>,
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
    /// Of [`reserve_len`](super::reserve_len) elements, when a backward pass will follow.
    pub reserve: Option<&'a mut [f32]>,
}

fn pass<'a>(shape: &GruShape, x: &'a [f32], packed_kernel: &'a [f32], reverse: bool) -> Forward<'a> {
    // The hidden states before and after a step, `z`, and `r * h`.
    let own_len = shape.extents.units.saturating_mul(4);
    let phases = if shape.reset_after { 1 } else { 2 };
    Forward { shape: shape.extents, gates: shape.interleaved(), phases, own_len, x, packed_kernel, reverse }
}

/// Elements of scratch memory [`forward`] needs. With another number of threads than when this was asked it stays
/// sufficient.
pub fn forward_scratch_len(shape: &GruShape) -> usize {
    pass(shape, &[], &[], false).scratch_len()
}

/// Runs the unit over all steps. Every element of the outputs is written; `scratch` may hold anything.
pub fn forward(shape: &GruShape, inputs: &GruForward, outputs: Outputs, scratch: &mut [f32]) {
    let extents = &shape.extents;
    assert_eq!(inputs.packed_recurrent.len(), packed_recurrent_len(shape));
    assert_eq!(inputs.bias.len(), shape.bias_len());
    assert!(inputs.h0.is_none_or(|h0| h0.len() == extents.state_len()) && outputs.h.len() == extents.state_len());
    assert!(inputs.mask.is_none_or(|mask| mask.len() == extents.rows()));
    assert!(outputs.y.as_ref().is_none_or(|y| y.len() == extents.rows() * extents.units));
    assert!(outputs.reserve.as_ref().is_none_or(|reserve| reserve.len() == reserve_len(shape)));

    let steps = GruSteps {
        shape,
        inputs,
        y: outputs.y.map(SharedMut::new),
        h: SharedMut::new(outputs.h),
        reserve: outputs.reserve.map(SharedMut::new),
        level: Level::current(),
    };
    let bias = |to: &mut [f32]| shape.interleaved().fill(&inputs.bias[..shape.columns()], to);
    pass(shape, inputs.x, inputs.packed_kernel, inputs.reverse).run(bias, &steps, scratch);
}

/// The outputs, of which every group writes its own sequences.
struct GruSteps<'a> {
    shape: &'a GruShape,
    inputs: &'a GruForward<'a>,
    y: Option<SharedMut<f32>>,
    h: SharedMut<f32>,
    reserve: Option<SharedMut<f32>>,
    level: Level,
}

impl GruSteps<'_> {
    /// Rows of a group's scratch memory.
    fn own(&self, group: &Group, part: usize) -> *mut f32 {
        group.own.get().wrapping_add(part * group.batch.len() * self.shape.extents.units)
    }

    /// The hidden states of a group before step `step`. With a reserve all are kept; without one every other is at the same
    /// place.
    fn hidden(&self, group: &Group, step: usize) -> *mut f32 {
        let RecurrentShape { steps, units, .. } = self.shape.extents;
        let Some(reserve) = self.reserve else { return self.own(group, step % 2) };
        let kept = self.shape.kept() * self.shape.extents.batch * steps;
        reserve.get().wrapping_add(kept + step * self.shape.extents.state_len() + group.batch.start * units)
    }
}

impl Steps for GruSteps<'_> {
    fn begin(&self, group: &Group) {
        let units = self.shape.extents.units;
        let own = group.batch.start * units..group.batch.end * units;
        // SAFETY: the first state of this group, which no other group touches.
        let first = unsafe { SharedMut::from_ptr(self.hidden(group, 0)).part(0, own.len()) };
        set_or_zero(first, self.inputs.h0.map(|h| &h[own]));
    }

    fn turn(&self, turn: Turn) {
        let Turn { group, step, phase, blocks, projected } = turn;
        let RecurrentShape { batch, steps, units, .. } = self.shape.extents;
        let (first, rows) = (group.batch.start, group.batch.len());
        let time = self.shape.extents.source_step(step, self.inputs.reverse);
        let at = (step * batch + first) * self.shape.kept();
        let places = cell::Places {
            units,
            projected,
            bias: self.inputs.bias,
            h_before: self.hidden(group, step),
            h_after: self.hidden(group, step + 1),
            z: self.own(group, 2),
            reset: self.own(group, 3),
            y: self.y.map(|y| (y.get().wrapping_add((first * steps + step) * units), steps * units)),
            kept: self.reserve.map(|reserve| reserve.get().wrapping_add(at)),
            mask: self.inputs.mask.map(|mask| (&mask[first * steps + time..], steps)),
        };
        let h = places.h_before;
        let panels = self.inputs.packed_recurrent;
        let (both, candidate) = panels.split_at(2 * padded(units) * units);
        // SAFETY: the rows of this group, which no other group touches, within the outputs and the scratch memory, whose
        // lengths are asserted in `forward` or follow from its own; turns at the same time have different blocks.
        unsafe {
            if self.shape.reset_after {
                CellTurn::<_, GATES> { cell: cell::ResetAfter(places), rows, blocks, units, h, panels }.run(self.level);
            } else if phase == 0 {
                CellTurn { cell: cell::ResetBefore(places), rows, blocks, units, h, panels: both }.run(self.level);
            } else {
                let h = places.reset;
                CellTurn { cell: cell::Candidate(places), rows, blocks, units, h, panels: candidate }.run(self.level);
            }
        }
    }

    fn end(&self, group: &Group) {
        let RecurrentShape { steps, units, .. } = self.shape.extents;
        let own = group.batch.start * units..group.batch.end * units;
        // SAFETY: the last state and the output of this group, which do not overlap.
        unsafe {
            let last = &*SharedMut::from_ptr(self.hidden(group, steps)).part(0, own.len());
            self.h.part(own.start, own.len()).copy_from_slice(last);
        }
    }
}
