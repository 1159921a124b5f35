//! What runs work in, kept between runs.

use crate::operands::Operands;
use ferrograph_tensor::{Buffer, Part, ShapeError};
use std::sync::{Mutex, PoisonError};

/// How many rooms stay warm: runs of one program that are in flight at the same time, mostly one or two.
const KEPT: usize = 4;

/// The memory of one run and its lists, so that a warm run allocates nothing but its outputs.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    pub block: Buffer,
    /// Empty between runs.
    pub operands: Operands<'a>,
    /// As the plan's list of the same name; empty between runs.
    pub own: Vec<Buffer>,
    /// By update: the version of the value that was taken, if one was, and after the run of the variable's value; empty
    /// between runs.
    pub versions: Vec<Option<u64>>,
    pub parts: Vec<Part>,
}

impl Room<'_> {
    fn new(bytes: usize) -> Result<Self, ShapeError> {
        let block = Buffer::new(bytes)?;
        Ok(Self { block, operands: Operands::default(), own: Vec::new(), versions: Vec::new(), parts: Vec::new() })
    }
}

/// The warm rooms of a program; its plans share them, so that the last, smaller batch of an epoch costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Arenas {
    free: Mutex<Vec<Room<'static>>>,
}

impl Arenas {
    /// A room with a block of at least `bytes`: the smallest warm one, or a new one. The block's contents are arbitrary.
    pub(crate) fn take(&self, bytes: usize) -> Result<Room<'static>, ShapeError> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = (0..free.len()).filter(|&i| free[i].block.len() >= bytes).min_by_key(|&i| free[i].block.len());
        if let Some(index) = fitting {
            return Ok(free.swap_remove(index));
        }
        // What is too small now gives its memory to the new block.
        free.pop();
        drop(free);
        Room::new(bytes)
    }

    /// Keeps a room for the next run. It lets go of what the run shared.
    pub(crate) fn give_back(&self, room: Room<'_>) {
        let Room { block, operands, mut own, mut versions, parts } = room;
        own.clear();
        versions.clear();
        let room = Room { block, operands: operands.clear(), own, versions, parts };
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(room);
        }
    }

    /// Bytes that a run of `bytes` would have to allocate.
    pub(crate) fn missing(&self, bytes: usize) -> usize {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.iter().any(|room| room.block.len() >= bytes) { 0 } else { bytes }
    }
}
