//! One number everywhere. `[*S] -> [*shape] dtype`
//!
//! The operand, `like`, is used for its shape only: `null` in `shape` is its extent on the axis of the same index. The
//! number is converted as a cast from float32 does. No derivative.

use crate::Registered;
use crate::shared::dims::Dims;
use crate::shared::{attributes, copying, dims, operands, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A constant tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fill {
    /// The number; infinities and NaN are written as the words `"Infinity"`, `"-Infinity"` and `"NaN"`.
    #[serde(with = "attributes::number")]
    pub value: f64,
    /// The dtype of the result.
    #[serde(with = "attributes::dtype")]
    pub dtype: DType,
    /// The shape.
    pub shape: Dims,
}

impl Op for Fill {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [like] = operands::exactly(operands)?;
        Ok(vec![TensorType::new(self.dtype, dims::shape_like(&self.shape, &like.shape)?)])
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (value, boolean) = (self.value, self.dtype == DType::Bool);
        Ok(step(move |mut c| {
            copying::fill(c.outputs.view(0), value, boolean);
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

    fn reference(&self, _operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let value = match self.dtype {
            DType::Float32 => self.value,
            DType::Bool => f64::from(u8::from(self.value != 0.0)),
            DType::Int32 => self.value.trunc(),
            DType::Uint8 => self.value.trunc().clamp(0.0, 255.0),
        };
        vec![Reference::from_fn(self.dtype, &results[0].extents(), |_| value)]
    }

    fn reads(&self, _index: usize) -> bool {
        false
    }
}

impl Registered for Fill {
    fn samples() -> Vec<Sample> {
        [
            (0.5, DType::Float32),
            (f64::NEG_INFINITY, DType::Float32),
            (-3.7, DType::Int32),
            (2.0, DType::Bool),
            (300.0, DType::Uint8),
        ]
        .map(|(value, dtype)| {
            let op = Self { value, dtype, shape: vec![None, Some(2)] };
            Sample::new(op, [Operand::normal(&[3])]).not_differentiable()
        })
        .into()
    }
}
