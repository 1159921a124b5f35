//! A batch computed in parts: where a program treats every entry of a batch alone, a few entries at a time go through all
//! of its steps. What one step writes the next reads from the cache, and threads take whole parts, so that they meet once
//! instead of at every step.

use crate::arenas::Arenas;
use crate::layout::Source;
use crate::operands::Operands;
use crate::plan::{Action, Plan};
use crate::run::run_part;
use crate::{ProgramError, RunInput};
use ferrograph_kernels::pool;
use ferrograph_tensor::{
    Buffer, Place, Region, ShapeError, Shared, Tensor, View, allocated_bytes, byte_size, memory_limit,
};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that the operands of a part's largest step may have: what a second-level cache holds besides weights.
const CACHE: usize = 1 << 20;

/// Weights that the last cache holds cost no more to read again than other operands; more of them come from memory each
/// time. Measured: parts of VGG-6, whose 22 MiB are read anew by each, are 13 % faster than the whole batch; those of
/// ResNet-50, with 243 MiB, are 6 % slower.
const LAST_CACHE: usize = 32 << 20;
const FROM_MEMORY: usize = 4;

/// Parts for each thread at least, so that a late one costs little; fewer only if each thread gets as many.
const PARTS_PER_THREAD: usize = 4;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Parts {
    /// Of [`Self::entries`] entries of the batch.
    pub plan: Box<Plan>,
    pub entries: usize,
    /// How many there are.
    pub count: usize,
    /// The last part, if it has fewer entries.
    last: Option<Box<Plan>>,
    /// For each input the elements of an entry, if it has the entries of the batch.
    inputs: Vec<Option<usize>>,
}

impl Parts {
    /// How to compute in parts what `whole` computes for inputs of these shapes, if that is possible and worth it. `open`
    /// says which inputs have the entries of the batch.
    pub(crate) fn of(
        whole: &Plan,
        open: &[bool],
        shapes: &[&[usize]],
        plan: impl Fn(&[&[usize]]) -> Result<Plan, ProgramError>,
    ) -> Option<Self> {
        let batch = whole.batch.filter(|&batch| batch > 1)?;
        let entries = entries(whole, batch)?;
        let part = |entries: usize| {
            let mut shapes: Vec<Vec<usize>> = shapes.iter().map(|shape| shape.to_vec()).collect();
            for (shape, _) in shapes.iter_mut().zip(open).filter(|(_, open)| **open) {
                shape[0] = entries;
            }
            // What cannot be planned for fewer entries is computed whole.
            let plan = plan(&shapes.iter().map(Vec::as_slice).collect::<Vec<_>>()).ok()?;
            let mut outputs = plan.outputs.iter().zip(&whole.outputs);
            let fits = plan.batch == Some(entries) && outputs.all(|(part, whole)| part.shape[1..] == whole.shape[1..]);
            fits.then(|| Box::new(plan))
        };
        let last = if batch.is_multiple_of(entries) { None } else { Some(part(batch % entries)?) };
        let inputs = shapes.iter().zip(open).map(|(shape, open)| open.then(|| shape[1..].iter().product())).collect();
        Some(Self { plan: part(entries)?, entries, count: batch.div_ceil(entries), last, inputs })
    }

    /// The inputs of the first part, copied.
    pub(crate) fn first_inputs(&self, inputs: &[impl RunInput]) -> Result<Vec<Tensor>, ShapeError> {
        let mut tensors = Vec::with_capacity(inputs.len());
        for (n, input) in inputs.iter().enumerate() {
            let (memory, mut shape) = (input.memory(), input.shape().to_vec());
            if self.inputs[n].is_some() {
                shape[0] = self.entries;
            }
            tensors.push(Tensor::new(input.dtype(), &shape, self.part_of_input(n, memory.view(input.dtype()), 0))?);
        }
        Ok(tensors)
    }

    /// Runs the parts and puts the outputs together. After an error no further part begins.
    pub(crate) fn run(
        &self,
        whole: &Plan,
        inputs: &[impl RunInput],
        arenas: &Arenas,
        cancel: Option<&AtomicBool>,
    ) -> Result<Vec<Tensor>, ProgramError> {
        let mut sizes = whole.outputs.iter().map(|output| byte_size(output.dtype, &output.shape));
        self.check_budget(sizes.clone().sum::<Result<usize, _>>()?, arenas)?;
        let buffers = sizes.try_fold(Vec::new(), |mut buffers, bytes| {
            buffers.push(Buffer::new(bytes?)?);
            Ok::<_, ShapeError>(buffers)
        })?;
        let plans: Vec<&Plan> =
            [Some(&self.plan), self.last.as_ref()].into_iter().flatten().map(|plan| &**plan).collect();
        let operands = Operands::without_inputs(&plans)?;
        let memories: Vec<_> = inputs.iter().map(|input| (input.memory(), input.dtype())).collect();
        let views: Vec<View<'_>> = memories.iter().map(|(memory, dtype)| memory.view(*dtype)).collect();
        let outputs = Mutex::new(Ok(buffers));
        let lock = || outputs.lock().unwrap_or_else(PoisonError::into_inner);
        pool::parallel_for(self.count, &|index| {
            if lock().is_err() {
                return;
            }
            let which = if index + 1 == self.count { plans.len() - 1 } else { 0 };
            let input = |n: usize| Shared::Borrowed(self.part_of_input(n, views[n], index));
            let computed = run_part(plans[which], &operands[which], input, arenas, cancel);
            let mut outputs = lock();
            match (computed, &mut *outputs) {
                (Ok(parts), Ok(outputs)) => self.put(index, &parts, outputs),
                (Err(error), outputs) => *outputs = Err(error),
                (Ok(_), Err(_)) => {}
            }
        });
        let buffers = outputs.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        let tensors = whole.outputs.iter().zip(buffers);
        tensors.map(|(to, buffer)| Ok(Tensor::from_buffer(to.dtype, &to.shape, Arc::new(buffer))?)).collect()
    }

    /// The entries of part `index` of input `n`, or all of an input without entries.
    fn part_of_input<'a>(&self, n: usize, input: View<'a>, index: usize) -> View<'a> {
        let Some(entry) = self.inputs[n] else { return input };
        let part = self.entries * entry;
        input.slice(index * part..input.len().min((index + 1) * part))
    }

    /// Copies the outputs of part `index` to where they belong.
    fn put(&self, index: usize, parts: &[Tensor], outputs: &mut [Buffer]) {
        for ((part, output), of_plan) in parts.iter().zip(outputs).zip(&self.plan.outputs) {
            let bytes = of_plan.shape.iter().product::<usize>() * of_plan.dtype.size();
            output.bytes_mut()[index * bytes..][..part.byte_len()].copy_from_slice(part.view().bytes());
        }
    }

    /// Refuses a run that would pass the memory limit before anything is allocated for it.
    fn check_budget(&self, outputs: usize, arenas: &Arenas) -> Result<(), ShapeError> {
        let limit = memory_limit();
        if limit == usize::MAX {
            return Ok(());
        }
        let at_a_time = pool::threads().min(self.count);
        let of_part = self.plan.own.iter().sum::<usize>().saturating_add(arenas.missing(self.plan.block));
        let kept = self.plan.kept.iter().map(crate::kept::Kept::missing).fold(outputs, usize::saturating_add);
        let wanted = kept.saturating_add(of_part.saturating_mul(at_a_time));
        let allocated = allocated_bytes();
        if wanted > limit.saturating_sub(allocated) {
            return Err(ShapeError::Memory { wanted, allocated, limit });
        }
        Ok(())
    }
}

/// Entries of a part, if parts are worth it.
///
/// The operands of a part's steps fit into the cache, or it is a single entry. But a part reads all weights anew, which
/// must not be more than what it moves besides.
fn entries(whole: &Plan, batch: usize) -> Option<usize> {
    let steps: Vec<Bytes> = whole.actions.iter().map(|action| Bytes::of(action, whole)).collect();
    let widest = steps.iter().map(|step| step.moved).max()?;
    let (moved, weights) = steps.iter().fold((0_usize, 0_usize), |(moved, weights), step| {
        (moved.saturating_add(step.moved), weights.saturating_add(step.weights))
    });
    let cached = CACHE / widest.div_ceil(batch).max(1);
    let price = if weights > LAST_CACHE { FROM_MEMORY } else { 1 };
    let amortized = weights.saturating_mul(price).div_ceil(moved.div_ceil(batch).max(1));
    let entries = cached.max(amortized).max(1);
    let threads = pool::threads();
    let mut count = batch.div_ceil(entries);
    if count < 2 {
        return None;
    }
    if count < threads * PARTS_PER_THREAD {
        count = count.next_multiple_of(threads);
    }
    Some(batch.div_ceil(count))
}

/// Bytes that a step reads and writes.
struct Bytes {
    /// Of values that have the entries of the batch.
    moved: usize,
    /// Of what is the same for all entries.
    weights: usize,
}

impl Bytes {
    fn of(action: &Action, plan: &Plan) -> Self {
        let is_weight = |place: &&Place| match place.region {
            Region::Shared(index) => !matches!(plan.shared[index], Source::Input(_)),
            Region::Block { .. } | Region::Own(_) => false,
        };
        let read = action.inputs.iter().chain(&action.prepared);
        let (weights, values): (Vec<&Place>, Vec<&Place>) = read.chain(&action.outputs).partition(is_weight);
        let sum = |places: Vec<&Place>| places.iter().map(|place| place.bytes).fold(0, usize::saturating_add);
        Self { moved: sum(values), weights: sum(weights) }
    }
}
