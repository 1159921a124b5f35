//! The operand's bytes under another shape.

use ferrograph_graph::{Graph, GraphError, Op, Plan, Reference, TensorType, ValueId};
use ferrograph_tensor::element_count;

/// All elements along one axis.
#[derive(Clone, Debug)]
pub struct Rename {}

impl Op for Rename {
    fn name(&self) -> &'static str {
        "rename"
    }

    fn attributes(&self) -> String {
        "{}".into()
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands else { return Err("one operand".into()) };
        let count = x.dims().map(|dims| element_count(&dims).map_err(|e| e.to_string())).transpose()?;
        Ok(vec![TensorType::new(x.dtype, [count])])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Alias)
    }

    fn vjp(
        &self,
        _: &mut Graph,
        _: &[ValueId],
        _: &[ValueId],
        _: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Err(GraphError::NotDifferentiable { op: "rename" })
    }

    fn reference(&self, operands: &[Reference], _: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        vec![Reference::new(x.dtype, &[x.data.len()], x.data.clone())]
    }
}
