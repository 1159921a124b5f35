//! Vectors of `f32` for the instruction sets the kernels run on, and the choice between them.
//!
//! * [`Simd`] is the set of operations a kernel is written in. A value of an implementing type is a proof that the
//!   processor has the instructions, so kernels generic over `S: Simd` contain no `unsafe` but their pointer arithmetic.
//! * [`Level`] is the choice of one implementation. [`Level::current`] is the best the processor has, unless the
//!   environment variable `FERROGRAPH_SIMD` (`scalar`, `avx2`, `avx512` or `neon`) or [`with_level`] asks for less.
//! * [`Kernel`] is a body to be compiled once per instruction set; [`Level::run`] runs the right copy.
//! * [`dispatch!`] does the same for plain loops that the compiler vectorises by itself.
//!
//! Every intrinsic of the project lives in this crate.

// The instructions of a level are enabled only in the wrappers of `dispatch.rs`, so what they call must be inlined.
#![allow(clippy::inline_always)]
// `self` is the proof that an intrinsic may be called, also where its value is not read.
#![allow(clippy::unused_self)]
// Intrinsics have unmistakable names.
#![allow(clippy::wildcard_imports)]

mod dispatch;
mod level;
#[macro_use]
mod multiversion;
mod opaque;
mod scalar;
mod simd;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use dispatch::Kernel;
pub use level::{Level, with_level};
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use opaque::{opaque, opaque_pointer};
pub use scalar::Scalar;
pub use simd::Simd;
