//! Which nodes run together, and in which order.

use crate::flow::Flow;
use crate::fused::{MAX_EXTERNALS, MAX_NODES, MAX_RESULTS};
use ferrograph_graph::{Plan, ValueId};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// Nodes that run as one step: either one node, or element-wise nodes of one result shape in one loop, ascending; later
/// also a node and the loop that is its epilogue, several of these that hand each other rows, and one with the pooling behind it.
pub(crate) type Unit = Vec<usize>;

/// All units in an order in which each comes after those it reads from. `leaves` says of a value that it is wanted when
/// the run has ended.
pub(crate) fn units(flow: &Flow<'_>, leaves: &[bool]) -> Vec<Unit> {
    let mut grouping = Grouping::new(flow, leaves);
    for node in 0..flow.graph.nodes().len() {
        if flow.is_elementwise(node) {
            grouping.join_producers(node);
        }
    }
    grouping.in_order()
}

/// By node: the unit it is in, if it is in one.
pub(crate) fn unit_of(flow: &Flow<'_>, units: &[Unit]) -> Vec<usize> {
    let mut unit_of = vec![usize::MAX; flow.graph.nodes().len()];
    for (at, unit) in units.iter().enumerate() {
        for &node in unit {
            unit_of[node] = at;
        }
    }
    unit_of
}

/// By unit: how often others read from it, and how many of its values are wanted when the run has ended.
pub(crate) fn reader_counts(flow: &Flow<'_>, units: &[Unit], unit_of: &[usize], leaves: &[bool]) -> Vec<usize> {
    let mut readers = vec![0usize; units.len()];
    for (at, unit) in units.iter().enumerate() {
        for &(_, id) in unit.iter().flat_map(|&node| flow.reads(node)) {
            if let Some(from) = flow.producer(id).map(|node| unit_of[node]).filter(|&from| from != at) {
                readers[from] += 1;
            }
        }
        let results = unit.iter().flat_map(|&node| &flow.graph.nodes()[node].results);
        readers[at] += results.filter(|id| leaves[id.index()]).count();
    }
    readers
}

struct Grouping<'a, 'g> {
    flow: &'a Flow<'g>,
    leaves: &'a [bool],
    /// By node: the unit it is in.
    unit_of: Vec<usize>,
    /// Nodes of each unit, ascending; empty for units that were merged into another.
    units: Vec<Unit>,
    /// By node: the nodes that read its results.
    readers: Vec<Vec<usize>>,
}

impl<'a, 'g> Grouping<'a, 'g> {
    fn new(flow: &'a Flow<'g>, leaves: &'a [bool]) -> Self {
        let count = flow.graph.nodes().len();
        let mut readers = vec![Vec::new(); count];
        for node in (0..count).filter(|&node| flow.is_computed(node)) {
            for &(_, id) in flow.reads(node) {
                if let Some(producer) = flow.producer(id) {
                    readers[producer].push(node);
                }
            }
        }
        let units = (0..count).map(|node| if flow.is_computed(node) { vec![node] } else { Vec::new() }).collect();
        Self { flow, leaves, unit_of: (0..count).collect(), units, readers }
    }

    /// Puts `node` into one unit with those that make its operands, as far as that is possible.
    fn join_producers(&mut self, node: usize) {
        let shape = &self.flow.ty(self.flow.graph.nodes()[node].results[0]).shape;
        let operands: Vec<ValueId> = self.flow.reads(node).iter().map(|&(_, id)| id).collect();
        for id in operands {
            let Some(producer) = self.flow.producer(id) else { continue };
            let same_shape = self.flow.ty(id).shape == *shape && self.flow.ty(self.flow.root(id)).shape == *shape;
            if same_shape && self.flow.is_elementwise(producer) {
                self.merge(self.unit_of[producer], self.unit_of[node]);
            }
        }
    }

    /// Makes one unit of two, of which `to` reads from `from`, unless a third stands between them or it would be too big.
    fn merge(&mut self, from: usize, to: usize) {
        if from == to || self.units[from].len() + self.units[to].len() > MAX_NODES || self.connected_through(from, to) {
            return;
        }
        // Two sums that are finished in registers, one of which adds the other, cost less than a loop over both.
        if self.head(from).is_some_and(|head| self.head(to).is_some_and(|other| other != head)) {
            return;
        }
        let mut nodes = [self.units[from].as_slice(), self.units[to].as_slice()].concat();
        nodes.sort_unstable();
        let (externals, results) = self.boundary(&nodes);
        if externals > MAX_EXTERNALS || results > MAX_RESULTS {
            return;
        }
        for &node in &nodes {
            self.unit_of[node] = to;
        }
        self.units[from] = Vec::new();
        self.units[to] = nodes;
    }

    /// The step that alone the unit reads from, and that can apply what the unit begins with while its result is in
    /// registers.
    fn head(&self, unit: usize) -> Option<usize> {
        let inside = |node: &usize| self.unit_of[*node] == unit;
        let reads = self.units[unit].iter().flat_map(|&node| self.flow.reads(node));
        reads.filter_map(|&(_, id)| self.flow.producer(id)).find(|&producer| {
            let Some(Plan::Step(step)) = &self.flow.plans[producer] else { return false };
            let [result] = self.flow.graph.nodes()[producer].results[..] else { return false };
            let channels = self.flow.ty(result).extents().last().copied().unwrap_or_default();
            step.with_clamp(channels).is_some() && self.readers[producer].iter().all(inside)
        })
    }

    /// Whether a path leads from one unit to the other through a third: then they cannot run at the same time.
    fn connected_through(&self, from: usize, to: usize) -> bool {
        let last = self.units[to].last().copied().unwrap_or_default();
        let mut seen = HashSet::new();
        let mut open: Vec<usize> = self.successors(from).filter(|&unit| unit != to).collect();
        while let Some(unit) = open.pop() {
            // Readers come later in the list, so a unit that begins after the target's end cannot lead to it.
            if self.units[unit].first().is_none_or(|&first| first > last) || !seen.insert(unit) {
                continue;
            }
            for next in self.successors(unit) {
                if next == to {
                    return true;
                }
                open.push(next);
            }
        }
        false
    }

    fn successors(&self, unit: usize) -> impl Iterator<Item = usize> {
        let readers = self.units[unit].iter().flat_map(|&node| &self.readers[node]);
        readers.map(|&node| self.unit_of[node]).filter(move |&other| other != unit)
    }

    /// How many values such a unit would read from outside, and how many others would read from it.
    fn boundary(&self, nodes: &[usize]) -> (usize, usize) {
        let inside = |node: usize| nodes.binary_search(&node).is_ok();
        let mut externals = HashSet::new();
        let mut results = 0;
        for &node in nodes {
            for &(_, id) in self.flow.reads(node) {
                if self.flow.producer(id).is_none_or(|producer| !inside(producer)) {
                    externals.insert(id);
                }
            }
            let leaves = self.leaves[self.flow.graph.nodes()[node].results[0].index()];
            results += usize::from(leaves || self.readers[node].iter().any(|&reader| !inside(reader)));
        }
        (externals.len(), results)
    }

    /// Whether the unit is a loop over a single number that waits for nobody.
    fn begins(&self, unit: usize, waiting: usize) -> bool {
        let is_number = |&node: &usize| self.flow.bytes(self.flow.graph.nodes()[node].results[0]) <= size_of::<f32>();
        waiting == 0 && self.units[unit].iter().all(|node| self.flow.is_elementwise(*node) && is_number(node))
    }

    /// Kahn's order. Among the units that may run, those that nobody reads from go first: an update of a weight frees the
    /// gradient and finds it in the cache. So do loops over single numbers that depend on nothing computed, such as the size of
    /// an optimizer's step, for which updates would wait. Then the one whose last node was added first.
    fn in_order(mut self) -> Vec<Unit> {
        let mut waiting = vec![0usize; self.units.len()];
        let successors: Vec<Vec<usize>> = (0..self.units.len())
            .map(|unit| {
                let mut all: Vec<usize> = self.successors(unit).collect();
                all.sort_unstable();
                all.dedup();
                all
            })
            .collect();
        for &unit in successors.iter().flatten() {
            waiting[unit] += 1;
        }
        let first: Vec<bool> =
            (0..self.units.len()).map(|unit| successors[unit].is_empty() || self.begins(unit, waiting[unit])).collect();
        let key = |units: &[Unit], unit: usize| {
            let last = *units[unit].last()?;
            Some(Reverse((!first[unit], last, unit)))
        };
        let mut ready: BinaryHeap<_> = (0..self.units.len())
            .filter(|&unit| waiting[unit] == 0)
            .filter_map(|unit| key(&self.units, unit))
            .collect();
        let mut ordered = Vec::new();
        while let Some(Reverse((_, _, unit))) = ready.pop() {
            for &next in &successors[unit] {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.extend(key(&self.units, next));
                }
            }
            ordered.push(std::mem::take(&mut self.units[unit]));
        }
        ordered
    }
}
