//! Kernels bound to concrete shapes.

use crate::{ByRows, GraphError};
use ferrograph_tensor::{Inputs, Outputs, View};
use std::fmt::Debug;

/// A kernel for whole operands of known shapes. Steps are immutable; several runs may use one at the same time.
pub trait Step: Debug + Send + Sync {
    /// Computes the results. An error is about the data (an index out of range); the run ends and changes nothing.
    fn run(&self, context: RunContext<'_>) -> Result<(), GraphError>;

    /// The operand by whose data alone [`Self::run`] may fail; `None`: it never fails.
    fn doubted(&self) -> Option<usize> {
        None
    }

    /// Fails where [`Self::run`] would for this data of the operand in doubt. A run that is to change variables where they
    /// lie asks before it begins to: afterwards nothing may fail.
    fn check(&self, operand: View<'_>) -> Result<(), GraphError> {
        let _ = operand;
        Ok(())
    }

    /// The step for a program that trains: its batch entries come many at a time, as those of a prediction may not. The last
    /// bits of the results may differ.
    fn in_batches(&self) -> Option<Box<dyn Step>> {
        None
    }

    /// The same step without [preparations](Self::preparations), to the same bits, for operands that change from run to run.
    fn unprepared(&self) -> Option<Box<dyn Step>> {
        None
    }

    /// The step as one that applies an epilogue, if it is such a one.
    fn with_epilogue(&self) -> Option<&dyn WithEpilogue> {
        None
    }

    /// The step as one that makes its result in parts, if it is such a one and it pays for these shapes.
    fn in_parts(&self) -> Option<&dyn InParts> {
        None
    }

    /// The step as one that adds a bias of `channels` elements and limits the result, if it is such a one.
    fn with_clamp(&self, channels: usize) -> Option<&dyn WithClamp> {
        let _ = channels;
        None
    }

    /// Whether the step takes the largest element of each window of 2 x 2 pixels, side by side, of images `[N, H, W, C]`, and
    /// nothing else: NaN wins, of equal ones the first, and a row or column left over is dropped.
    fn pools_by_two(&self) -> bool {
        false
    }

    /// The step as one that does what such a pooling does to its result, if it is such a one.
    fn with_pooling(&self) -> Option<&dyn WithPooling> {
        None
    }

    /// The step as one that can be computed by rows, if it is such a one.
    fn by_rows(&self) -> Option<&dyn ByRows> {
        None
    }

    /// The kernel that these shapes get, for people, if the op has several.
    fn kernel(&self) -> Option<String> {
        None
    }

    /// Whether result `result` may be left out when nobody reads it. It then has no memory: [`Step::run`] finds no elements
    /// where it would be.
    fn skips(&self, result: usize) -> bool {
        let _ = result;
        false
    }

    /// float32 elements of scratch memory that one run needs.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Forms of operands that are worth keeping while the operand does not change: a packed weight.
    fn preparations(&self) -> &[Preparation] {
        &[]
    }

    /// What the form of preparation `index` depends on besides the operand's data: layout, extents, instruction set. Steps
    /// with the same key make the same form of the same operand, so that one is kept for all of them, whatever program they
    /// belong to. `None`: this step alone knows.
    fn preparation_key(&self, index: usize) -> Option<String> {
        let _ = index;
        None
    }

    /// Fills preparation `index` from its operand.
    fn prepare(&self, index: usize, operand: View<'_>, prepared: &mut [f32]) {
        let _ = (index, operand, prepared);
    }
}

/// What happens to a finished part of a result: it gets the index of the part's first element and the part, and replaces
/// it. A part may be of any size and may come from any thread.
pub type Epilogue<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// A step whose first result is float32 and that can apply an epilogue to parts of it while they are still in the cache. The
/// executor puts the element-wise chain there that follows the step, if nobody else reads that result.
pub trait WithEpilogue: Step {
    /// As [`Step::run`], and calls `epilogue` for every element of the first result once, when it is final. The epilogue's own
    /// operands follow the step's in the context.
    fn run_with_epilogue(&self, context: RunContext<'_>, epilogue: Epilogue<'_>) -> Result<(), GraphError>;
}

/// A step of one float32 result that can make it part after part in scratch memory, never all of it. The executor lets it do
/// so if nobody but the element-wise chain that follows reads the result: a gradient that is used up by the update of its
/// weight is not written to memory and read again.
pub trait InParts: Step {
    /// Elements of every part but the last.
    fn part_len(&self) -> usize;

    /// Elements of a row, if in most runs most rows of the result are all zeros. Every piece then consists of whole rows, and
    /// the consumer is told beforehand which may be others.
    fn mostly_zero_rows(&self) -> Option<usize> {
        None
    }

    /// float32 elements of scratch memory that [`Self::run_in_parts`] needs, instead of [`Step::scratch_len`].
    fn parts_scratch_len(&self) -> usize;

    /// As [`Step::run`] without memory for the result: the consumer gets every element once, in pieces of which each lies
    /// within one part.
    fn run_in_parts(
        &self,
        inputs: Inputs<'_>,
        prepared: Inputs<'_>,
        scratch: &mut [f32],
        consumer: &dyn Consumer,
    ) -> Result<(), GraphError>;
}

/// What uses up a result that is made in parts. It may be called from any thread.
pub trait Consumer: Sync {
    /// Before the first piece, from a step that has [`InParts::mostly_zero_rows`]: the rows that may be other than zeros, in
    /// any order, each any number of times.
    fn expect_rows(&self, rows: &[i32]);

    /// Gets the elements from `start` on.
    fn consume(&self, start: usize, piece: &mut [f32]);

    /// The addresses of what [`Self::consume`] will read for the elements from `start` on, as many floats of each, if that is
    /// worth bringing into the cache while the elements are made.
    fn reads(&self, start: usize) -> Option<[usize; 3]>;
}

/// The epilogue that most convolutions have, in numbers: what each element becomes. It has the bits of the ops one after
/// another.
#[derive(Clone, Copy, Debug)]
pub struct Clamp<'a> {
    /// Added first; an element for each of the last axis.
    pub bias: &'a [f32],
    /// What is not above it becomes it; negative infinity for no limit.
    pub low: f32,
    /// What is above it becomes it; infinity for no limit.
    pub high: f32,
}

/// A step of one float32 result that can apply a [`Clamp`] while the result is in registers.
pub trait WithClamp: Step {
    /// As [`Step::run`], with `clamp` applied to every element.
    fn run_with_clamp(&self, context: RunContext<'_>, clamp: Clamp<'_>) -> Result<(), GraphError>;
}

/// A step of one float32 result, images of at least 8 channels, that can hand on only what
/// [a pooling](Step::pools_by_two) leaves of it. The executor lets it do so if nobody else reads the images.
pub trait WithPooling: Step {
    /// float32 elements of scratch memory that [`Self::run_pooled`] needs, instead of [`Step::scratch_len`].
    fn pooled_scratch_len(&self) -> usize;

    /// As [`WithClamp::run_with_clamp`] and then the pooling, whose result is the context's output.
    fn run_pooled(&self, context: RunContext<'_>, clamp: Clamp<'_>) -> Result<(), GraphError>;
}

/// A kept form of an operand. Where the operand is a variable or a constant the executor makes it once for each value
/// of the variable; otherwise before each run of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Which operand.
    pub operand: usize,
    /// float32 elements of the prepared form.
    pub len: usize,
}

/// What a step works on.
#[derive(Debug)]
pub struct RunContext<'a> {
    /// The operands, in order.
    pub inputs: Inputs<'a>,
    /// The prepared forms, in the order of [`Step::preparations`], each float32.
    pub prepared: Inputs<'a>,
    /// The results, in order; their former contents are arbitrary.
    pub outputs: Outputs<'a>,
    /// [`Step::scratch_len`] elements of arbitrary contents.
    pub scratch: &'a mut [f32],
}
