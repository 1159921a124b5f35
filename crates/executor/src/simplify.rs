//! Passes over the graph before any shape is known: what nobody needs goes, what is computed twice is computed once, and
//! what is known already becomes a constant.

use crate::arenas::Arenas;
use crate::layout::Source;
use crate::plan::Plan;
use crate::run::run;
use ferrograph_graph::{Graph, GraphError, Node, Origin, TensorType, ValueId, Variable};
use ferrograph_tensor::{DType, Tensor, byte_size};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes that operands and results of a node may have to be computed now.
const MOST_FOLDED: usize = 1 << 20;
/// The same for what is kept with each plan: more takes a run less time to make than to fetch.
const MOST_FOLDED_FOR_SHAPES: usize = 1 << 16;
/// Bytes up to which equal constants become one.
const MOST_COMPARED: usize = 64;

/// A graph with the same inputs that computes the same `wanted` values, and these values. The values in `replaced` become
/// those of variables.
pub(crate) fn simplify(
    graph: &Graph,
    wanted: &[ValueId],
    replaced: &HashMap<ValueId, Arc<Variable>>,
) -> Result<(Graph, Vec<ValueId>), GraphError> {
    let inputs = graph.inputs().iter().map(|&id| graph.ty(id).clone());
    Pass::new(MOST_FOLDED).run(graph, inputs, wanted, replaced)
}

/// The same for inputs of these shapes, with what follows from the shapes alone as constants; `None` if there is nothing
/// of that kind.
pub(crate) fn simplify_for_shapes(
    graph: &Graph,
    wanted: &[ValueId],
    shapes: &[&[usize]],
) -> Result<Option<(Graph, Vec<ValueId>)>, GraphError> {
    let is_constant = |id: &ValueId| matches!(graph.origin(*id), Origin::Constant(_));
    let asks_for_shapes = |node: &Node| {
        let mut operands = node.operands.iter().enumerate();
        operands.all(|(place, id)| is_constant(id) || !node.op.reads(place))
    };
    if !graph.nodes().iter().any(asks_for_shapes) {
        return Ok(None);
    }
    let inputs = graph.inputs().iter().zip(shapes).map(|(&id, shape)| TensorType::known(graph.ty(id).dtype, shape));
    Pass::new(MOST_FOLDED_FOR_SHAPES).run(graph, inputs, wanted, &HashMap::new()).map(Some)
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
    /// Bytes that operands and results of a node may have to be computed now.
    most_folded: usize,
    /// Old value to new.
    values: HashMap<ValueId, ValueId>,
    nodes: HashMap<NodeKey, Vec<ValueId>>,
    constants: HashMap<ConstantKey, ValueId>,
}

impl Pass {
    fn new(most_folded: usize) -> Self {
        let (values, nodes, constants) = Default::default();
        Self { to: Graph::new(), most_folded, values, nodes, constants }
    }

    fn run(
        mut self,
        graph: &Graph,
        inputs: impl Iterator<Item = TensorType>,
        wanted: &[ValueId],
        replaced: &HashMap<ValueId, Arc<Variable>>,
    ) -> Result<(Graph, Vec<ValueId>), GraphError> {
        for (&id, ty) in graph.inputs().iter().zip(inputs) {
            let input = self.to.input(ty);
            self.values.insert(id, input);
        }
        for (&id, variable) in replaced {
            let value = self.to.variable(variable);
            self.values.insert(id, value);
        }
        let needed = needed(graph, wanted, replaced);
        for node in graph.nodes().iter().filter(|node| node.results.iter().any(|id| needed[id.index()])) {
            self.add(graph, node)?;
        }
        let wanted = wanted.iter().map(|&id| self.leaf(graph, id)).collect();
        Ok((self.to, wanted))
    }

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
            bytes <= self.most_folded
        };
        let (mut all, mut unread) = (Vec::new(), Vec::new());
        for (place, &id) in operands.iter().enumerate() {
            let ty = self.to.ty(id);
            let shape = ty.dims()?;
            all.push(match self.to.origin(id) {
                Origin::Constant(tensor) if size(ty.dtype, &shape) => alone.constant(tensor.clone()),
                // Only its shape is used, and that is known.
                _ if !node.op.reads(place) => {
                    unread.push(shape);
                    alone.input(ty.clone())
                }
                _ => return None,
            });
        }
        let results = alone.emit(node.op.clone(), &all).ok()?;
        if !results.iter().all(|&id| alone.ty(id).dims().is_some_and(|shape| size(alone.ty(id).dtype, &shape))) {
            return None;
        }
        let shapes: Vec<&[usize]> = unread.iter().map(Vec::as_slice).collect();
        let plan = Plan::new(&alone, &results, &[], &shapes).ok()?;
        // An alias reads its operand, whatever its op says.
        if plan.shared.iter().any(|source| matches!(source, Source::Input(_))) {
            return None;
        }
        run(&plan, &[], &[], &[] as &[Tensor], &Arenas::default(), None).ok()
    }
}
