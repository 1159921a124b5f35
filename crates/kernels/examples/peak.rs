//! The matrix product against the limit of the machine: `cargo run --release -p ferrograph-kernels --example peak`.
//!
//! Prints the fused multiply-adds a core can do (independent chains in registers) and the share of it that products
//! reach, at one thread and at all. Times are the best of several runs, so that other work on the machine shows less.

// `run` is compiled into the wrappers that enable the instructions of a level.
#![allow(clippy::inline_always)]

use ferrograph_kernels::gemm::{Matrix, gemm, pack, packed_len};
use ferrograph_kernels::pool;
use ferrograph_simd::{Kernel, Level, Simd};
use std::hint::black_box;
use std::time::{Duration, Instant};

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

/// Seconds of the fastest of the calls that fit into a moment.
fn best(mut f: impl FnMut()) -> f64 {
    f();
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed() < Duration::from_millis(150) {
        let begin = Instant::now();
        f();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    best
}

/// A buffer of ones that starts at a cache line, as the engine's buffers do.
struct Aligned(Vec<f32>, usize);

impl Aligned {
    fn new(len: usize) -> Self {
        let data = vec![1.0; len + 16];
        let skip = data.as_ptr().align_offset(64);
        Aligned(data, skip)
    }
    fn get(&mut self) -> &mut [f32] {
        let end = self.0.len() - 16 + self.1;
        &mut self.0[self.1..end]
    }
}

fn main() {
    let all = pool::threads();
    let level = Level::current();
    let mut flops = 0.0;
    let seconds = best(|| flops = level.run(Chains { steps: 100_000 }));
    let peak = flops / seconds / 1e9;
    println!("{}: {peak:.1} GF/s per core, {all} threads", level.name());
    let sizes = [64, 128, 192, 256, 384, 512, 768, 1024].map(|n| (n, n, n));
    let others = [(1, 256, 256), (1, 1024, 1024), (8, 512, 512), (3136, 576, 64), (196, 2304, 256)];
    for (m, k, n) in sizes.into_iter().chain(others) {
        let (mut a, mut b, mut c) = (Aligned::new(m * k), Aligned::new(packed_len(k, n)), Aligned::new(m * n));
        pack(k, n, Matrix::row_major(&vec![1.0; k * n], n), b.get());
        print!("{m}x{k}x{n}:");
        for (threads, transposed) in [(1, false), (1, true), (all, false)] {
            pool::set_threads(threads);
            let seconds = best(|| {
                let a = if transposed { Matrix::transposed(a.get(), m) } else { Matrix::row_major(a.get(), k) };
                gemm(m, k, n, a, b.get(), c.get(), n, false);
            });
            let rate = (2 * m * k * n) as f64 / seconds / 1e9;
            let share = 100.0 * rate / peak / threads as f64;
            let name = if transposed { ", A transposed" } else { "" };
            print!("  {threads} thread{name}: {:.1} us {rate:.1} GF/s {share:.0} %", seconds * 1e6);
        }
        println!();
    }
}
