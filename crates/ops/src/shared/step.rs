//! Steps from functions.

use ferrograph_graph::{GraphError, Plan, RunContext, Step};
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
    Plan::Step(Box::new(Function { scratch_len, f }))
}

struct Function<F> {
    scratch_len: usize,
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

    fn scratch_len(&self) -> usize {
        self.scratch_len
    }
}
