//! Which values lie between the variables and the loss.

use ferrograph_graph::{Graph, Origin, TensorType, ValueId};
use ferrograph_tensor::DType;

/// For each value of the graph, whether it is float32 and depends on one of `wrt`.
///
/// A step through another type ends the dependence: no gradient flows through integers or booleans.
pub(crate) fn depends_on(graph: &Graph, wrt: &[ValueId]) -> Vec<bool> {
    let mut depends = vec![false; graph.value_count()];
    for id in wrt {
        depends[id.index()] = is_real(graph.ty(*id));
    }
    for node in graph.nodes() {
        if node.operands.iter().any(|id| depends[id.index()]) {
            for id in &node.results {
                depends[id.index()] |= is_real(graph.ty(*id));
            }
        }
    }
    depends
}

/// The nodes that `loss` needs, last first.
pub(crate) fn nodes_before(graph: &Graph, loss: ValueId) -> Vec<usize> {
    let mut needed = vec![false; graph.value_count()];
    needed[loss.index()] = true;
    let Origin::Node { node: last, .. } = *graph.origin(loss) else { return Vec::new() };
    let mut nodes = Vec::new();
    for index in (0..=last).rev() {
        let node = &graph.nodes()[index];
        if node.results.iter().any(|id| needed[id.index()]) {
            nodes.push(index);
            for id in &node.operands {
                needed[id.index()] = true;
            }
        }
    }
    nodes
}

fn is_real(ty: &TensorType) -> bool {
    ty.dtype == DType::Float32
}
