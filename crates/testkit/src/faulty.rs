//! Ops that are wrong on purpose, to see that the checks can fail.

use ferrograph_graph::{Graph, GraphError, Op, Plan, Reference, TensorType, ValueId};
use std::fmt;
use std::sync::Arc;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The vjp is 1.1 times what it should be.
    ScaledGradient,
    /// Every element of the reference is 1e-3 too large.
    ShiftedReference,
    /// The shape rule adds 1 to the first extent if it is known.
    WrongShape,
    /// The shape rule forgets the extents that it knew when one operand extent is unknown, and says 1.
    GuessedShape,
    /// The shape rule panics on an operand without axes.
    PanickingRule,
}

/// An op with one fault.
pub struct Faulty {
    /// The op that is right.
    pub inner: Arc<dyn Op>,
    /// What is wrong with it here.
    pub fault: Fault,
    /// `multiply` and the like: an op that multiplies its two operands.
    pub multiply: fn() -> Arc<dyn Op>,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {:?}", self.inner, self.fault)
    }
}

impl Op for Faulty {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn attributes(&self) -> String {
        self.inner.attributes()
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        if self.fault == Fault::PanickingRule {
            assert!(operands.iter().all(|ty| ty.rank() > 0), "a planted panic");
        }
        let mut results = self.inner.infer(operands)?;
        let Some(first) = results[0].shape.first_mut() else { return Ok(results) };
        match self.fault {
            Fault::WrongShape => *first = first.map(|extent| extent.saturating_add(1)),
            Fault::GuessedShape if first.is_none() => *first = Some(1),
            _ => {}
        }
        Ok(results)
    }

    fn plan(&self, operands: &[TensorType], results: &[TensorType]) -> Result<Plan, GraphError> {
        self.inner.plan(operands, results)
    }

    fn vjp(
        &self,
        graph: &mut Graph,
        operands: &[ValueId],
        results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        let mut found = self.inner.vjp(graph, operands, results, gradients)?;
        if self.fault == Fault::ScaledGradient {
            let scale = graph.scalar(1.1)?;
            for id in found.iter_mut().flatten() {
                *id = graph.emit((self.multiply)(), &[*id, scale])?[0];
            }
        }
        Ok(found)
    }

    fn reference(&self, operands: &[Reference], results: &[TensorType]) -> Vec<Reference> {
        let mut values = self.inner.reference(operands, results);
        if self.fault == Fault::ShiftedReference {
            values.iter_mut().flat_map(|value| &mut value.data).for_each(|x| *x += 1e-3);
        }
        values
    }

    fn reads(&self, index: usize) -> bool {
        self.inner.reads(index)
    }
}
