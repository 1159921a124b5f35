//! An op whose run fails or waits, to see what a failed run leaves behind.

use ferrograph_graph::{Graph, GraphError, Op, Plan, Reference, RunContext, Step, TensorType, ValueId};
use ferrograph_tensor::View;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Gives its operand back, but fails if it has a negative element; sets a flag when it runs.
#[derive(Clone, Debug, Default)]
pub struct Refuse {
    /// Set by every run.
    pub flag: Arc<AtomicBool>,
}

impl Op for Refuse {
    fn name(&self) -> &'static str {
        "refuse"
    }

    fn attributes(&self) -> String {
        "{}".into()
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        if operands.len() == 1 { Ok(operands.to_vec()) } else { Err("one operand".into()) }
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Step(Box::new(self.clone())))
    }

    fn vjp(
        &self,
        _: &mut Graph,
        _: &[ValueId],
        _: &[ValueId],
        _: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Err(GraphError::NotDifferentiable { op: "refuse" })
    }

    fn reference(&self, operands: &[Reference], _: &[TensorType]) -> Vec<Reference> {
        operands.to_vec()
    }
}

impl Step for Refuse {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        self.flag.store(true, Ordering::Relaxed);
        self.check(context.inputs.view(0))?;
        context.outputs.f32(0).copy_from_slice(context.inputs.f32(0));
        Ok(())
    }

    fn doubted(&self) -> Option<usize> {
        Some(0)
    }

    fn check(&self, operand: View<'_>) -> Result<(), GraphError> {
        let x = operand.f32();
        let Some(at) = x.iter().position(|&x| x < 0.0) else { return Ok(()) };
        let message = format!("expected no negative element, received {} at {at}", x[at]);
        Err(GraphError::Run { op: "refuse", message })
    }
}
