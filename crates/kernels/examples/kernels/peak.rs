//! What a core can do at most.

use ferrograph_simd::{Kernel, Level, Simd};
use std::hint::black_box;
use std::time::Instant;

/// Independent chains of multiply-adds: enough to hide their latency, few enough for the registers.
struct Chains {
    steps: usize,
}

impl Kernel for Chains {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let (a, b) = (simd.splat(black_box(0.5)), simd.splat(black_box(0.25)));
        let mut sums = [simd.zero(); 12];
        for _ in 0..self.steps {
            for sum in &mut sums {
                *sum = simd.fma(*sum, a, b);
            }
        }
        let mut total = simd.zero();
        for sum in sums {
            total = simd.add(total, sum);
        }
        black_box(simd.reduce_add(total));
        (2 * self.steps * sums.len() * S::N) as f64
    }
}

/// Floating-point operations per second of one core that only multiplies and adds, at this moment: the clock wanders.
pub fn flops() -> f64 {
    let once = || {
        let begun = Instant::now();
        let count = Level::current().run(Chains { steps: 20_000 });
        count / begun.elapsed().as_secs_f64()
    };
    (0..8).map(|_| once()).fold(0.0, f64::max)
}
