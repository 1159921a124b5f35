//! The N-API surface and nothing else: convert, check, dispatch, translate errors.
//!
//! TypeScript's `native/` folder is the only caller. Every export catches panics; every number, shape and array that
//! comes in is checked here, however well TypeScript checks it before. Errors are described in [`error`].

// The exports are called from JavaScript and their types are napi's, which hands out its environment by reference.
#![allow(clippy::needless_pass_by_value, clippy::trivially_copy_pass_by_ref)]
// Exports are registered with JavaScript, which no test has.
#![cfg_attr(test, allow(dead_code))]

mod arguments;
mod cancellation;
mod elements;
mod error;
mod files;
mod graph;
mod limit;
mod operand;
mod program;
mod results;
mod runs;
mod settings;
mod staging;
mod tensor;
mod variable;

/// Runs when the addon is loaded, once per process.
#[napi_derive::module_init]
fn load() {
    ferrograph_tensor::set_memory_limit(limit::default_limit());
}
