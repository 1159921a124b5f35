//! Kernels against the limit of the machine: `cargo run --release -p ferrograph-kernels --example kernels [family..]`.
//!
//! Prints a line of JSON for each kernel, shape and number of threads: the median time of a call, what it does per second,
//! the share of the processor's peak that this is, and the share of the nearer limit of peak and transfer (`report`). A family of
//! kernels is a file beside this one.

// Kernels written here are compiled into the wrappers that enable the instructions of a level.
#![allow(clippy::inline_always)]

mod conv;
mod depthwise;
mod gemm;
mod peak;
mod report;
mod transfer;
mod vecmath;

/// The families by name. Each measures its kernels with [`report::measure`].
const FAMILIES: [(&str, fn()); 4] =
    [("gemm", gemm::report), ("conv", conv::report), ("depthwise", depthwise::report), ("vecmath", vecmath::report)];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for (name, report) in FAMILIES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            report();
        }
    }
}
