//! The largest element of each window over images with a border of zeros: [`max_pool2d`](crate::max_pool2d) of what
//! [`pad`](crate::pad) makes of `x`, without the padded images.
//!
//! `y[n, i, j, c] = max over p, q of b[n, i * strides[0] + p, j * strides[1] + q, c]`, where `b` is `x` `[N, H, W, C]` with as
//! many zeros around as the padding says, and `y` `[N, H', W', C]`. NaN wins.
//!
//! Derivative: that of the two ops one after the other.

use crate::max_pool2d_gradient::MaxPool2dGradient;
use crate::pad::Pad;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::window::Padding;
use crate::shared::{Pooling, step, to_json};
use ferrograph_graph::{Graph, GraphError, Op, Operand, Plan, Reference, Sample, TensorType, ValueId};
use ferrograph_kernels::pooling;
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BorderedMaxPool2d {
    /// Pool size, strides and, as padding, the border: explicit amounts.
    pub pooling: Pooling,
}

impl BorderedMaxPool2d {
    /// The two ops it stands for. The error completes "expected ...".
    fn parts(&self) -> Result<(Pad, Pooling), String> {
        let Padding::Explicit([rows, columns]) = self.pooling.padding else {
            return Err(format!("a border of explicit amounts, not {}", self.pooling.padding));
        };
        let pad = Pad { padding: vec![[0, 0], rows, columns, [0, 0]], value: 0.0 };
        Ok((pad, Pooling { padding: Padding::Valid, ..self.pooling }))
    }
}

impl Op for BorderedMaxPool2d {
    fn name(&self) -> &'static str {
        "bordered_max_pool2d"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x] = exactly(operands)?;
        self.parts()?;
        Ok(vec![self.pooling.output("x", x)?])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.pooling.shape(self.name(), &operands[0])?;
        Ok(step(move |mut context| {
            pooling::bordered_max_forward(&shape, context.inputs.f32(0), context.outputs.f32(0));
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
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None]) };
        let refused = |e: String| GraphError::Run { op: self.name(), message: format!("expected {e}") };
        let (pad, pooling) = self.parts().map_err(refused)?;
        let bordered = graph.apply(pad.clone(), operands)?;
        let gradient = graph.apply(MaxPool2dGradient { pooling }, &[bordered, results[0], dy])?;
        pad.vjp(graph, operands, &[bordered], &[Some(gradient)])
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let (pad, pooling) = self.parts().unwrap_or_else(|e| unreachable!("expected {e}"));
        let bordered = pad
            .infer(&[TensorType::known(operands[0].dtype, &operands[0].shape)])
            .unwrap_or_else(|e| unreachable!("expected {e}"));
        let bordered = &pad.reference(operands, &bordered)[0];
        let y = pooling.winners(bordered).iter().map(|winner| bordered.at(winner)).collect();
        vec![Reference::new(results[0].dtype, &results[0].extents(), y)]
    }
}

impl Registered for BorderedMaxPool2d {
    fn samples() -> Vec<Sample> {
        let samples = [
            (Pooling::new([3, 3], [2, 2], Padding::Explicit([[1, 1], [1, 1]])), [2, 4, 6, 3]),
            (Pooling::new([3, 3], [2, 1], Padding::Explicit([[1, 2], [2, 0]])), [2, 4, 3, 2]),
            (Pooling::new([2, 2], [2, 2], Padding::Explicit([[0, 1], [0, 0]])), [1, 3, 4, 70]),
            (Pooling::new([2, 2], [1, 1], Padding::Explicit([[0, 0], [0, 0]])), [1, 3, 3, 2]),
            (Pooling::new([2, 2], [1, 1], Padding::Explicit([[1, 1], [0, 0]])), [0, 3, 3, 2]),
        ];
        let sample = |(pooling, x): (Pooling, [usize; 4])| Sample::new(Self { pooling }, [Operand::distinct(&x)]);
        samples.into_iter().map(|sampled| sample(sampled).tolerance(0.0)).collect()
    }
}
