//! Blocks of memory that are kept between runs.

use ferrograph_tensor::{Buffer, ShapeError};
use std::sync::{Mutex, PoisonError};

/// How many blocks stay warm: runs of one program that are in flight at the same time, mostly one or two.
const KEPT: usize = 4;

/// The warm blocks of a program; its plans share them, so that the last, smaller batch of an epoch costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Arenas {
    free: Mutex<Vec<Buffer>>,
}

impl Arenas {
    /// A block of at least `bytes`: the smallest warm one, or a new one. Its contents are arbitrary.
    pub(crate) fn take(&self, bytes: usize) -> Result<Buffer, ShapeError> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = (0..free.len()).filter(|&i| free[i].len() >= bytes).min_by_key(|&i| free[i].len());
        if let Some(index) = fitting {
            return Ok(free.swap_remove(index));
        }
        // What is too small now gives its memory to the new block.
        free.pop();
        drop(free);
        Buffer::new(bytes)
    }

    /// Keeps a block for the next run.
    pub(crate) fn give_back(&self, block: Buffer) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(block);
        }
    }

    /// Bytes that a run of `bytes` would have to allocate.
    pub(crate) fn missing(&self, bytes: usize) -> usize {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.iter().any(|block| block.len() >= bytes) { 0 } else { bytes }
    }
}
