//! The pass over all steps that every cell's forward pass is.
//!
//! Sequences do not depend on each other, so the batch is cut into groups that run through all steps without waiting
//! for one another. The projections of the inputs of many steps are one product; only the recurrent part is done step
//! by step. Threads share the units of a single group, if a step has work for them.
//!
//! Contains `unsafe`: groups write disjoint rows, and parts of a group disjoint units.

use super::RecurrentShape;
use super::gates::{Gates, lanes};
use super::lockstep::{MAX_PARTS, lockstep};
use crate::gemm::{Bias, Depth, Product, Rows, TileShape};
use crate::parallel::{SharedMut, for_each_with_scratch};
use crate::pool;
use ferrograph_simd::Level;
use std::ops::Range;

/// What a cell's pass over all steps is made of.
pub(crate) struct Forward<'a> {
    pub shape: RecurrentShape,
    pub gates: Gates,
    /// Products of a step that wait for one another.
    pub phases: usize,
    /// Elements of scratch memory that a sequence needs besides its projections.
    pub own_len: usize,
    /// The sequences `[B, T, I]`.
    pub x: &'a [f32],
    /// From [`Gates::pack_projection`].
    pub packed_kernel: &'a [f32],
    pub reverse: bool,
}

/// Some of the sequences.
pub(crate) struct Group {
    pub batch: Range<usize>,
    /// `own_len` elements for each of the sequences.
    pub own: SharedMut<f32>,
}

/// What is computed at a time.
pub(crate) struct Turn<'a> {
    pub group: &'a Group,
    pub step: usize,
    pub phase: usize,
    /// Blocks of units.
    pub blocks: Range<usize>,
    /// What the gates get from the input at this step: rows of gates, one for each sequence of the group.
    pub projected: *const f32,
}

/// What a cell does.
pub(crate) trait Steps: Sync {
    /// Before the first step.
    fn begin(&self, group: &Group);
    /// One phase of one step. Calls with other blocks run at the same time.
    fn turn(&self, turn: Turn);
    /// After the last step.
    fn end(&self, group: &Group);
}

/// Elements of the projections of some steps: 256 KiB stay in the second-level cache until their step comes.
const PROJECTED: usize = 64 * 1024;
/// Rows of a projection at least, if there are as many, so that the weights are not read for every step.
const ROWS: usize = 32;

impl Forward<'_> {
    /// Steps that are projected at a time by a group of `rows` sequences.
    fn steps_at_a_time(&self, rows: usize) -> usize {
        let most = PROJECTED / rows.saturating_mul(self.gates.len()).max(1);
        most.max(ROWS / rows.max(1)).clamp(1, self.shape.steps.max(1))
    }

    /// Elements of the projections of a group of `rows` sequences. Grows with the rows.
    fn projected_len(&self, rows: usize) -> usize {
        let len = self.gates.len();
        let all = rows.saturating_mul(self.shape.steps).saturating_mul(len);
        PROJECTED.max(ROWS.max(rows).saturating_mul(len)).min(all)
    }

    fn slot_len(&self, rows: usize) -> usize {
        self.projected_len(rows).saturating_add(self.own_len.saturating_mul(rows))
    }

    fn groups(&self) -> (usize, usize) {
        self.shape.groups(self.gates.which.len())
    }

    /// Elements of scratch memory that [`Self::run`] needs. With another number of threads than when this was asked it
    /// stays sufficient.
    pub(crate) fn scratch_len(&self) -> usize {
        let (rows, groups) = self.groups();
        self.slot_len(rows).saturating_mul(groups.min(pool::threads())).saturating_add(self.gates.len())
    }

    /// Runs all steps. `bias` fills the bias of a row of gates; there is none without it. `scratch` may hold anything.
    pub(crate) fn run(&self, bias: impl FnOnce(&mut [f32]), steps: &impl Steps, scratch: &mut [f32]) {
        assert_eq!(self.x.len(), self.shape.rows() * self.shape.input);
        assert_eq!(self.packed_kernel.len(), self.gates.len() * self.shape.input);
        let (own_bias, scratch) = scratch.split_at_mut(self.gates.len());
        bias(own_bias);
        let own_bias = &*own_bias;
        let (rows, groups) = self.groups();
        let parts = if groups == 1 { self.parts(rows) } else { 1 };
        for_each_with_scratch(groups, scratch, self.slot_len(rows), |index, slot| {
            let (projected, own) = slot.split_at_mut(self.projected_len(rows));
            let batch = index * rows..self.shape.batch.min((index + 1) * rows);
            let group = Group { batch, own: SharedMut::new(own) };
            steps.begin(&group);
            self.run_group(&group, parts, own_bias, projected, steps);
            steps.end(&group);
        });
    }

    /// Parts that the units of a step of `rows` sequences are cut into.
    fn parts(&self, rows: usize) -> usize {
        /// Multiply-adds of a part at least, about a microsecond. To wait for the other parts takes a third of one.
        const PART: usize = 40 * 1024;
        if !self.shape.is_shared(self.gates.which.len()) {
            return 1;
        }
        // A single row waits for its weights from the second-level cache.
        let step = rows.max(2).saturating_mul(self.shape.units).saturating_mul(self.gates.len());
        let granules = self.shape.units / (lanes() * self.granule());
        (step / self.phases.max(1) / PART).min(pool::threads()).min(granules).clamp(1, MAX_PARTS)
    }

    /// Blocks whose gates fill whole panels of the projection.
    fn granule(&self) -> usize {
        let tile = TileShape::of(Level::current());
        let (gates, panel) = (self.gates.which.len(), tile.columns / tile.lanes);
        (1..=panel).find(|blocks| (blocks * gates).is_multiple_of(panel)).unwrap_or(panel)
    }

    fn run_group(&self, group: &Group, parts: usize, bias: &[f32], projected: &mut [f32], steps: &impl Steps) {
        let at_a_time = self.steps_at_a_time(group.batch.len());
        let step_len = group.batch.len() * self.gates.len();
        assert!(projected.len() >= at_a_time.min(self.shape.steps) * step_len);
        let projected = SharedMut::new(projected);
        let (blocks, granule) = (self.shape.units.div_ceil(lanes()), self.granule());
        let start = |part: usize| blocks.min((blocks.div_ceil(granule) * part).div_ceil(parts) * granule);
        lockstep(self.shape.steps * self.phases, parts, |turn, part| {
            let (step, phase) = (turn / self.phases, turn % self.phases);
            let blocks = start(part)..start(part + 1);
            if phase == 0 && step % at_a_time == 0 {
                let range = step..self.shape.steps.min(step + at_a_time);
                self.project(group, range, blocks.clone(), bias, projected);
            }
            let projected = projected.get().wrapping_add(step % at_a_time * step_len);
            steps.turn(Turn { group, step, phase, blocks, projected });
        });
    }

    /// What the gates of some blocks get from the input at some steps, and the bias.
    fn project(
        &self,
        group: &Group,
        range: Range<usize>,
        blocks: Range<usize>,
        bias: &[f32],
        projected: SharedMut<f32>,
    ) {
        let RecurrentShape { steps, input, .. } = self.shape;
        let (rows, len) = (group.batch.len(), self.gates.len());
        let block = self.gates.which.len() * lanes();
        let columns = blocks.start * block..blocks.end * block;
        let product = Product {
            rows: range.len() * rows,
            columns: columns.len(),
            depth: Depth { taps: &[0], len: input, stride: 1 },
            packed: &self.packed_kernel[columns.start * input..columns.end * input],
            accumulate: false,
            epilogue: Bias(&bias[columns.clone()]),
        };
        let source = |part: Range<usize>, to: &mut Rows<_>| {
            for row in part {
                let step = self.shape.source_step(range.start + row / rows, self.reverse);
                to.push(self.x.as_ptr().wrapping_add(((group.batch.start + row % rows) * steps + step) * input));
            }
        };
        let target = |part: Range<usize>, to: &mut Rows<_>| {
            let first = projected.get().wrapping_add(part.start * len + columns.start);
            to.extend(part.len(), first, |row| row.wrapping_add(len));
        };
        // SAFETY: rows of `x` and of the projections exist (lengths asserted in `run` and `run_group`), and the latter do not
        // overlap; parts of a group have different blocks.
        unsafe { product.run(source, target) };
    }
}
