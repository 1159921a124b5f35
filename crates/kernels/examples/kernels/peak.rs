//! What the cores can do at most.

use ferrograph_kernels::pool::parallel_for;
use ferrograph_simd::{Kernel, Level, Simd};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

/// Steps of the chains: some 50 microseconds.
const STEPS: usize = 12_000;

/// Independent chains of multiply-adds: enough to hide their latency, few enough for the registers.
struct Chains;

impl Kernel for Chains {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let (a, b) = (simd.splat(black_box(0.5)), simd.splat(black_box(0.25)));
        let mut sums = [simd.zero(); 12];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = simd.fma(*sum, a, b);
            }
        }
        let mut total = simd.zero();
        for sum in sums {
            total = simd.add(total, sum);
        }
        black_box(simd.reduce_add(total));
        (2 * STEPS * sums.len() * S::N) as f64
    }
}

/// Floating-point operations per second of `threads` threads that only multiply and add, at this moment: the clock wanders.
pub fn flops(threads: usize) -> f64 {
    let sum = Mutex::new(0.0);
    parallel_for(threads, &|_| {
        // Each thread counts its own time, so that handing over the loop does not count.
        let begun = Instant::now();
        let count = Level::current().run(Chains);
        let flops = count / begun.elapsed().as_secs_f64();
        *sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += flops;
    });
    sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
