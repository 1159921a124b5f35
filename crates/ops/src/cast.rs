//! The elements in another dtype. `[*S] -> [*S] dtype`
//!
//! float32 to int32 and to uint8 goes toward zero, ends at the limits of the type and makes NaN 0, as XLA does on CPU;
//! int32 to uint8 wraps; anything to bool is whether it is not 0 (NaN is not); bool to a number is 0 or 1.
//!
//! Derivative: `dx = dy` from float32 to float32, otherwise none.

use crate::Registered;
use crate::shared::{attributes, elementwise, operands, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A change of dtype.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cast {
    /// The dtype of the result.
    #[serde(with = "attributes::dtype")]
    pub dtype: DType,
}

impl Op for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        Ok(vec![TensorType::new(self.dtype, x.shape.iter().copied())])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        use DType::{Bool, Float32, Int32, Uint8};
        Ok(match (operands[0].dtype, self.dtype) {
            (Float32, Float32) | (Int32, Int32) | (Bool, Bool) | (Uint8, Uint8) => Plan::Alias,
            (Float32, Int32) => elementwise::map(|x: f32| x as i32),
            (Float32, Uint8) => elementwise::map(|x: f32| x as u8),
            (Float32, Bool) => elementwise::map(|x: f32| u8::from(x != 0.0)),
            (Int32, Float32) => elementwise::map(|x: i32| x as f32),
            (Int32, Uint8) => elementwise::map(|x: i32| x as u8),
            (Int32, Bool) => elementwise::map(|x: i32| u8::from(x != 0)),
            (Bool | Uint8, Float32) => elementwise::map(|x: u8| f32::from(x)),
            (Bool | Uint8, Int32) => elementwise::map(|x: u8| i32::from(x)),
            (Uint8, Bool) => elementwise::map(|x: u8| u8::from(x != 0)),
            (Bool, Uint8) => elementwise::map(|x: u8| x),
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let float = |id| graph.ty(id).dtype == DType::Float32;
        Ok(vec![gradients[0].filter(|_| float(operands[0]) && float(results[0]))])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        let convert = |v: f64| match (x.dtype, self.dtype) {
            (_, DType::Float32) => v,
            (_, DType::Bool) => f64::from(u8::from(v != 0.0)),
            (DType::Int32, DType::Uint8) => v.rem_euclid(256.0),
            _ if v.is_nan() => 0.0,
            (_, DType::Uint8) => v.trunc().clamp(0.0, 255.0),
            (_, DType::Int32) => v.trunc().clamp(f64::from(i32::MIN), f64::from(i32::MAX)),
        };
        vec![Reference::new(self.dtype, &x.shape, x.data.iter().map(|&v| convert(v)).collect())]
    }
}

impl Registered for Cast {
    fn samples() -> Vec<Sample> {
        let floats = [1.9, -1.9, 300.0, 3e9, -3e9, 0.0, -0.25, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let operands = [
            Operand::values(DType::Float32, &[2, 5], floats),
            Operand::values(DType::Int32, &[4], [300.0, -1.0, 0.0, 7.0]),
            Operand::booleans(&[4]),
            Operand::values(DType::Uint8, &[3], [0.0, 1.0, 255.0]),
        ];
        let dtypes = [DType::Float32, DType::Int32, DType::Bool, DType::Uint8];
        let all = operands.iter().flat_map(|x| dtypes.map(|dtype| Sample::new(Self { dtype }, [x.clone()])));
        let mut samples: Vec<Sample> = all.map(Sample::not_differentiable).collect();
        samples.push(Sample::new(Self { dtype: DType::Float32 }, [Operand::normal(&[3])]));
        samples
    }
}
