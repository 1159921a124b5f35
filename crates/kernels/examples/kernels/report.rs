//! Times a kernel and prints what it reaches.

use crate::peak;
use ferrograph_kernels::pool;
use ferrograph_tensor::{Buffer, DType};
use std::time::{Duration, Instant};

/// How long a kernel is timed.
const BUDGET: Duration = Duration::from_millis(80);
/// A sample is at least this long, several calls if need be, so that reading the clock does not count.
const SAMPLE: Duration = Duration::from_micros(20);

/// What limits a kernel.
#[derive(Clone, Copy)]
pub enum Work {
    /// Floating-point operations of a call.
    Flops(f64),
    /// Bytes that a call reads and writes.
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

/// Times `call` on one thread and on all and prints a line for each.
pub fn measure(kernel: &str, shape: &str, work: Work, mut call: impl FnMut()) {
    let all = pool::threads();
    for threads in if all > 1 { vec![1, all] } else { vec![1] } {
        pool::set_threads(threads);
        let peak = peak::flops() * threads as f64;
        let seconds = median(&mut call);
        let reached = match work {
            Work::Flops(flops) => {
                let share = flops / seconds / peak;
                format!("\"gflops\":{:.1},\"share\":{share:.3}", flops / seconds / 1e9)
            }
            Work::Bytes(bytes) => format!("\"gbytes\":{:.1}", bytes / seconds / 1e9),
        };
        let us = seconds * 1e6;
        println!(
            "{{\"kernel\":\"{kernel}\",\"shape\":\"{shape}\",\"threads\":{threads},\"medianUs\":{us:.2},{reached}}}"
        );
    }
    pool::set_threads(all);
}

/// The median time of a call in seconds.
fn median(call: &mut impl FnMut()) -> f64 {
    let time = |calls: u32, call: &mut dyn FnMut()| {
        let begun = Instant::now();
        for _ in 0..calls {
            call();
        }
        begun.elapsed() / calls
    };
    time(1, call);
    let once = time(3, call).max(Duration::from_nanos(1));
    let calls = u32::try_from(SAMPLE.as_nanos() / once.as_nanos()).unwrap_or(1).max(1);
    let (begun, mut samples) = (Instant::now(), Vec::new());
    while samples.len() < 5 || begun.elapsed() < BUDGET {
        samples.push(time(calls, call));
    }
    samples.sort_unstable();
    samples[samples.len() / 2].as_secs_f64()
}
