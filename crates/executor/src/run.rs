//! One run of a plan: take a snapshot, compute into own memory and at last into that of optimizers' state, then make it
//! visible all at once.

use crate::arenas::{Arenas, Room};
use crate::consumer::Consumer;
use crate::epilogue::Epilogue;
use crate::operands::{Operands, PUBLISHING};
use crate::plan::{Action, OutputHome, Plan, Work};
use crate::{ProgramError, RunInput};
use ferrograph_graph::{RunContext, ValueId, Variable};
use ferrograph_kernels::pool;
use ferrograph_tensor::{Arena, Buffer, Part, ShapeError, Shared, Tensor, ViewMut, allocated_bytes, memory_limit};
use std::slice::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Waking a worker takes 15 to 30 microseconds, half of which the caller spends: a run that lasted less than this the last
/// time is over before it pays. It is still shared with workers that are awake, as they are when runs follow closely.
const WORTH_WAKING: Duration = Duration::from_micros(60);

/// Runs `plan`. The new values are those of `updated`, in the plan's order; `locking` is their order by the variables'
/// ids. On any error no variable has changed: what is changed where it lies is so only when nothing can fail any more.
pub(crate) fn run(
    plan: &Plan,
    updated: &[(Arc<Variable>, ValueId)],
    locking: &[usize],
    inputs: &[impl RunInput],
    arenas: &Arenas,
    cancel: Option<&AtomicBool>,
) -> Result<Vec<Tensor>, ProgramError> {
    if let Some(parts) = &plan.parts {
        pool::rouse();
        return parts.run(plan, inputs, arenas, cancel);
    }
    let _guards: Vec<_> = locking.iter().map(|&index| updated[index].0.lock_for_update()).collect();
    check_budget(plan, updated.len(), arenas)?;
    let mut room: Room<'_> = arenas.take(plan.block)?;
    let returned = Returned { plan, updated, room: &mut room };
    let computed = with_help(plan, || {
        returned.room.operands.find(plan, inputs)?;
        compute(plan, updated, returned.room, Purpose::Run(cancel), |_| ())
    });
    let outcome = computed.and_then(|()| publish(plan, updated, returned.room));
    drop(returned);
    arenas.give_back(room);
    outcome
}

/// Runs the plan of a part of a batch on the operands found for all parts and inputs of its own.
pub(crate) fn run_part<'a>(
    plan: &Plan,
    operands: &Operands<'static>,
    input: impl Fn(usize) -> Shared<'a>,
    arenas: &Arenas,
    cancel: Option<&AtomicBool>,
) -> Result<Vec<Tensor>, ProgramError> {
    let mut room: Room<'a> = arenas.take(plan.block)?;
    room.operands.copy_with(operands, plan, input);
    let computed = compute(plan, &[], &mut room, Purpose::Run(cancel), |_| ());
    let outcome = computed.and_then(|()| publish(plan, &[], &mut room));
    arenas.give_back(room);
    outcome
}

/// The median time of each step of `plan` in `runs` runs, at least one. The new values are thrown away.
pub(crate) fn measure(
    plan: &Plan,
    updated: &[(Arc<Variable>, ValueId)],
    locking: &[usize],
    inputs: &[impl RunInput],
    arenas: &Arenas,
    runs: usize,
) -> Result<Vec<Duration>, ProgramError> {
    let _guards: Vec<_> = locking.iter().map(|&index| updated[index].0.lock_for_update()).collect();
    let mut times = vec![Vec::new(); plan.actions.len()];
    for _ in 0..runs.max(1) {
        check_budget(plan, updated.len(), arenas)?;
        let mut room: Room<'_> = arenas.take(plan.block)?;
        // As in a run that is not measured, workers are there from the first step on.
        pool::rouse();
        let mut before = Instant::now();
        let returned = Returned { plan, updated, room: &mut room };
        let computed = returned.room.operands.find(plan, inputs).and_then(|()| {
            compute(plan, updated, returned.room, Purpose::Measure, |ended| {
                let now = Instant::now();
                // Otherwise the run got ready.
                if let Some(index) = ended {
                    times[index].push(now - before);
                }
                before = now;
            })
        });
        if computed.is_ok() {
            plan.in_place.end(plan, returned.room);
        }
        drop(returned);
        arenas.give_back(room);
        computed?;
    }
    let medians = times.iter_mut().map(|times| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    });
    Ok(medians.collect())
}

/// Gives the variables their buffers back in the end, if they are not published, even if a kernel panics: a variable whose
/// value was taken would otherwise be without one.
struct Returned<'r, 'a> {
    plan: &'r Plan,
    updated: &'r [(Arc<Variable>, ValueId)],
    room: &'r mut Room<'a>,
}

impl Drop for Returned<'_, '_> {
    fn drop(&mut self) {
        for (index, ((variable, _), buffer)) in self.updated.iter().zip(self.room.own.drain(..)).enumerate() {
            // Without elements it was not taken yet.
            if !(buffer.is_empty() && self.plan.in_place.takes(index)) {
                variable.give_back(buffer);
            }
        }
    }
}

/// What a run is for.
#[derive(Clone, Copy)]
enum Purpose<'a> {
    /// New values. It stops once this is set, as long as it has changed no variable where it lies.
    Run(Option<&'a AtomicBool>),
    /// The time it takes. It changes copies.
    Measure,
}

/// Calls `compute` with the workers woken that it is worth waking.
fn with_help<R>(plan: &Plan, compute: impl FnOnce() -> R) -> R {
    let begun = Instant::now();
    let backwards = plan.backwards.fetch_xor(true, Ordering::Relaxed);
    let compute = || pool::in_direction(backwards, compute);
    let result = if Duration::from_nanos(plan.lasted.load(Ordering::Relaxed)) < WORTH_WAKING {
        pool::without_waking(compute)
    } else {
        pool::rouse();
        compute()
    };
    plan.lasted.store(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    result
}

/// Refuses a run that would pass the memory limit before anything is allocated for it.
fn check_budget(plan: &Plan, updated: usize, arenas: &Arenas) -> Result<(), ShapeError> {
    let limit = memory_limit();
    if limit == usize::MAX {
        return Ok(());
    }
    // New values of variables mostly go into their spare buffers.
    let pieces = plan.own[updated..].iter().copied().chain(plan.kept.iter().map(crate::kept::Kept::missing));
    let wanted = pieces.chain([arenas.missing(plan.block)]).fold(0, usize::saturating_add);
    let allocated = allocated_bytes();
    if wanted > limit.saturating_sub(allocated) {
        return Err(ShapeError::Memory { wanted, allocated, limit });
    }
    Ok(())
}

/// Runs the steps, and says that it is there before the first, after each, and when variables were taken between two.
fn compute(
    plan: &Plan,
    updated: &[(Arc<Variable>, ValueId)],
    room: &mut Room<'_>,
    purpose: Purpose<'_>,
    mut ended: impl FnMut(Option<usize>),
) -> Result<(), ProgramError> {
    for (index, (variable, _)) in updated.iter().enumerate() {
        // What is changed where it lies is taken when it is.
        room.own.push(if plan.in_place.takes(index) { Buffer::new(0)? } else { variable.take_spare()? });
        room.versions.push(None);
    }
    for &bytes in &plan.own[updated.len()..] {
        room.own.push(Buffer::new(bytes)?);
    }
    ended(None);
    let mut changes = false;
    for (index, action) in plan.actions.iter().enumerate() {
        if let Purpose::Run(Some(cancel)) = purpose
            && !changes
            && cancel.load(Ordering::Relaxed)
        {
            return Err(ProgramError::Cancelled);
        }
        let copies = matches!(purpose, Purpose::Measure);
        if plan.in_place.begins_at(index) {
            plan.in_place.begin(plan, updated, room, copies)?;
            changes = true;
            ended(None);
        }
        if changes {
            plan.in_place.take_weights(index, plan, updated, room, copies)?;
        }
        let Room { block, operands, own, parts, .. } = &mut *room;
        let mut arena = Arena { block, shared: &operands.shared, own };
        // Kernels need not know what to do without elements.
        if action.outputs.iter().any(|place| place.bytes > 0) {
            perform(action, &mut arena, parts)?;
        }
        ended(Some(index));
    }
    Ok(())
}

/// Gives the variables their new values and returns the outputs.
fn publish(
    plan: &Plan,
    updated: &[(Arc<Variable>, ValueId)],
    room: &mut Room<'_>,
) -> Result<Vec<Tensor>, ProgramError> {
    let Room { operands, own, versions, .. } = &mut *room;
    let shared = &mut operands.shared;
    // From now on what was written for outputs is shared: several of them may be one value.
    shared.extend(own.drain(updated.len()..).map(Arc::new).map(Shared::Kept));
    let outputs = plan.outputs.iter().map(|output| {
        let buffer = match output.home {
            OutputHome::Shared(index) => &shared[index],
            OutputHome::Own(index) => &shared[plan.shared.len() + index - updated.len()],
        };
        Tensor::from_buffer(output.dtype, &output.shape, buffer.to_buffer()?)
    });
    let outputs = outputs.collect::<Result<_, _>>()?;
    if !updated.is_empty() {
        let _publishing = PUBLISHING.write().unwrap_or_else(PoisonError::into_inner);
        for (index, ((variable, _), next)) in updated.iter().zip(own.drain(..)).enumerate() {
            versions[index] = Some(variable.commit(next)?);
        }
        plan.in_place.end(plan, room);
    }
    Ok(outputs)
}

fn perform(action: &Action, arena: &mut Arena<'_>, parts: &mut Vec<Part>) -> Result<(), ProgramError> {
    if let Some(step) = action.work.step(0) {
        for (index, operand) in &action.fresh {
            let to = from_ref(&action.prepared[*index]);
            let ([from, _], [mut to, _]) = arena.operands([from_ref(operand), &[]], [to, &[]], parts);
            step.prepare(*index, from.view(0), to.f32(0));
        }
    }
    let read = [action.inputs.as_slice(), &action.prepared];
    let ([inputs, prepared], [mut outputs, mut scratch]) =
        arena.operands(read, [&action.outputs, &action.scratch], parts);
    match &action.work {
        Work::Kernel(step) => step.run(RunContext { inputs, prepared, outputs, scratch: scratch.f32(0) })?,
        Work::Chained(step, fused) => {
            let clamp = fused.clamp(inputs);
            if let Some(clamp) = clamp
                && let Some(step) = step.with_clamp(clamp.bias.len())
            {
                let context = RunContext { inputs, prepared, outputs, scratch: scratch.f32(0) };
                return Ok(step.run_with_clamp(context, clamp)?);
            }
            let mut scratch = scratch.into_views();
            let own = scratch.next().map_or(&mut [][..], ViewMut::f32);
            let epilogue = Epilogue::new(fused, inputs, scratch);
            let Some(step) = step.with_epilogue() else { unreachable!("joined with its epilogue") };
            let context = RunContext { inputs, prepared, outputs, scratch: own };
            step.run_with_epilogue(context, &|start, part| epilogue.apply(start, part))?;
        }
        Work::InParts(step, fused) => {
            let mut scratch = scratch.into_views();
            let own = scratch.next().map_or(&mut [][..], ViewMut::f32);
            let Some(step) = step.in_parts() else { unreachable!("joined with what uses its parts up") };
            let consumer = Consumer::new(fused, inputs, outputs, scratch, step.part_len());
            step.run_in_parts(inputs, prepared, own, &consumer)?;
        }
        Work::Pooled(step, fused) => {
            let (Some(clamp), Some(step)) = (fused.clamp(inputs), step.with_pooling()) else {
                unreachable!("joined as a step that pools what a row and limits make of its result")
            };
            step.run_pooled(RunContext { inputs, prepared, outputs, scratch: scratch.f32(0) }, clamp)?;
        }
        Work::Bands(bands) => bands.run(inputs, prepared, outputs.f32(0), scratch.into_views()),
        Work::Fused(fused) => fused.run(inputs, outputs, scratch),
        Work::Copy => outputs.view(0).copy_from(inputs.view(0)),
    }
    Ok(())
}
