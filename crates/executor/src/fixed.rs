//! Which values stay the same from run to run.

use ferrograph_graph::{Graph, Origin, ValueId, Variable};
use std::sync::Arc;

/// By value: whether it follows from constants and from variables other than `updated`, which a program itself changes.
pub(crate) fn fixed(graph: &Graph, updated: &[(Arc<Variable>, ValueId)]) -> Vec<bool> {
    let mut fixed: Vec<bool> = (0..graph.value_count())
        .map(|index| {
            graph.value(index).is_ok_and(|id| match graph.origin(id) {
                Origin::Constant(_) => true,
                Origin::Variable(variable) => updated.iter().all(|(other, _)| other.id() != variable.id()),
                Origin::Input(_) | Origin::Node { .. } => false,
            })
        })
        .collect();
    for node in graph.nodes() {
        let follows = node.operands.iter().all(|id| fixed[id.index()]);
        for id in &node.results {
            fixed[id.index()] = follows;
        }
    }
    fixed
}
