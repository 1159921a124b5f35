//! x summed over what makes its shape larger than that of `like`: the inverse of broadcasting. `[*S], [*T] -> [*T]`,
//! f32 or int32
//!
//! Derivative: `dx` is `dy`, broadcast back.

use crate::Registered;
use crate::broadcast_like::BroadcastLike;
use crate::shared::{NUMERIC, check_broadcasts_to, operands, reduction, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId, indices};
use ferrograph_kernels::reduce::{SumF32, SumI32};
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// A sum down to the shape of another tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SumLike {}

impl Op for SumLike {
    fn name(&self) -> &'static str {
        "sum_like"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, like] = operands::exactly(operands)?;
        operands::dtype("an operand", x, NUMERIC)?;
        check_broadcasts_to(&like.shape, &x.shape)
            .map_err(|_| "a second operand that broadcasts to the first".to_owned())?;
        Ok(vec![TensorType::new(x.dtype, like.shape.iter().copied())])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (x, like) = (operands[0].extents(), operands[1].extents());
        let missing = x.len() - like.len();
        let reduced: Vec<bool> = (0..x.len()).map(|axis| axis < missing || x[axis] != like[axis - missing]).collect();
        let groups = reduction::groups(&x, &reduced)?;
        Ok(match operands[0].dtype {
            DType::Int32 => reduction::plan(SumI32, groups),
            _ => reduction::plan(SumF32, groups),
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None, None]) };
        Ok(vec![Some(graph.apply(BroadcastLike {}, &[dy, operands[0]])?), None])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, like] = [&operands[0], &operands[1]];
        let mut sums = Reference::from_fn(x.dtype, &like.shape, |_| 0.0);
        for index in indices(&x.shape) {
            let skipped = x.shape.len() - like.shape.len();
            let own = index[skipped..].iter().zip(&like.shape).map(|(&i, &n)| if n == 1 { 0 } else { i });
            let place = own.zip(&like.shape).fold(0, |place, (i, n)| place * n + i);
            sums.data[place] += x.at(&index);
        }
        vec![sums]
    }

    fn reads(&self, index: usize) -> bool {
        index != 1
    }
}

impl Registered for SumLike {
    fn samples() -> Vec<Sample> {
        let samples: [[&[usize]; 2]; 6] = [
            [&[2, 3], &[3]],
            [&[2, 3], &[2, 1]],
            [&[4], &[]],
            [&[2, 3], &[2, 3]],
            [&[3, 2, 4], &[1, 2, 1]],
            [&[1, 3], &[3]],
        ];
        let mut samples: Vec<Sample> =
            samples.map(|[x, like]| Sample::new(Self {}, [Operand::normal(x), Operand::normal(like)])).into();
        let integers = [Operand::integers(&[3, 4], -9, 9), Operand::normal(&[4])];
        samples.push(Sample::new(Self {}, integers).not_differentiable());
        samples.push(Sample::new(Self {}, [Operand::normal(&[0, 3]), Operand::normal(&[3])]).not_differentiable());
        samples
    }
}
