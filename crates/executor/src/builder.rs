//! The functions of a loop, bound to what they read and write.

use crate::broadcast::Broadcast;
use crate::flow::Flow;
use crate::fused::{Boundary, Expansion, Instruction, MAX_OPERANDS, Source, Target, class};
use ferrograph_graph::{Elementwise, GraphError, ValueId};
use ferrograph_tensor::DType;
use std::collections::HashMap;

/// The bindings made so far.
pub(crate) struct Builder<'a, 'g> {
    flow: &'a Flow<'g>,
    unit: &'a [usize],
    /// What the step before the unit makes, and the slot it is read from.
    head: Option<(ValueId, usize)>,
    /// By value as a node reads it (externals) or by root (what the unit makes).
    sources: HashMap<ValueId, Source>,
    pub slots: Slots,
}

impl<'a, 'g> Builder<'a, 'g> {
    pub(crate) fn new(flow: &'a Flow<'g>, unit: &'a [usize], head: Option<(ValueId, usize)>, slots: Slots) -> Self {
        Self { flow, unit, head, sources: HashMap::new(), slots }
    }

    fn is_inside(&self, id: ValueId) -> bool {
        self.flow.producer(id).is_some_and(|producer| self.unit.binary_search(&producer).is_ok())
    }

    /// Finds what the unit reads from outside; of another shape, it is expanded.
    pub(crate) fn externals(&mut self, boundary: &mut Boundary) -> Result<Vec<Expansion>, GraphError> {
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
                if let Some((head, slot)) = self.head
                    && self.flow.root(id) == head
                {
                    self.sources.insert(id, Source::Slot(slot));
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

    /// Binds the function of one node; nodes come in their order.
    pub(crate) fn instruction(
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
pub(crate) struct Slots {
    pub types: Vec<DType>,
    free: Vec<usize>,
}

impl Slots {
    pub(crate) fn take(&mut self, dtype: DType) -> usize {
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
