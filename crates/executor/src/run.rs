//! One run of a plan: take a snapshot, compute into own memory, then make it visible all at once.

use crate::ProgramError;
use crate::arenas::Arenas;
use crate::layout::Source;
use crate::plan::{Action, OutputHome, Plan, Work};
use ferrograph_graph::{RunContext, Variable};
use ferrograph_tensor::{Arena, Buffer, Part, ShapeError, Tensor, allocated_bytes, memory_limit};
use std::slice::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Held to read while a run notes which values it works on, and to write while a run publishes new ones: a prediction
/// during training sees the weights of one step, never of two.
static PUBLISHING: RwLock<()> = RwLock::new(());

/// Runs `plan`. The new values are those of `updated`, in the plan's order. On any error no variable has changed.
pub(crate) fn run(
    plan: &Plan,
    updated: &[&Variable],
    inputs: &[Tensor],
    arenas: &Arenas,
    cancel: Option<&AtomicBool>,
) -> Result<Vec<Tensor>, ProgramError> {
    let mut in_order = updated.to_vec();
    in_order.sort_unstable_by_key(|variable| variable.id());
    let _guards: Vec<_> = in_order.iter().map(|variable| variable.lock_for_update()).collect();

    check_budget(plan, updated.len(), arenas)?;
    let shared = shared_buffers(plan, inputs)?;
    let mut own = Vec::with_capacity(plan.own.len());
    let computed = own_buffers(plan, updated, &mut own).and_then(|()| {
        let mut block = arenas.take(plan.block)?;
        let computed = compute(plan, &mut Arena { block: &mut block, shared: &shared, own: &mut own }, cancel);
        arenas.give_back(block);
        computed
    });
    if let Err(error) = computed {
        for (variable, buffer) in updated.iter().zip(own) {
            variable.return_spare(buffer);
        }
        return Err(error);
    }
    let written: Vec<Arc<Buffer>> = own.drain(updated.len()..).map(Arc::new).collect();
    let outputs = plan.outputs.iter().map(|output| {
        let buffer = match output.home {
            OutputHome::Shared(index) => &shared[index],
            OutputHome::Own(index) => &written[index - updated.len()],
        };
        Tensor::from_buffer(output.dtype, &output.shape, buffer.clone())
    });
    let outputs = outputs.collect::<Result<_, _>>()?;
    let _publishing = PUBLISHING.write().unwrap_or_else(PoisonError::into_inner);
    for (variable, next) in updated.iter().zip(own) {
        variable.commit(next)?;
    }
    Ok(outputs)
}

/// Refuses a run that would pass the memory limit before anything is allocated for it.
fn check_budget(plan: &Plan, updated: usize, arenas: &Arenas) -> Result<(), ShapeError> {
    // New values of variables mostly go into their spare buffers.
    let pieces = plan.own[updated..].iter().copied().chain(plan.kept.iter().map(crate::kept::Kept::missing));
    let wanted = pieces.chain([arenas.missing(plan.block)]).fold(0, usize::saturating_add);
    let (allocated, limit) = (allocated_bytes(), memory_limit());
    if wanted > limit.saturating_sub(allocated) {
        return Err(ShapeError::Memory { wanted, allocated, limit });
    }
    Ok(())
}

fn shared_buffers(plan: &Plan, inputs: &[Tensor]) -> Result<Vec<Arc<Buffer>>, ShapeError> {
    let mut shared: Vec<Option<Arc<Buffer>>> = vec![None; plan.shared.len()];
    let mut versions = vec![0; plan.shared.len()];
    {
        let _reading = PUBLISHING.read().unwrap_or_else(PoisonError::into_inner);
        for (index, source) in plan.shared.iter().enumerate() {
            shared[index] = match source {
                Source::Input(n) => Some(inputs[*n].buffer().clone()),
                Source::Constant(buffer) => Some(buffer.clone()),
                Source::Variable(variable) => {
                    let (value, version) = variable.read();
                    versions[index] = version;
                    Some(value.buffer().clone())
                }
                Source::Kept(_) => None,
            };
        }
    }
    let mut all: Vec<Arc<Buffer>> = Vec::with_capacity(shared.len());
    for (buffer, source) in shared.into_iter().zip(&plan.shared) {
        all.push(match (buffer, source) {
            (Some(buffer), _) => buffer,
            (None, Source::Kept(index)) => {
                let kept = &plan.kept[*index];
                let Work::Kernel(step) = &plan.actions[kept.action].work else {
                    unreachable!("only kernels have preparations")
                };
                // The operand comes before its prepared form in the list.
                let operand: &Buffer = &all[kept.shared];
                kept.get(step.as_ref(), operand, versions[kept.shared])?
            }
            (None, source) => unreachable!("{source:?} has a buffer"),
        });
    }
    Ok(all)
}

fn own_buffers(plan: &Plan, updated: &[&Variable], own: &mut Vec<Buffer>) -> Result<(), ProgramError> {
    for variable in updated {
        own.push(variable.take_spare()?);
    }
    for &bytes in &plan.own[updated.len()..] {
        own.push(Buffer::new(bytes)?);
    }
    Ok(())
}

fn compute(plan: &Plan, arena: &mut Arena<'_>, cancel: Option<&AtomicBool>) -> Result<(), ProgramError> {
    let mut parts = Vec::new();
    for action in &plan.actions {
        if cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(ProgramError::Cancelled);
        }
        // Kernels need not know what to do without elements.
        if action.outputs.iter().any(|place| place.bytes > 0) {
            perform(action, arena, &mut parts)?;
        }
    }
    Ok(())
}

fn perform(action: &Action, arena: &mut Arena<'_>, parts: &mut Vec<Part>) -> Result<(), ProgramError> {
    if let Work::Kernel(step) = &action.work {
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
        Work::Fused(fused) => fused.run(inputs, outputs, scratch),
        Work::Copy => outputs.view(0).copy_from(inputs.view(0)),
    }
    Ok(())
}
