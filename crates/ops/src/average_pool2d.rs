//! The mean of each window, channel by channel.
//!
//! `y[n, i, j, c] = mean over p, q of x[n, i * strides[0] + p - top, j * strides[1] + q - left, c]`, where `x` is
//! `[N, H, W, C]` and `y` `[N, H', W', C]`. Cells of the padding are neither summed nor counted, as in Keras.
//!
//! Derivative: linear; each cell of a window gets `dy / count`.

use crate::average_pool2d_gradient::AveragePool2dGradient;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::{Pooling, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::pooling;
use ferrograph_tensor::DType;
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AveragePool2d {
    /// Pool size, strides and padding.
    pub pooling: Pooling,
}

impl Op for AveragePool2d {
    fn name(&self) -> &'static str {
        "average_pool2d"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = exactly(operands)?;
        Ok(vec![self.pooling.output("x", x)?])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.pooling.shape(self.name(), &operands[0])?;
        Ok(step(move |mut context| {
            pooling::average_forward(&shape, context.inputs.f32(0), context.outputs.f32(0));
            Ok(())
        }))
    }

    fn keeps_entries_apart(&self, _: usize, _: &[bool], _: &[TensorType]) -> bool {
        true
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None]) };
        let gradient = AveragePool2dGradient { pooling: self.pooling };
        Ok(vec![Some(graph.apply(gradient, &[dy, operands[0]])?)])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let x = &operands[0];
        let mean = |cells: &Vec<[usize; 4]>| cells.iter().map(|cell| x.at(cell)).sum::<f64>() / cells.len() as f64;
        let y = self.pooling.windows(x).iter().map(mean).collect();
        vec![Reference::new(DType::Float32, &results[0].extents(), y)]
    }
}

impl Registered for AveragePool2d {
    fn samples() -> Vec<Sample> {
        let samples = Pooling::samples().into_iter();
        samples.map(|(pooling, x)| Sample::new(Self { pooling }, [Operand::normal(&x)])).collect()
    }
}
