//! A graph compiled for one purpose.

use crate::ProgramError;
use crate::arenas::Arenas;
use crate::cache::PlanCache;
use crate::describe::describe;
use crate::plan::{Plan, check_update};
use crate::run::run;
use crate::simplify::simplify;
use ferrograph_graph::{Graph, TensorType, ValueId, Variable};
use ferrograph_tensor::Tensor;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A compiled graph: inputs in, outputs out, and variables that get new values. Any number of runs may be in flight; runs
/// that update the same variable take turns.
#[derive(Debug)]
pub struct Program {
    graph: Graph,
    outputs: Vec<ValueId>,
    updates: Vec<(Arc<Variable>, ValueId)>,
    plans: PlanCache,
    arenas: Arenas,
}

impl Program {
    /// Compiles what `outputs` and the new values in `updates` need of `graph`. The inputs stay those of the graph.
    ///
    /// The error names a value that is not the graph's, a variable with two new values, or one whose new value does not
    /// fit it.
    pub fn new(graph: &Graph, outputs: &[ValueId], updates: &[(Arc<Variable>, ValueId)]) -> Result<Self, ProgramError> {
        let mut updated = HashSet::new();
        for (variable, id) in updates {
            check_update(variable, graph.try_type(*id)?)?;
            if !updated.insert(variable.id()) {
                return Err(ProgramError::UpdatedTwice { variable: variable.name().to_owned() });
            }
        }
        let wanted: Vec<ValueId> = outputs.iter().copied().chain(updates.iter().map(|(_, id)| *id)).collect();
        for &id in &wanted {
            graph.try_type(id)?;
        }
        let (graph, mut wanted) = simplify(graph, &wanted)?;
        let new_values = wanted.split_off(outputs.len());
        let updates = updates.iter().map(|(variable, _)| variable.clone()).zip(new_values).collect();
        Ok(Self { graph, outputs: wanted, updates, plans: PlanCache::default(), arenas: Arenas::default() })
    }

    /// The types that a run's inputs must have; an extent that is not known may be any.
    pub fn input_types(&self) -> impl Iterator<Item = &TensorType> {
        self.graph.inputs().iter().map(|&id| self.graph.ty(id))
    }

    /// Computes the outputs and gives the variables their new values, all at once at the end. A run that fails or that
    /// `cancel` stops, which it may between any two steps, changes nothing.
    pub fn run(&self, inputs: &[Tensor], cancel: Option<&AtomicBool>) -> Result<Vec<Tensor>, ProgramError> {
        self.check_count(inputs.len())?;
        for (index, (expected, input)) in self.input_types().zip(inputs).enumerate() {
            check_input(index, expected, &TensorType::known(input.dtype(), input.shape()))?;
        }
        let shapes: Vec<&[usize]> = inputs.iter().map(Tensor::shape).collect();
        let plan = self.plan(&shapes)?;
        let updated: Vec<&Variable> = self.updates.iter().map(|(variable, _)| variable.as_ref()).collect();
        run(&plan, &updated, inputs, &self.arenas, cancel)
    }

    /// The plan for inputs of these shapes, for people: every step with its ops and places, and the memory it takes.
    pub fn describe(&self, shapes: &[Vec<usize>]) -> Result<String, ProgramError> {
        self.check_count(shapes.len())?;
        for (index, (expected, shape)) in self.input_types().zip(shapes).enumerate() {
            check_input(index, expected, &TensorType::known(expected.dtype, shape))?;
        }
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        Ok(describe(self.plan(&shapes)?.as_ref()))
    }

    fn check_count(&self, received: usize) -> Result<(), ProgramError> {
        let expected = self.graph.inputs().len();
        if received == expected { Ok(()) } else { Err(ProgramError::InputCount { expected, received }) }
    }

    fn plan(&self, shapes: &[&[usize]]) -> Result<Arc<Plan>, ProgramError> {
        if let Some(plan) = self.plans.get(shapes) {
            return Ok(plan);
        }
        // Two runs of new shapes may both come here; the second plan then replaces an equal first.
        let plan = Arc::new(Plan::new(&self.graph, &self.outputs, &self.updates, shapes)?);
        self.plans.insert(shapes.iter().map(|shape| shape.to_vec()).collect(), plan.clone());
        Ok(plan)
    }
}

fn check_input(index: usize, expected: &TensorType, received: &TensorType) -> Result<(), ProgramError> {
    let fits = expected.dtype == received.dtype
        && expected.rank() == received.rank()
        && expected.shape.iter().zip(&received.shape).all(|(want, have)| want.is_none() || want == have);
    if fits {
        return Ok(());
    }
    Err(ProgramError::Input { index, expected: expected.clone(), received: received.clone() })
}
