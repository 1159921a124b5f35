//! `a + b`, element by element with NumPy broadcasting. `[*A] f32, [*B] f32 -> [*broadcast(A, B)] f32`, also int32,
//! which wraps
//!
//! Derivative: `da = dy`, `db = dy`, summed over what was broadcast.

use crate::Registered;
use crate::shared::{NUMERIC, affine, binary, elementwise, to_json};
use ferrograph_graph::{Affine, Graph, GraphError, Op, Operand, Plan, Reference, Sample, Simple, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The sum of two tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Add {}

impl Op for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        binary::infer(operands, NUMERIC)
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match results[0].dtype {
            DType::Int32 => elementwise::zip(i32::wrapping_add),
            _ => elementwise::simple(Simple::Add, elementwise::zip(|a: f32, b: f32| a + b)),
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        binary::vjp(graph, operands, gradients, |_, dy| Ok([dy, dy]))
    }

    fn affine(&self, graph: &mut Graph, operands: &[ValueId], before: Affine) -> Result<Option<Affine>, GraphError> {
        if !affine::is_along_last(graph, operands[0], operands[1]) {
            return Ok(None);
        }
        affine::then(graph, before, None, Some(operands[1])).map(Some)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        binary::reference(operands, results, |a, b| a + b)
    }
}

impl Registered for Add {
    fn samples() -> Vec<Sample> {
        let shapes: [[&[usize]; 2]; 4] = [[&[2, 3], &[2, 3]], [&[2, 3], &[3]], [&[2, 1], &[1, 3]], [&[], &[1, 2]]];
        let mut samples = shapes.map(|[a, b]| Sample::new(Self {}, [Operand::normal(a), Operand::normal(b)])).to_vec();
        samples.extend([Sample::new(
            Self {},
            [
                Operand::values(DType::Int32, &[2], [f64::from(i32::MAX), 2.0]),
                Operand::values(DType::Int32, &[2], [1.0, -7.0]),
            ],
        )
        .not_differentiable()]);
        samples
    }
}
