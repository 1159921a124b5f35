//! Which loops run inside the step before them, on parts of its result that are still in the cache.

use crate::flow::Flow;
use crate::units::Unit;
use ferrograph_graph::{Plan as OpPlan, ValueId};
use ferrograph_tensor::DType;

/// Joins each step that applies an epilogue with the loop right after it, where nobody else reads the step's result and
/// the loop has one result of the same size, which then takes its place in memory. The step comes first in such a unit.
pub(crate) fn join_epilogues(flow: &Flow<'_>, units: Vec<Unit>, leaves: &[bool]) -> Vec<Unit> {
    let mut unit_of = vec![usize::MAX; flow.graph.nodes().len()];
    for (at, unit) in units.iter().enumerate() {
        for &node in unit {
            unit_of[node] = at;
        }
    }
    // By unit: the last that reads from it, and whether all that read from it are that one; by node: whether it leaves.
    let mut last_reader = vec![None; units.len()];
    let mut one_reader = vec![true; units.len()];
    let mut leaving: Vec<bool> =
        flow.graph.nodes().iter().map(|node| node.results.iter().any(|id| leaves[id.index()])).collect();
    for (at, unit) in units.iter().enumerate() {
        for &(_, id) in unit.iter().flat_map(|&node| flow.reads(node)) {
            let Some(producer) = flow.producer(id) else { continue };
            let from = unit_of[producer];
            if from != at {
                one_reader[from] &= last_reader[from].is_none_or(|reader| reader == at);
                last_reader[from] = Some(at);
                leaving[producer] = true;
            }
        }
    }
    let mut joined: Vec<Unit> = Vec::with_capacity(units.len());
    let mut before: Option<usize> = None;
    for (at, unit) in units.into_iter().enumerate() {
        let fits = before.is_some_and(|from| {
            let step = joined.last().map_or(usize::MAX, |unit| unit[0]);
            one_reader[from] && last_reader[from] == Some(at) && takes(flow, step, &unit, leaves, &leaving)
        });
        if fits && let Some(step) = joined.last_mut() {
            step.extend(unit);
            before = None;
        } else {
            let is_step = matches!(&flow.plans[unit[0]], Some(OpPlan::Step(step)) if step.with_epilogue().is_some());
            before = is_step.then_some(at);
            joined.push(unit);
        }
    }
    joined
}

/// Whether the loop `unit` can be the epilogue of `step`, whose only reader it is.
fn takes(flow: &Flow<'_>, step: usize, unit: &Unit, leaves: &[bool], leaving: &[bool]) -> bool {
    let nodes = flow.graph.nodes();
    let [head] = nodes[step].results[..] else { return false };
    let mut results = unit.iter().filter(|&&node| leaving[node]).map(|&node| nodes[node].results[0]);
    let (Some(result), None) = (results.next(), results.next()) else { return false };
    let is_float = |id: ValueId| flow.ty(id).dtype == DType::Float32;
    // As many elements in all its forms: they are read one for one.
    let whole = |id: ValueId| flow.root(id) != head || flow.bytes(id) == flow.bytes(result);
    flow.is_elementwise(unit[0])
        && is_float(head)
        && is_float(result)
        && !leaves[head.index()]
        && flow.bytes(head) == flow.bytes(result)
        && unit.iter().flat_map(|&node| flow.reads(node)).all(|&(_, id)| whole(id))
}
