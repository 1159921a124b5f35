//! Stopping runs.

use napi_derive::napi;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops every run it was given to, at the run's next step. One that has stopped rejects with code `CANCELLED`.
#[napi]
#[derive(Debug, Default)]
pub struct NativeCancellation {
    flag: Arc<AtomicBool>,
}

#[napi]
impl NativeCancellation {
    /// One that has not been used.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the runs, also those that begin later.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    pub(crate) fn flag(&self) -> &Arc<AtomicBool> {
        &self.flag
    }
}
