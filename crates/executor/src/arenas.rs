//! What runs work in, kept between runs.

use ferrograph_tensor::{Buffer, Part, ShapeError, Shared};
use std::sync::{Mutex, PoisonError};

/// How many rooms stay warm: runs of one program that are in flight at the same time, mostly one or two.
const KEPT: usize = 4;

/// The memory of one run and its lists, so that a warm run allocates nothing but its outputs.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    pub block: Buffer,
    /// As the plan's list of the same name; empty between runs.
    pub shared: Vec<Shared<'a>>,
    /// Versions of the variables among them, otherwise 0.
    pub versions: Vec<u64>,
    /// As the plan's list of the same name; empty between runs.
    pub own: Vec<Buffer>,
    pub parts: Vec<Part>,
}

impl Room<'_> {
    fn new(bytes: usize) -> Result<Self, ShapeError> {
        let block = Buffer::new(bytes)?;
        Ok(Self { block, shared: Vec::new(), versions: Vec::new(), own: Vec::new(), parts: Vec::new() })
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
        let Room { block, mut shared, mut versions, mut own, parts } = room;
        shared.clear();
        versions.clear();
        own.clear();
        // The empty list keeps its memory; it is only its type that forgets the borrow.
        let shared = shared.into_iter().map(|_| unreachable!("cleared")).collect();
        let room = Room { block, shared, versions, own, parts };
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
