//! The shape rules once more, now that the extents of the inputs are known.

use ferrograph_graph::{Graph, GraphError, Origin, TensorType};
use ferrograph_tensor::byte_size;

/// The type of every value when the inputs have these shapes. Every extent is known and every size fits in memory.
pub(crate) fn bind(graph: &Graph, inputs: &[&[usize]]) -> Result<Vec<TensorType>, GraphError> {
    let mut types = Vec::with_capacity(graph.value_count());
    for index in 0..graph.value_count() {
        let id = graph.value(index)?;
        let mut ty = graph.ty(id).clone();
        if let Origin::Input(n) = graph.origin(id) {
            ty.shape = inputs[*n].iter().map(|&extent| Some(extent)).collect();
            byte_size(ty.dtype, inputs[*n])?;
        }
        types.push(ty);
    }
    for node in graph.nodes() {
        let operands: Vec<TensorType> = node.operands.iter().map(|id| types[id.index()].clone()).collect();
        let op = node.op.name();
        let results = node.op.infer(&operands).map_err(|expected| GraphError::Operands {
            op,
            expected,
            received: operands.clone(),
        })?;
        for (id, ty) in node.results.iter().zip(results) {
            let Some(extents) = ty.dims() else {
                let message = format!("expected a shape rule that knows every extent of the result, received {ty}");
                return Err(GraphError::Run { op, message });
            };
            byte_size(ty.dtype, &extents)?;
            types[id.index()] = ty;
        }
    }
    Ok(types)
}
