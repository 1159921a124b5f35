//! The operand's bytes under another shape.

use ferrograph_graph::{Graph, GraphError, Op, Plan, Reference, TensorType, ValueId};

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
        let count = operands[0].dims().map(|dims| dims.iter().product());
        Ok(vec![TensorType::new(operands[0].dtype, [count])])
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
