//! `log_softmax(x) = x - max - log(sum(exp(x - max)))` along one axis. `[*S] f32 -> [*S] f32`
//!
//! NaN along the axis, an infinity or nothing but `-inf` make NaN.
//!
//! Derivative: `dx = dy - exp(y) * sum(dy)`, the sum along the axis.

use crate::Registered;
use crate::exp::Exp;
use crate::multiply::Multiply;
use crate::shared::{attributes, axes, entries, step, to_json, unary};
use crate::subtract::Subtract;
use crate::sum::Sum;
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::softmax::log_softmax;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// The logarithm of softmax, which loses nothing where softmax is tiny.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogSoftmax {
    /// The axis.
    #[serde(default = "attributes::last_axis")]
    pub axis: i64,
}

impl Op for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        axes::check_axis(self.axis, unary::infer_float(operands)?[0].rank())?;
        Ok(vec![operands[0].clone()])
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let x = &operands[0];
        let split = axes::split_at(&x.extents(), axes::resolved_axis(self.axis, x.rank()))?;
        Ok(step(move |mut c| {
            log_softmax(c.inputs.f32(0), split.extent, split.inner, c.outputs.f32(0));
            Ok(())
        }))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], operands: &[TensorType]) -> bool {
        entries::beside_axis(self.axis, operands)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        _operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        unary::vjp(gradients, |dy| {
            let sum = graph.apply(Sum { axes: Some(vec![self.axis]), keepdims: true }, &[dy])?;
            let exp = graph.apply(Exp {}, &[results[0]])?;
            let share = graph.apply(Multiply {}, &[exp, sum])?;
            graph.apply(Subtract {}, &[dy, share])
        })
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        let axis = axes::resolved_axis(self.axis, x.shape.len());
        vec![Reference::from_fn(x.dtype, &x.shape, |index| {
            let along = |i: usize| {
                let mut index = index.to_vec();
                index[axis] = i;
                x.at(&index)
            };
            let max = (0..x.shape[axis]).map(along).fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = (0..x.shape[axis]).map(|i| (along(i) - max).exp()).sum();
            x.at(index) - max - sum.ln()
        })]
    }
}

impl Registered for LogSoftmax {
    fn samples() -> Vec<Sample> {
        let mut samples: Vec<Sample> =
            [(-1, vec![3, 5]), (0, vec![3, 5]), (1, vec![2, 3, 4]), (-1, vec![2, 40]), (0, vec![1])]
                .map(|(axis, shape)| Sample::new(Self { axis }, [Operand::normal(&shape)]))
                .into();
        let large =
            Operand::values(DType::Float32, &[2, 3], [1e4, 0.0, -1e4, f64::NEG_INFINITY, 0.0, f64::NEG_INFINITY]);
        samples.push(Sample::new(Self { axis: 1 }, [large]).not_differentiable());
        let empty = [Operand::normal(&[2, 0]), Operand::normal(&[0, 2])];
        samples.extend(empty.map(|x| Sample::new(Self { axis: 1 }, [x]).not_differentiable()));
        samples
    }
}
