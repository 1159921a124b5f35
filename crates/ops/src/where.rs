//! `x` where the condition is true, else `y`, element by element with NumPy broadcasting.
//! `[*C] bool, [*X], [*Y] -> [*broadcast(C, X, Y)]`, x and y of one dtype
//!
//! Derivative: `dx = dy` where the condition is true, else 0; the other operand gets the rest; summed over what was
//! broadcast.

use crate::Registered;
use crate::shared::{broadcast, elementwise, operands, to_json, unbroadcast};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A choice between two tensors, element by element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Where {}

impl Op for Where {
    fn name(&self) -> &'static str {
        "where"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [condition, x, y] = operands::exactly(operands)?;
        operands::dtype("a condition", condition, &[DType::Bool])?;
        if x.dtype != y.dtype {
            return Err("values of one dtype".to_owned());
        }
        let shape = broadcast(&condition.shape, &broadcast(&x.shape, &y.shape)?)?;
        Ok(vec![TensorType::new(x.dtype, shape)])
    }

    fn plan(&self, _: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(match results[0].dtype {
            DType::Float32 => elementwise::zip3(|c: u8, x: f32, y: f32| if c != 0 { x } else { y }),
            DType::Int32 => elementwise::zip3(|c: u8, x: i32, y: i32| if c != 0 { x } else { y }),
            DType::Bool | DType::Uint8 => elementwise::zip3(|c: u8, x: u8, y: u8| if c != 0 { x } else { y }),
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; 3]) };
        let [condition, x, y] = [operands[0], operands[1], operands[2]];
        let zero = graph.scalar(0.0)?;
        let to_x = graph.apply(Self {}, &[condition, dy, zero])?;
        let to_y = graph.apply(Self {}, &[condition, zero, dy])?;
        Ok(vec![None, Some(unbroadcast(graph, to_x, x)?), Some(unbroadcast(graph, to_y, y)?)])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let [condition, x, y] = [&operands[0], &operands[1], &operands[2]];
        vec![Reference::from_fn(x.dtype, &results[0].extents(), |index| {
            if condition.at_broadcast(index) == 0.0 { y.at_broadcast(index) } else { x.at_broadcast(index) }
        })]
    }
}

impl Registered for Where {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self {}, [Operand::booleans(&[2, 3]), Operand::normal(&[2, 3]), Operand::normal(&[2, 3])]),
            Sample::new(Self {}, [Operand::booleans(&[2, 1]), Operand::normal(&[3]), Operand::normal(&[])]),
            Sample::new(
                Self {},
                [Operand::booleans(&[4]), Operand::integers(&[4], 0, 9), Operand::integers(&[], 0, 9)],
            )
            .not_differentiable(),
            Sample::new(Self {}, [Operand::booleans(&[4]), Operand::booleans(&[4]), Operand::booleans(&[4])])
                .not_differentiable(),
        ]
    }
}
