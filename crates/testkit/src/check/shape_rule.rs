//! The shape rule against the reference, and against itself with less knowledge.

use super::Case;
use crate::type_of;
use ferrograph_graph::TensorType;

pub(crate) fn check(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let computed: Vec<TensorType> = case.expected.iter().map(type_of).collect();
    if case.results != computed {
        wrong.push(format!("says {}, the reference gives {}", list(&case.results), list(&computed)));
    }
    let mut all = case.types.clone();
    for operand in 0..case.types.len() {
        for axis in 0..case.types[operand].rank() {
            all[operand].shape[axis] = None;
            let mut one = case.types.clone();
            one[operand].shape[axis] = None;
            wrong.extend(with_less(case, &one));
        }
    }
    wrong.extend(with_less(case, &all));
    wrong
}

/// Unknown extents may make extents of the results unknown, and nothing else.
fn with_less(case: &Case, operands: &[TensorType]) -> Option<String> {
    let results = match case.sample.op.infer(operands) {
        Ok(results) => results,
        Err(expected) => return Some(format!("refuses {}: expected {expected}", list(operands))),
    };
    let fits = results.len() == case.results.len() && results.iter().zip(&case.results).all(|(a, b)| compatible(a, b));
    (!fits).then(|| format!("says {} of {}, but the result is {}", list(&results), list(operands), list(&case.results)))
}

fn compatible(partial: &TensorType, known: &TensorType) -> bool {
    partial.dtype == known.dtype
        && partial.rank() == known.rank()
        && partial.shape.iter().zip(&known.shape).all(|(a, b)| a.is_none() || a == b)
}

fn list(types: &[TensorType]) -> String {
    types.iter().map(TensorType::to_string).collect::<Vec<_>>().join(", ")
}
