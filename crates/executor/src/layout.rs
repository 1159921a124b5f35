//! Where every value of a plan lies.

use crate::flow::Flow;
use crate::memory::{Life, place};
use ferrograph_graph::{Origin, ValueId, Variable};
use ferrograph_tensor::{Buffer, DType, Place, Region, ShapeError};
use std::collections::HashMap;
use std::sync::Arc;

/// Where the buffer at one place of a run's shared list comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The run's input of that number.
    Input(usize),
    /// The variable's value when the run begins.
    Variable(Arc<Variable>),
    /// Memory that never changes.
    Constant(Arc<Buffer>),
    /// The derived value of that number.
    Derived(usize),
    /// The kept preparation of that number.
    Kept(usize),
}

/// Memory that is not known to lie anywhere yet: the number of its [`Life`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece(usize);

/// The places of values: first all are registered, then [`Self::settle`] lays out the block, then places are asked for.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub shared: Vec<Source>,
    /// Bytes of each buffer that a run writes alone: new values of variables, then outputs.
    pub own: Vec<usize>,
    by_root: HashMap<ValueId, Home>,
    lives: Vec<Life>,
    offsets: Vec<usize>,
    /// Bytes of the block.
    pub block: usize,
}

#[derive(Clone, Copy, Debug)]
enum Home {
    Shared(usize),
    Own(usize),
    Block(Piece),
}

impl Layout {
    /// The shared buffer of a value that is there before the run; `None` for what a node makes.
    pub(crate) fn share(&mut self, flow: &Flow<'_>, id: ValueId) -> Option<usize> {
        let root = flow.root(id);
        if let Some(Home::Shared(index)) = self.by_root.get(&root) {
            return Some(*index);
        }
        let source = match flow.graph.origin(root) {
            Origin::Input(n) => Source::Input(*n),
            Origin::Variable(variable) => Source::Variable(variable.clone()),
            Origin::Constant(tensor) => Source::Constant(tensor.buffer().clone()),
            Origin::Node { .. } => return None,
        };
        let index = self.add_shared(source);
        self.by_root.insert(root, Home::Shared(index));
        Some(index)
    }

    /// One more shared buffer.
    pub(crate) fn add_shared(&mut self, source: Source) -> usize {
        self.shared.push(source);
        self.shared.len() - 1
    }

    /// One more buffer that the run writes alone.
    pub(crate) fn add_own(&mut self, bytes: usize) -> usize {
        self.own.push(bytes);
        self.own.len() - 1
    }

    /// Lets the node that makes `id` write into an own buffer, unless it writes into another one already; then that one.
    pub(crate) fn write_to(&mut self, flow: &Flow<'_>, id: ValueId, own: usize) -> Result<(), usize> {
        match *self.by_root.entry(flow.root(id)).or_insert(Home::Own(own)) {
            Home::Own(index) if index == own => Ok(()),
            Home::Own(index) => Err(index),
            home => unreachable!("only what a node makes is written: {home:?}"),
        }
    }

    /// The own buffer that the node making `id` writes into.
    pub(crate) fn written_to(&self, flow: &Flow<'_>, id: ValueId) -> Option<usize> {
        match self.by_root.get(&flow.root(id)) {
            Some(Home::Own(own)) => Some(*own),
            _ => None,
        }
    }

    /// Gives the result of a node memory from unit `first` to `last`, unless it has a home already.
    pub(crate) fn keep(&mut self, flow: &Flow<'_>, id: ValueId, first: usize, last: usize) {
        if !self.by_root.contains_key(&id) {
            let piece = self.scratch(flow.bytes(id), first, last);
            self.by_root.insert(id, Home::Block(piece));
        }
    }

    /// Memory of the block that is no value.
    pub(crate) fn scratch(&mut self, bytes: usize, first: usize, last: usize) -> Piece {
        self.lives.push(Life { bytes, first, last });
        Piece(self.lives.len() - 1)
    }

    /// Lays out the block. Nothing is registered afterwards.
    pub(crate) fn settle(&mut self) -> Result<(), ShapeError> {
        (self.offsets, self.block) = place(&self.lives)?;
        Ok(())
    }

    /// Where a value lies.
    pub(crate) fn place(&self, flow: &Flow<'_>, id: ValueId) -> Place {
        let region = match self.by_root[&flow.root(id)] {
            Home::Shared(index) => Region::Shared(index),
            Home::Own(index) => Region::Own(index),
            Home::Block(Piece(index)) => Region::Block { offset: self.offsets[index] },
        };
        Place { region, bytes: flow.bytes(id), dtype: flow.ty(id).dtype }
    }

    /// Where scratch memory lies.
    pub(crate) fn scratch_place(&self, Piece(index): Piece, dtype: DType) -> Place {
        Place { region: Region::Block { offset: self.offsets[index] }, bytes: self.lives[index].bytes, dtype }
    }

    /// The place of an operand whose data is not read, and of a result that nobody reads: nowhere.
    pub(crate) fn nowhere(dtype: DType) -> Place {
        Place { region: Region::Block { offset: 0 }, bytes: 0, dtype }
    }
}
