//! Element-wise functions of one or two float32 operands, which broadcast.

use super::broadcast;
use crate::toy::Total;
use ferrograph_graph::{Elementwise, Graph, GraphError, Op, Plan, Reference, TensorType, ValueId};
use ferrograph_tensor::{DType, View, ViewMut};
use std::sync::Arc;

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// a + b
    Add,
    /// a * b
    Multiply,
    /// a / b
    Divide,
    /// -a
    Negative,
    /// The square root of a.
    Root,
}

/// The op.
#[derive(Clone, Debug)]
pub struct Map(pub Function);

/// The vocabulary that differentiation needs.
pub fn add() -> Arc<dyn Op> {
    Arc::new(Map(Function::Add))
}

impl Function {
    fn apply(self, x: &[f64]) -> f64 {
        match self {
            Self::Add => x[0] + x[1],
            Self::Multiply => x[0] * x[1],
            Self::Divide => x[0] / x[1],
            Self::Negative => -x[0],
            Self::Root => x[0].sqrt(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Divide => "divide",
            Self::Negative => "negative",
            Self::Root => "root",
        }
    }
}

impl Op for Map {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn attributes(&self) -> String {
        "{}".into()
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        if operands.iter().any(|ty| ty.dtype != DType::Float32) {
            return Err("float32".into());
        }
        match operands {
            [a] => Ok(vec![a.clone()]),
            [a, b] => Ok(vec![broadcast(a, b)?]),
            _ => Err("one or two operands".into()),
        }
    }

    fn plan(&self, _: &[TensorType], _: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Elementwise(Box::new(Kernel(self.0))))
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let Some(dy) = gradients[0] else { return Ok(vec![None; operands.len()]) };
        let partials = match self.0 {
            Function::Add => vec![dy, dy],
            Function::Multiply => vec![
                graph.apply(Map(Function::Multiply), &[dy, operands[1]])?,
                graph.apply(Map(Function::Multiply), &[dy, operands[0]])?,
            ],
            Function::Negative => vec![graph.apply(Map(Function::Negative), &[dy])?],
            Function::Root => {
                let half = graph.scalar(0.5)?;
                let half = graph.apply(Map(Function::Multiply), &[dy, half])?;
                vec![graph.apply(Map(Function::Divide), &[half, results[0]])?]
            }
            Function::Divide => return Err(GraphError::NotDifferentiable { op: "divide" }),
        };
        let sums = operands.iter().zip(partials).map(|(&like, partial)| {
            if graph.ty(partial).shape == graph.ty(like).shape {
                return Ok(Some(partial));
            }
            graph.apply(Total { like: true }, &[partial, like]).map(Some)
        });
        sums.collect()
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let shape = results[0].extents();
        let f = |index: &[usize]| self.0.apply(&operands.iter().map(|x| x.at_broadcast(index)).collect::<Vec<_>>());
        vec![Reference::from_fn(results[0].dtype, &shape, f)]
    }
}

#[derive(Debug)]
struct Kernel(Function);

impl Elementwise for Kernel {
    fn run(&self, operands: &[View<'_>], result: ViewMut<'_>) {
        let a = operands[0].f32();
        let b = operands.last().copied().unwrap_or(operands[0]).f32();
        for (i, y) in result.f32().iter_mut().enumerate() {
            *y = match self.0 {
                Function::Add => a[i] + b[i],
                Function::Multiply => a[i] * b[i],
                Function::Divide => a[i] / b[i],
                Function::Negative => -a[i],
                Function::Root => a[i].sqrt(),
            };
        }
    }
}
