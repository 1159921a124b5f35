//! The gradient of [`max_pool2d`](crate::max_pool2d) with respect to its input.
//!
//! `dx[n, h, w, c]` = sum of `dy` over the windows in which `x[n, h, w, c]` is the first element equal to the maximum `y`.
//! `x` and `dx` are `[N, H, W, C]`, `y` and `dy` `[N, H', W', C]`.
//!
//! Derivative: linear in `dy`, so the gradient of `dy` reads what comes in at the same winners
//! ([`max_pool2d_gather`](crate::max_pool2d_gather)); none flows to `x` and `y`, which only choose.

use crate::max_pool2d_gather::MaxPool2dGather;
use crate::registry::Registered;
use crate::shared::operands::exactly;
use crate::shared::{Pooling, to_json};
use ferrograph_graph::{
    Epilogue, Graph, GraphError, Op, Operand, Plan, Reference, RunContext, Sample, Step, TensorType, ValueId,
    WithEpilogue,
};
use ferrograph_kernels::pooling::{self, PoolShape};
use ferrograph_tensor::{DType, element_count, strides};
use serde::{Deserialize, Serialize};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaxPool2dGradient {
    /// Pool size, strides and padding.
    pub pooling: Pooling,
}

impl Op for MaxPool2dGradient {
    fn name(&self) -> &'static str {
        "max_pool2d_gradient"
    }

    fn attributes(&self) -> String {
        to_json(self)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        let [x, y, dy] = exactly(operands)?;
        self.pooling.check_output(x, "y", y)?;
        self.pooling.check_output(x, "dy", dy)?;
        Ok(vec![x.clone()])
    }

    fn plan(&self, operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        let shape = self.pooling.shape(self.name(), &operands[0])?;
        Ok(Plan::Step(Box::new(Winners { shape })))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(incoming) = gradients[0] else { return Ok(vec![None; 3]) };
        let gather = MaxPool2dGather { pooling: self.pooling };
        Ok(vec![None, None, Some(graph.apply(gather, &[operands[0], operands[1], incoming])?)])
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        let [x, _, dy] = operands else { unreachable!("the shape rule counts operands") };
        let mut dx = vec![0.0; x.data.len()];
        for (winner, dy) in self.pooling.winners(x).iter().zip(&dy.data) {
            let offset: usize = winner.iter().zip(strides(&x.shape)).map(|(index, stride)| index * stride).sum();
            dx[offset] += dy;
        }
        vec![Reference::new(DType::Float32, &x.shape, dx)]
    }
}

#[derive(Debug)]
struct Winners {
    shape: PoolShape,
}

impl Step for Winners {
    fn run(&self, context: RunContext<'_>) -> Result<(), GraphError> {
        self.run_with_epilogue(context, &|_, _| ())
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        Some(self)
    }
}

impl WithEpilogue for Winners {
    fn run_with_epilogue(&self, mut context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        let [x, y, dy] = [0, 1, 2].map(|i| context.inputs.f32(i));
        pooling::max_gradient_then(&self.shape, x, y, dy, context.outputs.f32(0), epilogue);
        Ok(())
    }
}

impl Registered for MaxPool2dGradient {
    fn samples() -> Vec<Sample> {
        let samples = samples_with_maximum().into_iter();
        samples
            .map(|(pooling, x, y)| {
                let dy = Operand::normal(&y.shape);
                Sample::new(Self { pooling }, [x, y, dy])
            })
            .collect()
    }
}

/// Attributes with an `x` and the `y` that pooling makes of it.
pub(crate) fn samples_with_maximum() -> Vec<(Pooling, Operand, Operand)> {
    let with_maximum = |(pooling, shape): (Pooling, [usize; 4])| {
        let count = element_count(&shape).unwrap_or_default();
        // Different eighths in scrambled order: the prime 7919 divides none of the counts.
        let x: Vec<f64> = (0..count).map(|i| (i * 7919 % count) as f64 * 0.125).collect();
        let x = Reference::new(DType::Float32, &shape, x);
        let y: Vec<f64> = pooling.winners(&x).iter().map(|winner| x.at(winner)).collect();
        let output = pooling.output("x", &TensorType::known(DType::Float32, &shape)).map(|y| y.extents());
        let y = Operand::values(DType::Float32, &output.unwrap_or_default(), y);
        (pooling, Operand::values(DType::Float32, &shape, x.data), y)
    };
    Pooling::samples().into_iter().map(with_maximum).collect()
}
