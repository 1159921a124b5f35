//! One loop over blocks for a whole chain of element-wise functions.
//!
//! Each block goes through all functions while it is in the first-level cache, so a chain reads its operands and writes
//! its results once, however long it is.

use crate::broadcast::Broadcast;
use crate::builder::{Builder, Slots};
use crate::direct::Direct;
use crate::epilogue::{MAX_SECTIONS, Section};
use crate::flow::Flow;
use crate::moments::Moments;
use ferrograph_graph::{Clamp, Elementwise, GraphError, Plan as OpPlan, ValueId};
use ferrograph_kernels::parallel::for_each_chunk;
use ferrograph_tensor::{DType, Inputs, Outputs, View, ViewMut};

/// Most functions of one loop.
pub(crate) const MAX_NODES: usize = 40;
/// Most values that one loop reads from outside.
pub(crate) const MAX_EXTERNALS: usize = 24;
/// Most values that leave one loop.
pub(crate) const MAX_RESULTS: usize = 16;
/// Every external may have to be expanded and every function's value may stay inside.
const MAX_SLOTS: usize = MAX_NODES + MAX_EXTERNALS;
/// Most operands of one function.
pub(crate) const MAX_OPERANDS: usize = 8;

/// Bytes of blocks that shall fit the first-level cache together: 32 KiB is the smallest in use today.
const CACHE: usize = 32 * 1024;
/// Elements of a block: enough to hide the cost of a call, few enough for the cache.
const BLOCK: std::ops::RangeInclusive<usize> = 256..=2048;
/// Elements below which a chunk of work is not worth another thread.
const CHUNK: usize = 16 * 1024;
/// Sections of scratch memory of an epilogue at least.
const MIN_SECTIONS: usize = 8;
/// Most chunks; each has its own scratch memory.
const MAX_CHUNKS: usize = MAX_SECTIONS;

/// A chain of functions bound to shapes.
#[derive(Debug)]
pub(crate) struct Fused {
    instructions: Vec<Instruction>,
    expansions: Vec<Expansion>,
    /// Element type of each slot, a block of scratch memory.
    slots: Vec<DType>,
    /// As an epilogue: the slot of the value that the step before the loop makes.
    head: Option<usize>,
    /// The chain as one pass, if there is one for it.
    direct: Option<Direct>,
    moments: Option<Moments>,
    /// Where in the list of inputs the externals begin: after those of the step before the loop.
    first_external: usize,
    count: usize,
    block: usize,
    chunks: usize,
}

/// One function of the chain.
#[derive(Debug)]
pub(crate) struct Instruction {
    pub function: Box<dyn Elementwise>,
    pub operands: Vec<Source>,
    pub target: Target,
}

/// Where a function reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    External(usize),
    Slot(usize),
    Result(usize),
    /// An operand whose data the op does not use.
    Unread(DType),
}

/// Where a function writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Slot(usize),
    Result(usize),
}

/// An external of another shape.
#[derive(Debug)]
pub(crate) struct Expansion {
    pub external: usize,
    pub slot: usize,
    pub broadcast: Broadcast,
    /// Every block is the same.
    pub once: bool,
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
    /// What the step before the loop has made; otherwise it lies where the first result goes, if there is such a step.
    head: Option<&'a [f32]>,
    results: [ViewMut<'a>; MAX_RESULTS],
    slots: [ViewMut<'a>; MAX_SLOTS],
}

/// What stands in an array where there is nothing, or while it is taken out.
fn no_view<'a>() -> ViewMut<'a> {
    ViewMut::U8(&mut [])
}

impl Chunk<'_> {
    fn new(start: usize, len: usize) -> Self {
        let results = std::array::from_fn(|_| no_view());
        Self { start, len, head: None, results, slots: std::array::from_fn(|_| no_view()) }
    }
}

impl Fused {
    /// Binds the element-wise nodes `unit`, whose results in `leaving` are used elsewhere. With a `head`, the result of the
    /// step before them, they are its epilogue, and the inputs begin with the step's `first_external` operands.
    pub(crate) fn new(
        flow: &Flow<'_>,
        plans: &mut [Option<OpPlan>],
        unit: &[usize],
        leaving: impl Fn(ValueId) -> bool,
        (head, first_external): (Option<ValueId>, usize),
    ) -> Result<(Self, Boundary), GraphError> {
        let mut slots = Slots::default();
        let head = head.map(|id| (id, slots.take(flow.ty(id).dtype)));
        let mut builder = Builder::new(flow, unit, head, slots);
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
        let head = head.map(|(_, slot)| slot);
        let direct = Direct::of(&instructions, &expansions, head);
        let moments = Moments::of(&instructions, &expansions, head);
        let slots = if direct.is_some() || moments.is_some() { Vec::new() } else { builder.slots.types };
        let (block, chunks) = (0, 0);
        let mut fused =
            Self { instructions, expansions, slots, head, direct, moments, first_external, count, block, chunks };
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
        if self.head.is_some() {
            // The step may cut its result finer than a loop would be.
            self.chunks = self.chunks.max(MIN_SECTIONS);
        }
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
        #[allow(clippy::large_stack_arrays, reason = "60 KiB, on threads with megabytes of stack")]
        let mut chunks: [Option<Chunk<'_>>; MAX_CHUNKS] = [const { None }; MAX_CHUNKS];
        let mut free = chunks.iter_mut();
        while rest.len > 0
            && let Some(free) = free.next()
        {
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
            *free = Some(chunk);
        }
        let count = self.count.div_ceil(self.chunk_len());
        for_each_chunk(&mut chunks[..count], 1, |_, chunk| {
            if let [Some(chunk)] = chunk {
                self.run_chunk(externals, chunk);
            }
        });
    }

    /// How many parts can be computed at the same time.
    pub(crate) fn section_count(&self) -> usize {
        self.chunks
    }

    /// Scratch memory, cut for as many chunks as may run at the same time. `scratch` is laid out as [`Self::scratch`] says.
    pub(crate) fn sections<'a>(&self, scratch: impl Iterator<Item = ViewMut<'a>>) -> impl Iterator<Item = Section<'a>> {
        let mut rest = Self::no_section();
        for (to, view) in rest.iter_mut().zip(scratch) {
            *to = view;
        }
        let lens = [DType::Float32, DType::Int32, DType::Uint8]
            .map(|dtype| self.slots.iter().filter(|slot| class(**slot) == class(dtype)).count() * self.block);
        (0..self.chunks).map(move |_| {
            let mut section = Self::no_section();
            for ((to, from), len) in section.iter_mut().zip(&mut rest).zip(lens).filter(|(_, len)| *len > 0) {
                (*to, *from) = std::mem::replace(from, no_view()).split_at(len);
            }
            section
        })
    }

    /// Scratch memory of no elements.
    pub(crate) fn no_section<'a>() -> Section<'a> {
        std::array::from_fn(|_| no_view())
    }

    /// Runs the chain as an epilogue on the elements from `start` on: `part` holds the head's and gets the result's.
    pub(crate) fn run_in_place(&self, inputs: Inputs<'_>, start: usize, part: &mut [f32], section: &mut Section<'_>) {
        let mut chunk = Chunk::new(start, part.len());
        chunk.results[0] = ViewMut::F32(part);
        self.take_slots(&mut section.each_mut().map(ViewMut::reborrow), &mut chunk);
        self.run_chunk(inputs, &mut chunk);
    }

    /// Runs the chain on `part`, the elements from `start` on of what the step before it has made; `results` have as many.
    pub(crate) fn run_on_part<'a>(
        &self,
        inputs: Inputs<'_>,
        start: usize,
        part: &'a [f32],
        results: impl Iterator<Item = ViewMut<'a>>,
        section: &mut Section<'a>,
    ) {
        let mut chunk = Chunk::new(start, part.len());
        chunk.head = Some(part);
        for (to, result) in chunk.results.iter_mut().zip(results) {
            *to = result;
        }
        self.take_slots(section, &mut chunk);
        self.run_chunk(inputs, &mut chunk);
    }

    fn take_slots<'a>(&self, scratch: &mut [ViewMut<'a>; 3], chunk: &mut Chunk<'a>) {
        for (slot, &dtype) in chunk.slots.iter_mut().zip(&self.slots) {
            let from = &mut scratch[class(dtype)];
            (*slot, *from) = std::mem::replace(from, no_view()).split_at(self.block);
        }
    }

    /// The chain as Adam's, if it is.
    pub(crate) fn moments(&self) -> Option<&Moments> {
        self.moments.as_ref()
    }

    /// Where the loop's operands begin among the inputs.
    pub(crate) fn first_external(&self) -> usize {
        self.first_external
    }

    pub(crate) fn moments_mut(&mut self) -> Option<&mut Moments> {
        self.moments.as_mut()
    }

    /// As [`Self::run_in_place`] where one pass does it, which needs no scratch memory; says whether it did.
    pub(crate) fn run_directly(&self, inputs: Inputs<'_>, start: usize, part: &mut [f32]) -> bool {
        if let Some(direct) = &self.direct {
            direct.run(inputs, self.first_external, start, part, self.block);
        }
        self.direct.is_some()
    }

    /// The chain as an epilogue that is no more than a clamp, if it is such a one.
    pub(crate) fn clamp<'a>(&self, inputs: Inputs<'a>) -> Option<Clamp<'a>> {
        self.direct.as_ref()?.clamp(inputs, self.first_external)
    }

    fn run_chunk(&self, externals: Inputs<'_>, chunk: &mut Chunk<'_>) {
        if let Some(direct) = &self.direct {
            let y = chunk.results[0].reborrow().f32();
            if let Some(head) = chunk.head {
                y.copy_from_slice(head);
            }
            return direct.run(externals, self.first_external, chunk.start, y, self.block);
        }
        if let Some(moments) = &self.moments {
            return moments.run(externals, self.first_external, chunk.start, chunk.head, &mut chunk.results);
        }
        self.expand(externals, chunk, 0, self.block.min(chunk.len), true);
        for at in (0..chunk.len).step_by(self.block) {
            let len = self.block.min(chunk.len - at);
            self.expand(externals, chunk, at, len, false);
            if let Some(head) = self.head {
                // Without a part of its own the last function writes where the step has written.
                let made = chunk.head.map_or_else(|| chunk.results[0].as_view(), View::F32);
                chunk.slots[head].reborrow().slice(0..len).copy_from(made.slice(at..at + len));
            }
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
                        Source::External(i) => {
                            let external = externals.view(self.first_external + i);
                            external.slice(chunk.start + at..chunk.start + at + len)
                        }
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
            let external = externals.view(self.first_external + expansion.external);
            expansion.broadcast.expand(external, chunk.start + at, block);
        }
    }
}

/// Types whose elements are the same Rust type share slots.
pub(crate) fn class(dtype: DType) -> usize {
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
