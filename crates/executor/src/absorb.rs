//! Batch normalization and its like move into the weights before them.
//!
//! Where one op makes a value, affine ops along its last axis follow and nobody else reads what lies between, the scale of
//! them all goes into the first op's weights and one shift stays. That is worth it if the scaled weights stay the same
//! from run to run. The ops write both themselves; the result differs in rounding only.

use crate::fixed::fixed;
use crate::readers::readers;
use crate::simplify::simplify;
use ferrograph_graph::{Affine, Graph, GraphError, Node, Origin, ValueId, Variable};
use std::collections::HashMap;
use std::sync::Arc;

/// A graph with the same inputs that computes the same `wanted` values, and these values; `None` where nothing moves.
pub(crate) fn absorb(
    graph: &Graph,
    wanted: &[ValueId],
    updates: &[(Arc<Variable>, ValueId)],
) -> Result<Option<(Graph, Vec<ValueId>)>, GraphError> {
    let mut pass = Pass {
        graph,
        fixed: fixed(graph, updates),
        readers: readers(graph, wanted),
        to: Graph::new(),
        values: HashMap::new(),
        chains: HashMap::new(),
    };
    for &id in graph.inputs() {
        let input = pass.to.input(graph.ty(id).clone());
        pass.values.insert(id, input);
    }
    let mut moved = false;
    for (index, node) in graph.nodes().iter().enumerate() {
        moved |= pass.add(index, node)?;
    }
    if !moved {
        return Ok(None);
    }
    let wanted: Vec<ValueId> = wanted.iter().map(|&id| pass.leaf(id)).collect();
    simplify(&pass.to, &wanted, &HashMap::new()).map(Some)
}

/// A node and the affine map that its only result goes through.
#[derive(Clone, Copy)]
struct Chain {
    first: usize,
    map: Affine,
}

struct Pass<'g> {
    graph: &'g Graph,
    fixed: Vec<bool>,
    readers: Vec<usize>,
    to: Graph,
    /// Old value to new.
    values: HashMap<ValueId, ValueId>,
    /// By old value: the chain that ends there.
    chains: HashMap<ValueId, Chain>,
}

impl Pass<'_> {
    /// Adds the node, or what it becomes; says whether it became another.
    fn add(&mut self, index: usize, node: &Node) -> Result<bool, GraphError> {
        let operands: Vec<ValueId> = node.operands.iter().map(|&id| self.leaf(id)).collect();
        if let Some(y) = self.absorbed(node, &operands) {
            self.values.insert(node.results[0], y);
            return Ok(true);
        }
        let results = self.to.emit(node.op.clone(), &operands)?;
        self.values.extend(node.results.iter().copied().zip(results));
        if self.may_begin(node) {
            self.chains.entry(node.results[0]).or_insert(Chain { first: index, map: Affine::default() });
        }
        Ok(false)
    }

    /// The result of an affine node whose scale has gone into the node before it. An op that fails stays as it is: what
    /// it was written as is right.
    fn absorbed(&mut self, node: &Node, operands: &[ValueId]) -> Option<ValueId> {
        let [result] = node.results[..] else { return None };
        let chain = *self.chains.get(node.operands.first()?)?;
        if !self.others_are_fixed(node) {
            return None;
        }
        let map = node.op.affine(&mut self.to, operands, chain.map).ok()??;
        if self.readers[result.index()] == 1 {
            self.chains.insert(result, Chain { map, ..chain });
        }
        map.scale?;
        let graph = self.graph;
        let first = &graph.nodes()[chain.first];
        let operands: Vec<ValueId> = first.operands.iter().map(|&id| self.leaf(id)).collect();
        let y = first.op.with_affine(&mut self.to, &operands, map).ok()??;
        (self.to.ty(y) == graph.ty(result)).then_some(y)
    }

    /// Whether affine ops after the node can move into it.
    fn may_begin(&self, node: &Node) -> bool {
        node.results.len() == 1 && self.readers[node.results[0].index()] == 1 && self.others_are_fixed(node)
    }

    /// Whether all that the node reads but operand 0 stays the same.
    fn others_are_fixed(&self, node: &Node) -> bool {
        let mut others = node.operands.iter().enumerate().skip(1);
        others.all(|(place, id)| self.fixed[id.index()] || !node.op.reads(place))
    }

    /// The new value of one that is no node's result, or was seen before.
    fn leaf(&mut self, id: ValueId) -> ValueId {
        if let Some(&new) = self.values.get(&id) {
            return new;
        }
        let new = match self.graph.origin(id) {
            Origin::Constant(tensor) => self.to.constant(tensor.clone()),
            Origin::Variable(variable) => self.to.variable(variable),
            origin @ (Origin::Input(_) | Origin::Node { .. }) => {
                unreachable!("{origin:?} was added before its readers")
            }
        };
        self.values.insert(id, new);
        new
    }
}
