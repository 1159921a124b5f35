//! x itself, without a gradient. `[*S] -> [*S]`

use crate::Registered;
use crate::shared::{operands, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use serde::{Deserialize, Serialize};

/// An end of differentiation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopGradient {}

impl Op for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        Ok(vec![x.clone()])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Alias)
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(vec![None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        vec![operands[0].clone()]
    }
}

impl Registered for StopGradient {
    fn samples() -> Vec<Sample> {
        vec![Sample::new(Self {}, [Operand::normal(&[2, 3])]).not_differentiable()]
    }
}
