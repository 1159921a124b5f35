//! One instruction set against the next.

use super::{Case, forward};
use ferrograph_graph::Sample;
use ferrograph_simd::{Level, with_level};

/// The pairs of neighbouring instruction sets, slowest first, on which the op's results differ in a bit.
pub fn levels_that_differ(name: &str, sample: &Sample) -> Vec<[&'static str; 2]> {
    let case = Case::without_expected(name, sample).unwrap();
    let results: Vec<_> =
        Level::available().into_iter().map(|level| (level.name(), with_level(level, || forward::run(&case)))).collect();
    let differ = results.windows(2).filter(|pair| {
        let [slow, fast] = [0, 1].map(|n| pair[n].1.iter().map(|tensor| tensor.buffer().bytes()));
        !slow.eq(fast)
    });
    differ.map(|pair| [pair[0].0, pair[1].0]).collect()
}
