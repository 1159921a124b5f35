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
use crate::recurrence::backward::{Steps, add_columns, steps_at_a_time};
use crate::recurrence::{RecurrentShape, set_or_zero};
use ferrograph_simd::{Kernel, Level, Simd};
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
    /// `[B, U]`
    pub dh0: &'a mut [f32],
    /// `[B, U]`
    pub dc0: &'a mut [f32],
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
/// packed, and the transposed weights packed.
fn scratch_parts(shape: &RecurrentShape) -> [usize; 4] {
    let gates = GATES * shape.units;
    let rows = steps_at_a_time(shape, GATES * shape.units).saturating_mul(shape.batch);
    [
        rows.saturating_mul(gates),
        gemm::packed_len(rows, gates),
        gemm::packed_len(gates, shape.units),
        gemm::packed_len(gates, shape.input),
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

    let [dz_len, packed_dz_len, recurrent_len, kernel_len] = scratch_parts(shape);
    let (dz, scratch) = scratch.split_at_mut(dz_len);
    let (packed_dz, scratch) = scratch.split_at_mut(packed_dz_len);
    let (recurrent, scratch) = scratch.split_at_mut(recurrent_len);
    let kernel = &mut scratch[..kernel_len];
    gemm::pack(gates, units, Matrix::transposed(inputs.recurrent, gates), recurrent);
    gemm::pack(gates, input, Matrix::transposed(inputs.kernel, gates), kernel);

    let Gradients { mut dx, dkernel, drecurrent, mut dbias, dh0: dh, dc0: dc } = gradients;
    assert!(dh.len() == state_len && dc.len() == state_len);
    set_or_zero(dh, inputs.dh);
    set_or_zero(dc, inputs.dc);
    for sums in [&mut *dkernel, &mut *drecurrent].into_iter().chain(dbias.as_deref_mut()) {
        sums.fill(0.0);
    }
    if batch == 0 || units == 0 {
        if let Some(dx) = dx {
            dx.fill(0.0);
        }
        return;
    }
    let mut end = steps;
    while end > 0 {
        let start = end.saturating_sub(steps_at_a_time(shape, GATES * shape.units));
        let count = end - start;
        let dz = &mut dz[..count * batch * gates];
        step_back(shape, inputs, &reserve, start..end, recurrent, dh, dc, dz);
        let dz = &*dz;
        let packed_dz = &mut packed_dz[..gemm::packed_len(count * batch, gates)];
        gemm::pack(count * batch, gates, Matrix::row_major(dz, gates), packed_dz);

        let before = Matrix::transposed(&reserve.hidden[start * state_len..end * state_len], units);
        gemm::gemm(units, count * batch, gates, before, packed_dz, drecurrent, gates, true);
        let steps = Steps { shape, range: start..end, reverse: inputs.reverse, columns: gates };
        steps.add_input_products(inputs.x, packed_dz, dkernel);
        if let Some(dbias) = &mut dbias {
            add_columns(dz, dbias);
        }
        if let Some(dx) = &mut dx {
            steps.input_gradient(dz, kernel, dx);
        }
        end = start;
    }
}

/// Takes `range` of the steps back: turns `dh` and `dc` from the gradients of the states after them into those before,
/// and writes the gradients of the gates before activation, `dz` `[steps of the range, B, 4U]`.
#[allow(clippy::too_many_arguments, reason = "the state of `backward`")]
fn step_back(
    shape: &RecurrentShape,
    inputs: &LstmBackward,
    reserve: &Reserve,
    range: Range<usize>,
    recurrent: &[f32],
    dh: &mut [f32],
    dc: &mut [f32],
    dz: &mut [f32],
) {
    let units = shape.units;
    let gates = GATES * units;
    let (rows, groups) = shape.groups(GATES);
    let level = Level::current();
    let (dh, dc, dz) = (SharedMut::new(dh), SharedMut::new(dc), SharedMut::new(dz));
    parallel_for(groups, &|group| {
        let first = group * rows;
        let rows = rows.min(shape.batch - first);
        // SAFETY: the rows of this group, which no other group touches.
        let (dh, dc) = unsafe { (dh.part(first * units, rows * units), dc.part(first * units, rows * units)) };
        for step in range.clone().rev() {
            let at = (step - range.start) * shape.batch + first;
            // SAFETY: as above, of one step.
            let dz = unsafe { dz.part(at * gates, rows * gates) };
            level.run(CellRows { shape, inputs, reserve, step, first, rows, dh, dc, dz });
            gemm::gemm(rows, gates, units, Matrix::row_major(dz, gates), recurrent, dh, units, true);
        }
    });
}

/// The cell of one step, backwards, for neighbouring sequences: what [`cell::Backward`] says of each. To choose the level for
/// each of them anew took 2 % of a backward pass.
struct CellRows<'a> {
    shape: &'a RecurrentShape,
    inputs: &'a LstmBackward<'a>,
    reserve: &'a Reserve<'a>,
    step: usize,
    /// The sequences.
    first: usize,
    rows: usize,
    dh: &'a mut [f32],
    dc: &'a mut [f32],
    dz: &'a mut [f32],
}

impl Kernel for CellRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { shape, inputs, reserve, step, first, rows, dh, dc, dz } = self;
        let RecurrentShape { batch, steps, units, .. } = *shape;
        let gates = GATES * units;
        let time = shape.source_step(step, inputs.reverse);
        for row in 0..rows {
            let sequence = first + row;
            let (dh, dc) = (&mut dh[row * units..(row + 1) * units], &mut dc[row * units..(row + 1) * units]);
            let dz = &mut dz[row * gates..(row + 1) * gates];
            let mut dy = None;
            if let Some(all) = inputs.dy {
                dy = Some(&all[(sequence * steps + step) * units..][..units]);
            }
            let mut masked = false;
            if let Some(mask) = inputs.mask {
                masked = mask[sequence * steps + time] == 0;
            }
            if masked {
                // The states passed through unchanged, so their gradients do.
                dz.fill(0.0);
                if let Some(dy) = dy {
                    for (dh, dy) in dh.iter_mut().zip(dy) {
                        *dh += dy;
                    }
                }
                continue;
            }
            let gates = &reserve.gates[(step * batch + sequence) * gates..][..gates];
            let c_before = &reserve.cells[(step * batch + sequence) * units..][..units];
            let c_after = &reserve.cells[((step + 1) * batch + sequence) * units..][..units];
            cell::Backward { gates, c_before, c_after, dy, dh, dc, dz }.run(simd);
        }
    }
}
