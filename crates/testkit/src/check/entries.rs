//! An op that keeps the entries along the first axis apart computes a batch in parts to the same bits.

use super::Case;
use super::sameness::other;
use crate::to_tensor;
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Plan, Reference, TensorType};
use ferrograph_tensor::Tensor;

/// Every choice of operands that could have the entries.
pub(crate) fn check(case: &Case) -> Vec<String> {
    let is_asked = matches!(case.sample.op.plan(&case.types, &case.results), Ok(Plan::Step(_)));
    let choices = 1..1_usize << case.operands.len();
    let flags = choices.map(|bits| (0..case.operands.len()).map(|n| bits >> n & 1 == 1).collect::<Vec<bool>>());
    let kept = flags.filter(|batched| {
        let mut of_batched = case.operands.iter().zip(batched).filter(|(_, batched)| **batched).map(|(x, _)| &x.shape);
        let entries = of_batched.clone().next().and_then(|shape| shape.first().copied());
        let can_be_cut = entries.is_some_and(|entries| entries > 1);
        can_be_cut
            && of_batched.all(|shape| shape.first().copied() == entries)
            && results(case, batched).next().is_some()
    });
    if is_asked { kept.flat_map(|batched| in_parts(case, &batched)).collect() } else { Vec::new() }
}

/// The results whose entries the op keeps apart.
fn results(case: &Case, batched: &[bool]) -> impl Iterator<Item = usize> {
    (0..case.results.len()).filter(|&result| case.sample.op.keeps_entries_apart(result, batched, &case.types))
}

/// The first entry and the others against all of them.
fn in_parts(case: &Case, batched: &[bool]) -> Vec<String> {
    let all = run(case, batched, &case.operands);
    let cut = |first: bool| -> Vec<Reference> {
        let operands = case.operands.iter().zip(batched);
        operands.map(|(operand, &batched)| if batched { part(operand, first) } else { operand.clone() }).collect()
    };
    let [first, others] = [true, false].map(|first| run(case, batched, &cut(first)));
    let cut_results = |first: bool| -> Vec<Tensor> {
        all.iter().map(|result| to_tensor(&part(&crate::from_tensor(result), first))).collect()
    };
    let mut wrong = other(&format!("the first entry alone, of {batched:?},"), &first, &cut_results(true));
    wrong.extend(other(&format!("the entries after the first, of {batched:?},"), &others, &cut_results(false)));
    wrong
}

/// The first entry or the others.
fn part(value: &Reference, first: bool) -> Reference {
    let mut shape = value.shape.clone();
    let entry = value.data.len() / shape[0];
    let (data, entries) = if first { (&value.data[..entry], 1) } else { (&value.data[entry..], shape[0] - 1) };
    shape[0] = entries;
    Reference::new(value.dtype, &shape, data.to_vec())
}

fn run(case: &Case, batched: &[bool], operands: &[Reference]) -> Vec<Tensor> {
    let mut graph = Graph::new();
    let types: Vec<TensorType> = operands.iter().map(crate::type_of).collect();
    let inputs: Vec<_> = types.into_iter().map(|ty| graph.input(ty)).collect();
    let results = graph.emit(case.sample.op.clone(), &inputs).unwrap();
    let tensors: Vec<Tensor> = operands.iter().map(to_tensor).collect();
    let results: Vec<_> = self::results(case, batched).map(|result| results[result]).collect();
    Program::new(&graph, &results, &[]).unwrap().run(&tensors, None).unwrap()
}
