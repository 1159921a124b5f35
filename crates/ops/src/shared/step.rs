//! Steps from functions.

use crate::shared::indexing;
use ferrograph_graph::{GraphError, Plan, RunContext, Step};
use ferrograph_tensor::View;
use std::fmt;

/// A step that runs `f`.
pub(crate) fn step(f: impl Fn(RunContext<'_>) -> Result<(), GraphError> + Send + Sync + 'static) -> Plan {
    step_with_scratch(0, f)
}

/// A step that runs `f` with `scratch_len` elements of scratch memory.
pub(crate) fn step_with_scratch(
    scratch_len: usize,
    f: impl Fn(RunContext<'_>) -> Result<(), GraphError> + Send + Sync + 'static,
) -> Plan {
    step_with_unread(scratch_len, &[], f)
}

/// The same of a function that leaves out the results `skips` where they have no elements: nobody reads them then.
pub(crate) fn step_with_unread(
    scratch_len: usize,
    skips: &'static [usize],
    f: impl Fn(RunContext<'_>) -> Result<(), GraphError> + Send + Sync + 'static,
) -> Plan {
    Plan::Step(Box::new(Function { scratch_len, skips, f }))
}

struct Function<F> {
    scratch_len: usize,
    skips: &'static [usize],
    f: F,
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<F>())
    }
}

impl<F: Fn(RunContext<'_>) -> Result<(), GraphError> + Send + Sync> Step for Function<F> {
    fn run(&self, context: RunContext<'_>) -> Result<(), GraphError> {
        (self.f)(context)
    }

    fn skips(&self, result: usize) -> bool {
        self.skips.contains(&result)
    }

    fn scratch_len(&self) -> usize {
        self.scratch_len
    }
}

/// A step of the op of that name that runs `f` if every index in its second operand is within `extent`.
pub(crate) fn indexed_step(
    op: &'static str,
    extent: usize,
    f: impl Fn(RunContext<'_>) + Send + Sync + 'static,
) -> Plan {
    Plan::Step(Box::new(Indexed { op, extent, f }))
}

struct Indexed<F> {
    op: &'static str,
    extent: usize,
    f: F,
}

impl<F> fmt::Debug for Indexed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op)
    }
}

impl<F: Fn(RunContext<'_>) + Send + Sync> Step for Indexed<F> {
    fn run(&self, context: RunContext<'_>) -> Result<(), GraphError> {
        self.check(context.inputs.view(1))?;
        (self.f)(context);
        Ok(())
    }

    fn doubted(&self) -> Option<usize> {
        Some(1)
    }

    fn check(&self, indices: View<'_>) -> Result<(), GraphError> {
        indexing::check(self.op, indices.i32(), self.extent)
    }
}
