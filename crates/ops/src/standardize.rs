//! Mean 0 and variance 1 along the last axis: `z = (x - mean) * r` with `r = 1 / sqrt(variance + epsilon)` and the biased
//! variance. `[*S, n] f32 -> [*S, n] f32, [*S, 1] f32` for z and r
//!
//! Derivative: `dx = r * (dz - mean(dz) - z * mean(dz * z)) - dr * r^2 * z / n`, means along the axis.

use crate::Registered;
use crate::divide::Divide;
use crate::multiply::Multiply;
use crate::negative::Negative;
use crate::shared::{operands, step, to_json};
use crate::size::Size;
use crate::standardize_gradient::StandardizeGradient;
use crate::subtract::Subtract;
use ferrograph_graph::{Extent, Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::standardize::standardize;
use ferrograph_tensor::{DType, ViewMut};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Standardize {
    /// Added to the variance; not negative.
    pub epsilon: f64,
}

/// The shape of one number for each row of `x`.
pub(crate) fn of_rows(x: &TensorType) -> Result<Vec<Extent>, String> {
    let mut shape = x.shape.clone();
    let Some(last) = shape.last_mut() else { return Err("rank 1 or more".to_owned()) };
    *last = Some(1);
    Ok(shape)
}

impl Op for Standardize {
    fn name(&self) -> &'static str {
        "standardize"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = operands::exactly(operands)?;
        operands::dtype("an operand", x, &[DType::Float32])?;
        if x.shape.last() == Some(&Some(0)) {
            return Err("at least one element along the last axis".to_owned());
        }
        Ok(vec![x.clone(), TensorType::new(DType::Float32, of_rows(x)?)])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (n, epsilon) = (operands[0].extents().last().copied().unwrap_or(1), self.epsilon);
        Ok(step(move |mut c| {
            let [z, r] = c.outputs.views([0, 1]).map(ViewMut::f32);
            standardize(c.inputs.f32(0), n, epsilon, z, r);
            Ok(())
        }))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        operands[0].rank() > 1
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let (z, r) = (results[0], results[1]);
        let of_z = gradients[0].map(|dz| graph.apply(StandardizeGradient {}, &[z, r, dz])).transpose()?;
        let Some(dr) = gradients[1] else { return Ok(vec![of_z]) };
        let square = graph.apply(Multiply {}, &[r, r])?;
        let slope = graph.apply(Multiply {}, &[dr, square])?;
        let count = graph.apply(Size { axes: Some(vec![-1]) }, &[z])?;
        let slope = graph.apply(Divide {}, &[slope, count])?;
        let of_r = graph.apply(Multiply {}, &[slope, z])?;
        let dx = match of_z {
            Some(of_z) => graph.apply(Subtract {}, &[of_z, of_r])?,
            None => graph.apply(Negative {}, &[of_r])?,
        };
        Ok(vec![Some(dx)])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        let n = x.shape.last().copied().unwrap_or(1);
        let (mut z, mut r) = (Vec::new(), Vec::new());
        for row in x.data.chunks(n) {
            let mean = row.iter().sum::<f64>() / n as f64;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            r.push(1.0 / (variance + self.epsilon).sqrt());
            z.extend(row.iter().map(|x| (x - mean) / (variance + self.epsilon).sqrt()));
        }
        vec![Reference::new(DType::Float32, &x.shape, z), Reference::new(DType::Float32, &results[1].extents(), r)]
    }
}

/// Shapes that between them reach every case.
pub(crate) fn shapes() -> [&'static [usize]; 6] {
    [&[2, 3], &[4], &[2, 3, 70], &[3, 1], &[0, 3], &[1, 16]]
}

impl Registered for Standardize {
    fn samples() -> Vec<Sample> {
        let sample = |shape: &[usize]| Sample::new(Self { epsilon: 1e-2 }, [Operand::normal(shape)]);
        shapes().map(sample).into()
    }
}
