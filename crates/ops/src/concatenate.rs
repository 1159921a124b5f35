//! The operands one after another along an axis; their other extents are equal.
//! `[.., n1, ..], [.., n2, ..], .. -> [.., n1 + n2 + .., ..]`
//!
//! Derivative: each operand gets its part of `dy` (`split_like`).

use crate::Registered;
use crate::shared::{axes, entries, operands, step, to_json};
use crate::split_like::SplitLike;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::copy;
use ferrograph_tensor::{DType, element_count};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Tensors put end to end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Concatenate {
    /// The axis.
    pub axis: i64,
}

impl Op for Concatenate {
    fn name(&self) -> &'static str {
        "concatenate"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let Some(first) = operands.first() else { return Err("at least 1 operand".to_owned()) };
        let axis = axes::check_axis(self.axis, first.rank())?;
        let (mut shape, mut total) = (first.shape.clone(), Some(0usize));
        for operand in operands {
            operands::same_dtype(first, operand)?;
            operands::rank("operands", operand, first.rank())?;
            for (at, (extent, own)) in shape.iter_mut().zip(&operand.shape).enumerate() {
                if at == axis {
                    total = match (total, own) {
                        (Some(a), Some(b)) => Some(a.checked_add(*b).ok_or("a total extent that fits in memory")?),
                        _ => None,
                    };
                } else if extent.is_none() {
                    *extent = *own;
                } else if own.is_some() && extent != own {
                    return Err(format!("extents that differ on axis {axis} only"));
                }
            }
        }
        shape[axis] = total;
        Ok(vec![TensorType::new(first.dtype, shape)])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        if operands.len() == 1 {
            return Ok(Plan::Alias);
        }
        let axis = axes::resolved_axis(self.axis, operands[0].rank());
        let width = |ty: &TensorType| element_count(&ty.extents()[axis..]);
        let widths: Vec<usize> = operands.iter().map(width).collect::<Result<_, _>>()?;
        let dtype = operands[0].dtype;
        Ok(step(move |mut c| {
            match dtype {
                DType::Float32 => join(&widths, |i| c.inputs.f32(i), c.outputs.f32(0)),
                DType::Int32 => join(&widths, |i| c.inputs.i32(i), c.outputs.i32(0)),
                DType::Bool | DType::Uint8 => join(&widths, |i| c.inputs.u8(i), c.outputs.u8(0)),
            }
            Ok(())
        }))
    }

    fn keeps_entries_apart(&self, _: usize, batched: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axis(self.axis, operands) && !batched.contains(&false)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; operands.len()]) };
        let parts = graph.emit(Arc::new(SplitLike { axis: self.axis }), &[&[dy], operands].concat())?;
        Ok(parts.into_iter().map(Some).collect())
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let axis = axes::resolved_axis(self.axis, operands[0].shape.len());
        vec![Reference::from_fn(operands[0].dtype, &results[0].extents(), |index| {
            let mut own = index.to_vec();
            for x in operands {
                if own[axis] < x.shape[axis] {
                    return x.at(&own);
                }
                own[axis] -= x.shape[axis];
            }
            unreachable!("the extents add up")
        })]
    }
}

impl Registered for Concatenate {
    fn samples() -> Vec<Sample> {
        let samples: [(i64, &[&[usize]]); 6] = [
            (0, &[&[2, 3], &[1, 3]]),
            (-1, &[&[2, 3], &[2, 1], &[2, 2]]),
            (1, &[&[2, 1, 2], &[2, 2, 2]]),
            (0, &[&[2]]),
            (0, &[&[2], &[0], &[1]]),
            (1, &[&[2, 1], &[2, 1]]),
        ];
        let mut samples: Vec<Sample> =
            samples.map(|(axis, xs)| Sample::new(Self { axis }, xs.iter().map(|x| Operand::normal(x)))).into();
        let integers = [Operand::integers(&[2], 0, 9), Operand::integers(&[3], 0, 9)];
        samples.push(Sample::new(Self { axis: 0 }, integers).not_differentiable());
        samples.push(
            Sample::new(Self { axis: 0 }, [Operand::booleans(&[2]), Operand::booleans(&[3])]).not_differentiable(),
        );
        samples
    }
}

/// Puts rows of the operands, `widths` elements each, one after another.
fn join<'a, T: Copy + Send + Sync + 'a>(widths: &[usize], operand: impl Fn(usize) -> &'a [T], y: &mut [T]) {
    let parts: Vec<(&[T], usize)> = widths.iter().enumerate().map(|(i, &width)| (operand(i), width)).collect();
    copy::concatenate(&parts, y);
}
