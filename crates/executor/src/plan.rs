//! A program bound to concrete input shapes.

use crate::bands::Bands;
use crate::derived::Derived;
use crate::flow::Flow;
use crate::fused::Fused;
use crate::in_place::InPlace;
use crate::kept::Kept;
use crate::layout::Source;
use crate::parts::Parts;
use crate::planner::Planner;
use crate::touched::Touched;
use crate::{ProgramError, apart};
use ferrograph_graph::{Graph, Step, TensorType, ValueId, Variable};
use ferrograph_tensor::{Buffer, DType, Place};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Kernels, places and memory for one combination of input shapes. Immutable but for the kept preparations; any number of
/// runs may use it at the same time.
#[derive(Debug)]
pub(crate) struct Plan {
    pub actions: Vec<Action>,
    pub shared: Vec<Source>,
    pub kept: Vec<Kept>,
    /// What makes the derived values, and where in `shared` the variables begin that they follow from.
    pub derived: Option<(Arc<Derived>, usize)>,
    /// An empty buffer.
    pub nothing: Arc<Buffer>,
    /// Bytes of the block of intermediate values.
    pub block: usize,
    /// Bytes of each buffer that outlives the run: one for each updated variable, then outputs.
    pub own: Vec<usize>,
    /// The updates that are made where the variables lie.
    pub in_place: InPlace,
    pub outputs: Vec<Output>,
    /// The number of entries, if the program treats each of a batch alone.
    pub batch: Option<usize>,
    /// Plans for parts of the batch, which are run instead.
    pub parts: Option<Parts>,
    /// Nanoseconds that the steps of the last run took; without one, for ever.
    pub lasted: AtomicU64,
    /// The direction of the next run, see [`pool::in_direction`](ferrograph_kernels::pool::in_direction).
    pub backwards: AtomicBool,
}

/// One step of a run.
#[derive(Debug)]
pub(crate) struct Action {
    /// Names of the ops, for people.
    pub names: Vec<&'static str>,
    pub work: Work,
    pub inputs: Vec<Place>,
    pub outputs: Vec<Place>,
    /// Types of the outputs, for people.
    pub types: Vec<TensorType>,
    /// One place for the kernels, then one for each element type for each loop.
    pub scratch: Vec<Place>,
    /// Prepared operands, in the step's order.
    pub prepared: Vec<Place>,
    /// Those of them that are made before each run of the step, by their place in `prepared`, with their operand.
    pub fresh: Vec<(usize, Place)>,
}

/// What an action does.
#[derive(Debug)]
pub(crate) enum Work {
    Kernel(Box<dyn Step>),
    /// A kernel and the loop that is its epilogue.
    Chained(Box<dyn Step>, Box<Fused>),
    /// A kernel that makes its result in parts and the loop that uses them up.
    InParts(Box<dyn Step>, Box<Fused>),
    /// The same with the pooling behind it, which the kernel does while the result is in registers.
    Pooled(Box<dyn Step>, Box<Fused>),
    /// Several such that hand each other rows.
    Bands(Box<Bands>),
    Fused(Box<Fused>),
    Copy,
}

impl Work {
    /// The kernel, if there is one; of several that of number `stage`.
    pub(crate) fn step(&self, stage: usize) -> Option<&dyn Step> {
        match self {
            Self::Kernel(step) | Self::Chained(step, _) | Self::InParts(step, _) | Self::Pooled(step, _) => {
                (stage == 0).then_some(step.as_ref())
            }
            Self::Bands(bands) => bands.step(stage),
            Self::Fused(_) | Self::Copy => None,
        }
    }

    /// What is known of the rows of a table that it updates.
    pub(crate) fn touched(&self) -> Option<&Touched> {
        let (Self::InParts(_, fused) | Self::Chained(_, fused) | Self::Fused(fused)) = self else { return None };
        fused.moments()?.touched()
    }

    /// Where the names of the ops of step `stage` begin, for people.
    pub(crate) fn first_name(&self, stage: usize) -> usize {
        if let Self::Bands(bands) = self { bands.first_name(stage) } else { 0 }
    }
}

/// Where an output is found when the run has ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub dtype: DType,
    pub shape: Vec<usize>,
    pub home: OutputHome,
}

/// See [`Output`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutputHome {
    /// It was there before the run.
    Shared(usize),
    /// The run wrote it.
    Own(usize),
}

impl Plan {
    /// Plans `graph` for inputs of these shapes.
    pub(crate) fn new(
        graph: &Graph,
        outputs: &[ValueId],
        updates: &[(Arc<Variable>, ValueId)],
        shapes: &[&[usize]],
    ) -> Result<Self, ProgramError> {
        let wanted: Vec<ValueId> = updates.iter().map(|(_, id)| *id).chain(outputs.iter().copied()).collect();
        let mut flow = Flow::new(graph, shapes, &wanted)?;
        if !updates.is_empty() {
            flow.choose_in_batches();
        }
        for (variable, id) in updates {
            check_update(variable, flow.ty(*id))?;
        }
        let batch = apart::batch(&flow, &wanted).filter(|_| updates.is_empty());
        Planner::new(flow, &wanted, updates).plan(outputs, updates).map(|plan| Self { batch, ..plan })
    }

    /// Lets the variables that stand for derived values have what follows from their sources in the same run.
    pub(crate) fn read_derived(&mut self, derived: &Arc<Derived>) {
        for source in &mut self.shared {
            if let Source::Variable(variable) = source
                && let Some(index) = derived.index(variable)
            {
                *source = Source::Derived(index);
            }
        }
        self.derived = Some((derived.clone(), self.shared.len()));
        self.shared.extend(derived.sources.iter().cloned().map(Source::Variable));
    }
}

/// Refuses a new value that cannot be the variable's.
pub(crate) fn check_update(variable: &Variable, ty: &TensorType) -> Result<(), ProgramError> {
    let fits = ty.dtype == variable.dtype()
        && ty.rank() == variable.shape().len()
        && ty.shape.iter().zip(variable.shape()).all(|(extent, own)| extent.is_none_or(|extent| extent == *own));
    if fits {
        return Ok(());
    }
    Err(ProgramError::Update {
        variable: variable.name().to_owned(),
        expected: TensorType::known(variable.dtype(), variable.shape()),
        received: ty.clone(),
    })
}
