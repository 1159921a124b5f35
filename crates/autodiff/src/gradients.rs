//! The walk from the loss back to the variables.

use crate::Vocabulary;
use crate::between::{depends_on, nodes_before};
use ferrograph_graph::{Graph, GraphError, ValueId};
use ferrograph_tensor::DType;

/// Adds the nodes that compute the gradient of `loss` with respect to each of `wrt`, and returns their values; `None`
/// where none flows, which is a gradient of zero.
///
/// `loss` is float32 of shape `[]`. Only nodes between `wrt` and `loss` are differentiated, so an op without a
/// derivative is an error only where a gradient would have to pass through it.
pub fn gradients(
    graph: &mut Graph,
    vocabulary: &Vocabulary,
    loss: ValueId,
    wrt: &[ValueId],
) -> Result<Vec<Option<ValueId>>, GraphError> {
    let loss_type = graph.try_type(loss)?;
    if loss_type.dtype != DType::Float32 || loss_type.rank() != 0 {
        return Err(GraphError::NotScalar(loss_type.clone()));
    }
    for &id in wrt {
        graph.try_type(id)?;
    }
    let depends = depends_on(graph, wrt);
    // By value index; what the walk itself adds to the graph is never looked up here.
    let mut gradient: Vec<Option<ValueId>> = vec![None; graph.value_count()];
    if depends[loss.index()] {
        gradient[loss.index()] = Some(graph.scalar(1.0)?);
    }
    for index in nodes_before(graph, loss) {
        let node = graph.nodes()[index].clone();
        let of_results: Vec<Option<ValueId>> = node.results.iter().map(|id| gradient[id.index()]).collect();
        let wanted = node.operands.iter().any(|id| depends[id.index()]);
        if !wanted || of_results.iter().all(Option::is_none) {
            continue;
        }
        let of_operands = node.op.vjp(graph, &node.operands, &node.results, &of_results)?;
        for (operand, new) in node.operands.iter().zip(of_operands) {
            let Some(new) = new.filter(|_| depends[operand.index()]) else { continue };
            let sum = match gradient[operand.index()] {
                Some(sum) => graph.emit((vocabulary.add)(), &[sum, new])?[0],
                None => new,
            };
            gradient[operand.index()] = Some(sum);
        }
    }
    Ok(wrt.iter().map(|id| gradient[id.index()]).collect())
}
