//! Numeric kernels: functions over slices that know numbers and not graphs.
//!
//! Sizes are checked by the callers; every public function asserts the slice lengths it relies on. Work is spread over
//! the process-wide [`pool`] without being asked. Results are bitwise equal for any thread count, and a row of a batch
//! does not depend on the rows beside it.

// The instructions of a level are enabled only in the wrappers of the simd crate, so what they call must be inlined.
#![allow(clippy::inline_always)]
// Said once above: every function asserts the lengths it relies on.
#![allow(clippy::missing_panics_doc)]

pub mod batch_norm;
pub mod conv;
pub mod copy;
pub mod depthwise;
pub mod elementwise;
pub mod gemm;
pub mod gru;
pub mod indexing;
pub mod lstm;
pub mod optimizer;
pub mod parallel;
pub mod pool;
pub mod pooling;
pub mod random;
pub mod recurrence;
pub mod reduce;
pub mod softmax;
pub mod standardize;
#[cfg(test)]
mod testing;
pub mod vecmath;
