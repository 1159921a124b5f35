//! How many elements there are along a set of axes, as a float32. `[*S] -> [] f32`
//!
//! The operand is used for its shape only. No derivative.

use crate::Registered;
use crate::shared::{axes, operands, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::{DType, element_count};
use serde::{Deserialize, Serialize};

/// A number of elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Size {
    /// Axes to count; `null` is all.
    #[serde(default)]
    pub axes: Option<Vec<i64>>,
}

impl Op for Size {
    fn name(&self) -> &'static str {
        "size"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        axes::check_axes(self.axes.as_deref(), x.rank())?;
        Ok(vec![TensorType::known(DType::Float32, &[])])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (extents, counted) = (operands[0].extents(), axes::resolved_axes(self.axes.as_deref(), operands[0].rank()));
        let extents: Vec<usize> =
            extents.into_iter().zip(counted).filter_map(|(n, counted)| counted.then_some(n)).collect();
        let count = element_count(&extents)? as f32;
        Ok(step(move |mut c| {
            c.outputs.f32(0)[0] = count;
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
        let counted = axes::resolved_axes(self.axes.as_deref(), x.shape.len());
        let count: usize = x.shape.iter().zip(counted).filter(|(_, counted)| *counted).map(|(n, _)| n).product();
        vec![Reference::new(DType::Float32, &[], vec![count as f64])]
    }

    fn reads(&self, _index: usize) -> bool {
        false
    }
}

impl Registered for Size {
    fn samples() -> Vec<Sample> {
        [None, Some(vec![]), Some(vec![0, -1])]
            .map(|axes| Sample::new(Self { axes }, [Operand::normal(&[2, 3, 5])]).not_differentiable())
            .into()
    }
}
