//! Compiling one body per instruction set.

use crate::{Level, Simd};

/// A body compiled once per instruction set. Its fields are the arguments.
///
/// `run` and what it calls must be `#[inline(always)]`: only then are they compiled with the instructions of the
/// [`Level`] they run at. A body that is not inlined is still correct, and slow.
pub trait Kernel {
    /// What the kernel returns.
    type Output;
    /// The body.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

impl Level {
    /// Runs the copy of `kernel` compiled for this level.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Level::Scalar(simd) => kernel.run(simd),
            // SAFETY: an Avx2 value exists only if the processor has AVX2 and FMA.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(simd) => unsafe { run_avx2(simd, kernel) },
            // SAFETY: an Avx512 value exists only if the processor has the features named below.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(simd) => unsafe { run_avx512(simd, kernel) },
            // NEON is part of the base instruction set of aarch64, so no wrapper is needed.
            #[cfg(target_arch = "aarch64")]
            Level::Neon(simd) => kernel.run(simd),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(simd: crate::Avx2, kernel: K) -> K::Output {
    kernel.run(simd)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn run_avx512<K: Kernel>(simd: crate::Avx512, kernel: K) -> K::Output {
    kernel.run(simd)
}
