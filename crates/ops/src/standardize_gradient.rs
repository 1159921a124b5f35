//! The gradient of [`standardize`](crate::standardize) from that of its `z`: `dx = r * (g - mean(g) - z * mean(g * z))`, means
//! along the last axis. `[*S, n] f32, [*S, 1] f32, [*S, n] f32 -> [*S, n] f32` for z, r and g
//!
//! Derivative: with `u` for the gradient of dx, `dg` is this op of u in the place of g, because the map is symmetric;
//! `dz = -r * (u * mean(g * z) + g * mean(u * z))`, `dr = sum(u * dx / r)`.

use crate::Registered;
use crate::add::Add;
use crate::divide::Divide;
use crate::mean::Mean;
use crate::multiply::Multiply;
use crate::negative::Negative;
use crate::shared::window::may_agree;
use crate::shared::{operands, step, to_json};
use crate::standardize::{of_rows, shapes};
use crate::sum::Sum;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::standardize::standardize_gradient;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StandardizeGradient {}

impl Op for StandardizeGradient {
    fn name(&self) -> &'static str {
        "standardize_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [z, r, g] = operands::exactly(operands)?;
        for (what, operand) in [("z", z), ("r", r), ("g", g)] {
            operands::dtype(what, operand, &[DType::Float32])?;
        }
        if !may_agree(&z.shape, &g.shape) || !may_agree(&of_rows(z)?, &r.shape) {
            return Err("g of the shape of z, and r with 1 for the last extent".to_owned());
        }
        if z.shape.last() == Some(&Some(0)) {
            return Err("at least one element along the last axis".to_owned());
        }
        Ok(vec![z.clone()])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let n = operands[0].extents().last().copied().unwrap_or(1);
        Ok(step(move |mut c| {
            let [z, r, g] = [0, 1, 2].map(|i| c.inputs.f32(i));
            standardize_gradient(z, r, g, n, c.outputs.f32(0));
            Ok(())
        }))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(u) = gradients[0] else { return Ok(vec![None; 3]) };
        let [z, r, g] = [operands[0], operands[1], operands[2]];
        let dg = graph.apply(Self {}, &[z, r, u])?;
        let share = |graph: &mut Graph, of: ValueId, by: ValueId| {
            let product = graph.apply(Multiply {}, &[of, z])?;
            let mean = graph.apply(Mean { axes: Some(vec![-1]), keepdims: true }, &[product])?;
            graph.apply(Multiply {}, &[by, mean])
        };
        let (of_g, of_u) = (share(graph, g, u)?, share(graph, u, g)?);
        let both = graph.apply(Add {}, &[of_g, of_u])?;
        let dz = graph.apply(Multiply {}, &[r, both])?;
        let dz = graph.apply(Negative {}, &[dz])?;
        let product = graph.apply(Multiply {}, &[u, results[0]])?;
        let dr = graph.apply(Sum { axes: Some(vec![-1]), keepdims: true }, &[product])?;
        let dr = graph.apply(Divide {}, &[dr, r])?;
        Ok(vec![Some(dz), Some(dr), Some(dg)])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [z, r, g] = operands else { unreachable!("the shape rule counts operands") };
        let n = z.shape.last().copied().unwrap_or(1);
        let mut dx = Vec::new();
        for ((z, g), r) in z.data.chunks(n).zip(g.data.chunks(n)).zip(&r.data) {
            let mean = g.iter().sum::<f64>() / n as f64;
            let slope = g.iter().zip(z).map(|(g, z)| g * z).sum::<f64>() / n as f64;
            dx.extend(g.iter().zip(z).map(|(g, z)| r * (g - mean - z * slope)));
        }
        vec![Reference::new(DType::Float32, &z.shape, dx)]
    }
}

impl Registered for StandardizeGradient {
    fn samples() -> Vec<Sample> {
        let sample = |shape: &[usize]| {
            let mut rows = shape.to_vec();
            rows[shape.len() - 1] = 1;
            let operands = [Operand::normal(shape), Operand::uniform(&rows, 0.5, 2.0), Operand::normal(shape)];
            Sample::new(Self {}, operands)
        };
        shapes().map(sample).into()
    }
}
