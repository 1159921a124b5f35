//! What tests share: an interpreter in f64, the checks that every op must pass, and small ops to build graphs of.
//!
//! Only tests depend on this, so it may panic: a panic here is a failing test.

// Which is why no function says when it panics.
#![allow(clippy::missing_panics_doc)]

mod check;
mod faulty;
mod fill;
mod interpreter;
pub mod toy;

pub use check::{Failure, check_epilogue, check_kernel, check_op, levels_that_differ};
pub use faulty::{Fault, Faulty};
pub use fill::{Random, fill};
pub use interpreter::{evaluate, from_tensor, to_tensor, type_of};
