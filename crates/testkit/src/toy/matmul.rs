//! The product of two matrices, with a prepared second operand: its transpose.

use ferrograph_graph::{
    Epilogue, Graph, GraphError, Op, Plan, Preparation, Reference, RunContext, Step, TensorType, ValueId, WithEpilogue,
};
use ferrograph_tensor::{DType, View};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// x [M, K] times w [K, N]. Counts how often w was prepared.
#[derive(Clone, Debug, Default)]
pub struct MatMul {
    /// Preparations that all plans of this op have made.
    pub prepared: Arc<AtomicUsize>,
    /// Whether the step applies an epilogue: two rows at a time, the last first.
    pub with_epilogue: bool,
}

impl Op for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn attributes(&self) -> String {
        format!("{{\"withEpilogue\":{}}}", self.with_epilogue)
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        match operands {
            [x, w] if x.rank() == 2 && w.rank() == 2 && [x, w].iter().all(|ty| ty.dtype == DType::Float32) => {
                if x.shape[1].is_some() && w.shape[0].is_some() && x.shape[1] != w.shape[0] {
                    return Err("extents that agree".into());
                }
                Ok(vec![TensorType::new(x.dtype, [x.shape[0], w.shape[1]])])
            }
            _ => Err("two matrices".into()),
        }
    }

    fn plan(&self, operands: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        let (k, n) = (operands[1].extents()[0], operands[1].extents()[1]);
        let wanted = [Preparation { operand: 1, len: k * n }];
        Ok(Plan::Step(Box::new(MatMulStep { k, n, wanted, op: self.clone() })))
    }

    fn vjp(
        &self,
        _: &mut Graph,
        _: &[ValueId],
        _: &[ValueId],
        _: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Err(GraphError::NotDifferentiable { op: "matmul" })
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let (x, w) = (&operands[0], &operands[1]);
        let sum = |index: &[usize]| (0..w.shape[0]).map(|k| x.at(&[index[0], k]) * w.at(&[k, index[1]])).sum();
        vec![Reference::from_fn(results[0].dtype, &results[0].extents(), sum)]
    }
}

#[derive(Debug)]
struct MatMulStep {
    k: usize,
    n: usize,
    wanted: [Preparation; 1],
    op: MatMul,
}

impl WithEpilogue for MatMulStep {
    fn run_with_epilogue(&self, mut context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError> {
        let (x, transposed) = (context.inputs.f32(0), context.prepared.f32(0));
        let y = context.outputs.f32(0);
        self.multiply(x, transposed, y);
        if y.is_empty() {
            return Ok(());
        }
        for (index, part) in y.chunks_mut(2 * self.n).enumerate().rev() {
            epilogue(index * 2 * self.n, part);
        }
        Ok(())
    }
}

impl MatMulStep {
    fn multiply(&self, x: &[f32], transposed: &[f32], y: &mut [f32]) {
        for (at, y) in y.iter_mut().enumerate() {
            let (row, column) = (at / self.n, at % self.n);
            let (x, w) = (&x[row * self.k..][..self.k], &transposed[column * self.k..][..self.k]);
            *y = x.iter().zip(w).map(|(x, w)| x * w).sum();
        }
    }
}

impl Step for MatMulStep {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        self.multiply(context.inputs.f32(0), context.prepared.f32(0), context.outputs.f32(0));
        Ok(())
    }

    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        self.op.with_epilogue.then_some(self)
    }

    fn preparations(&self) -> &[Preparation] {
        &self.wanted
    }

    fn preparation_key(&self, _: usize) -> Option<String> {
        Some(format!("transpose of {} x {}", self.k, self.n))
    }

    fn prepare(&self, _: usize, operand: View<'_>, prepared: &mut [f32]) {
        self.op.prepared.fetch_add(1, Ordering::Relaxed);
        for (at, w) in operand.f32().iter().enumerate() {
            prepared[at % self.n * self.k + at / self.n] = *w;
        }
    }
}
