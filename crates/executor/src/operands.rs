//! What runs read besides their own results, as it is when they begin.

use crate::layout::Source;
use crate::plan::Plan;
use crate::{ProgramError, RunInput};
use ferrograph_graph::Variable;
use ferrograph_tensor::{ShapeError, Shared, Tensor};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Held to read while a run notes which values it works on, and to write while a run publishes new ones: a prediction
/// during training sees the weights of one step, never of two.
pub(crate) static PUBLISHING: RwLock<()> = RwLock::new(());

fn reading() -> RwLockReadGuard<'static, ()> {
    PUBLISHING.read().unwrap_or_else(PoisonError::into_inner)
}

/// The values of variables at one time, with their versions.
pub(crate) fn read_together(variables: &[Arc<Variable>]) -> Vec<(Tensor, u64)> {
    loop {
        let reading = reading();
        let mut all = Vec::with_capacity(variables.len());
        for variable in variables {
            all.extend(variable.try_read());
        }
        drop(reading);
        if all.len() == variables.len() {
            return all;
        }
        // A run changes some where they lie, and has to publish before they can be read.
        for variable in variables {
            drop(variable.read());
        }
    }
}

/// As the plan's list of shared buffers; empty between runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operands<'a> {
    pub shared: Vec<Shared<'a>>,
    /// Versions of the variables among them, otherwise 0.
    versions: Vec<u64>,
}

impl<'a> Operands<'a> {
    /// Finds what a run of `plan` on `inputs` reads.
    pub(crate) fn find(&mut self, plan: &Plan, inputs: &'a [impl RunInput]) -> Result<(), ProgramError> {
        while let Err(taken) = self.note_together(plan, |n| inputs[n].memory()) {
            drop(taken.read());
        }
        self.make(plan)
    }

    /// Finds what runs of these plans read at one time; where an input would be is nothing.
    pub(crate) fn without_inputs(plans: &[&Plan]) -> Result<Vec<Operands<'static>>, ProgramError> {
        let noted = || -> Result<Vec<_>, &Arc<Variable>> {
            let _reading = reading();
            let mut all = Vec::with_capacity(plans.len());
            for &plan in plans {
                let mut operands = Operands::default();
                operands.note(plan, |_| Shared::Kept(plan.nothing.clone()))?;
                all.push(operands);
            }
            Ok(all)
        };
        let mut all = loop {
            match noted() {
                Ok(all) => break all,
                Err(taken) => drop(taken.read()),
            }
        };
        for (plan, operands) in plans.iter().zip(&mut all) {
            operands.make(plan)?;
        }
        Ok(all)
    }

    /// The same with other inputs, in the room that this has.
    pub(crate) fn copy_with(&mut self, other: &Operands<'static>, plan: &Plan, input: impl Fn(usize) -> Shared<'a>) {
        self.versions.extend(&other.versions);
        self.shared.extend(other.shared.iter().zip(&plan.shared).map(|(memory, source)| match source {
            Source::Input(n) => input(*n),
            _ => memory.clone(),
        }));
    }

    /// Lets go of all; keeps the room.
    pub(crate) fn clear(self) -> Operands<'static> {
        let Operands { mut shared, mut versions } = self;
        shared.clear();
        versions.clear();
        // The empty list keeps its memory; it is only its type that forgets the borrow.
        Operands { shared: shared.into_iter().map(|_| unreachable!("cleared")).collect(), versions }
    }

    /// As [`Self::note`], while nobody publishes.
    fn note_together<'p>(
        &mut self,
        plan: &'p Plan,
        input: impl Fn(usize) -> Shared<'a>,
    ) -> Result<(), &'p Arc<Variable>> {
        let _reading = reading();
        self.note(plan, input)
    }

    /// Notes the values of variables, which nobody publishes meanwhile, and leaves nothing where others are made of them.
    /// Notes nothing and returns a variable if a run is changing its value where it lies: who waits for it must not keep the
    /// run from publishing.
    fn note<'p>(&mut self, plan: &'p Plan, input: impl Fn(usize) -> Shared<'a>) -> Result<(), &'p Arc<Variable>> {
        for source in &plan.shared {
            let (memory, version) = match source {
                Source::Input(n) => (input(*n), 0),
                Source::Constant(buffer) => (Shared::Kept(buffer.clone()), 0),
                Source::Variable(variable) => {
                    let Some((buffer, version)) = variable.try_read_buffer() else {
                        self.shared.clear();
                        self.versions.clear();
                        return Err(variable);
                    };
                    (Shared::Kept(buffer), version)
                }
                Source::Derived(_) | Source::Kept(_) => (Shared::Kept(plan.nothing.clone()), 0),
            };
            self.shared.push(memory);
            self.versions.push(version);
        }
        Ok(())
    }

    /// Puts there what is made of the values: that takes long, so no lock is held meanwhile.
    fn make(&mut self, plan: &Plan) -> Result<(), ProgramError> {
        self.derive(plan)?;
        Ok(self.prepare(plan)?)
    }

    fn derive(&mut self, plan: &Plan) -> Result<(), ProgramError> {
        let Some((derived, first)) = &plan.derived else { return Ok(()) };
        let (shared, sources) = self.shared.split_at_mut(*first);
        let (versions, of_sources) = self.versions.split_at_mut(*first);
        derived.get(sources, of_sources, |values| {
            for (index, source) in plan.shared.iter().enumerate() {
                if let Source::Derived(value) = source {
                    let (buffer, version) = values[*value].read_buffer();
                    (shared[index], versions[index]) = (Shared::Kept(buffer), version);
                }
            }
        })
    }

    fn prepare(&mut self, plan: &Plan) -> Result<(), ShapeError> {
        for (index, source) in plan.shared.iter().enumerate() {
            if let Source::Kept(kept) = source {
                let kept = &plan.kept[*kept];
                let Some(step) = plan.actions[kept.action].work.step(kept.stage) else {
                    unreachable!("only kernels have preparations")
                };
                let (operand, version) = (&self.shared[kept.shared], self.versions[kept.shared]);
                let Shared::Kept(operand) = operand else {
                    unreachable!("only what outlives a run is prepared for the next")
                };
                self.shared[index] = Shared::Kept(kept.get(step, operand, version)?);
            }
        }
        Ok(())
    }
}
