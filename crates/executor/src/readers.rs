//! Who needs a value.

use ferrograph_graph::{Graph, ValueId};

/// By value: how often nodes read it, or the caller wants it.
pub(crate) fn readers(graph: &Graph, wanted: &[ValueId]) -> Vec<usize> {
    let mut readers = vec![0; graph.value_count()];
    for id in graph.nodes().iter().flat_map(|node| &node.operands).chain(wanted) {
        readers[id.index()] += 1;
    }
    readers
}
