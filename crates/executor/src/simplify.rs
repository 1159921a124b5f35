//! Passes over the graph before any shape is known: what nobody needs goes, what is computed twice is computed once, and
//! what is known already becomes a constant.

use crate::arenas::Arenas;
use crate::plan::Plan;
use crate::run::run;
use ferrograph_graph::{Graph, GraphError, Node, Origin, ValueId, Variable};
use ferrograph_tensor::{DType, Tensor, byte_size};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes that operands and results of a node may have to be computed now.
const MOST_FOLDED: usize = 1 << 20;
/// Bytes up to which equal constants become one.
const MOST_COMPARED: usize = 64;

/// A graph with the same inputs that computes the same `wanted` values, and these values. The values in `replaced` become
/// those of variables.
pub(crate) fn simplify(
    graph: &Graph,
    wanted: &[ValueId],
    replaced: &HashMap<ValueId, Arc<Variable>>,
) -> Result<(Graph, Vec<ValueId>), GraphError> {
    let needed = needed(graph, wanted, replaced);
    let mut pass = Pass { to: Graph::new(), values: HashMap::new(), nodes: HashMap::new(), constants: HashMap::new() };
    for &id in graph.inputs() {
        let input = pass.to.input(graph.ty(id).clone());
        pass.values.insert(id, input);
    }
    for (&id, variable) in replaced {
        let value = pass.to.variable(variable);
        pass.values.insert(id, value);
    }
    for node in graph.nodes().iter().filter(|node| node.results.iter().any(|id| needed[id.index()])) {
        pass.add(graph, node)?;
    }
    let wanted = wanted.iter().map(|&id| pass.leaf(graph, id)).collect();
    Ok((pass.to, wanted))
}

/// By value: whether `wanted` depends on it, be it only on its shape. What is `replaced` depends on nothing.
pub(crate) fn needed(graph: &Graph, wanted: &[ValueId], replaced: &HashMap<ValueId, Arc<Variable>>) -> Vec<bool> {
    let mut needed = vec![false; graph.value_count()];
    let need = |needed: &mut Vec<bool>, id: &ValueId| needed[id.index()] |= !replaced.contains_key(id);
    for id in wanted {
        need(&mut needed, id);
    }
    for node in graph.nodes().iter().rev() {
        if node.results.iter().any(|id| needed[id.index()]) {
            for id in &node.operands {
                need(&mut needed, id);
            }
        }
    }
    needed
}

type NodeKey = (&'static str, String, Vec<ValueId>);
type ConstantKey = (DType, Vec<usize>, Vec<u8>);

struct Pass {
    to: Graph,
    /// Old value to new.
    values: HashMap<ValueId, ValueId>,
    nodes: HashMap<NodeKey, Vec<ValueId>>,
    constants: HashMap<ConstantKey, ValueId>,
}

impl Pass {
    fn add(&mut self, graph: &Graph, node: &Node) -> Result<(), GraphError> {
        let operands: Vec<ValueId> = node.operands.iter().map(|&id| self.leaf(graph, id)).collect();
        // Every op is pure, the random ones too: their state is an operand.
        let key = (node.op.name(), node.op.attributes(), operands.clone());
        let results = match self.nodes.get(&key) {
            Some(results) => results.clone(),
            None => match self.fold(node, &operands) {
                Some(constants) => constants.into_iter().map(|tensor| self.constant(tensor)).collect(),
                None => self.to.emit(node.op.clone(), &operands)?,
            },
        };
        for (&id, &new) in node.results.iter().zip(&results) {
            self.values.entry(id).or_insert(new);
        }
        self.nodes.insert(key, results);
        Ok(())
    }

    /// The new value of one that is no node's result, or was seen before.
    fn leaf(&mut self, graph: &Graph, id: ValueId) -> ValueId {
        if let Some(&new) = self.values.get(&id) {
            return new;
        }
        let new = match graph.origin(id) {
            Origin::Constant(tensor) => self.constant(tensor.clone()),
            Origin::Variable(variable) => self.to.variable(variable),
            origin @ (Origin::Input(_) | Origin::Node { .. }) => {
                unreachable!("{origin:?} was added before its readers")
            }
        };
        self.values.insert(id, new);
        new
    }

    fn constant(&mut self, tensor: Tensor) -> ValueId {
        if tensor.byte_len() > MOST_COMPARED {
            return self.to.constant(tensor);
        }
        let key = (tensor.dtype(), tensor.shape().to_vec(), tensor.buffer().bytes().to_vec());
        let to = &mut self.to;
        *self.constants.entry(key).or_insert_with(|| to.constant(tensor))
    }

    /// The results of a node that reads nothing but constants. An op that fails is left for the run to report.
    fn fold(&self, node: &Node, operands: &[ValueId]) -> Option<Vec<Tensor>> {
        let mut alone = Graph::new();
        let mut bytes: usize = 0;
        let mut size = |dtype, shape: &[usize]| {
            bytes = bytes.saturating_add(byte_size(dtype, shape).unwrap_or(usize::MAX));
            bytes <= MOST_FOLDED
        };
        let mut inputs = Vec::new();
        for (place, &id) in operands.iter().enumerate() {
            let ty = self.to.ty(id);
            let shape = ty.dims()?;
            if !size(ty.dtype, &shape) {
                return None;
            }
            inputs.push(match self.to.origin(id) {
                Origin::Constant(tensor) => alone.constant(tensor.clone()),
                // Only its shape is used, and that is known.
                _ if !node.op.reads(place) => alone.constant(Tensor::zeros(ty.dtype, &shape).ok()?),
                _ => return None,
            });
        }
        let results = alone.emit(node.op.clone(), &inputs).ok()?;
        if !results.iter().all(|&id| alone.ty(id).dims().is_some_and(|shape| size(alone.ty(id).dtype, &shape))) {
            return None;
        }
        let plan = Plan::new(&alone, &results, &[], &[]).ok()?;
        run(&plan, &[], &[], &[] as &[Tensor], &Arenas::default(), None).ok()
    }
}
