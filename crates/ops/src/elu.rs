//! `elu(x) = x` where `x > 0`, else `alpha * (exp(x) - 1)`. `[*S] f32 -> [*S] f32`
//!
//! Derivative: `dx = dy` where `x > 0`, else `dy * (y + alpha)`; so alpha at 0, as in JAX.

use crate::Registered;
use crate::add::Add;
use crate::greater::Greater;
use crate::multiply::Multiply;
use crate::shared::{attributes, elementwise, to_json, unary};
use crate::r#where::Where;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::elementwise as kernel;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The exponential linear unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Elu {
    /// What large negative elements come down to, negated.
    #[serde(default = "attributes::one")]
    pub alpha: f64,
}

impl Op for Elu {
    fn name(&self) -> &'static str {
        "elu"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        unary::infer_float(operands)
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let elu = kernel::Elu { alpha: self.alpha as f32 };
        Ok(elementwise::slices(move |x, y| kernel::activate(elu, x, y)))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let (zero, alpha) = (graph.scalar(0.0)?, graph.scalar(self.alpha as f32)?);
            let positive = graph.apply(Greater {}, &[operands[0], zero])?;
            let slope = graph.apply(Add {}, &[results[0], alpha])?;
            let negative = graph.apply(Multiply {}, &[dy, slope])?;
            graph.apply(Where {}, &[positive, dy, negative])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        unary::reference(operands, |x| if x > 0.0 { x } else { self.alpha * x.exp_m1() })
    }
}

impl Registered for Elu {
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(Self { alpha: 1.0 }, [Operand::normal(&[2, 3])]),
            Sample::new(Self { alpha: 0.3 }, [Operand::normal(&[5])]),
            Sample::new(Self { alpha: 2.0 }, [Operand::values(DType::Float32, &[4], [-100.0, 0.0, 1e30, f64::NAN])])
                .not_differentiable(),
        ]
    }
}
