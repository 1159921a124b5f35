//! One count of all tensor memory in the process, and a limit on it.
//!
//! The limit turns a shape that is too large into an error before the system's own killer of processes sees it.

use crate::ShapeError;
use std::sync::atomic::{AtomicUsize, Ordering};

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Bytes of tensor memory in use now.
pub fn allocated_bytes() -> usize {
    ALLOCATED.load(Ordering::Relaxed)
}

/// The limit in force; `usize::MAX` when none was set.
pub fn memory_limit() -> usize {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets the limit in bytes. What is allocated already stays.
pub fn set_memory_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Counts `bytes` as used, or says why they may not be.
pub(crate) fn take(bytes: usize) -> Result<(), ShapeError> {
    let limit = memory_limit();
    let taken = ALLOCATED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
        used.checked_add(bytes).filter(|&total| total <= limit)
    });
    taken.map(|_| ()).map_err(|allocated| ShapeError::Memory { wanted: bytes, allocated, limit })
}

/// Counts `bytes` as free again.
pub(crate) fn give_back(bytes: usize) {
    ALLOCATED.fetch_sub(bytes, Ordering::Relaxed);
}
