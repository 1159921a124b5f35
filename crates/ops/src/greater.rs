//! `a > b`, element by element with NumPy broadcasting. False where one is NaN.
//! `[*A], [*B] -> [*broadcast(A, B)] bool`, both of one dtype
//!
//! No derivative.

use crate::Registered;
use crate::shared::{binary, elementwise, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// Whether `a > b`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Greater {}

impl Op for Greater {
    fn name(&self) -> &'static str {
        "greater"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer_comparison(operands)
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match operands[0].dtype {
            DType::Float32 => elementwise::zip(|a: f32, b: f32| u8::from(a > b)),
            DType::Int32 => elementwise::zip(|a: i32, b: i32| u8::from(a > b)),
            DType::Bool | DType::Uint8 => elementwise::zip(|a: u8, b: u8| u8::from(a > b)),
        })
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        _gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(vec![None, None])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        binary::reference_comparison(operands, results, f64::gt)
    }
}

impl Registered for Greater {
    fn samples() -> Vec<Sample> {
        [
            [Operand::integers(&[2, 3], 0, 2), Operand::integers(&[3], 0, 2)],
            [Operand::integers(&[2, 1], -1, 1), Operand::integers(&[], -1, 1)],
            [Operand::booleans(&[4]), Operand::booleans(&[4])],
            [
                Operand::values(DType::Float32, &[4], [1.0, 2.0, f64::NAN, 0.0]),
                Operand::values(DType::Float32, &[4], [1.0, 3.0, 0.0, -0.0]),
            ],
        ]
        .map(|operands| Sample::new(Self {}, operands).not_differentiable())
        .into()
    }
}
