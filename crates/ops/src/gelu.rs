//! `gelu(x) = x / 2 * (1 + erf(x / sqrt(2)))`, the share of a normal distribution below x, times x.
//! `[*S] f32 -> [*S] f32`
//!
//! With `approximate` it is `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`.
//!
//! Derivative: `dx = dy * (P(x) + x * p(x))` with the normal distribution P and its density p, or that of the
//! approximation.

use crate::Registered;
use crate::add::Add;
use crate::erf::Erf;
use crate::exp::Exp;
use crate::multiply::Multiply;
use crate::shared::{elementwise, to_json, unary};
use crate::square::Square;
use crate::subtract::Subtract;
use crate::tanh::Tanh;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::elementwise as kernel;
use serde::{Deserialize, Serialize};

/// The Gaussian error linear unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gelu {
    /// Whether to use the hyperbolic tangent in place of the error function.
    #[serde(default)]
    pub approximate: bool,
}

impl Op for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(if self.approximate {
            elementwise::slices(|x, y| kernel::activate(kernel::GeluTanh, x, y))
        } else {
            elementwise::slices(|x, y| kernel::activate(kernel::Gelu, x, y))
        })
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None]) };
        let (x, half, one) = (operands[0], graph.scalar(0.5)?, graph.scalar(1.0)?);
        let square = graph.apply(Square {}, &[x])?;
        let (bounded, density) = if self.approximate {
            // t = tanh(u), p = (1 - t^2) / 2 * du/dx
            let (scale, cubic) = (graph.scalar(SQRT_2_OVER_PI)?, graph.scalar(CUBIC)?);
            let cubed = graph.apply(Multiply {}, &[square, cubic])?;
            let factor = graph.apply(Add {}, &[one, cubed])?;
            let scaled = graph.apply(Multiply {}, &[x, scale])?;
            let u = graph.apply(Multiply {}, &[scaled, factor])?;
            let t = graph.apply(Tanh {}, &[u])?;
            let three = graph.scalar(3.0)?;
            let growth = graph.apply(Multiply {}, &[cubed, three])?;
            let growth = graph.apply(Add {}, &[one, growth])?;
            let growth = graph.apply(Multiply {}, &[growth, scale])?;
            let t_square = graph.apply(Square {}, &[t])?;
            let slope = graph.apply(Subtract {}, &[one, t_square])?;
            let slope = graph.apply(Multiply {}, &[slope, half])?;
            (t, graph.apply(Multiply {}, &[slope, growth])?)
        } else {
            // p = exp(-x^2 / 2) / sqrt(2 pi)
            let (root, minus_half) = (graph.scalar(std::f32::consts::FRAC_1_SQRT_2)?, graph.scalar(-0.5)?);
            let norm = graph.scalar(FRAC_1_SQRT_2_PI)?;
            let scaled = graph.apply(Multiply {}, &[x, root])?;
            let erf = graph.apply(Erf {}, &[scaled])?;
            let exponent = graph.apply(Multiply {}, &[square, minus_half])?;
            let bell = graph.apply(Exp {}, &[exponent])?;
            (erf, graph.apply(Multiply {}, &[bell, norm])?)
        };
        let share = graph.apply(Add {}, &[bounded, one])?;
        let share = graph.apply(Multiply {}, &[share, half])?;
        let moved = graph.apply(Multiply {}, &[x, density])?;
        let slope = graph.apply(Add {}, &[share, moved])?;
        Ok(vec![Some(graph.apply(Multiply {}, &[dy, slope])?)])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| {
            let t = if self.approximate {
                ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh()
            } else {
                unary::erf(x / 2f64.sqrt())
            };
            x / 2.0 * (1.0 + t)
        })
    }
}

impl Registered for Gelu {
    fn samples() -> Vec<Sample> {
        [false, true]
            .into_iter()
            .flat_map(|approximate| {
                [Operand::normal(&[2, 3]), Operand::uniform(&[7], -6.0, 6.0)]
                    .map(|x| Sample::new(Self { approximate }, [x]))
            })
            .collect()
    }
}

/// sqrt(2 / pi)
const SQRT_2_OVER_PI: f32 = 0.797_884_6;
/// The factor of the cubic term of the approximation.
const CUBIC: f32 = 0.044_715;
/// 1 / sqrt(2 pi)
const FRAC_1_SQRT_2_PI: f32 = 0.398_942_3;
