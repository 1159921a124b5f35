//! Times a kernel and what limits it, and prints what it reaches.

use crate::peak;
use crate::transfer::transfer;
use ferrograph_kernels::pool;
use ferrograph_tensor::{Buffer, DType};
use std::time::{Duration, Instant};

/// How long a kernel and its limits are timed.
const BUDGET: Duration = Duration::from_millis(160);
/// A sample is at least this long, several calls if need be, so that reading the clock does not count.
const SAMPLE: Duration = Duration::from_micros(20);

/// What a call does.
#[derive(Clone, Copy)]
pub enum Work {
    /// Floating-point operations of multiply-adds.
    Flops(f64),
    /// Bytes that are read and written; what is computed meanwhile is not counted.
    Bytes(f64),
}

/// Memory of ones, allocated as the engine allocates it.
pub struct Floats(Buffer);

impl Floats {
    /// `len` elements.
    pub fn new(len: usize) -> Self {
        let mut buffer = Buffer::new(len * size_of::<f32>()).expect("enough memory");
        buffer.view_mut(DType::Float32).f32().fill(1.0);
        Self(buffer)
    }
    /// The elements.
    pub fn get(&self) -> &[f32] {
        self.0.view(DType::Float32).f32()
    }
    /// The elements, to write.
    pub fn get_mut(&mut self) -> &mut [f32] {
        self.0.view_mut(DType::Float32).f32()
    }
}

/// Times `call`, which makes `result` of `operands`, on one thread and on all, and prints a line for each.
///
/// Two things limit a kernel: multiplying and adding, and reading its operands and writing its result. Both are timed in
/// turn with it, since the clock wanders. `share` is the part of the peak that the kernel reaches, `limitShare` the part of
/// the nearer of the two limits.
pub fn measure(
    kernel: &str,
    shape: &str,
    work: Work,
    operands: &[&Floats],
    result: &mut Floats,
    mut call: impl FnMut(&mut [f32]),
) {
    let all = pool::threads();
    for threads in if all > 1 { vec![1, all] } else { vec![1] } {
        pool::set_threads(threads);
        let calls = calls_of_a_sample(|| call(result.get_mut()));
        let transfers = calls_of_a_sample(|| transfer(operands, result.get_mut()));
        let (begun, mut samples) = (Instant::now(), Samples::default());
        while samples.seconds.len() < 5 || begun.elapsed() < BUDGET {
            let before = peak::flops(threads);
            let seconds = sample(calls, || call(result.get_mut()));
            let after = peak::flops(threads);
            let moving = sample(transfers, || transfer(operands, result.get_mut()));
            samples.seconds.push(seconds);
            samples.transfer.push(moving);
            let computing = match work {
                Work::Flops(flops) => 2.0 * flops / (before + after),
                Work::Bytes(_) => 0.0,
            };
            samples.share.push(computing / seconds);
            samples.limit_share.push(computing.max(moving) / seconds);
        }
        let Samples { seconds, transfer, share, limit_share } = samples;
        let seconds = median(seconds);
        let reached = match work {
            Work::Flops(flops) => format!("\"gflops\":{:.1},\"share\":{:.3}", flops / seconds / 1e9, median(share)),
            Work::Bytes(bytes) => format!("\"gbytes\":{:.1}", bytes / seconds / 1e9),
        };
        println!(
            "{{\"kernel\":\"{kernel}\",\"shape\":\"{shape}\",\"threads\":{threads},\"medianUs\":{:.2},{reached},\
             \"transferUs\":{:.2},\"limitShare\":{:.3}}}",
            seconds * 1e6,
            median(transfer) * 1e6,
            median(limit_share),
        );
    }
    pool::set_threads(all);
}

/// Of each sample of a kernel.
#[derive(Default)]
struct Samples {
    /// Seconds of a call.
    seconds: Vec<f64>,
    /// Seconds of moving its operands and result.
    transfer: Vec<f64>,
    share: Vec<f64>,
    limit_share: Vec<f64>,
}

/// How many calls a sample takes.
fn calls_of_a_sample(mut call: impl FnMut()) -> u32 {
    call();
    let once = sample(3, call).max(1e-9);
    (SAMPLE.as_secs_f64() / once).ceil() as u32
}

/// The mean time of some calls in seconds, after one that leaves the caches as the calls find them.
fn sample(calls: u32, mut call: impl FnMut()) -> f64 {
    call();
    let begun = Instant::now();
    for _ in 0..calls {
        call();
    }
    begun.elapsed().as_secs_f64() / f64::from(calls)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
