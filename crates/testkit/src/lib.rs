//! What tests share: an interpreter in f64, the checks that every op must pass, and small ops to build graphs of.
//!
//! Only tests depend on this, so it may panic: a panic here is a failing test.

mod interpreter;
pub mod toy;

pub use interpreter::{evaluate, from_tensor, to_tensor, type_of};
