//! A graph compiled for one purpose.

use crate::absorb::absorb;
use crate::arenas::Arenas;
use crate::border::move_borders;
use crate::cache::PlanCache;
use crate::derived::Derived;
use crate::describe::describe;
use crate::flow::Flow;
use crate::parts::Parts;
use crate::plan::{Plan, check_update};
use crate::run::{measure, run};
use crate::simplify::{simplify, simplify_for_shapes};
use crate::{ProgramError, RunInput, apart};
use ferrograph_graph::{Graph, TensorType, ValueId, Variable};
use ferrograph_kernels::pool;
use ferrograph_tensor::{DType, Tensor};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A compiled graph: inputs in, outputs out, and variables that get new values. Any number of runs may be in flight; runs
/// that update the same variable take turns.
#[derive(Debug)]
pub struct Program {
    graph: Graph,
    outputs: Vec<ValueId>,
    updates: Vec<(Arc<Variable>, ValueId)>,
    /// The updates in the order of their variables' ids.
    locking: Vec<usize>,
    plans: PlanCache,
    arenas: Arenas,
    derived: Option<Arc<Derived>>,
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
        let (mut graph, mut wanted) = simplify(graph, &wanted, &HashMap::new())?;
        if let Some(better) = move_borders(&graph, &wanted)? {
            (graph, wanted) = better;
        }
        if let Some(better) = absorb(&graph, &wanted, updates)? {
            (graph, wanted) = better;
        }
        let mut derived = None;
        if let Some((rest, wanted_of_rest, kept)) = Derived::split(&graph, &wanted, updates)? {
            (graph, wanted, derived) = (rest, wanted_of_rest, Some(Arc::new(kept)));
        }
        let new_values = wanted.split_off(outputs.len());
        let updates: Vec<_> = updates.iter().map(|(variable, _)| variable.clone()).zip(new_values).collect();
        let mut locking: Vec<usize> = (0..updates.len()).collect();
        locking.sort_unstable_by_key(|&index| updates[index].0.id());
        let (plans, arenas) = Default::default();
        Ok(Self { graph, outputs: wanted, updates, locking, plans, arenas, derived })
    }

    /// The types that a run's inputs must have; an extent that is not known may be any.
    pub fn input_types(&self) -> impl ExactSizeIterator<Item = &TensorType> {
        self.graph.inputs().iter().map(|&id| self.graph.ty(id))
    }

    /// The types of the outputs, as far as they follow from the graph.
    pub fn output_types(&self) -> impl Iterator<Item = &TensorType> {
        self.outputs.iter().map(|&id| self.graph.ty(id))
    }

    /// Computes the outputs and gives the variables their new values, all at once at the end. A run that fails or that
    /// `cancel` stops changes nothing. It may be stopped between any two steps until it begins to change what nothing but its
    /// update reads, the moments of an optimizer, where they lie; then it runs to its end, and who reads them waits for it.
    pub fn run(&self, inputs: &[Tensor], cancel: Option<&AtomicBool>) -> Result<Vec<Tensor>, ProgramError> {
        self.run_on(inputs, cancel)
    }

    /// The same on elements that need not be tensors.
    pub fn run_on(&self, inputs: &[impl RunInput], cancel: Option<&AtomicBool>) -> Result<Vec<Tensor>, ProgramError> {
        let plan = self.plan_for(inputs)?;
        run(&plan, &self.updates, &self.locking, inputs, &self.arenas, cancel)
    }

    /// The types and extents of the outputs for inputs of these shapes.
    pub fn output_shapes(&self, shapes: &[Vec<usize>]) -> Result<Vec<(DType, Vec<usize>)>, ProgramError> {
        self.check_shapes(shapes)?;
        let plan = self.plan(shapes.iter().map(Vec::as_slice))?;
        Ok(plan.outputs.iter().map(|output| (output.dtype, output.shape.clone())).collect())
    }

    /// The plan for inputs of these shapes, for people: every step with its ops, kernel and places, and the memory it
    /// takes.
    pub fn describe(&self, shapes: &[Vec<usize>]) -> Result<String, ProgramError> {
        self.check_shapes(shapes)?;
        Ok(describe(&*self.plan(shapes.iter().map(Vec::as_slice))?, self.updates.len(), None))
    }

    /// As [`Self::describe`], with the time of each step: the median of `runs` runs on these inputs, at least one. No
    /// variable changes.
    pub fn measure(&self, inputs: &[impl RunInput], runs: usize) -> Result<String, ProgramError> {
        let plan = self.plan_for(inputs)?;
        let times = match &plan.parts {
            // A part has no help from other threads, which have parts of their own.
            Some(parts) => {
                let (part, inputs) = (&parts.plan, parts.first_inputs(inputs)?);
                pool::alone(|| measure(part, &self.updates, &self.locking, &inputs, &self.arenas, runs))?
            }
            None => measure(&plan, &self.updates, &self.locking, inputs, &self.arenas, runs)?,
        };
        Ok(describe(&plan, self.updates.len(), Some(&times)))
    }

    fn check_count(&self, received: usize) -> Result<(), ProgramError> {
        let expected = self.graph.inputs().len();
        if received == expected { Ok(()) } else { Err(ProgramError::InputCount { expected, received }) }
    }

    fn check_shapes(&self, shapes: &[Vec<usize>]) -> Result<(), ProgramError> {
        self.check_count(shapes.len())?;
        let mut inputs = self.input_types().zip(shapes).enumerate();
        inputs.try_for_each(|(index, (expected, shape))| check_input(index, expected, expected.dtype, shape))
    }

    fn plan_for(&self, inputs: &[impl RunInput]) -> Result<Arc<Plan>, ProgramError> {
        self.check_count(inputs.len())?;
        for (index, (expected, input)) in self.input_types().zip(inputs).enumerate() {
            check_input(index, expected, input.dtype(), input.shape())?;
        }
        self.plan(inputs.iter().map(RunInput::shape))
    }

    fn plan<'a>(&self, shapes: impl Iterator<Item = &'a [usize]> + Clone) -> Result<Arc<Plan>, ProgramError> {
        if let Some(plan) = self.plans.get(&shapes) {
            return Ok(plan);
        }
        let shapes: Vec<&[usize]> = shapes.collect();
        // Two runs of new shapes may both come here; the second plan then replaces an equal first.
        let mut plan = self.plan_whole(&shapes)?;
        plan.parts = Parts::of(&plan, &self.open_inputs(), &shapes, |shapes| self.plan_whole(shapes));
        let plan = Arc::new(plan);
        self.plans.insert(shapes.iter().map(|shape| shape.to_vec()).collect(), plan.clone());
        Ok(plan)
    }

    fn plan_whole(&self, shapes: &[&[usize]]) -> Result<Plan, ProgramError> {
        let wanted: Vec<ValueId> = self.wanted().collect();
        let mut plan = match simplify_for_shapes(&self.graph, &wanted, shapes)? {
            Some((graph, mut outputs)) => {
                let new_values = outputs.split_off(self.outputs.len());
                let variables = self.updates.iter().map(|(variable, _)| variable.clone());
                let updates: Vec<_> = variables.zip(new_values).collect();
                // Extents that are constants do not show any more where a value depends on how many entries there are.
                let batch = if updates.is_empty() {
                    apart::batch(&Flow::new(&self.graph, shapes, &wanted)?, &wanted)
                } else {
                    None
                };
                Plan { batch, ..Plan::new(&graph, &outputs, &updates, shapes)? }
            }
            None => Plan::new(&self.graph, &self.outputs, &self.updates, shapes)?,
        };
        if let Some(derived) = &self.derived {
            plan.read_derived(derived);
        }
        Ok(plan)
    }

    /// The outputs and the new values.
    fn wanted(&self) -> impl Iterator<Item = ValueId> {
        self.outputs.iter().copied().chain(self.updates.iter().map(|(_, id)| *id))
    }

    /// For each input whether the extent of its first axis is open.
    fn open_inputs(&self) -> Vec<bool> {
        self.input_types().map(|ty| ty.shape.first() == Some(&None)).collect()
    }
}

fn check_input(index: usize, expected: &TensorType, dtype: DType, shape: &[usize]) -> Result<(), ProgramError> {
    let fits = expected.dtype == dtype
        && expected.rank() == shape.len()
        && expected.shape.iter().zip(shape).all(|(want, have)| want.is_none_or(|want| want == *have));
    if fits {
        return Ok(());
    }
    Err(ProgramError::Input { index, expected: expected.clone(), received: TensorType::known(dtype, shape) })
}
