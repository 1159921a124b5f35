//! How a plan comes about: which memory every unit reads and writes, and which kernel it runs.

use crate::ProgramError;
use crate::bands::{Bands, Stage};
use crate::chain::join_epilogues;
use crate::draft::{Draft, Prepared, copy};
use crate::flow::Flow;
use crate::form::Form;
use crate::fused::{Boundary, Fused};
use crate::hand_over::join_by_rows;
use crate::in_place::{InPlace, Table, first_unit, read_once};
use crate::kept::Kept;
use crate::layout::{Layout, Source};
use crate::plan::{Action, Output, OutputHome, Plan, Work};
use crate::pooled::join_poolings;
use crate::touched::Touched;
use crate::units::{Unit, units};
use ferrograph_graph::{GraphError, InParts, Origin, Plan as OpPlan, Step, ValueId, Variable, WithPooling};
use ferrograph_tensor::{Buffer, DType, ShapeError};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Whether a value mostly stays the same from run to run. `updated` are the variables that the program itself changes: they
/// have another value in every run.
fn stays(flow: &Flow<'_>, updated: &[u64], id: ValueId) -> bool {
    match flow.graph.origin(flow.root(id)) {
        Origin::Constant(_) => true,
        Origin::Variable(variable) => !updated.contains(&variable.id()),
        Origin::Input(_) | Origin::Node { .. } => false,
    }
}

/// Whether a node is a pooling that steps know.
fn pools_by_two(plan: Option<&OpPlan>) -> bool {
    matches!(plan, Some(OpPlan::Step(step)) if step.pools_by_two())
}

/// Elements of a row from which on it is worth knowing whether it was ever moved: a cache line.
const MIN_ROW: usize = 16;

/// Makes a [`Plan`]: decides on the memory of every unit and binds its kernels.
pub(crate) struct Planner<'g> {
    flow: Flow<'g>,
    /// By value: whether it is wanted when the run has ended.
    leaves: Vec<bool>,
    units: Vec<Unit>,
    /// Ids of the variables that change.
    updated: Vec<u64>,
    layout: Layout,
    /// Values that the run puts into own buffers at its end, because no node could write there.
    copies: Vec<(ValueId, usize)>,
    kept: Vec<Kept>,
    /// The first unit that may change a variable where it lies.
    from: usize,
    in_place: InPlace,
}

/// Bytes of float32 elements.
fn floats(len: usize) -> Result<usize, GraphError> {
    len.checked_mul(size_of::<f32>()).ok_or_else(|| GraphError::Shape(ShapeError::Overflow(vec![len])))
}

impl<'g> Planner<'g> {
    /// Groups the nodes that the `wanted` values depend on: those of `updates` and others.
    pub(crate) fn new(mut flow: Flow<'g>, wanted: &[ValueId], updates: &[(Arc<Variable>, ValueId)]) -> Self {
        let mut leaves = vec![false; flow.graph.value_count()];
        for &id in wanted {
            leaves[flow.root(id).index()] = true;
        }
        let updated: Vec<u64> = updates.iter().map(|(variable, _)| variable.id()).collect();
        flow.choose_unprepared(|flow, id| stays(flow, &updated, id));
        let units = join_epilogues(&flow, &units(&flow, &leaves), &leaves);
        let units = join_by_rows(&flow, &units, &leaves, |id| stays(&flow, &updated, id));
        let units = join_poolings(&flow, &units, &leaves);
        let from = first_unit(&flow, &units);
        let (layout, copies, kept) = Default::default();
        Self { flow, leaves, units, updated, layout, copies, kept, from, in_place: InPlace::default() }
    }

    /// The plan, as of a batch that is not cut.
    pub(crate) fn plan(
        mut self,
        outputs: &[ValueId],
        updates: &[(Arc<Variable>, ValueId)],
    ) -> Result<Plan, ProgramError> {
        for (_, id) in updates {
            let own = self.layout.add_own(self.flow.bytes(*id));
            self.leave_in(*id, own);
        }
        let outputs: Vec<Output> = outputs.iter().map(|&id| self.output(id, updates.len())).collect();
        let is_input = |output: &Output| match output.home {
            OutputHome::Shared(index) => matches!(self.layout.shared[index], Source::Input(_)),
            OutputHome::Own(_) => false,
        };
        if outputs.iter().any(is_input) {
            // It is copied at the end, for which there may be no memory.
            self.from = self.units.len();
        }
        let last_use = self.last_use();
        let mut plans = std::mem::take(&mut self.flow.plans);
        let mut drafts = Vec::with_capacity(self.units.len());
        for at in 0..self.units.len() {
            let draft = self.draft(at, &mut plans, &last_use)?;
            drafts.push(draft);
        }
        self.layout.settle()?;
        let mut actions: Vec<Action> = drafts.into_iter().map(|draft| draft.action(&self.flow, &self.layout)).collect();
        actions.extend(self.copies.iter().map(|&(id, own)| copy(&self.flow, &self.layout, id, own)));
        let Layout { shared, mut own, block, .. } = self.layout;
        for &update in &self.in_place.taken {
            // The variable's own memory.
            own[update] = 0;
        }
        let nothing = Arc::new(Buffer::new(0)?);
        let (lasted, backwards) = (AtomicU64::new(u64::MAX), AtomicBool::new(false));
        let (kept, in_place, derived, batch, parts) = (self.kept, self.in_place, None, None, None);
        Ok(Plan {
            actions,
            shared,
            kept,
            derived,
            nothing,
            block,
            own,
            in_place,
            outputs,
            batch,
            parts,
            lasted,
            backwards,
        })
    }

    /// Sees to it that own buffer `own` holds `id` at the end.
    fn leave_in(&mut self, id: ValueId, own: usize) {
        let elsewhere = self.layout.share(&self.flow, id).is_some();
        if elsewhere || self.layout.write_to(&self.flow, id, own).is_err() {
            self.copies.push((id, own));
        }
    }

    fn output(&mut self, id: ValueId, updates: usize) -> Output {
        let home = if let Some(shared) = self.layout.share(&self.flow, id) {
            OutputHome::Shared(shared)
        } else if let Some(own) = self.layout.written_to(&self.flow, id).filter(|&own| own >= updates) {
            OutputHome::Own(own)
        } else {
            let own = self.layout.add_own(self.flow.bytes(id));
            self.leave_in(id, own);
            OutputHome::Own(own)
        };
        let ty = self.flow.ty(id);
        Output { dtype: ty.dtype, shape: ty.extents(), home }
    }

    /// By root: the last unit that reads it.
    fn last_use(&self) -> HashMap<ValueId, usize> {
        let mut last = HashMap::new();
        for (at, unit) in self.units.iter().enumerate() {
            for &(_, id) in unit.iter().flat_map(|&node| self.flow.reads(node)) {
                last.insert(self.flow.root(id), at);
            }
        }
        last
    }

    fn draft(
        &mut self,
        at: usize,
        plans: &mut [Option<OpPlan>],
        last_use: &HashMap<ValueId, usize>,
    ) -> Result<Draft, ProgramError> {
        let unit = std::mem::take(&mut self.units[at]);
        let nodes = self.flow.graph.nodes();
        let names = unit.iter().map(|&node| nodes[node].op.name()).collect();
        let is_step = |node: &&usize| matches!(plans[**node], Some(OpPlan::Step(_)));
        let steps = unit.iter().filter(is_step).count();
        let pools = steps == 2 && unit.last().is_some_and(|&last| pools_by_two(plans[last].as_ref()));
        let draft = if pools {
            self.draft_pooled(at, &unit, names, plans, last_use)?
        } else if steps > 1 {
            self.draft_bands(at, &unit, names, plans, last_use)?
        } else if let Some(OpPlan::Step(_)) = &plans[unit[0]] {
            let Some(OpPlan::Step(step)) = plans[unit[0]].take() else { unreachable!("just matched") };
            let in_parts = if unit.len() > 1 { step.in_parts() } else { None };
            let scratch = in_parts.map_or_else(|| step.scratch_len(), InParts::parts_scratch_len);
            let in_parts = in_parts.is_some();
            let mut draft = self.draft_kernel(at, unit[0], names, step, scratch)?;
            draft.skipped.retain(|id| !self.leaves[id.index()] && !last_use.contains_key(id));
            if unit.len() > 1 {
                let head = (Some(nodes[unit[0]].results[0]), draft.inputs.len());
                let (mut fused, boundary) = self.fuse(at, &unit[1..], plans, last_use, head, None)?;
                let Work::Kernel(step) = &draft.work else { unreachable!("just made") };
                let rows = if in_parts { step.in_parts().and_then(InParts::mostly_zero_rows) } else { None };
                let moved = self.move_in_place(at, &mut fused, &boundary, last_use, rows);
                let others = draft.outputs.split_off(1);
                self.add_loop(at, &mut draft, &fused, boundary, &moved.unwrap_or_default());
                draft.outputs.extend(others);
                let Work::Kernel(step) = draft.work else { unreachable!("just made") };
                let fused = Box::new(fused);
                draft.work = if in_parts { Work::InParts(step, fused) } else { Work::Chained(step, fused) };
            }
            draft
        } else {
            let (mut fused, boundary) = self.fuse(at, &unit, plans, last_use, (None, 0), None)?;
            let mut draft = Draft::new(names);
            let moved = self.move_in_place(at, &mut fused, &boundary, last_use, None);
            self.add_loop(at, &mut draft, &fused, boundary, &moved.unwrap_or_default());
            draft.work = Work::Fused(Box::new(fused));
            draft
        };
        for &(_, id) in &draft.inputs {
            if let Some(id) = id {
                self.layout.share(&self.flow, id);
            }
        }
        for &id in draft.outputs.iter().filter(|id| !draft.skipped.contains(id)) {
            self.layout.keep(&self.flow, id, at, last_use.get(&id).copied().unwrap_or(at));
        }
        Ok(draft)
    }

    /// The loop of the nodes `unit`; `handed_over` is what the next step of the same unit reads of it.
    fn fuse(
        &self,
        at: usize,
        unit: &[usize],
        plans: &mut [Option<OpPlan>],
        last_use: &HashMap<ValueId, usize>,
        head: (Option<ValueId>, usize),
        handed_over: Option<ValueId>,
    ) -> Result<(Fused, Boundary), GraphError> {
        let ends = |id: ValueId| last_use.get(&id).is_some_and(|&last| last > at);
        let leaves = |id: ValueId| self.leaves[id.index()] || ends(id) || handed_over == Some(id);
        Fused::new(&self.flow, plans, unit, leaves, head)
    }

    /// Lets a loop of unit `at` that moves a weight by Adam's rule change the moments where they lie, if nothing else reads
    /// them; the externals that it then does not read. `rows`: elements of the rows that are mostly zero in what is moved,
    /// which then is changed where it lies, too.
    fn move_in_place(
        &mut self,
        at: usize,
        fused: &mut Fused,
        boundary: &Boundary,
        last_use: &HashMap<ValueId, usize>,
        rows: Option<usize>,
    ) -> Option<Vec<usize>> {
        let moments = fused.moments_mut().filter(|_| at >= self.from)?;
        let moved = moments.moved();
        let update = |n: usize| {
            let update = self.layout.written_to(&self.flow, boundary.results[moved[n].to])?;
            Some((update, *self.updated.get(update)?))
        };
        let in_place = |n: usize| {
            let variable = read_once(&self.flow, &self.leaves, boundary.externals[moved[n].from])?;
            update(n).filter(|&(_, id)| id == variable.id()).map(|(update, _)| update)
        };
        let (m, v) = (in_place(0)?, in_place(1)?);
        self.in_place.add(at, [m, v]);
        let weights = boundary.externals[moved[2].from];
        let is_own =
            |id: u64| matches!(self.flow.graph.origin(self.flow.root(weights)), Origin::Variable(w) if w.id() == id);
        let weight = update(2).filter(|&(_, id)| is_own(id)).map(|(update, _)| update);
        let rows = rows.filter(|&rows| rows >= MIN_ROW).zip(weight);
        let touched = rows.and_then(|(rows, weight)| {
            let before = self.layout.share(&self.flow, weights)?;
            let root = self.flow.root(weights);
            let is_read_later = self.leaves[root.index()] || last_use.get(&root).is_some_and(|&last| last > at);
            self.in_place.tables.push(Table { action: at, moments: [m, v], weights: weight, before, is_read_later });
            Some(Touched::new(self.layout.own[m] / size_of::<f32>() / rows, rows))
        });
        let unread = moved.iter().take(if touched.is_some() { 3 } else { 2 }).map(|moved| moved.from).collect();
        moments.move_in_place(touched);
        Some(unread)
    }

    /// Adds a loop's operands, results and scratch memory to what stands before it. The externals `unread` have no place.
    fn add_loop(
        &mut self,
        at: usize,
        draft: &mut Draft,
        fused: &Fused,
        Boundary { externals, results }: Boundary,
        unread: &[usize],
    ) {
        let reads = |external: usize| !unread.contains(&external);
        let operands = externals.into_iter().enumerate();
        draft.inputs.extend(operands.map(|(n, id)| (self.flow.ty(id).dtype, reads(n).then_some(id))));
        draft.outputs = results;
        let pieces = fused.scratch().map(|(dtype, bytes)| (dtype, self.layout.scratch(bytes, at, at)));
        draft.scratch.extend(pieces);
    }

    fn draft_kernel(
        &mut self,
        at: usize,
        index: usize,
        names: Vec<&'static str>,
        step: Box<dyn Step>,
        scratch_len: usize,
    ) -> Result<Draft, ProgramError> {
        let inputs = self.operands(index);
        let scratch = vec![(DType::Float32, self.layout.scratch(floats(scratch_len)?, at, at))];
        let prepared = self.prepare((at, 0), index, step.as_ref())?;
        let outputs = self.flow.graph.nodes()[index].results.clone();
        let skipped = outputs.iter().enumerate().filter(|&(result, _)| step.skips(result)).map(|(_, id)| *id).collect();
        Ok(Draft { names, work: Work::Kernel(step), inputs, outputs, skipped, scratch, prepared })
    }

    /// A step, the loop behind it and the pooling behind that, see [`join_poolings`].
    fn draft_pooled(
        &mut self,
        at: usize,
        unit: &[usize],
        names: Vec<&'static str>,
        plans: &mut [Option<OpPlan>],
        last_use: &HashMap<ValueId, usize>,
    ) -> Result<Draft, ProgramError> {
        let nodes = self.flow.graph.nodes();
        let (first, pooling) = (unit[0], unit[unit.len() - 1]);
        let Some(OpPlan::Step(step)) = plans[first].take() else { unreachable!("joined as a step") };
        let scratch = step.with_pooling().map_or(0, WithPooling::pooled_scratch_len);
        let mut draft = self.draft_kernel(at, first, names, step, scratch)?;
        let head = (Some(nodes[first].results[0]), draft.inputs.len());
        let handed_over = Some(self.flow.root(nodes[pooling].operands[0]));
        let (fused, boundary) = self.fuse(at, &unit[1..unit.len() - 1], plans, last_use, head, handed_over)?;
        self.add_loop(at, &mut draft, &fused, boundary, &[]);
        draft.outputs.clone_from(&nodes[pooling].results);
        let Work::Kernel(step) = draft.work else { unreachable!("just made") };
        draft.work = Work::Pooled(step, Box::new(fused));
        Ok(draft)
    }

    /// Steps that hand each other rows, each with its loop behind it.
    fn draft_bands(
        &mut self,
        at: usize,
        unit: &[usize],
        names: Vec<&'static str>,
        plans: &mut [Option<OpPlan>],
        last_use: &HashMap<ValueId, usize>,
    ) -> Result<Draft, ProgramError> {
        let nodes = self.flow.graph.nodes();
        let is_step = |at: &usize| matches!(plans[unit[*at]], Some(OpPlan::Step(_)));
        let starts: Vec<usize> = (0..unit.len()).filter(is_step).collect();
        let mut draft = Draft::new(names);
        let mut stages = Vec::with_capacity(starts.len());
        for (stage, &start) in starts.iter().enumerate() {
            let Some(OpPlan::Step(step)) = plans[unit[start]].take() else { unreachable!("just seen") };
            let (first_input, first_prepared) = (draft.inputs.len(), draft.prepared.len());
            draft.inputs.extend(self.operands(unit[start]));
            if stage > 0 {
                // What is handed over has no place.
                draft.inputs[first_input].1 = None;
            }
            draft.prepared.extend(self.prepare((at, stage), unit[start], step.as_ref())?);
            draft.outputs.clone_from(&nodes[unit[start]].results);
            let next = starts.get(stage + 1).copied();
            let own = &unit[start + 1..next.unwrap_or(unit.len())];
            let mut fused = None;
            if !own.is_empty() {
                let head = (Some(nodes[unit[start]].results[0]), draft.inputs.len());
                let handed_over = next.map(|next| self.flow.root(nodes[unit[next]].operands[0]));
                let (own, boundary) = self.fuse(at, own, plans, last_use, head, handed_over)?;
                self.add_loop(at, &mut draft, &own, boundary, &[]);
                fused = Some(Box::new(own));
            }
            stages.push(Stage { step, fused, first_name: start, first_input, first_prepared });
        }
        let bands = Bands::new(stages);
        let memory = self.layout.scratch(floats(bands.scratch_len())?, at, at);
        draft.scratch.insert(0, (DType::Float32, memory));
        draft.work = Work::Bands(Box::new(bands));
        Ok(draft)
    }

    /// The operands of a node, those whose data it reads by their values.
    fn operands(&self, index: usize) -> Vec<(DType, Option<ValueId>)> {
        let node = &self.flow.graph.nodes()[index];
        let mut operands: Vec<(DType, Option<ValueId>)> =
            node.operands.iter().map(|&id| (self.flow.ty(id).dtype, None)).collect();
        for &(place, id) in self.flow.reads(index) {
            operands[place].1 = Some(id);
        }
        operands
    }

    /// Registers the prepared forms of a step, the `stage`th of unit `at`.
    fn prepare(
        &mut self,
        (at, stage): (usize, usize),
        index: usize,
        step: &dyn Step,
    ) -> Result<Vec<Prepared>, ProgramError> {
        let node = &self.flow.graph.nodes()[index];
        let mut prepared = Vec::new();
        for (preparation, wanted) in step.preparations().iter().enumerate() {
            let operand = node.operands[wanted.operand];
            let bytes = floats(wanted.len)?;
            prepared.push(if let Some(shared) = self.unchanging(operand) {
                let form = match (step.preparation_key(preparation), &self.layout.shared[shared]) {
                    (Some(key), Source::Variable(variable)) => Form::shared(variable, key, wanted.len),
                    _ => Arc::default(),
                };
                let dtype = self.flow.ty(operand).dtype;
                // Actions are made of units one for one.
                self.kept.push(Kept { action: at, stage, preparation, shared, dtype, len: wanted.len, form });
                Prepared::Kept { shared: self.layout.add_shared(Source::Kept(self.kept.len() - 1)), bytes }
            } else {
                self.layout.share(&self.flow, operand);
                Prepared::Fresh { piece: self.layout.scratch(bytes, at, at), operand }
            });
        }
        Ok(prepared)
    }

    /// The shared buffer of a value that mostly stays the same from run to run.
    fn unchanging(&mut self, id: ValueId) -> Option<usize> {
        if stays(&self.flow, &self.updated, id) { self.layout.share(&self.flow, id) } else { None }
    }
}
