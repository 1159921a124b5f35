//! One extent of the operand, as an int32. `[*S] -> [] i32`
//!
//! The operand is used for its shape only. No derivative.

use crate::Registered;
use crate::shared::{axes, operands, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// An extent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Extent {
    /// The axis.
    pub axis: i64,
}

impl Op for Extent {
    fn name(&self) -> &'static str {
        "extent"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        axes::check_axis(self.axis, x.rank())?;
        Ok(vec![TensorType::known(DType::Int32, &[])])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let extent = operands[0].extents()[axes::resolved_axis(self.axis, operands[0].rank())];
        let extent = i32::try_from(extent).map_err(|_| GraphError::Run {
            op: "extent",
            message: format!("expected an extent that an int32 can hold, received {extent}"),
        })?;
        Ok(step(move |mut c| {
            c.outputs.i32(0)[0] = extent;
            Ok(())
        }))
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
        let x = &operands[0];
        let extent = x.shape[axes::resolved_axis(self.axis, x.shape.len())];
        vec![Reference::new(DType::Int32, &[], vec![extent as f64])]
    }

    fn reads(&self, _index: usize) -> bool {
        false
    }
}

impl Registered for Extent {
    fn samples() -> Vec<Sample> {
        [0, -1].map(|axis| Sample::new(Self { axis }, [Operand::normal(&[2, 3])]).not_differentiable()).into()
    }
}
