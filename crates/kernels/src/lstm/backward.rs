//! The backward pass.
//!
//! Steps are taken back a few at a time. Within them, groups of sequences run without waiting for one another; then the
//! gradients of the inputs and the weights are products over all rows of those steps.
//!
//! Contains `unsafe`: groups write disjoint rows.

use super::{GATES, cell, reserve_len};
use crate::gemm::{self, Matrix};
use crate::parallel::SharedMut;
use crate::pool::parallel_for;
use crate::recurrence::backward::{Layout, Steps, state_gradient, steps_at_a_time};
use crate::recurrence::strips::Strips;
use crate::recurrence::{RecurrentShape, set_or_zero};
use ferrograph_simd::Level;
use std::ops::Range;

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
    /// `[B, U]`, when wanted.
    pub dh0: Option<&'a mut [f32]>,
    /// `[B, U]`, when wanted.
    pub dc0: Option<&'a mut [f32]>,
}

/// The reserve's three parts.
struct Reserve<'a> {
    gates: &'a [f32],
    cells: &'a [f32],
    hidden: &'a [f32],
}

impl<'a> Reserve<'a> {
    fn new(shape: &RecurrentShape, data: &'a [f32]) -> Self {
        assert_eq!(data.len(), reserve_len(shape), "reserve has the length reserve_len gives");
        let (gates, states) = data.split_at(GATES * shape.units * shape.rows());
        let (cells, hidden) = states.split_at(states.len() / 2);
        Reserve { gates, cells, hidden }
    }
}

/// Lengths of the parts of the scratch memory: the gradient of the gates before activation for some steps, the same
/// packed where it does not lie in panels already, the transposed weights packed, strips, and the gradients of both states.
fn scratch_parts(shape: &RecurrentShape) -> [usize; 6] {
    let gates = GATES * shape.units;
    let rows = steps_at_a_time(shape, gates).saturating_mul(shape.batch);
    let packed = if Layout::panels(rows, shape.units, gates).is_some() { 0 } else { gemm::packed_len(rows, gates) };
    [
        rows.saturating_mul(gates),
        packed,
        gemm::packed_len(gates, shape.units),
        gemm::packed_len(gates, shape.input),
        Strips::len(&[shape.input, shape.units], rows),
        shape.state_len().saturating_mul(2),
    ]
}

/// Elements of scratch memory [`backward`] needs.
pub fn backward_scratch_len(shape: &RecurrentShape) -> usize {
    scratch_parts(shape).into_iter().fold(0, usize::saturating_add)
}

/// Runs the LSTM backwards over all steps. `scratch` may hold anything.
pub fn backward(shape: &RecurrentShape, inputs: &LstmBackward, gradients: Gradients, scratch: &mut [f32]) {
    let RecurrentShape { batch, steps, input, units } = *shape;
    let (gates, state_len, rows) = (GATES * shape.units, shape.state_len(), shape.rows());
    assert_eq!(inputs.x.len(), rows * input);
    assert!(inputs.kernel.len() == input * gates && gradients.dkernel.len() == input * gates);
    assert!(inputs.recurrent.len() == units * gates && gradients.drecurrent.len() == units * gates);
    assert!(inputs.mask.is_none_or(|mask| mask.len() == rows));
    assert!(inputs.dy.is_none_or(|dy| dy.len() == rows * units));
    assert!(gradients.dx.as_ref().is_none_or(|dx| dx.len() == rows * input));
    assert!(gradients.dbias.as_ref().is_none_or(|dbias| dbias.len() == gates));
    let reserve = Reserve::new(shape, inputs.reserve);

    let [dz_len, packed_len, recurrent_len, kernel_len, strips_len, states_len] = scratch_parts(shape);
    let (dz, scratch) = scratch.split_at_mut(dz_len);
    let (packed, scratch) = scratch.split_at_mut(packed_len);
    let (recurrent, scratch) = scratch.split_at_mut(recurrent_len);
    let (kernel, scratch) = scratch.split_at_mut(kernel_len);
    let (strips, scratch) = scratch.split_at_mut(strips_len);
    let (own_dh, own_dc) = scratch[..states_len].split_at_mut(state_len);

    let Gradients { mut dx, dkernel, drecurrent, mut dbias, dh0, dc0 } = gradients;
    let first_wanted = dh0.is_some();
    let (dh, dc) = (dh0.unwrap_or(own_dh), dc0.unwrap_or(own_dc));
    gemm::pack(gates, units, Matrix::transposed(inputs.recurrent, gates), recurrent);
    if dx.is_some() {
        gemm::pack(gates, input, Matrix::transposed(inputs.kernel, gates), kernel);
    }
    assert!(dh.len() == state_len && dc.len() == state_len);
    set_or_zero(dh, inputs.dh);
    set_or_zero(dc, inputs.dc);
    if rows == 0 || units == 0 {
        let sums = [Some(dkernel), Some(drecurrent), dbias, dx];
        return sums.into_iter().flatten().for_each(|sums| sums.fill(0.0));
    }
    let mut end = steps;
    while end > 0 {
        let start = end.saturating_sub(steps_at_a_time(shape, gates));
        let rows = (end - start) * batch;
        let panels = Layout::panels(rows, units, gates);
        let layout = panels.unwrap_or(Layout { rows, width: gates });
        let dz = &mut dz[..rows * gates];
        step_back(shape, inputs, &reserve, start..end, first_wanted, recurrent, dh, dc, dz, layout);
        let dz = &*dz;
        let packed = if panels.is_some() {
            dz
        } else {
            let packed = &mut packed[..gemm::packed_len(rows, gates)];
            gemm::pack(rows, gates, Matrix::row_major(dz, gates), packed);
            packed
        };
        let steps = Steps { shape, range: start..end, reverse: inputs.reverse, columns: gates };
        let sources = [steps.inputs(inputs.x), steps.rows(reserve.hidden, units, 0, units)];
        steps.add_weights(sources, [dkernel, drecurrent], dbias.as_deref_mut(), gates, packed, strips);
        if let Some(dx) = &mut dx {
            steps.input_gradient(dz, layout, kernel, dx);
        }
        end = start;
    }
}

/// Takes `range` of the steps back: turns `dh` and `dc` from the gradients of the states after them into those before,
/// and writes the gradients of the gates before activation, `dz`, a row for every step of the range and sequence. Unless
/// it is `first_wanted`, `dh` before the first step of all is left unfinished: with few steps its product counts.
#[allow(clippy::too_many_arguments, reason = "the state of `backward`")]
fn step_back(
    shape: &RecurrentShape,
    inputs: &LstmBackward,
    reserve: &Reserve,
    range: Range<usize>,
    first_wanted: bool,
    recurrent: &[f32],
    dh: &mut [f32],
    dc: &mut [f32],
    dz: &mut [f32],
    layout: Layout,
) {
    let RecurrentShape { batch, steps, units, .. } = *shape;
    let (rows, groups) = shape.groups(GATES);
    let level = Level::current();
    let runs = layout.runs(GATES * units);
    assert!(dz.len() == layout.rows * GATES * units && layout.rows == range.len() * batch);
    let (dh, dc, dz) = (SharedMut::new(dh), SharedMut::new(dc), SharedMut::new(dz));
    parallel_for(groups, &|group| {
        let first = group * rows;
        let rows = rows.min(batch - first);
        // SAFETY: the rows of this group, which no other group touches.
        let (dh, dc) = unsafe { (dh.part(first * units, rows * units), dc.part(first * units, rows * units)) };
        for step in range.clone().rev() {
            let row = step * batch + first;
            let time = shape.source_step(step, inputs.reverse);
            let dz = dz.get().wrapping_add(((step - range.start) * batch + first) * layout.width);
            let cell = cell::Backward {
                units,
                rows,
                gates: reserve.gates[row * GATES * units..][..rows * GATES * units].as_ptr(),
                c_before: reserve.cells[row * units..][..rows * units].as_ptr(),
                c_after: reserve.cells[(row + batch) * units..][..rows * units].as_ptr(),
                dy: inputs.dy.map(|dy| (dy[(first * steps + step) * units..].as_ptr(), steps * units)),
                mask: inputs.mask.map(|mask| (&mask[first * steps + time..], steps)),
                dh: dh.as_mut_ptr(),
                dc: dc.as_mut_ptr(),
                dz,
                layout,
            };
            // Masked rows keep what they have.
            let accumulate = inputs.mask.is_some();
            level.run(cell);
            if step > 0 || first_wanted {
                // SAFETY: the rows of this group in `dz`, whose length is asserted above.
                unsafe { state_gradient(dz, layout, &runs, units, recurrent, dh, accumulate) };
            }
        }
    });
}
