//! The executor against the f64 reference.

use super::{Case, differences, guarded};
use crate::{from_tensor, to_tensor};
use ferrograph_executor::Program;
use ferrograph_graph::Reference;
use ferrograph_simd::{Level, with_level};
use ferrograph_tensor::{DType, Tensor};

/// Half the distance from 1 to the next float32: the unit of a sample's tolerance.
const UNIT: f64 = 1.0 / (1u64 << 24) as f64;

pub(crate) fn check(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    for level in Level::available() {
        let results = guarded(|| with_level(level, || run(case)));
        let details = match results {
            Ok(results) => compare(case, &results),
            Err(panic) => vec![panic],
        };
        wrong.extend(details.into_iter().map(|detail| format!("on {}: {detail}", level.name())));
    }
    wrong
}

/// The op's results as the executor computes them from inputs.
pub(crate) fn run(case: &Case) -> Vec<Tensor> {
    let (graph, _, results) = case.graph(|graph, n| graph.input(case.types[n].clone()));
    let inputs: Vec<Tensor> = case.operands.iter().map(to_tensor).collect();
    Program::new(&graph, &results, &[]).unwrap().run(&inputs, None).unwrap()
}

fn compare(case: &Case, results: &[Tensor]) -> Vec<String> {
    let units = case.sample.tolerance;
    let pairs = results.iter().map(from_tensor).zip(&case.expected).enumerate();
    pairs.flat_map(|(n, (have, want))| within(&format!("result {n}"), &have, want, units * UNIT)).collect()
}

/// Differences beyond `tolerance`, relative to numbers above 1; none are allowed of integers.
fn within(what: &str, have: &Reference, want: &Reference, tolerance: f64) -> Vec<String> {
    if have.shape != want.shape {
        return vec![format!("{what}: shape {:?} for {:?}", have.shape, want.shape)];
    }
    match want.dtype {
        DType::Float32 => differences(what, &have.data, &want.data, |want| tolerance * want.abs().max(1.0)),
        DType::Int32 | DType::Bool | DType::Uint8 => differences(what, &have.data, &want.data, |_| 0.0),
    }
}
