//! One loop over blocks for a whole chain of element-wise functions.
//!
//! Each block goes through all functions while it is in the first-level cache, so a chain reads its operands and writes
//! its results once, however long it is.

use crate::broadcast::Broadcast;
use crate::flow::Flow;
use ferrograph_graph::{Elementwise, GraphError, Plan as OpPlan, ValueId};
use ferrograph_kernels::parallel::for_each_chunk;
use ferrograph_tensor::{DType, Inputs, Outputs, View, ViewMut};
use std::collections::HashMap;

/// Most functions of one loop.
pub(crate) const MAX_NODES: usize = 40;
/// Most values that one loop reads from outside.
pub(crate) const MAX_EXTERNALS: usize = 24;
/// Most values that leave one loop.
pub(crate) const MAX_RESULTS: usize = 16;
/// Every external may have to be expanded and every function's value may stay inside.
const MAX_SLOTS: usize = MAX_NODES + MAX_EXTERNALS;
/// Most operands of one function.
const MAX_OPERANDS: usize = 8;

/// Bytes of blocks that shall fit the first-level cache together: 32 KiB is the smallest in use today.
const CACHE: usize = 32 * 1024;
/// Elements of a block: enough to hide the cost of a call, few enough for the cache.
const BLOCK: std::ops::RangeInclusive<usize> = 256..=2048;
/// Elements below which a chunk of work is not worth another thread.
const CHUNK: usize = 16 * 1024;
/// Most chunks; each has its own scratch memory.
const MAX_CHUNKS: usize = 32;

/// A chain of functions bound to shapes.
#[derive(Debug)]
pub(crate) struct Fused {
    instructions: Vec<Instruction>,
    expansions: Vec<Expansion>,
    /// Element type of each slot, a block of scratch memory.
    slots: Vec<DType>,
    count: usize,
    block: usize,
    chunks: usize,
}

#[derive(Debug)]
struct Instruction {
    function: Box<dyn Elementwise>,
    operands: Vec<Source>,
    target: Target,
}

/// Where a function reads.
#[derive(Clone, Copy, Debug)]
enum Source {
    External(usize),
    Slot(usize),
    Result(usize),
    /// An operand whose data the op does not use.
    Unread(DType),
}

/// Where a function writes.
#[derive(Clone, Copy, Debug)]
enum Target {
    Slot(usize),
    Result(usize),
}

/// An external of another shape.
#[derive(Debug)]
struct Expansion {
    external: usize,
    slot: usize,
    broadcast: Broadcast,
    /// Every block is the same.
    once: bool,
}

/// What a loop reads from and writes to outside.
#[derive(Debug)]
pub(crate) struct Boundary {
    pub externals: Vec<ValueId>,
    pub results: Vec<ValueId>,
}

/// A part of the elements, with all that is written for it.
struct Chunk<'a> {
    start: usize,
    len: usize,
    results: [ViewMut<'a>; MAX_RESULTS],
    slots: [ViewMut<'a>; MAX_SLOTS],
}

/// What stands in an array where there is nothing, or while it is taken out.
fn no_view<'a>() -> ViewMut<'a> {
    ViewMut::U8(&mut [])
}

impl Chunk<'_> {
    fn new(start: usize, len: usize) -> Self {
        Self { start, len, results: std::array::from_fn(|_| no_view()), slots: std::array::from_fn(|_| no_view()) }
    }
}

impl Fused {
    /// Binds the element-wise nodes `unit`, whose results in `leaving` are used elsewhere.
    pub(crate) fn new(
        flow: &Flow<'_>,
        plans: &mut [Option<OpPlan>],
        unit: &[usize],
        leaving: impl Fn(ValueId) -> bool,
    ) -> Result<(Self, Boundary), GraphError> {
        let mut builder = Builder { flow, unit, sources: HashMap::new(), slots: Slots::default() };
        let mut boundary = Boundary { externals: Vec::new(), results: Vec::new() };
        let expansions = builder.externals(&mut boundary)?;
        let mut instructions = Vec::with_capacity(unit.len());
        for &index in unit {
            let Some(OpPlan::Elementwise(function)) = plans[index].take() else {
                unreachable!("only element-wise nodes are fused")
            };
            instructions.push(builder.instruction(index, function, &leaving, &mut boundary));
        }
        let count = flow.ty(flow.graph.nodes()[unit[0]].results[0]).extents().iter().product::<usize>();
        let mut fused = Self { instructions, expansions, slots: builder.slots.types, count, block: 0, chunks: 0 };
        fused.choose_block(boundary.externals.len() + boundary.results.len());
        Ok((fused, boundary))
    }

    fn choose_block(&mut self, streams: usize) {
        let fitting = CACHE / size_of::<f32>() / (streams + self.slots.len()).max(1);
        let mut block = fitting.clamp(*BLOCK.start(), *BLOCK.end()) & !63;
        // A block of whole periods is expanded once, not once for each block.
        let periods = self.expansions.iter().filter_map(|e| e.broadcast.period());
        if let Some(period) = periods.filter(|&period| period > 1 && period <= block).max() {
            block = block / period * period;
        }
        self.block = block.min(self.count).max(1);
        for expansion in &mut self.expansions {
            expansion.once = expansion.broadcast.period().is_some_and(|period| self.block.is_multiple_of(period));
        }
        self.chunks = (self.count / CHUNK).clamp(1, MAX_CHUNKS);
    }

    /// Elements of all chunks but the last.
    fn chunk_len(&self) -> usize {
        self.count.div_ceil(self.chunks).next_multiple_of(self.block)
    }

    /// Bytes of scratch memory for float32, int32 and bytes.
    pub(crate) fn scratch(&self) -> [(DType, usize); 3] {
        [DType::Float32, DType::Int32, DType::Uint8].map(|dtype| {
            let slots = self.slots.iter().filter(|slot| class(**slot) == class(dtype)).count();
            (dtype, slots * self.block * self.chunks * dtype.size())
        })
    }

    /// What the loop is made of, for people.
    pub(crate) fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Runs the chain. `scratch` is laid out as [`Self::scratch`] says.
    pub(crate) fn run(&self, externals: Inputs<'_>, results: Outputs<'_>, scratch: Outputs<'_>) {
        let mut rest = Chunk::new(0, self.count);
        for (to, result) in rest.results.iter_mut().zip(results.into_views()) {
            *to = result;
        }
        let mut scratch: [ViewMut<'_>; 3] = {
            let mut views = scratch.into_views();
            std::array::from_fn(|_| views.next().unwrap_or_else(no_view))
        };
        if self.chunks == 1 {
            self.take_slots(&mut scratch, &mut rest);
            self.run_chunk(externals, &mut rest);
            return;
        }
        let mut chunks = Vec::with_capacity(self.chunks);
        while rest.len > 0 {
            let len = self.chunk_len().min(rest.len);
            let mut chunk = Chunk::new(rest.start, len);
            for (to, from) in chunk.results.iter_mut().zip(&mut rest.results) {
                if !from.as_view().is_empty() {
                    (*to, *from) = std::mem::replace(from, no_view()).split_at(len);
                }
            }
            self.take_slots(&mut scratch, &mut chunk);
            rest.start += len;
            rest.len -= len;
            chunks.push(chunk);
        }
        for_each_chunk(&mut chunks, 1, |_, chunk| self.run_chunk(externals, &mut chunk[0]));
    }

    fn take_slots<'a>(&self, scratch: &mut [ViewMut<'a>; 3], chunk: &mut Chunk<'a>) {
        for (slot, &dtype) in chunk.slots.iter_mut().zip(&self.slots) {
            let from = &mut scratch[class(dtype)];
            (*slot, *from) = std::mem::replace(from, no_view()).split_at(self.block);
        }
    }

    fn run_chunk(&self, externals: Inputs<'_>, chunk: &mut Chunk<'_>) {
        self.expand(externals, chunk, 0, self.block.min(chunk.len), true);
        for at in (0..chunk.len).step_by(self.block) {
            let len = self.block.min(chunk.len - at);
            self.expand(externals, chunk, at, len, false);
            for instruction in &self.instructions {
                let target = match instruction.target {
                    Target::Slot(slot) => &mut chunk.slots[slot],
                    Target::Result(result) => &mut chunk.results[result],
                };
                // Taken out while the others are read.
                let mut to = std::mem::replace(target, no_view());
                let mut operands = [View::U8(&[]); MAX_OPERANDS];
                for (operand, source) in operands.iter_mut().zip(&instruction.operands) {
                    *operand = match *source {
                        Source::External(i) => externals.view(i).slice(chunk.start + at..chunk.start + at + len),
                        Source::Slot(i) => chunk.slots[i].as_view().slice(0..len),
                        Source::Result(i) => chunk.results[i].as_view().slice(at..at + len),
                        Source::Unread(dtype) => empty(dtype),
                    };
                }
                let operands = &operands[..instruction.operands.len()];
                match instruction.target {
                    Target::Slot(slot) => {
                        instruction.function.run(operands, to.reborrow().slice(0..len));
                        chunk.slots[slot] = to;
                    }
                    Target::Result(result) => {
                        instruction.function.run(operands, to.reborrow().slice(at..at + len));
                        chunk.results[result] = to;
                    }
                }
            }
        }
    }

    fn expand(&self, externals: Inputs<'_>, chunk: &mut Chunk<'_>, at: usize, len: usize, once: bool) {
        for expansion in self.expansions.iter().filter(|e| e.once == once) {
            let block = chunk.slots[expansion.slot].reborrow().slice(0..len);
            expansion.broadcast.expand(externals.view(expansion.external), chunk.start + at, block);
        }
    }
}

struct Builder<'a, 'g> {
    flow: &'a Flow<'g>,
    unit: &'a [usize],
    /// By value as a node reads it (externals) or by root (what the unit makes).
    sources: HashMap<ValueId, Source>,
    slots: Slots,
}

impl Builder<'_, '_> {
    fn is_inside(&self, id: ValueId) -> bool {
        self.flow.producer(id).is_some_and(|producer| self.unit.binary_search(&producer).is_ok())
    }

    fn externals(&mut self, boundary: &mut Boundary) -> Result<Vec<Expansion>, GraphError> {
        let mut expansions = Vec::new();
        for &index in self.unit {
            let node = &self.flow.graph.nodes()[index];
            let result = self.flow.ty(node.results[0]).extents();
            if node.results.len() != 1 || node.operands.len() > MAX_OPERANDS {
                let message = format!("expected one result and at most {MAX_OPERANDS} operands of an element-wise op");
                return Err(GraphError::Run { op: node.op.name(), message });
            }
            for &(_, id) in self.flow.reads(index) {
                if self.is_inside(id) || self.sources.contains_key(&id) {
                    continue;
                }
                let ty = self.flow.ty(id);
                let Some(broadcast) = Broadcast::new(&ty.extents(), &result) else {
                    let message = format!("expected an operand that broadcasts to {result:?}, received {ty}");
                    return Err(GraphError::Run { op: node.op.name(), message });
                };
                let external = boundary.externals.len();
                boundary.externals.push(id);
                let source = if broadcast.is_direct() {
                    Source::External(external)
                } else {
                    let slot = self.slots.take(ty.dtype);
                    expansions.push(Expansion { external, slot, broadcast, once: false });
                    Source::Slot(slot)
                };
                self.sources.insert(id, source);
            }
        }
        Ok(expansions)
    }

    fn instruction(
        &mut self,
        index: usize,
        function: Box<dyn Elementwise>,
        leaving: &impl Fn(ValueId) -> bool,
        boundary: &mut Boundary,
    ) -> Instruction {
        let node = &self.flow.graph.nodes()[index];
        let mut operands: Vec<Source> =
            node.operands.iter().map(|&id| Source::Unread(self.flow.ty(id).dtype)).collect();
        for &(place, id) in self.flow.reads(index) {
            let key = if self.is_inside(id) { self.flow.root(id) } else { id };
            operands[place] = self.sources[&key];
        }
        let result = node.results[0];
        let target = if leaving(result) {
            boundary.results.push(result);
            Target::Result(boundary.results.len() - 1)
        } else {
            Target::Slot(self.slots.take(self.flow.ty(result).dtype))
        };
        self.free_after(index);
        let source = match target {
            Target::Slot(slot) => Source::Slot(slot),
            Target::Result(result) => Source::Result(result),
        };
        self.sources.insert(result, source);
        Instruction { function, operands, target }
    }

    /// Frees the slots of values that node `index` is the last to read.
    fn free_after(&mut self, index: usize) {
        let later = &self.unit[self.unit.partition_point(|&node| node <= index)..];
        for &(_, id) in self.flow.reads(index) {
            let root = self.flow.root(id);
            let read_later =
                later.iter().any(|&node| self.flow.reads(node).iter().any(|&(_, id)| self.flow.root(id) == root));
            if self.is_inside(id)
                && !read_later
                && let Some(Source::Slot(slot)) = self.sources.remove(&root)
            {
                self.slots.free(slot);
            }
        }
    }
}

/// Blocks of scratch memory, used again when their value is no longer read.
#[derive(Default)]
struct Slots {
    types: Vec<DType>,
    free: Vec<usize>,
}

impl Slots {
    fn take(&mut self, dtype: DType) -> usize {
        if let Some(at) = self.free.iter().rposition(|&slot| class(self.types[slot]) == class(dtype)) {
            return self.free.swap_remove(at);
        }
        self.types.push(dtype);
        self.types.len() - 1
    }

    fn free(&mut self, slot: usize) {
        self.free.push(slot);
    }
}

/// Types whose elements are the same Rust type share slots.
fn class(dtype: DType) -> usize {
    match dtype {
        DType::Float32 => 0,
        DType::Int32 => 1,
        DType::Bool | DType::Uint8 => 2,
    }
}

fn empty(dtype: DType) -> View<'static> {
    match dtype {
        DType::Float32 => View::F32(&[]),
        DType::Int32 => View::I32(&[]),
        DType::Bool | DType::Uint8 => View::U8(&[]),
    }
}
