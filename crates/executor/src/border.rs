//! Borders of zeros move into the windows that slide over them.
//!
//! A border costs as much as reading and writing the whole image; a convolution that knows of it reads zeros instead. Only
//! where nobody else reads the image with its border: otherwise it is made anyway.

use crate::readers::readers;
use crate::simplify::simplify;
use ferrograph_graph::{Graph, GraphError, Node, Op, Origin, ValueId};
use std::collections::HashMap;
use std::sync::Arc;

/// A graph with the same inputs that computes the same `wanted` values, and these values; `None` where nothing moves.
pub(crate) fn move_borders(graph: &Graph, wanted: &[ValueId]) -> Result<Option<(Graph, Vec<ValueId>)>, GraphError> {
    let readers = readers(graph, wanted);
    // By node: what takes its place, and the value that its operand 0 becomes.
    let moves: HashMap<usize, (Arc<dyn Op>, ValueId)> = graph
        .nodes()
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((index, within(graph, node, &readers)?)))
        .collect();
    if moves.is_empty() {
        return Ok(None);
    }
    let mut to = Graph::new();
    let mut values = HashMap::new();
    for &id in graph.inputs() {
        values.insert(id, to.input(graph.ty(id).clone()));
    }
    for (index, node) in graph.nodes().iter().enumerate() {
        let mut operands = node.operands.clone();
        let mut op = &node.op;
        if let Some((better, x)) = moves.get(&index) {
            (op, operands[0]) = (better, *x);
        }
        let operands: Vec<ValueId> = operands.iter().map(|&id| leaf(graph, &mut to, &mut values, id)).collect();
        let results = to.emit(op.clone(), &operands)?;
        values.extend(node.results.iter().copied().zip(results));
    }
    let wanted: Vec<ValueId> = wanted.iter().map(|&id| leaf(graph, &mut to, &mut values, id)).collect();
    simplify(&to, &wanted, &HashMap::new()).map(Some)
}

/// The op that computes the node from what has no border yet, and that value, if the node alone reads the border.
fn within(graph: &Graph, node: &Node, readers: &[usize]) -> Option<(Arc<dyn Op>, ValueId)> {
    let padded = *node.operands.first()?;
    let Origin::Node { node: producer, .. } = *graph.origin(padded) else { return None };
    if readers[padded.index()] != 1 {
        return None;
    }
    let producer = &graph.nodes()[producer];
    let better = node.op.with_border(producer.op.border()?)?;
    let x = producer.operands[0];
    // What the op says of itself holds if the shape rule agrees.
    let operands = [x].into_iter().chain(node.operands[1..].iter().copied());
    let types: Vec<_> = operands.map(|id| graph.ty(id).clone()).collect();
    let same = better.infer(&types).is_ok_and(|types| {
        types.len() == node.results.len() && types.iter().zip(&node.results).all(|(ty, &id)| ty == graph.ty(id))
    });
    same.then_some((better, x))
}

/// The new value of one that is no node's result, or was seen before.
fn leaf(graph: &Graph, to: &mut Graph, values: &mut HashMap<ValueId, ValueId>, id: ValueId) -> ValueId {
    *values.entry(id).or_insert_with(|| match graph.origin(id) {
        Origin::Constant(tensor) => to.constant(tensor.clone()),
        Origin::Variable(variable) => to.variable(variable),
        origin @ (Origin::Input(_) | Origin::Node { .. }) => unreachable!("{origin:?} was added before its readers"),
    })
}
