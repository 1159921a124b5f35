//! A graph at concrete shapes, seen as the data that flows: who makes it, who reads it, and which values are one.

use crate::bind::bind;
use ferrograph_graph::{Graph, GraphError, Origin, Plan as OpPlan, TensorType, ValueId};
use ferrograph_tensor::DType;

/// What every later stage of planning asks.
#[derive(Debug)]
pub(crate) struct Flow<'g> {
    pub graph: &'g Graph,
    /// By value.
    pub types: Vec<TensorType>,
    /// By node; `None` where nobody needs the data, though perhaps the shape.
    pub plans: Vec<Option<OpPlan>>,
    /// By node: the operands whose data it uses, with their places in its list.
    reads: Vec<Vec<(usize, ValueId)>>,
    /// By value: the value whose memory it is, itself unless an op only renames it.
    roots: Vec<ValueId>,
}

impl<'g> Flow<'g> {
    /// Binds the graph and asks the ops that `wanted` depends on for their plans.
    pub(crate) fn new(graph: &'g Graph, inputs: &[&[usize]], wanted: &[ValueId]) -> Result<Self, GraphError> {
        let types = bind(graph, inputs)?;
        let plans = graph.nodes().iter().map(|_| None).collect();
        let reads = vec![Vec::new(); graph.nodes().len()];
        let roots = (0..graph.value_count()).map(|index| graph.value(index)).collect::<Result<_, _>>()?;
        let mut flow = Self { graph, types, plans, reads, roots };
        flow.plan_needed(wanted)?;
        flow.find_roots()?;
        Ok(flow)
    }

    fn plan_needed(&mut self, wanted: &[ValueId]) -> Result<(), GraphError> {
        let mut needed = vec![false; self.types.len()];
        for id in wanted {
            needed[id.index()] = true;
        }
        for (index, node) in self.graph.nodes().iter().enumerate().rev() {
            if !node.results.iter().any(|id| needed[id.index()]) {
                continue;
            }
            let of = |ids: &[ValueId]| -> Vec<TensorType> { ids.iter().map(|id| self.ty(*id).clone()).collect() };
            let plan = node.op.plan(&of(&node.operands), &of(&node.results))?;
            let only_first = matches!(plan, OpPlan::Alias);
            let reads = |place: usize| if only_first { place == 0 } else { node.op.reads(place) };
            self.reads[index] = node.operands.iter().copied().enumerate().filter(|&(place, _)| reads(place)).collect();
            for (_, id) in &self.reads[index] {
                needed[id.index()] = true;
            }
            self.plans[index] = Some(plan);
        }
        Ok(())
    }

    /// Takes the steps for batches where there are such.
    pub(crate) fn choose_in_batches(&mut self) {
        for plan in &mut self.plans {
            if let Some(OpPlan::Step(step)) = plan
                && let Some(in_batches) = step.in_batches()
            {
                *step = in_batches;
            }
        }
    }

    /// Takes the steps without preparations where there are such for those of operands that do not stay the same.
    pub(crate) fn choose_unprepared(&mut self, stays: impl Fn(&Self, ValueId) -> bool) {
        for (index, node) in self.graph.nodes().iter().enumerate() {
            let Some(OpPlan::Step(step)) = &self.plans[index] else { continue };
            let preparations = step.preparations();
            if !preparations.is_empty()
                && !preparations.iter().any(|wanted| stays(self, node.operands[wanted.operand]))
                && let Some(unprepared) = step.unprepared()
            {
                self.plans[index] = Some(OpPlan::Step(unprepared));
            }
        }
    }

    fn find_roots(&mut self) -> Result<(), GraphError> {
        for (node, plan) in self.graph.nodes().iter().zip(&self.plans) {
            if matches!(plan, Some(OpPlan::Alias)) {
                let (from, to) = (node.operands[0], node.results[0]);
                if !same_elements(self.ty(from).dtype, self.ty(to).dtype) || self.bytes(from) != self.bytes(to) {
                    let message = format!("expected an alias of the same size, received {}", self.ty(to));
                    return Err(GraphError::Run { op: node.op.name(), message });
                }
                self.roots[to.index()] = self.roots[from.index()];
            }
        }
        Ok(())
    }

    /// The operands whose data a node uses, with their places in its list.
    pub(crate) fn reads(&self, node: usize) -> &[(usize, ValueId)] {
        &self.reads[node]
    }

    /// The value whose memory holds `id`.
    pub(crate) fn root(&self, id: ValueId) -> ValueId {
        self.roots[id.index()]
    }

    /// The node that computes the data of `id`, unless it is there before the run.
    pub(crate) fn producer(&self, id: ValueId) -> Option<usize> {
        match *self.graph.origin(self.root(id)) {
            Origin::Node { node, .. } => Some(node),
            Origin::Input(_) | Origin::Variable(_) | Origin::Constant(_) => None,
        }
    }

    pub(crate) fn ty(&self, id: ValueId) -> &TensorType {
        &self.types[id.index()]
    }

    /// Size of a value in bytes.
    pub(crate) fn bytes(&self, id: ValueId) -> usize {
        let ty = self.ty(id);
        // `bind` has checked that the product fits.
        ty.extents().iter().product::<usize>() * ty.dtype.size()
    }

    /// Whether the executor runs the node in a loop of blocks.
    pub(crate) fn is_elementwise(&self, node: usize) -> bool {
        matches!(self.plans[node], Some(OpPlan::Elementwise(_)))
    }

    /// Whether the node computes anything when the program runs.
    pub(crate) fn is_computed(&self, node: usize) -> bool {
        !matches!(self.plans[node], None | Some(OpPlan::Alias))
    }
}

/// Whether elements of one type are elements of the other without any change: booleans are bytes.
fn same_elements(from: DType, to: DType) -> bool {
    from == to || (from.size() == 1 && to.size() == 1)
}
