//! An action before its memory is laid out.

use crate::flow::Flow;
use crate::layout::{Layout, Piece};
use crate::plan::{Action, Work};
use ferrograph_graph::ValueId;
use ferrograph_tensor::{DType, Place, Region};

/// A unit whose memory is registered, but not laid out yet.
pub(crate) struct Draft {
    pub names: Vec<&'static str>,
    pub work: Work,
    /// `None`: the data is not read.
    pub inputs: Vec<(DType, Option<ValueId>)>,
    pub outputs: Vec<ValueId>,
    /// Those of them that nobody reads and that get no memory.
    pub skipped: Vec<ValueId>,
    pub scratch: Vec<(DType, Piece)>,
    pub prepared: Vec<Prepared>,
}

impl Draft {
    /// One of nothing yet.
    pub(crate) fn new(names: Vec<&'static str>) -> Self {
        let (inputs, outputs, skipped, scratch, prepared) = Default::default();
        Self { names, work: Work::Copy, inputs, outputs, skipped, scratch, prepared }
    }

    /// The action, of memory that is laid out.
    pub(crate) fn action(self, flow: &Flow<'_>, layout: &Layout) -> Action {
        let Self { names, work, inputs, outputs, skipped, scratch, prepared } = self;
        let place = |id: ValueId| layout.place(flow, id);
        let output = |id: ValueId| {
            if skipped.contains(&id) { Layout::nowhere(flow.ty(id).dtype) } else { place(id) }
        };
        let input = |(dtype, id): (DType, Option<ValueId>)| id.map_or_else(|| Layout::nowhere(dtype), place);
        let mut fresh = Vec::new();
        let prepared = prepared.into_iter().enumerate().map(|(n, prepared)| match prepared {
            Prepared::Kept { shared, bytes } => Place { region: Region::Shared(shared), bytes, dtype: DType::Float32 },
            Prepared::Fresh { piece, operand } => {
                fresh.push((n, place(operand)));
                layout.scratch_place(piece, DType::Float32)
            }
        });
        Action {
            names,
            work,
            prepared: prepared.collect(),
            inputs: inputs.into_iter().map(input).collect(),
            types: outputs.iter().map(|&id| flow.ty(id).clone()).collect(),
            outputs: outputs.into_iter().map(output).collect(),
            scratch: scratch.into_iter().map(|(dtype, piece)| layout.scratch_place(piece, dtype)).collect(),
            fresh,
        }
    }
}

/// The prepared form of an operand.
pub(crate) enum Prepared {
    Kept { shared: usize, bytes: usize },
    Fresh { piece: Piece, operand: ValueId },
}

/// An action that puts a value into an own buffer.
pub(crate) fn copy(flow: &Flow<'_>, layout: &Layout, id: ValueId, own: usize) -> Action {
    let from = layout.place(flow, id);
    let to = Place { region: Region::Own(own), ..from };
    Action {
        names: vec!["copy"],
        work: Work::Copy,
        inputs: vec![from],
        types: vec![flow.ty(id).clone()],
        outputs: vec![to],
        scratch: Vec::new(),
        prepared: Vec::new(),
        fresh: Vec::new(),
    }
}
