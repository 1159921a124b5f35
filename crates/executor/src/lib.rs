//! Running graphs: a [`Program`] is a graph compiled for one purpose, a plan is a program bound to concrete shapes.
//!
//! What is computed never changes here, only the order, the memory and which loops are one. This room names no op: an op
//! says of itself how it is computed, and a graph that no pass understands runs step by step.

mod absorb;
mod apart;
mod arenas;
mod bands;
mod bind;
mod border;
mod broadcast;
mod builder;
mod cache;
mod chain;
mod consumer;
mod derived;
mod describe;
mod direct;
mod draft;
mod epilogue;
mod error;
mod fixed;
mod flow;
mod form;
mod fused;
mod hand_over;
mod in_place;
mod input;
mod kept;
mod layout;
mod memory;
mod moments;
mod operands;
mod parts;
mod plan;
mod planner;
mod pooled;
mod program;
mod readers;
mod run;
mod simplify;
mod touched;
mod units;

pub use error::ProgramError;
pub use input::RunInput;
pub use program::Program;
